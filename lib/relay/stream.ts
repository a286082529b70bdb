/**
 * One stream of packets: pairs data with indexes, changes trace files and
 * chunks at the right packet, and decides when it is complete.
 */

import { Code, FatalPeerError, PeerError } from "../base/errors.ts";
import { ALL_ONES, type StreamId } from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import {
  joinPath,
  type PathComponent,
  type RelativePath,
} from "../base/path.ts";
import {
  encodeIndexEntry,
  entrySize,
  indexHeader,
  type IndexMinor,
} from "../ctf/index_file.ts";
import type { SendIndex } from "../wire/relay.ts";
import type { Chunk } from "./chunk.ts";
import { dataFileName, INDEX_DIRECTORY, indexFileName } from "./layout.ts";
import {
  dataPartDone,
  indexPartDone,
  type PendingRotation,
} from "./rotation.ts";
import type { Store } from "./store.ts";
import type { TraceFile } from "./trace_file.ts";

/** The CTF trace that streams with one path and one metadata belong to. */
export interface Trace {
  /** From 1; viewers know it. */
  readonly id: bigint;
  readonly path: RelativePath;
}

/** What a stream needs of the session that it belongs to. */
export interface StreamOwner {
  /** Packets come with indexes: since 2.4, but not in snapshots. */
  readonly storesIndexes: boolean;
  readonly indexMinor: IndexMinor;
  /** Nothing more is waited for. */
  readonly aborted: boolean;
  /** The control connection may still bring indexes. */
  readonly controlOpen: boolean;
  /** A data connection is there that may still bring packets. */
  readonly dataOpen: boolean;
  /** A data connection brought a packet; throws where it is not the only one. */
  bindData(connection: object): void;
  /** The data connection is gone; `failed`: not by the peer's plain end. */
  dataClosed(failed: boolean): void;
  /** Something failed that makes the recording incomplete. */
  abort(reason: string): void;
  /** The stream has gathered bytes that {@linkcode Stream.flush} writes. */
  touched(stream: Stream): void;
  /** The stream is complete: its files are closed, its id is unknown now. */
  streamClosed(stream: Stream): void;
}

/** What makes a stream. */
export interface StreamOptions {
  id: StreamId;
  trace: Trace;
  channelName: PathComponent;
  /** Below the chunk. */
  path: RelativePath;
  /** Bytes; 0: one file without a bound. */
  tracefileSize: bigint;
  /** 0: as many files as it takes. */
  tracefileCount: bigint;
  chunk: Chunk;
}

/** What a stream has stored and lost. */
export interface StreamTotals {
  packets: number;
  /** Bytes of packets with their padding, and of metadata. */
  bytes: number;
  /** Packets that the producer numbered and never sent. */
  packetsLost: bigint;
  /** Events that the tracer counted as discarded. */
  eventsDiscarded: bigint;
  /** Bytes of an unfinished packet that were cut off again. */
  bytesCut: number;
}

/** A packet of which only the data or only the index has come. */
interface HalfPacket {
  /** Offset in the data file and size with padding, bytes; set by the data. */
  data?: { offset: number; size: number; indexFile: TraceFile };
  index?: SendIndex;
}

/** The packet that is coming in. */
interface IncomingPacket {
  readonly netSequence: bigint;
  readonly padding: number;
  readonly size: number;
}

/** The stream of one channel on one processor, or a trace's metadata. */
export class Stream {
  readonly id: StreamId;
  readonly trace: Trace;
  readonly channelName: PathComponent;
  readonly path: RelativePath;
  readonly isMetadata: boolean;
  readonly totals: StreamTotals = {
    packets: 0,
    bytes: 0,
    packetsLost: 0n,
    eventsDiscarded: 0n,
    bytesCut: 0,
  };
  /** The session that it belongs to. */
  readonly owner: StreamOwner;
  readonly #store: Store;
  readonly #tracefileSize: number;
  readonly #tracefileCount: bigint;

  #chunk: Chunk | undefined;
  #dataFile: TraceFile | undefined;
  #indexFile: TraceFile | undefined;
  #fileNumber = 0n;
  /** The file numbers have started over: older files are in the way. */
  #wrapped = false;
  /** End of the last packet whose data is complete, in the current file. */
  #dataEnd = 0;
  /** End of the last packet whose index is written too. */
  #completeEnd = 0;
  /** The sizes after the last flush that succeeded. */
  #safeData = 0;
  #safeIndex = 0;

