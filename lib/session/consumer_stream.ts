/** One stream of the consumer: packets that wait for an output, and their counts. */

import type { PacketInfo, StreamSink } from "../ctf/sink.ts";
import type { OutputStream, StreamFiles } from "./output.ts";

/** What a stream needs of its consumer. */
export interface ConsumerStreamHost {
  /** Resolves when the metadata written so far has gone before. */
  metadataGone(): Promise<void>;
  /** Resolves when more may be under way. */
  room(): Promise<void>;
  /** Bytes that were handed to the output. */
  handedOver(bytes: number): void;
}

interface Waiting {
  readonly content: Uint8Array;
  readonly info: PacketInfo;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What became of a stream's packets. */
export interface PacketCounts {
  readonly name: string;
  /** Handed to the output. */
  readonly sent: number;
  /** Sent, and not confirmed by a relay daemon. */
  readonly unconfirmed: number;
  readonly unconfirmedBytes: number;
  /** On their way to the output. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Given up. */
  readonly dropped: number;
}

/** Takes a stream's packets from the tracer, which waits for each of them. */
export class ConsumerStream implements StreamSink {
  readonly #host: ConsumerStreamHost;
  readonly #waiting: Waiting[] = [];
  #output: OutputStream | undefined;
  #pump: Promise<void> | undefined;
  /** The packet that the output has begun to take. */
  #begun: Waiting | undefined;
  /** A copy of it: the tracer may have its own back before. */
  #content = new Uint8Array();
  #givenUp: Error | undefined;
  #sent = 0;
  /** Sizes of packets that were sent and not confirmed, oldest first. */
  readonly #unconfirmed: number[] = [];
  #dropped = 0;
  #sentAtBeat = -1;
  /** Number of its stream class: as its channel has it, then as its packets do. */
  #streamClassId: bigint;

  constructor(
    host: ConsumerStreamHost,
    readonly name: string,
    readonly files: StreamFiles,
    streamClassId: bigint,
  ) {
    this.#host = host;
    this.#streamClassId = streamClassId;
  }

  get counts(): PacketCounts {
    return {
      name: this.name,
      sent: this.#sent,
      unconfirmed: this.#unconfirmed.length,
      unconfirmedBytes: sum(this.#unconfirmed),
      waiting: this.#waiting.length,
      waitingBytes: sum(this.#waiting.map(({ content }) => content.length)),
      dropped: this.#dropped,
    };
  }

  /** Resolves once the output has taken the packet; rejects where it is lost. */
  writePacket(content: Uint8Array, info: PacketInfo): Promise<void> {
    if (this.#givenUp !== undefined) {
      this.#dropped++;
      return Promise.reject(this.#givenUp);
    }
    this.#streamClassId = info.streamClassId;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ content, info, resolve, reject });
    this.#start();
    return promise;
  }

  /** Its packets go on to `output` from now on. */
  attach(output: OutputStream): void {
    this.#output = output;
    this.#start();
  }

  /** Its packets wait again. */
  detach(): void {
    this.#output = undefined;
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    while (this.#waiting.length > 0 && this.#pump !== undefined) {
      await this.#pump;
    }
  }

  /** How many packets were sent, to be told to {@linkcode confirm} later. */
  get sent(): number {
    return this.#sent;
  }

  /** The first `count` packets are stored; how many bytes more that is. */
  confirm(count: number): number {
    const news = count - (this.#sent - this.#unconfirmed.length);
    return sum(this.#unconfirmed.splice(0, Math.max(news, 0)));
  }

  /** Refuses what waits, and everything that comes. */
  giveUp(error: Error): void {
    this.#givenUp = error;
    this.#output = undefined;
    for (const { reject } of this.#waiting.splice(0)) {
      this.#dropped++;
      reject(error);
    }
  }

  /**
   * {@linkcode giveUp}, but what the output has begun to take stays with it: a
   * packet that is cut in the middle makes its whole stream unreadable.
   */
  leave(error: Error): void {
    const begun = this.#begun;
    if (begun !== undefined) this.#settle(begun);
    this.giveUp(error);
  }

  /** Takes packets again; what was not confirmed is lost. */
  revive(): void {
    this.#givenUp = undefined;
    this.#dropped += this.#unconfirmed.splice(0).length;
  }

  /** Tells live viewers that there was nothing since the last beat. */
  async beat(now: bigint): Promise<void> {
    const isQuiet = this.#sent === this.#sentAtBeat &&
      this.#waiting.length === 0;
    this.#sentAtBeat = this.#sent;
    if (isQuiet) await this.#output?.beacon?.(now, this.#streamClassId);
  }

  async close(): Promise<void> {
    // The session ends streams, not the tracer: it may record again.
  }

  #start(): void {
    if (this.#output === undefined || this.#pump !== undefined) return;
    this.#pump = this.#run().finally(() => {
      this.#pump = undefined;
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      await this.#host.metadataGone();
      await this.#host.room();
      const output = this.#output;
      if (output === undefined) return;
      this.#begun = next;
      try {
        await output.writePacket(this.#copy(next.content), next.info);
        this.#settle(next);
      } catch (error) {
        this.#settle(next, error);
      } finally {
        this.#begun = undefined;
      }
    }
  }

  #copy(content: Uint8Array): Uint8Array {
    const { length } = content;
    if (this.#content.length < length) this.#content = new Uint8Array(length);
    this.#content.set(content);
    return this.#content.subarray(0, length);
  }

  /** Takes a packet off, unless it was given up meanwhile. */
  #settle(packet: Waiting, error?: unknown): void {
    const index = this.#waiting.indexOf(packet);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    if (error !== undefined) {
      this.#dropped++;
      return packet.reject(error);
    }
    const { length } = packet.content;
    this.#sent++;
    this.#unconfirmed.push(length);
    this.#host.handedOver(length);
    packet.resolve();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
