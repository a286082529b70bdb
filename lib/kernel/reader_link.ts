/** The tracer's end of a reader worker: requests, their answers, and packets. */

import type {
  CpuStatistics,
  ReaderReply,
  ReaderRequest,
  ReaderSetup,
} from "./reader_messages.ts";

/** A packet as the worker hands it over. */
export type ReaderPacket = Extract<ReaderReply, { kind: "packet" }>;

/** A request without its number. */
type Order =
  | { readonly kind: "setup"; readonly setup: ReaderSetup }
  | {
    readonly kind: "events";
    readonly events: Extract<ReaderRequest, { kind: "events" }>["events"];
  }
  | { readonly kind: "start" | "flush" | "stop" | "statistics" | "close" };

/** Takes what comes without being asked for. */
export interface ReaderLinkHandlers {
  packet(packet: ReaderPacket): void;
  warning(text: string): void;
}

/** One worker. */
export class ReaderLink {
  readonly #worker: Worker;
  readonly #handlers: ReaderLinkHandlers;
  readonly #pending = new Map<
    number,
    PromiseWithResolvers<readonly CpuStatistics[]>
  >();
  #next = 0;
  #failure: Error | undefined;

  constructor(handlers: ReaderLinkHandlers) {
    this.#handlers = handlers;
    const script = new URL("./reader_worker.ts", import.meta.url);
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(
        new Error(`A reader of kernel events ended: ${event.message}`),
      );
    };
  }

  /** Asks for something; resolves when it is done. @throws what went wrong. */
  request(order: Order): Promise<readonly CpuStatistics[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#next++;
    const answer = Promise.withResolvers<readonly CpuStatistics[]>();
    this.#pending.set(id, answer);
    this.#worker.postMessage({ ...order, id } satisfies ReaderRequest);
    return answer.promise;
  }

  /** The packet was taken: its buffer goes back. */
  taken({ cpu, buffer }: ReaderPacket): void {
    if (this.#failure !== undefined) return;
    const request: ReaderRequest = { kind: "taken", cpu, buffer };
    this.#worker.postMessage(request, [buffer]);
  }

  /** Ends the worker. What it still holds open closes with `close` before. */
  terminate(): void {
    this.#worker.terminate();
    this.#fail(new Error("The reader of kernel events was ended"));
  }

  #receive(reply: ReaderReply): void {
    switch (reply.kind) {
      case "packet":
        return this.#handlers.packet(reply);
      case "warning":
        return this.#handlers.warning(reply.text);
      case "done": {
        const answer = this.#pending.get(reply.id);
        this.#pending.delete(reply.id);
        if (reply.error === undefined) answer?.resolve(reply.statistics);
        else answer?.reject(new Error(reply.error));
      }
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}
