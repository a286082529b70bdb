/** Packets of one stream of which only the data or only the index has come. */

import * as limits from "../base/limits.ts";
import type { SendIndex } from "../wire/relay.ts";
import type { StreamIndex } from "./stream_index.ts";

/** Data that is in a file and waits for its index. */
export interface StoredData {
  /** Offset in the data file and size with padding, bytes. */
  offset: number;
  readonly size: number;
  /** Where its entry goes; unset once newer packets took the file's place. */
  index: StreamIndex | undefined;
  /** Number of the data file; unset where the stream has left its chunk. */
  fileNumber: bigint | undefined;
}

/** A packet of which both halves are there. */
export interface WholePacket {
  readonly data: StoredData;
  readonly index: SendIndex;
}

/** Half packets by network sequence number. */
export class Pairing {
  readonly #halves = new Map<bigint, Partial<WholePacket>>();

  /** Half packets there are. */
  get size(): number {
    return this.#halves.size;
  }

  hasData(netSequence: bigint): boolean {
    return this.#halves.get(netSequence)?.data !== undefined;
  }

  hasIndex(netSequence: bigint): boolean {
    return this.#halves.get(netSequence)?.index !== undefined;
  }

  /** Why no more halves are taken; undefined where this one is. */
  refusal(netSequence: bigint): string | undefined {
    const { size } = this.#halves;
    const most = limits.PENDING_INDEXES_PER_STREAM;
    return size < most || this.#halves.has(netSequence)
      ? undefined
      : `${size + 1} packets without data or index > ${most}`;
  }

  /** Adds a half; returns the packet, which leaves, when it is whole now. */
  add(
    netSequence: bigint,
    half: Partial<WholePacket>,
  ): WholePacket | undefined {
    const other = this.#halves.get(netSequence);
    const data = half.data ?? other?.data;
    const index = half.index ?? other?.index;
    if (data !== undefined && index !== undefined) {
      this.#halves.delete(netSequence);
      if (other?.data?.index !== undefined) other.data.index.waiting--;
      return { data, index };
    }
    this.#halves.set(netSequence, half);
    if (data?.index !== undefined) data.index.waiting++;
    return undefined;
  }

  /** All data that waits for its index. */
  waiting(): StoredData[] {
    return [...this.#halves.values()].flatMap(({ data }) => data ?? []);
  }

  /** The last packet, by number, whose index waits for its data. */
  lastIndexed(): bigint | undefined {
    let last: bigint | undefined;
    for (const [netSequence, { index }] of this.#halves) {
      if (index === undefined) continue;
      const signed = BigInt.asIntN(64, netSequence);
      if (last === undefined || signed > last) last = signed;
    }
    return last;
  }

  /**
   * The data file with this number makes room for a newer one: no entry is
   * written for what was in it. Returns the index files that were waiting.
   */
  forgetFile(fileNumber: bigint): Set<StreamIndex> {
    const forgotten = new Set<StreamIndex>();
    for (const data of this.waiting()) {
      if (data.fileNumber !== fileNumber || data.index === undefined) continue;
      forgotten.add(data.index);
      data.index.waiting--;
      data.index = undefined;
    }
    return forgotten;
  }

  clear(): void {
    this.#halves.clear();
  }
}
