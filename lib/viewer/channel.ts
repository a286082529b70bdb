/** The connection of a viewer: one request at a time, each with its reply. */

import { errorText } from "../base/errors.ts";
import { type Minor, NEWEST_MINOR } from "../base/ids.ts";
import { type Connection, ConnectionError, waited } from "../net/connection.ts";
import { type ViewerCommandName, viewerHeader } from "../wire/live.ts";
import { ViewerVersionError } from "./errors.ts";
import {
  decodeReply,
  ReplyFrame,
  type ReplyOf,
  type RequestOf,
  rowOf,
} from "./reply.ts";
import type { Timer } from "./timer.ts";

/** A long reply has this much time anew for each such part of it. */
const PART_BYTES = 64 * 1024;

/** How patient a channel is. */
export interface ViewerChannelOptions {
  /** For each reply, or 64 KiB of a long one, milliseconds. */
  readonly timeoutMs: number;
  readonly timer: Timer;
}

/**
 * Requests are sent in the order they were made, each when the one before is
 * answered. A caller that gives up takes nothing from the others: the reply is
 * read all the same. After the first failure nothing works any more.
 */
export class ViewerChannel {
  readonly #connection: Connection;
  readonly #options: ViewerChannelOptions;
  /** The last request's exchange. */
  #tail: Promise<unknown> = Promise.resolve();
  #failure: ConnectionError | undefined;
  /** The minor that both sides speak; set after CONNECT. */
  minor: Minor = NEWEST_MINOR;

  constructor(connection: Connection, options: ViewerChannelOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** The relay daemon, as `host:port`. */
  get peer(): string {
    return this.#connection.peer;
  }

  /** Why nothing works any more. */
  get lost(): ConnectionError | undefined {
    return this.#failure;
  }

  /**
   * Sends a command and gives its reply, whatever status that has.
   *
   * @throws {ConnectionError} The connection is lost, no reply came in time, or
   * it made no sense.
   * @throws {ViewerVersionError} The command is newer than the agreed minor.
   * @throws The signal's reason when it is aborted.
   */
  async request<N extends ViewerCommandName>(
    name: N,
    value: RequestOf<N>,
    signal?: AbortSignal,
  ): Promise<ReplyOf<N>> {
    signal?.throwIfAborted();
    const { since } = rowOf(name);
    if (this.minor < since) {
      throw new ViewerVersionError(
        `${name} needs a relay daemon of 2.${since}: 2.${this.minor} was agreed`,
      );
    }
    const exchange = this.#tail.then(() => {
      signal?.throwIfAborted();
      return this.#exchange(name, value);
    });
    this.#tail = exchange.catch(() => {});
    return await orAborted(exchange, signal);
  }

  /** Closes: what waits fails with `error`, and so does all that follows. */
  fail(error: ConnectionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#connection.close();
  }

  /** Closes because what the relay daemon said makes no sense. */
  refuse(cause: unknown): ConnectionError {
    const error = new ConnectionError(
      `What ${this.peer} says makes no sense: ${errorText(cause)}`,
      { cause },
    );
    this.fail(error);
    return error;
  }

  async #exchange<N extends ViewerCommandName>(
    name: N,
    value: RequestOf<N>,
  ): Promise<ReplyOf<N>> {
    if (this.#failure !== undefined) throw again(this.#failure);
    const row = rowOf(name);
    const payload = row.request.encode(value, this.minor);
    const header = viewerHeader.encode({
      dataSize: BigInt(payload.length),
      command: row.number,
      commandVersion: 0,
    });
    const request = new Uint8Array(header.length + payload.length);
    request.set(header);
    request.set(payload, header.length);
    try {
      this.#checkSilence();
      await this.#connection.write(request, this.#options.timeoutMs);
      const frame = new ReplyFrame(name, this.minor, value);
      const reply = await this.#read(name, frame);
      return this.#decode(name, reply);
    } catch (error) {
      if (this.#failure !== undefined) throw again(this.#failure);
      const lost = error instanceof ConnectionError
        ? error
        : new ConnectionError(errorText(error), { cause: error });
      this.fail(lost);
      throw lost;
    }
  }

  /** Bytes that were read with the last reply would be taken for the next. */
  #checkSilence(): void {
    const { length } = this.#connection.buffered;
    if (length === 0) return;
    throw new ConnectionError(
      `${this.peer} sent ${length} bytes that answer nothing`,
    );
  }

  #decode<N extends ViewerCommandName>(
    name: N,
    bytes: Uint8Array,
  ): ReplyOf<N> {
    try {
      return decodeReply(name, this.minor, bytes);
    } catch (error) {
      throw this.refuse(error);
    }
  }

  async #read(
    name: ViewerCommandName,
    frame: ReplyFrame,
  ): Promise<Uint8Array> {
    let deadline = this.#deadline(name);
    try {
      for (let part = PART_BYTES;;) {
        const { buffered } = this.#connection;
        const size = this.#sizeOf(frame, buffered);
        if (size <= buffered.length) {
          const bytes = buffered.slice(0, size);
          this.#connection.consume(size);
          return bytes;
        }
        if (buffered.length >= part) {
          part = buffered.length + PART_BYTES;
          deadline.stop();
          deadline = this.#deadline(name);
        }
        const filling = this.#connection.fill();
        // Time may run out first; its failure is then nobody's.
        filling.catch(() => {});
        if (await Promise.race([filling, deadline.passed])) continue;
        throw new ConnectionError(endText(this.peer, name, buffered.length));
      }
    } finally {
      deadline.stop();
    }
  }

  #sizeOf(frame: ReplyFrame, bytes: Uint8Array): number {
    try {
      return frame.size(bytes);
    } catch (error) {
      throw this.refuse(error);
    }
  }

  /** `passed` fails when time is up. */
  #deadline(name: string): { passed: Promise<never>; stop(): void } {
    const { timeoutMs, timer } = this.#options;
    const stopped = new AbortController();
    const passed = timer.sleep(timeoutMs, stopped.signal).then(() => {
      throw new ConnectionError(
        waited(timeoutMs, `the reply to ${name} from ${this.peer}`),
      );
    });
    passed.catch(() => {});
    return { passed, stop: () => stopped.abort() };
  }
}

/** Resolves like `promise`, or throws the signal's reason at once. */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  promise.catch(() => {});
  if (signal.aborted) throw signal.reason;
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** A fresh error for each caller, so that each has its own stack. */
function again(error: ConnectionError): ConnectionError {
  return new ConnectionError(error.message, { cause: error.cause ?? error });
}

function endText(peer: string, name: string, got: number): string {
  if (got > 0) {
    return `${peer} ended the connection after ${got} bytes of its reply to ${name}`;
  }
  const hint = name === "CONNECT" ? ": is this its live port?" : "";
  return `${peer} ended the connection instead of answering ${name}${hint}`;
}
