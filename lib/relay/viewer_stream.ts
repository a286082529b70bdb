/** One stream as one viewer reads it: how far it is, and what it has open. */

import { errorText } from "../base/errors.ts";
import { ALL_ONES } from "../base/ids.ts";
import { joinPath, type RelativePath } from "../base/path.ts";
import {
  decodeIndexEntry,
  entrySize,
  INDEX_HEADER_SIZE,
  type IndexEntry,
} from "../ctf/index_file.ts";
import { MetadataStatus, NextIndexStatus, Seek } from "../wire/live.ts";
import { type FileRange, readAt } from "./file_range.ts";
import { continueAfter, textBytes } from "./metadata_text.ts";
import type { Store } from "./store.ts";
import type { Stream } from "./stream.ts";
import type { Trail, TrailFile, TrailRun } from "./trail.ts";

/** What GET_NEXT_INDEX is answered with, without flags. */
export interface NextIndex {
  readonly status: number;
  /** Where the status is OK. */
  readonly entry?: IndexEntry;
  /** Where the status is INACTIVE. */
  readonly timestampEnd?: bigint;
  readonly ctfStreamId?: bigint;
}

/** What GET_METADATA is answered with. */
export interface NextMetadata {
  readonly status: number;
  /** Comes before the range. */
  readonly head?: Uint8Array;
  readonly range?: FileRange;
}

/** The files that a viewer stream has open, to read only. */
interface OpenPair {
  readonly of: TrailFile;
  readonly index: Deno.FsFile | undefined;
  readonly data: Deno.FsFile;
}

const NO_BYTES = new Uint8Array();
const RETRY: NextIndex = { status: NextIndexStatus.RETRY };
const NO_NEW: NextMetadata = { status: MetadataStatus.NO_NEW };

/** The reading end of one stream for one viewer. */
export class ViewerStream {
  readonly stream: Stream;
  readonly #store: Store;
  readonly #trail: Trail;
  #run: TrailRun;
  /** Entries of the run that were sent. */
  #sent: number;
  #open: OpenPair | undefined;
  /** Of the last index that was sent, bytes in the open data file. */
  #packet: { begin: bigint; end: bigint } | undefined;
  #lastInactive = 0n;
  /** Up to where metadata was sent, from which file, and how much text it is. */
  #metadata:
    | { of: TrailFile; end: number; text: number | undefined }
    | undefined;
  /** How much of another file repeats what was sent. */
  #metadataRepeated: { of: TrailFile; end: number } | undefined;
  #forgotten = false;
  #failureTold = false;

  /** @param seek Where to start, a {@linkcode Seek}. */
  constructor(store: Store, stream: Stream, trail: Trail, seek: number) {
    this.#store = store;
    this.stream = stream;
    this.#trail = trail;
    const last = seek === Seek.LAST;
    this.#run = last ? trail.newest : trail.oldest;
    this.#sent = last ? this.#run.count : 0;
  }

  /** The viewer was told that there is no more. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Whether metadata came that the viewer has not got, or none is there yet. */
  get newMetadata(): boolean {
    const { metadataReceived } = this.stream;
    return !this.#forgotten &&
      (metadataReceived > this.#metadataSeen || metadataReceived === 0);
  }

  /**
   * The next index, or why there is none.
   *
   * @param rotating Chunks are being renamed.
   * @param timeMayPass Whether the viewer may be told that nothing happened.
   */
  nextIndex(rotating: boolean, timeMayPass: boolean): NextIndex {
    const { stream } = this;
    if (!stream.closed && (rotating || stream.rotationPending)) return RETRY;
    this.#flush();
    let entry: IndexEntry | undefined;
    try {
      entry = this.#nextEntry();
    } catch (error) {
      // Descriptors may be free again at the next try.
      this.#failed(error);
      return RETRY;
    }
    if (entry !== undefined) return { status: NextIndexStatus.OK, entry };
    if (stream.closed) {
      this.forget();
      return { status: NextIndexStatus.HANG_UP };
    }
    return timeMayPass ? this.#beacon() : RETRY;
  }

  #beacon(): NextIndex {
    const { beaconTimestamp, ctfStreamId } = this.stream;
    if (
      beaconTimestamp === undefined || ctfStreamId === undefined ||
      ctfStreamId === ALL_ONES || beaconTimestamp < this.#lastInactive
    ) return RETRY;
    this.#lastInactive = beaconTimestamp;
    return {
      status: NextIndexStatus.INACTIVE,
      timestampEnd: beaconTimestamp,
      ctfStreamId,
    };
  }

