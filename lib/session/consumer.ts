/**
 * The consumer of one session: takes the trace from the tracer and brings it
 * to an output that may be slow, absent or gone. Metadata has a way of its own,
 * which no packet is on. Whatever cannot be brought there is counted.
 */

import { errorText } from "../base/errors.ts";
import type { StreamSink, TraceSink } from "../ctf/sink.ts";
import { Bounded } from "./bounded.ts";
import { ConsumerStream, type PacketCounts } from "./consumer_stream.ts";
import type { StreamFiles, TraceOutput } from "./output.ts";

/** Most metadata that is kept for an output that is not there, bytes. */
const METADATA_BYTES_MAXIMUM = 64 * 1024 * 1024;
/** Bytes under way after which the output is asked what it has stored. */
const CONFIRM_BYTES = 4 * 1024 * 1024;
/** Bytes under way, not confirmed, after which nothing more is sent. */
const UNDER_WAY_BYTES_MAXIMUM = 4 * CONFIRM_BYTES;
/** How long one question for what is stored may take, milliseconds. */
const CONFIRM_TIMEOUT_MS = 60_000;

/** What a consumer is told. */
export interface ConsumerOptions {
  /** Makes the output; tried again as long as nothing has been sent. */
  readonly open: (signal: AbortSignal) => Promise<TraceOutput>;
  /** Pause between two tries, milliseconds. */
  readonly retryMs: number;
  /** How a stream's files are bounded. */
  readonly files: (stream: string) => StreamFiles;
  /** The number of a stream's class. */
  readonly streamClassId: (stream: string) => number;
  /** Takes what the operator should know: one line. */
  readonly warn: (line: string) => void;
}

/** How it is with the output. */
export type ConsumerState = "idle" | "opening" | "ready" | "failed" | "lost";

/** Takes the trace of one session. */
export class Consumer implements TraceSink {
  readonly #options: ConsumerOptions;
  readonly #streams: ConsumerStream[] = [];
  readonly #metadata: Uint8Array[] = [];
  readonly #end = new AbortController();
  #metadataBytes = 0;
  #state: ConsumerState = "idle";
  #output: TraceOutput | undefined;
  #opening: Promise<void> | undefined;
  /** Resolves when the first try to open is over. */
  #tried = Promise.withResolvers<void>();
  /** Metadata and the opening of streams, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #replaced: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #isTold = true;
  #underWay = 0;
  #bytes = 0;
  #generation = 0;
  #isDraining = false;
  #confirming: Promise<void> | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  get state(): ConsumerState {
    return this.#state;
  }

  /** Why the output does not work; unset where it does. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The output, once it is there and as long as it works. */
  get output(): TraceOutput | undefined {
    return this.#state === "ready" ? this.#output : undefined;
  }

  /** Bytes of packets that the output has taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Packets of each stream. */
  get counts(): readonly PacketCounts[] {
    return this.#streams.map((stream) => stream.counts);
  }

  /** Asks the output what it has stored, for {@linkcode counts} to be so. */
  async refresh(timeoutMs: number): Promise<void> {
    const { output } = this;
    if (output === undefined) return;
    if (this.counts.every(({ unconfirmed }) => unconfirmed === 0)) return;
    await this.#confirm(output, timeoutMs);
  }

