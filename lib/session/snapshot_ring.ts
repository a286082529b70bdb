/**
 * What a snapshot session keeps of what its snapshots read: the newest packets
 * of each stream, as many as its channel has sub-buffers. What was not read yet
 * is in the tracer's ring buffers.
 */

import type { PacketInfo, StreamSink, TraceSink } from "../ctf/sink.ts";

/** A packet that is kept. */
export interface KeptPacket {
  readonly content: Uint8Array;
  readonly info: PacketInfo;
}

/** How many packets a stream keeps, and whether newer ones replace them. */
export interface RingBounds {
  readonly packets: number;
  readonly overwrite: boolean;
}

/** What a snapshot is made of. */
export interface SnapshotContent {
  readonly metadata: Uint8Array;
  readonly streams: readonly {
    readonly name: string;
    readonly packets: readonly KeptPacket[];
  }[];
}

/**
 * Keeps the newest packets: what one ring buffer would hold, had nobody read
 * it. Where newer events overwrote older ones before they were read, they would
 * have overwritten all that was read before, too.
 */
export class SnapshotRing implements TraceSink {
  readonly #bounds: (stream: string) => RingBounds;
  readonly #metadata: Uint8Array[] = [];
  readonly #streams: RingStream[] = [];

  constructor(bounds: (stream: string) => RingBounds) {
    this.#bounds = bounds;
  }

  writeMetadata(bytes: Uint8Array): Promise<void> {
    this.#metadata.push(bytes.slice());
    return Promise.resolve();
  }

  replaceMetadata(bytes: Uint8Array): Promise<void> {
    this.#metadata.splice(0, this.#metadata.length, bytes.slice());
    return Promise.resolve();
  }

  openStream(name: string): Promise<StreamSink> {
    const stream = new RingStream(name, this.#bounds(name));
    this.#streams.push(stream);
    return Promise.resolve(stream);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Keeps all packets that `read` brings, though they be more than a channel
   * has sub-buffers: those of the kernel hold more than ours.
   */
  async keepAll(read: () => Promise<void>): Promise<void> {
    for (const stream of this.#streams) stream.beginRead();
    try {
      await read();
    } finally {
      for (const stream of this.#streams) stream.endRead();
    }
  }

  /** Forgets every packet. */
  clear(): void {
    for (const stream of this.#streams) stream.clear();
  }

  /** How many streams there are. */
  get streamCount(): number {
    return this.#streams.length;
  }

  /**
   * What is kept: of each stream the newest packets that fit its share of
   * `sizeMaximum` bytes; 0: all.
   */
  content(sizeMaximum: bigint): SnapshotContent {
    const share = sizeMaximum === 0n || this.#streams.length === 0
      ? undefined
      : sizeMaximum / BigInt(this.#streams.length);
    return {
      metadata: concatenate(this.#metadata),
      streams: this.#streams.map((stream) => ({
        name: stream.name,
        packets: stream.newest(share),
      })),
    };
  }
}

class RingStream implements StreamSink {
  readonly #bounds: RingBounds;
  readonly #packets: KeptPacket[] = [];
  /** How many of them came in the read that goes on; unset between two. */
  #fresh: number | undefined;

  constructor(readonly name: string, bounds: RingBounds) {
    this.#bounds = bounds;
  }

  writePacket(content: Uint8Array, info: PacketInfo): Promise<void> {
    const { packets, overwrite } = this.#bounds;
    const older = this.#packets.length - (this.#fresh ?? 0);
    if (!overwrite && older >= packets) {
      return Promise.reject(new Error(`Stream ${this.name} is full`));
    }
    if (this.#isGap(info)) this.clear();
    this.#packets.push({ content: content.slice(), info });
    if (this.#fresh !== undefined) this.#fresh++;
    const most = Math.max(packets, this.#fresh ?? 0);
    while (this.#packets.length > most) this.#packets.shift();
    return Promise.resolve();
  }

  /** Whether packets before this one were overwritten. */
  #isGap({ packetSequenceNumber }: PacketInfo): boolean {
    const last = this.#packets.at(-1);
    return last !== undefined &&
      packetSequenceNumber !== last.info.packetSequenceNumber + 1n;
  }

  beginRead(): void {
    this.#fresh = 0;
  }

  endRead(): void {
    this.#fresh = undefined;
  }

  clear(): void {
    this.#packets.length = 0;
    if (this.#fresh !== undefined) this.#fresh = 0;
  }

  newest(share: bigint | undefined): KeptPacket[] {
    if (share === undefined) return [...this.#packets];
    let size = 0n;
    const kept = this.#packets.toReversed().filter(({ info }) => {
      size += info.packetSize / 8n;
      return size <= share;
    });
    return kept.toReversed();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