  /** Viewers ask again several times a second: it is said once. */
  #failed(error: unknown): void {
    if (!this.#failureTold) {
      this.stream.owner.viewerFailed(`${this.stream}: ${errorText(error)}`);
    }
    this.#failureTold = true;
  }

  /** Sees to it that what was received is in the files. */
  #flush(): void {
    try {
      this.stream.flush();
    } catch (error) {
      this.stream.owner.abort(`${this.stream}: ${errorText(error)}`);
    }
  }

  /** Entries of files that are gone are passed over. */
  #nextEntry(): IndexEntry | undefined {
    for (;;) {
      const { file, first, count, next } = this.#run;
      if (file !== undefined && this.#sent < count) {
        const entry = this.#readEntry(file, first + this.#sent);
        if (entry === undefined) {
          this.#sent = count;
          continue;
        }
        this.#sent++;
        this.#packet = {
          begin: entry.offset,
          end: entry.offset + entry.packetSize / 8n,
        };
        return entry;
      }
      if (next === undefined) return undefined;
      this.#run = next;
      this.#sent = 0;
    }
  }

  #readEntry(of: TrailFile, number: number): IndexEntry | undefined {
    if (this.#open?.of !== of) {
      if (of.overwritten) return undefined;
      const pair = this.#openPair(of, true);
      if (pair === undefined) return undefined;
      this.#close();
      this.#open = pair;
    }
    const bytes = new Uint8Array(entrySize(of.indexMinor));
    const offset = INDEX_HEADER_SIZE + number * bytes.length;
    const file = this.#open?.index;
    if (file === undefined || !readAt(file, offset, bytes)) return undefined;
    return decodeIndexEntry(bytes, of.indexMinor);
  }

  /** Returns undefined where a file is gone. */
  #openPair(of: TrailFile, withIndex: boolean): OpenPair | undefined {
    const data = this.#openFile(of, of.data);
    if (data === undefined) return undefined;
    if (!withIndex) return { of, data, index: undefined };
    let index: Deno.FsFile | undefined;
    try {
      index = this.#openFile(of, of.index);
    } finally {
      if (index === undefined) data.close();
    }
    return index === undefined ? undefined : { of, data, index };
  }

  #openFile(of: TrailFile, path: RelativePath): Deno.FsFile | undefined {
    if (of.chunk.isDeleted) return undefined;
    try {
      return this.#store.openToRead(joinPath(of.chunk.directory, path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /**
   * The bytes that GET_PACKET asks for; undefined where they are not all in
   * the packet of the last index, or not all in its file.
   */
  packet(offset: bigint, length: number): FileRange | undefined {
    const packet = this.#packet;
    const file = this.#open?.data;
    if (packet === undefined || file === undefined) return undefined;
    const end = offset + BigInt(length);
    if (offset < packet.begin || end > packet.end) return undefined;
    if (end > BigInt(file.statSync().size)) return undefined;
    return { file, offset: Number(offset), length };
  }

  /** All metadata that the viewer has not got. */
  nextMetadata(sessionClosed: boolean): NextMetadata {
    const { stream } = this;
    const end = stream.metadataReceived;
    const of = this.#trail.file;
    if (of !== undefined && end > this.#metadataSeen) {
      const file = this.#metadataFile();
      if (file !== undefined && file.statSync().size >= end) {
        const next = this.#restOfMetadata(file, of, end);
        if (next !== undefined) return next;
      }
    }
    if (stream.closed && (this.#metadata !== undefined || sessionClosed)) {
      this.forget();
    }
    return NO_NEW;
  }

  /** How much of the current metadata file the viewer has got, at least. */
  get #metadataSeen(): number {
    const sent = this.#metadata;
    if (sent === undefined) return 0;
    if (sent.of === this.#trail.file) return sent.end;
    const repeated = this.#metadataRepeated;
    if (repeated !== undefined && repeated.of === this.#trail.file) {
      return repeated.end;
    }
    return sent.text === undefined ? sent.end : 0;
  }

  #restOfMetadata(
    file: Deno.FsFile,
    of: TrailFile,
    end: number,
  ): NextMetadata | undefined {
    const sent = this.#metadata;
    let head: Uint8Array = NO_BYTES;
    let offset = sent?.end ?? 0;
    if (sent?.text !== undefined && sent.of !== of) {
      const rest = continueAfter(file, sent.text, end);
      if (rest === undefined) {
        this.#metadataRepeated = { of, end };
        return undefined;
      }
      ({ head, offset } = rest);
    }
    const same = sent?.of === of ? sent : { end: 0, text: 0 };
    const more = textBytes(file, same.end, end);
    const text = more === undefined || same.text === undefined
      ? undefined
      : same.text + more;
    this.#metadata = { of, end, text };
    const range = { file, offset, length: end - offset };
    return { status: MetadataStatus.OK, head, range };
  }

  #metadataFile(): Deno.FsFile | undefined {
    this.#flush();
    const of = this.#trail.file;
    if (of === undefined) return undefined;
    if (this.#open?.of !== of) {
      try {
        const pair = this.#openPair(of, false);
        if (pair === undefined) return undefined;
        this.#close();
        this.#open = pair;
      } catch (error) {
        this.#failed(error);
        return undefined;
      }
    }
    return this.#open?.data;
  }

  /** Closes its files; the viewer does not know it any more. */
  forget(): void {
    this.#forgotten = true;
    this.#packet = undefined;
    this.#close();
  }

  #close(): void {
    this.#open?.index?.close();
    this.#open?.data.close();
    this.#open = undefined;
  }
}