  /** Begins to open the output, and waits for nothing. */
  begin(): void {
    if (this.#state !== "idle") return;
    this.#state = "opening";
    this.#tried = Promise.withResolvers();
    this.#opening = this.#open();
  }

  /**
   * Resolves when an output that is being opened is there, or was tried in
   * vain; no later than `bounded` allows.
   */
  async tried(bounded: Bounded): Promise<void> {
    if (this.#state === "opening") await bounded.reaches(this.#tried.promise);
  }

  /** Opens the output; rejects with why it cannot be. */
  async openNow(): Promise<void> {
    if (this.#state === "ready") return;
    const output = await this.#options.open(this.#end.signal);
    await this.#attach(output);
  }

  /** Leaves the output that was begun, or lost: another is to follow. */
  redirect(): void {
    const output = this.#output;
    this.#generation++;
    this.#state = "idle";
    this.#output = this.#failure = undefined;
    this.#isTold = true;
    this.#underWay = 0;
    for (const stream of this.#streams) {
      stream.detach();
      stream.revive();
    }
    void output?.close(0);
  }

  /**
   * Why the output does not work: told once for each time that it fails.
   */
  takeFailure(): Error | undefined {
    if (this.#isTold) return undefined;
    this.#isTold = true;
    return this.#failure;
  }

  writeMetadata(bytes: Uint8Array): Promise<void> {
    const kept = bytes.slice();
    this.#metadataBytes += kept.length;
    if (this.#metadataBytes > METADATA_BYTES_MAXIMUM) {
      return Promise.reject(tooLarge(this.#metadataBytes));
    }
    this.#metadata.push(kept);
    const output = this.output;
    if (output !== undefined) {
      this.#inTurn(() => output.writeMetadata(kept));
    }
    // The tracer goes on at once: packets wait for it, commands do not.
    return Promise.resolve();
  }

  /**
   * Resolves at once, as {@linkcode writeMetadata} does; nothing has changed
   * where it rejects. What the output makes of it, {@linkcode replaced} tells.
   */
  replaceMetadata(bytes: Uint8Array): Promise<void> {
    const output = this.output;
    try {
      if (bytes.length > METADATA_BYTES_MAXIMUM) throw tooLarge(bytes.length);
      output?.checkReplacing?.();
    } catch (error) {
      return Promise.reject(error);
    }
    const kept = bytes.slice();
    this.#metadata.splice(0, this.#metadata.length, kept);
    this.#metadataBytes = kept.length;
    this.#replaced = output === undefined
      ? Promise.resolve()
      : this.#turn.then(() => output.replaceMetadata(kept));
    // An output that is lost says so itself; else its old metadata is whole.
    this.#turn = this.#replaced.catch(() => {});
    return Promise.resolve();
  }

  /**
   * Settles when the output has the metadata that last replaced the old, or
   * rejects with why it has not. An output that comes later gets the new.
   */
  get replaced(): Promise<void> {
    return this.#replaced;
  }

  openStream(name: string): Promise<StreamSink> {
    const host = {
      metadataGone: () => this.#turn,
      room: () => this.#room(),
      handedOver: (bytes: number) => this.#handedOver(bytes),
    };
    const stream = new ConsumerStream(
      host,
      name,
      this.#options.files(name),
      BigInt(this.#options.streamClassId(name)),
    );
    this.#streams.push(stream);
    const output = this.output;
    if (output !== undefined) {
      this.#inTurn(() => this.#attachStream(output, stream));
    }
    return Promise.resolve(stream);
  }

  /**
   * While the tracer waits for its last packets to be taken, those that can
   * never be are refused at once; else they wait, and the tracer's buffers
   * fill up as their channel has it.
   */
  set isDraining(isDraining: boolean) {
    this.#isDraining = isDraining;
    this.#refuseLost();
  }

  /** The tracer says that nothing follows: the session may know better. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Tells live viewers of streams that had nothing to say. */
  async beat(now: bigint): Promise<void> {
    if (this.output === undefined) return;
    // A stream that viewers do not know yet may have earlier events.
    await this.#turn;
    // Each at a time of its own: babeltrace2 warns of two that are the same.
    const beats = this.#streams.map((stream, index) =>
      stream.beat(now - BigInt(index))
    );
    await Promise.allSettled(beats);
  }

  /**
   * Waits until everything is stored, no longer than `bounded` allows; says
   * which streams are not.
   */
  async settle(bounded: Bounded): Promise<readonly string[]> {
    const drained = Promise.all([
      this.#turn,
      ...this.#streams.map((stream) => stream.drained()),
    ]);
    await bounded.reaches(drained);
    const waiting = this.counts.filter((counts) => counts.waiting > 0)
      .map(({ name }) => name);
    const output = this.output;
    if (output === undefined) return waiting;
    const missing = await this.#confirm(output, bounded.leftMs);
    return [...new Set([...waiting, ...missing])];
  }

  /**
   * Ends: what waits is given up, the output closed. Never rejects, and takes
   * no longer than `timeoutMs` and what the output needs to close.
   */
  async finish(timeoutMs: number): Promise<readonly PacketCounts[]> {
    this.#end.abort();
    const error = new Error("Given up at the end of the session");
    for (const stream of this.#streams) stream.leave(error);
    // Nothing answers any more: the packets that are sent stay unconfirmed.
    const bounded = new Bounded(timeoutMs);
    await bounded.reaches(this.#output?.close(timeoutMs) ?? Promise.resolve());
    await bounded.reaches(this.#opening ?? Promise.resolve());
    return this.counts;
  }

  async #open(): Promise<void> {
    const { signal } = this.#end;
    const generation = this.#generation;
    const isOver = () => signal.aborted || generation !== this.#generation;
    while (!isOver()) {
      try {
        const output = await this.#options.open(signal);
        if (isOver()) return await output.close(0);
        return await this.#attach(output);
      } catch (error) {
        if (isOver()) return;
        this.#fail("failed", error);
      }
      await pause(this.#options.retryMs, signal);
    }
  }

  async #attach(output: TraceOutput): Promise<void> {
    // A relay daemon wants streams announced before metadata and packets.
    const streams = [...this.#streams];
    const metadata = [...this.#metadata];
    this.#output = output;
    this.#state = "ready";
    this.#tried.resolve();
    const isAgain = this.#failure !== undefined;
    this.#failure = undefined;
    this.#isTold = true;
    void output.lost.then((error) => this.#lose(output, error));
    const attaching = this.#inTurn(async () => {
      for (const stream of streams) await this.#attachStream(output, stream);
      for (const bytes of metadata) await output.writeMetadata(bytes);
    });
    if (isAgain) this.#options.warn("The output works now");
    await attaching;
  }

  async #attachStream(
    output: TraceOutput,
    stream: ConsumerStream,
  ): Promise<void> {
    const target = await output.openStream(stream.name, stream.files);
    stream.attach(target);
  }

  #lose(output: TraceOutput, error: Error): void {
    if (output !== this.#output || this.#end.signal.aborted) return;
    for (const stream of this.#streams) stream.detach();
    this.#fail("lost", error);
    this.#refuseLost();
  }

  #refuseLost(): void {
    if (!this.#isDraining || this.#state !== "lost") return;
    const error = this.#failure ?? new Error("The output is lost");
    for (const stream of this.#streams) stream.giveUp(error);
  }

  #fail(state: "failed" | "lost", error: unknown): void {
    const isNews = this.#failure === undefined;
    this.#state = state;
    this.#tried.resolve();
    this.#failure = error instanceof Error ? error : new Error(String(error));
    if (!isNews) return;
    this.#isTold = false;
    this.#options.warn(errorText(error));
  }

  /** One failing step loses the output; it does not stop those after it. */
  #inTurn(run: () => Promise<void>): Promise<void> {
    const output = this.#output;
    this.#turn = this.#turn.then(run).catch((error) => {
      if (output !== undefined) this.#lose(output, asError(error));
    });
    return this.#turn;
  }

  #handedOver(bytes: number): void {
    this.#underWay += bytes;
    this.#bytes += bytes;
    const output = this.output;
    if (this.#underWay < CONFIRM_BYTES || output === undefined) return;
    this.#confirming ??= this.#confirm(output, CONFIRM_TIMEOUT_MS)
      .then(() => {}).finally(() => {
        this.#confirming = undefined;
      });
  }

  async #room(): Promise<void> {
    while (
      this.#underWay > UNDER_WAY_BYTES_MAXIMUM &&
      this.#confirming !== undefined
    ) await this.#confirming;
  }

  async #confirm(
    output: TraceOutput,
    timeoutMs: number,
  ): Promise<readonly string[]> {
    const sent = this.#streams.map((stream) => stream.sent);
    const streams = [...this.#streams];
    try {
      const missing = await output.waitUntilStored(timeoutMs);
      if (output !== this.#output) return missing;
      streams.forEach((stream, index) => {
        if (missing.includes(stream.name)) return;
        this.#underWay -= stream.confirm(sent[index] ?? 0);
      });
      return missing;
    } catch (error) {
      this.#lose(output, asError(error));
      return streams.map(({ name }) => name);
    }
  }
}

function tooLarge(bytes: number): RangeError {
  return new RangeError(
    `The metadata is too large: ${bytes} bytes > ${METADATA_BYTES_MAXIMUM}`,
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}