  #incoming: IncomingPacket | undefined;
  readonly #halves = new Map<bigint, HalfPacket>();
  #dataSequence = -1n;
  #indexSequence = -1n;
  #receivedPacket: bigint | undefined;
  #rotation: PendingRotation | undefined;

  #closeRequested = false;
  #lastSequence: bigint | undefined;
  #closed = false;

  /** Set by DATA_PENDING and QUIESCENT_CONTROL, cleared by BEGIN_DATA_PENDING. */
  checked = false;
  /** Viewers may see it: STREAMS_SENT has come. */
  published = false;
  /** Indexes written in its life; a viewer's read position counts in these. */
  indexCount = 0;
  /** Rotations that are finished. */
  completedRotations = 0;
  /** Until when nothing happened, if that is known; clock cycles. */
  beaconTimestamp: bigint | undefined;
  /** The CTF stream class, once an index or beacon has told it. */
  ctfStreamId: bigint | undefined;
  /** Bytes of metadata received, with padding. */
  metadataReceived = 0;

  /** Creates its data file. Throws what the file system throws. */
  constructor(owner: StreamOwner, store: Store, options: StreamOptions) {
    this.owner = owner;
    this.#store = store;
    this.id = options.id;
    this.trace = options.trace;
    this.channelName = options.channelName;
    this.path = options.path;
    this.isMetadata = options.channelName === "metadata";
    this.#tracefileSize = Number(options.tracefileSize);
    this.#tracefileCount = options.tracefileCount;
    this.#chunk = options.chunk;
    options.chunk.makeDirectory(this.path);
    this.#dataFile = this.#createDataFile();
    options.chunk.hold();
  }

  /** The chunk that the next packet goes to. */
  get chunk(): Chunk | undefined {
    return this.#chunk;
  }

  /** It is complete and its id forgotten. */
  get closed(): boolean {
    return this.#closed;
  }

  /** ROTATE_STREAMS has come and is not carried out yet. */
  get rotationPending(): boolean {
    return this.#rotation !== undefined;
  }

  /** The name for log lines. */
  toString(): string {
    return `stream ${this.path}/${this.channelName}`;
  }

  // ---- Packets ----------------------------------------------------------------

  /**
   * A packet's header has come. Sizes in bytes. Throws
   * {@linkcode FatalPeerError} where the packet cannot be taken.
   */
  beginPacket(netSequence: bigint, dataSize: number, padding: number): void {
    if (this.isMetadata) {
      throw new FatalPeerError(`${this}: a data packet for metadata`);
    }
    const size = dataSize + padding;
    if (size > limits.PACKET_BYTES) {
      throw new FatalPeerError(
        `${this}: a packet of ${size} bytes > ${limits.PACKET_BYTES}`,
      );
    }
    if (this.#dataFile === undefined) {
      throw new FatalPeerError(`${this}: a packet while it is in no chunk`);
    }
    if (this.#halves.get(netSequence)?.data !== undefined) {
      throw new FatalPeerError(`${this}: packet ${netSequence} came twice`);
    }
    this.#makeRoomForHalf(netSequence);
    this.#switchTracefile(dataSize);
    this.#incoming = { netSequence, padding, size };
  }

  /** More bytes of the packet that {@linkcode beginPacket} began. */
  appendPayload(bytes: Uint8Array): void {
    this.#dataFile?.append(bytes);
    this.owner.touched(this);
  }

  /** All bytes of the packet have come. */
  endPacket(): void {
    const packet = this.#incoming;
    const file = this.#dataFile;
    if (packet === undefined || file === undefined) return;
    this.#incoming = undefined;
    file.appendZeros(packet.padding);
    this.owner.touched(this);
    this.totals.packets++;
    this.totals.bytes += packet.size;
    const offset = this.#dataEnd;
    this.#dataEnd = file.size;
    if (this.owner.storesIndexes) {
      const indexFile = this.#indexFile ??= this.#createIndexFile();
      this.#half(packet.netSequence).data = {
        offset,
        size: packet.size,
        indexFile,
      };
      this.#completeIfWhole(packet.netSequence);
    } else {
      this.#completeEnd = this.#dataEnd;
      this.#indexSequence = packet.netSequence;
      this.#receivedPacket = packet.netSequence;
    }
    this.#dataSequence = BigInt.asIntN(64, packet.netSequence);
    this.#rotateIfDue();
    if (this.#closeRequested) this.close();
  }

