/** Everything that a viewer got, checked against the order that is promised. */

import { assert, assertEquals } from "@std/assert";
import type {
  LiveItem,
  LiveSession,
  LiveStream,
} from "../../../lib/viewer/items.ts";

/** What came of one stream. */
interface CollectedStream {
  readonly stream: LiveStream;
  readonly pieces: Uint8Array[];
  packets: number;
  lost: number;
  knownUntil: bigint;
  ended: boolean;
}

/** Takes items one after the other; fails at the first that is out of order. */
export class Collected {
  readonly #streams = new Map<LiveStream, CollectedStream>();
  readonly #open = new Set<LiveSession>();
  readonly ended: LiveSession[] = [];
  #lastKind = "";

  /** Streams in the order they were announced. */
  get streams(): LiveStream[] {
    return [...this.#streams.keys()];
  }

  /** How many sessions came, ended ones included. */
  get sessions(): number {
    return this.#open.size + this.ended.length;
  }

  /** How many packets came, of all streams. */
  get packets(): number {
    return this.#sum((of) => of.packets);
  }

  /** How many packets were told as lost, of all streams. */
  get lost(): number {
    return this.#sum((of) => of.lost);
  }

  /** What came of each stream, joined, by its path: `ust/uid/0/64-bit/ch_0`. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const { stream, pieces } of this.#streams.values()) {
      const path = `${stream.pathname}/${stream.channelName}`;
      const before = files.get(path) ?? new Uint8Array();
      files.set(path, join([before, ...pieces]));
    }
    return files;
  }

  /** The items, each once it is checked. */
  async *through(items: AsyncIterable<LiveItem>): AsyncGenerator<LiveItem> {
    for await (const item of items) {
      this.add(item);
      yield item;
    }
  }

  /** Takes all items. */
  async takeAll(items: AsyncIterable<LiveItem>): Promise<this> {
    for await (const item of items) this.add(item);
    return this;
  }

  add(item: LiveItem): void {
    assert(
      item.kind !== "idle" || this.#lastKind !== "idle",
      "idle twice in a row",
    );
    this.#lastKind = item.kind;
    switch (item.kind) {
      case "idle":
        return;
      case "session":
        this.#open.add(item.session);
        return;
      case "session-ended":
        this.#endSession(item.session);
        return;
      case "stream":
        this.#addStream(item.stream);
        return;
      case "stream-ended":
        this.#of(item.stream).ended = true;
        return;
      case "metadata":
        assert(item.stream.isMetadata && item.bytes.length > 0);
        this.#of(item.stream).pieces.push(item.bytes);
        return;
      case "inactive": {
        const of = this.#of(item.stream);
        assert(item.timestampEnd > of.knownUntil, "inactive that is not new");
        of.knownUntil = item.timestampEnd;
        return;
      }
      case "packet-lost":
        this.#of(item.stream).lost++;
        return;
      case "packet":
        this.#addPacket(item);
    }
  }

  #addStream(stream: LiveStream): void {
    assert(this.#open.has(stream.session), "a stream of no session");
    assert(!this.#streams.has(stream), "a stream twice");
    for (const other of this.#streams.keys()) {
      assert(
        other.id !== stream.id || other.session !== stream.session,
        "a handle twice",
      );
    }
    this.#streams.set(stream, {
      stream,
      pieces: [],
      packets: 0,
      lost: 0,
      knownUntil: -1n,
      ended: false,
    });
  }

  #addPacket(item: LiveItem & { kind: "packet" }): void {
    const of = this.#of(item.stream);
    assert(!item.stream.isMetadata);
    assertEquals(BigInt(item.bytes.length), item.index.packetSize / 8n);
    assert(
      item.index.timestampBegin >= of.knownUntil,
      `packet from ${item.index.timestampBegin}, known until ${of.knownUntil}`,
    );
    of.knownUntil = item.index.timestampEnd;
    const metadata = [...this.#streams.values()].find(({ stream }) =>
      stream.isMetadata && stream.trace === item.stream.trace
    );
    assert(metadata !== undefined && metadata.pieces.length > 0, "no metadata");
    of.packets++;
    of.pieces.push(item.bytes);
  }

  #endSession(session: LiveSession): void {
    assert(this.#open.delete(session), "the end of no session");
    for (const { stream, ended } of this.#streams.values()) {
      if (stream.session !== session) continue;
      assert(ended, `stream ${stream.id} has not ended`);
    }
    this.ended.push(session);
  }

  #of(stream: LiveStream): CollectedStream {
    const of = this.#streams.get(stream);
    assert(of !== undefined, "something of a stream that was not announced");
    assert(!of.ended, "something of a stream that has ended");
    return of;
  }

  #sum(count: (of: CollectedStream) => number): number {
    let sum = 0;
    for (const of of this.#streams.values()) sum += count(of);
    return sum;
  }
}

/** All bytes in a row. */
export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}
