/**
 * What a snapshot session keeps: the newest packets of each stream, in memory,
 * as many as its channel has sub-buffers.
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

/** Keeps the newest packets. */
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

  constructor(readonly name: string, bounds: RingBounds) {
    this.#bounds = bounds;
  }

  writePacket(content: Uint8Array, info: PacketInfo): Promise<void> {
    const { packets, overwrite } = this.#bounds;
    if (!overwrite && this.#packets.length >= packets) {
      return Promise.reject(new Error(`Stream ${this.name} is full`));
    }
    this.#packets.push({ content: content.slice(), info });
    if (this.#packets.length > packets) this.#packets.shift();
    return Promise.resolve();
  }

  clear(): void {
    this.#packets.length = 0;
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