  /**
   * A packet's index, or a beacon. Throws {@linkcode FatalPeerError} where it
   * cannot be taken.
   */
  index(index: SendIndex): void {
    if (index.packetSize === 0n) {
      this.#beacon(index);
      return;
    }
    if (!this.owner.storesIndexes || this.isMetadata) return;
    if (this.#halves.get(index.netSequenceNumber)?.index !== undefined) {
      throw new FatalPeerError(
        `${this}: the index of packet ${index.netSequenceNumber} came twice`,
        Code.UNKNOWN,
      );
    }
    this.#makeRoomForHalf(index.netSequenceNumber, Code.UNKNOWN);
    this.beaconTimestamp = undefined;
    this.ctfStreamId ??= index.streamId;
    this.#half(index.netSequenceNumber).index = index;
    this.#completeIfWhole(index.netSequenceNumber);
    this.#rotateIfDue();
    if (this.#closeRequested) this.close();
  }

  #beacon(index: SendIndex): void {
    this.ctfStreamId ??= index.streamId;
    if (this.#halves.size === 0) this.beaconTimestamp = index.timestampEnd;
  }

  #half(netSequence: bigint): HalfPacket {
    let half = this.#halves.get(netSequence);
    if (half === undefined) this.#halves.set(netSequence, half = {});
    return half;
  }

  #makeRoomForHalf(netSequence: bigint, code?: number): void {
    if (
      this.#halves.size >= limits.PENDING_INDEXES_PER_STREAM &&
      !this.#halves.has(netSequence)
    ) {
      throw new FatalPeerError(
        `${this}: ${this.#halves.size + 1} packets without data or index > ` +
          limits.PENDING_INDEXES_PER_STREAM,
        code,
      );
    }
  }

  #completeIfWhole(netSequence: bigint): void {
    const half = this.#halves.get(netSequence);
    if (half?.data === undefined || half.index === undefined) return;
    const { data, index } = half;
    this.#halves.delete(netSequence);
    data.indexFile.append(encodeIndexEntry({
      offset: BigInt(data.offset),
      packetSize: index.packetSize,
      contentSize: index.contentSize,
      timestampBegin: index.timestampBegin,
      timestampEnd: index.timestampEnd,
      eventsDiscarded: index.eventsDiscarded,
      streamId: index.streamId,
      streamInstanceId: index.streamInstanceId,
      packetSequenceNumber: index.packetSequenceNumber,
    }, this.owner.indexMinor));
    this.owner.touched(this);
    if (data.indexFile === this.#indexFile) {
      this.#completeEnd = Math.max(this.#completeEnd, data.offset + data.size);
    } else if (!this.#waitedFor(data.indexFile)) {
      data.indexFile.close();
    }
    this.indexCount++;
    this.#indexSequence = BigInt.asIntN(64, netSequence);
    this.#countLoss(index);
  }

  #waitedFor(indexFile: TraceFile): boolean {
    for (const half of this.#halves.values()) {
      if (half.data?.indexFile === indexFile) return true;
    }
    return false;
  }

  #countLoss(index: SendIndex): void {
    this.totals.eventsDiscarded = index.eventsDiscarded;
    const number = index.packetSequenceNumber;
    if (number === ALL_ONES) return;
    if (this.#receivedPacket !== undefined) {
      const lost = number - this.#receivedPacket - 1n;
      if (lost > 0n) this.totals.packetsLost += lost;
    }
    this.#receivedPacket = number;
  }

  // ---- Metadata ---------------------------------------------------------------

  /** Adds whole metadata units and their padding. */
  appendMetadata(bytes: Uint8Array, padding: number): void {
    if (this.#dataFile === undefined) {
      throw new FatalPeerError(`${this}: metadata while it is in no chunk`);
    }
    this.#dataFile.append(bytes);
    this.#dataFile.appendZeros(padding);
    this.owner.touched(this);
    const size = bytes.length + padding;
    this.metadataReceived += size;
    this.totals.bytes += size;
    this.#dataEnd = this.#completeEnd = this.#dataFile.size;
  }

  /** RESET_METADATA: all of it will be sent again into an empty file. */
  resetMetadata(): void {
    if (this.#dataFile === undefined || this.#chunk === undefined) {
      throw new PeerError(`${this} is in no chunk`, Code.UNKNOWN);
    }
    const name = joinPath(
      this.#chunk.directory,
      this.path,
      dataFileName(this.channelName, this.#numberInName()),
    );
    this.#dataFile.close();
    this.#store.removeFile(name);
    this.#dataFile = this.#createDataFile();
  }

  // ---- Pending ----------------------------------------------------------------

  /** The last packet that is stored with all that belongs to it; -1: none. */
  get storedSequence(): bigint {
    if (!this.owner.storesIndexes) return this.#dataSequence;
    return this.#dataSequence < this.#indexSequence
      ? this.#dataSequence
      : this.#indexSequence;
  }

  /** Whether packets up to `last` are still to come; all ones: none was sent. */
  pendingAfter(last: bigint): boolean {
    return BigInt.asIntN(64, this.storedSequence - BigInt.asIntN(64, last)) <
      0n;
  }

  /** For END_DATA_PENDING: the stream was not asked for, and data is missing. */
  get inFlight(): boolean {
    if (this.checked) return false;
    return !this.#closeRequested ||
      this.pendingAfter(this.#lastSequence ?? ALL_ONES);
  }

  // ---- Rotation ---------------------------------------------------------------

  /**
   * Registers a rotation and carries it out as far as the packets allow.
   * Throws {@linkcode FatalPeerError} where one is pending already.
   */
  rotate(nextChunk: Chunk | undefined, atPacket: bigint): void {
    if (this.#rotation !== undefined) {
      throw new FatalPeerError(
        `${this}: a rotation at packet ${this.#rotation.atPacket} is pending`,
        Code.FILE_CREATION_ERROR,
      );
    }
    this.#rotation = { nextChunk: nextChunk?.hold(), atPacket };
    if (this.isMetadata) {
      if (nextChunk !== undefined) this.metadataReceived = 0;
      this.#switchChunk();
    } else {
      this.#rotateIfDue();
    }
  }

  #rotateIfDue(): void {
    const rotation = this.#rotation;
    if (rotation === undefined) return;
    const progress = {
      receivedPacket: this.#receivedPacket,
      indexSequence: this.#indexSequence,
      dataSequence: this.#dataSequence,
    };
    if (rotation.pivot === undefined) {
      if (!indexPartDone(rotation, progress)) return;
      rotation.pivot = this.#indexSequence;
    }
    if (dataPartDone(rotation, progress)) this.#switchChunk();
  }

  /**
   * Goes on in the next chunk. Bytes after the last complete packet came too
   * early, before ROTATE_STREAMS, and belong to the next chunk: they move.
   */
  #switchChunk(): void {
    const rotation = this.#rotation;
    if (rotation === undefined) return;
    const oldFile = this.#dataFile;
    const oldIndex = this.#indexFile;
    const early = (oldFile?.size ?? 0) - this.#completeEnd;
    const next = rotation.nextChunk;
    if (early > 0 && next === undefined) {
      throw new FatalPeerError(
        `${this}: ${early} bytes came for the chunk after the last one`,
        Code.FILE_CREATION_ERROR,
      );
    }
    const keep = this.#completeEnd;
    const dataEnd = this.#dataEnd - keep;
    this.#rotation = undefined;
    this.#chunk?.release();
    this.#chunk = next;
    this.#indexFile = undefined;
    this.#dataFile = undefined;
    this.#fileNumber = 0n;
    this.#wrapped = false;
    if (next !== undefined) {
      next.makeDirectory(this.path);
      this.#dataFile = this.#createDataFile();
      if (early > 0) oldFile?.moveTail(keep, this.#dataFile);
      this.#dataEnd = dataEnd;
      this.#retargetHalves(keep);
    }
    oldFile?.close();
    if (oldIndex !== undefined && !this.#waitedFor(oldIndex)) oldIndex.close();
    this.completedRotations++;
  }

  #retargetHalves(movedBy: number): void {
    for (const half of this.#halves.values()) {
      if (half.data === undefined) continue;
      half.data = {
        offset: half.data.offset - movedBy,
        size: half.data.size,
        indexFile: this.#indexFile ??= this.#createIndexFile(),
      };
    }
  }

  // ---- Files ------------------------------------------------------------------

  #numberInName(): bigint | undefined {
    return this.#tracefileSize > 0 ? this.#fileNumber : undefined;
  }

  #create(below: RelativePath, name: PathComponent): TraceFile {
    const chunk = this.#chunk;
    if (chunk === undefined) throw new Error(`${this} is in no chunk`);
    const file = joinPath(below, name);
    const where = () => joinPath(chunk.directory, file);
    // A viewer that reads the old file keeps it; the new one is another file.
    if (this.#wrapped) this.#store.removeFile(where());
    const created = this.#store.createFile(where);
    chunk.created(file);
    return created;
  }

  #createDataFile(): TraceFile {
    this.#dataEnd = this.#completeEnd = this.#safeData = 0;
    return this.#create(
      this.path,
      dataFileName(this.channelName, this.#numberInName()),
    );
  }

  #createIndexFile(): TraceFile {
    const directory = joinPath(this.path, INDEX_DIRECTORY);
    this.#chunk?.makeDirectory(directory);
    const file = this.#create(
      directory,
      indexFileName(dataFileName(this.channelName, this.#numberInName())),
    );
    file.append(indexHeader(this.owner.indexMinor));
    this.#safeIndex = 0;
    return file;
  }

  /** Begins the next file where the packet would make this one too large. */
  #switchTracefile(dataSize: number): void {
    if (this.#tracefileSize === 0 || this.#dataFile === undefined) return;
    if (this.#dataFile.size + dataSize <= this.#tracefileSize) return;
    const next = this.#fileNumber + 1n;
    this.#fileNumber = this.#tracefileCount === 0n
      ? next
      : next % this.#tracefileCount;
    if (this.#fileNumber === 0n) this.#wrapped = true;
    this.#dataFile.close();
    const oldIndex = this.#indexFile;
    this.#indexFile = undefined;
    this.#dataFile = this.#createDataFile();
    if (oldIndex !== undefined && !this.#waitedFor(oldIndex)) oldIndex.close();
  }

  /**
   * Writes what was gathered: data first, so that no index speaks of data
   * that is not there. When it fails, the files go back to where they were
   * whole, and the error is thrown.
   */
  flush(): void {
    try {
      this.#dataFile?.flush();
      this.#indexFile?.flush();
      for (const half of this.#halves.values()) half.data?.indexFile.flush();
      this.#safeData = this.#completeEnd;
      this.#safeIndex = this.#indexFile?.size ?? 0;
    } catch (error) {
      this.#dataFile?.discardAfter(this.#safeData);
      this.#indexFile?.discardAfter(this.#wholeEntries(this.#safeIndex));
      throw error;
    }
  }

  #wholeEntries(size: number): number {
    const header = indexHeader(this.owner.indexMinor).length;
    if (size < header) return 0;
    const entry = entrySize(this.owner.indexMinor);
    return header + Math.floor((size - header) / entry) * entry;
  }

  // ---- Close ------------------------------------------------------------------

  /**
   * Asks the stream to close. It does so as soon as nothing more is to come
   * for it. `last`: the last packet that was sent, where the peer has said.
   */
  close(last?: bigint): void {
    if (this.#closed) return;
    this.#closeRequested = true;
    if (last !== undefined && last !== ALL_ONES) {
      this.#lastSequence = BigInt.asIntN(64, last);
    }
    if (!this.owner.aborted && this.#moreToCome()) return;
    this.#finish();
  }

  #moreToCome(): boolean {
    if (this.#lastSequence === undefined && !this.isMetadata) {
      // The peer went without a word. What is on the wire may still come.
      if (!this.owner.controlOpen && this.owner.dataOpen) return true;
      const halves = [...this.#halves];
      if (
        this.owner.controlOpen && halves.some(([, half]) => half.data)
      ) return true;
      for (const [sequence, half] of halves) {
        if (half.data === undefined) this.#lastSequence = sequence;
      }
    }
    return this.#lastSequence !== undefined &&
      BigInt.asIntN(64, this.#dataSequence - this.#lastSequence) < 0n;
  }

  #finish(): void {
    this.#closed = true;
    this.#halves.clear();
    try {
      this.#cutUnfinishedPacket();
      this.flush();
    } finally {
      try {
        this.#dataFile?.close();
        this.#indexFile?.close();
      } finally {
        this.#dataFile = this.#indexFile = undefined;
        this.#rotation?.nextChunk?.release();
        this.#rotation = undefined;
        this.#chunk?.release();
        this.#chunk = undefined;
        this.owner.streamClosed(this);
      }
    }
  }

  /** Readers refuse a file that ends in the middle of a packet. */
  #cutUnfinishedPacket(): void {
    const file = this.#dataFile;
    if (file === undefined || file.size === this.#dataEnd) return;
    this.totals.bytesCut += file.size - this.#dataEnd;
    file.truncate(this.#dataEnd);
    this.#incoming = undefined;
  }
}
