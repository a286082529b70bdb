/**
 * One stream of packets: pairs data with indexes, changes trace files and
 * chunks at the right packet, and decides when it is complete.
 */

import { Code, FatalPeerError } from "../base/errors.ts";
import { ALL_ONES, type StreamId } from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import {
  joinPath,
  type PathComponent,
  type RelativePath,
} from "../base/path.ts";
import type { SendIndex } from "../wire/relay.ts";
import type { Chunk } from "./chunk.ts";
import { dataFileName, INDEX_DIRECTORY, indexFileName } from "./layout.ts";
import { Pairing, type WholePacket } from "./pairing.ts";
import {
  dataPartDone,
  indexPartDone,
  type PendingRotation,
} from "./rotation.ts";
import type { Store } from "./store.ts";
import { StreamIndex } from "./stream_index.ts";
import type {
  StreamOptions,
  StreamOwner,
  StreamTotals,
  Trace,
} from "./stream_types.ts";
import type { TraceFile } from "./trace_file.ts";
import { Trail } from "./trail.ts";

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
  /** What viewers follow; unset where none may attach. */
  readonly trail: Trail | undefined;
  readonly #store: Store;
  readonly #tracefileSize: number;
  readonly #tracefileCount: bigint;

  #chunk: Chunk | undefined;
  #dataFile: TraceFile | undefined;
  #index: StreamIndex | undefined;
  /** Of files and chunks that it left, while an entry is still to come. */
  readonly #oldIndexes = new Set<StreamIndex>();
  #fileNumber = 0n;
  /** The file numbers have started over: older files are in the way. */
  #wrapped = false;
  /** End of the last packet whose data is complete, in the current file. */
  #dataEnd = 0;
  /** End of the last packet whose index is written too. */
  #completeEnd = 0;
  /** The same as of the last flush: a failed write goes back to here. */
  #safeEnd = 0;

  #incoming: IncomingPacket | undefined;
  readonly #pairing = new Pairing();
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
    this.trail = owner.live ? new Trail() : undefined;
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
    if (this.#pairing.hasData(netSequence)) {
      throw new FatalPeerError(`${this}: packet ${netSequence} came twice`);
    }
    this.#makeRoom(netSequence);
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
      const index = this.#index ??= this.#createIndex();
      this.#pair(packet.netSequence, {
        data: {
          offset,
          size: packet.size,
          index,
          fileNumber: this.#fileNumber,
        },
      });
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
    if (this.#pairing.hasIndex(index.netSequenceNumber)) {
      throw new FatalPeerError(
        `${this}: the index of packet ${index.netSequenceNumber} came twice`,
        Code.UNKNOWN,
      );
    }
    this.#makeRoom(index.netSequenceNumber, Code.UNKNOWN);
    this.beaconTimestamp = undefined;
    this.ctfStreamId ??= index.streamId;
    this.#pair(index.netSequenceNumber, { index });
    this.#rotateIfDue();
    if (this.#closeRequested) this.close();
  }

  #beacon(index: SendIndex): void {
    if (index.streamId !== ALL_ONES) this.ctfStreamId ??= index.streamId;
    if (this.#pairing.size === 0) this.beaconTimestamp = index.timestampEnd;
  }

  #makeRoom(netSequence: bigint, code?: number): void {
    const refusal = this.#pairing.refusal(netSequence);
    if (refusal === undefined) return;
    throw new FatalPeerError(`${this}: ${refusal}`, code);
  }

  #pair(netSequence: bigint, half: Partial<WholePacket>): void {
    const packet = this.#pairing.add(netSequence, half);
    if (packet === undefined) return;
    const { data, index } = packet;
    data.index?.append(index, data.offset);
    if (data.index?.trailFile) this.trail?.add(data.index.trailFile);
    this.owner.touched(this);
    if (data.index === undefined) {
      // The file that it was in is gone already.
    } else if (data.index === this.#index) {
      this.#completeEnd = Math.max(this.#completeEnd, data.offset + data.size);
    } else {
      this.#leaveIndex(data.index);
    }
    this.#indexSequence = BigInt.asIntN(64, netSequence);
    this.#countLoss(index);
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
      throw new FatalPeerError(`${this} is in no chunk`, Code.UNKNOWN);
    }
    const name = joinPath(
      this.#chunk.directory,
      this.path,
      dataFileName(this.channelName, this.#numberInName()),
    );
    this.#dataFile.close();
    this.#dataFile = undefined;
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
    const next = rotation.nextChunk;
    const early = (this.#dataFile?.size ?? 0) - this.#completeEnd;
    if (early > 0 && next === undefined) {
      throw new FatalPeerError(
        `${this}: ${early} bytes came for the chunk after the last one`,
        Code.FILE_CREATION_ERROR,
      );
    }
    this.flush();
    const keep = this.#completeEnd;
    const chunk = this.#chunk;
    const file = this.#dataFile;
    const index = this.#index;
    this.#rotation = undefined;
    this.#chunk = next;
    this.#dataFile = this.#index = undefined;
    this.#fileNumber = 0n;
    this.#wrapped = false;
    try {
      if (next !== undefined) this.#goOn(next, early > 0 ? file : undefined);
      this.#retarget(index, keep);
    } finally {
      try {
        file?.close();
        this.#leaveIndex(index);
      } finally {
        // Last: its last holder moves or deletes what was just closed.
        chunk?.release();
      }
    }
    this.completedRotations++;
  }

  /** Opens the next chunk's file; what came early moves there from `from`. */
  #goOn(next: Chunk, from: TraceFile | undefined): void {
    const keep = this.#completeEnd;
    const dataEnd = this.#dataEnd - keep;
    next.makeDirectory(this.path);
    this.#dataFile = this.#createDataFile();
    if (from === undefined) return;
    try {
      from.moveTail(keep, this.#dataFile);
    } catch (error) {
      from.discardAfter(keep);
      throw error;
    }
    this.#dataEnd = dataEnd;
  }

  /** What moved gets its entries in the next chunk's index. */
  #retarget(old: StreamIndex | undefined, movedBy: number): void {
    for (const data of this.#pairing.waiting()) {
      if (data.index !== old || data.offset < movedBy) {
        data.fileNumber = undefined;
        continue;
      }
      data.offset -= movedBy;
      const index = this.#index ??= this.#createIndex();
      if (data.index !== undefined) data.index.waiting--;
      index.waiting++;
      data.index = index;
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
    const name = dataFileName(this.channelName, this.#numberInName());
    const file = this.#create(this.path, name);
    this.trail?.begin(this.#chunk!, this.path, name, this.owner.indexMinor);
    this.#dataEnd = this.#completeEnd = this.#safeEnd = 0;
    return file;
  }

  #createIndex(): StreamIndex {
    const directory = joinPath(this.path, INDEX_DIRECTORY);
    this.#chunk?.makeDirectory(directory);
    const name = dataFileName(this.channelName, this.#numberInName());
    const file = this.#create(directory, indexFileName(name));
    return new StreamIndex(file, this.owner.indexMinor, this.trail?.file);
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
    this.flush();
    this.#dataFile.close();
    const index = this.#index;
    const left = this.#wrapped
      ? this.#pairing.forgetFile(this.#fileNumber)
      : new Set<StreamIndex>();
    // Unset first: where the next file cannot be made, this one stays whole.
    this.#dataFile = this.#index = undefined;
    for (const old of [...left, index]) this.#leaveIndex(old);
    this.#dataFile = this.#createDataFile();
  }

  /**
   * Writes what was gathered: data first, so that no index speaks of data
   * that is not there. When it fails, the files go back to where they were
   * whole, and the error is thrown.
   */
  flush(): void {
    try {
      this.#dataFile?.flush();
      for (const index of this.#oldIndexes) index.flush();
      this.#index?.flush();
      this.#safeEnd = this.#dataEnd;
    } catch (error) {
      this.#discardUnsafe();
      throw error;
    }
  }

  #discardUnsafe(): void {
    this.#dataFile?.discardAfter(this.#safeEnd);
    for (const index of this.#oldIndexes) index.discardUnsafe();
    this.#index?.discardUnsafe();
  }

  /** Closes an index file, now or when the last entry for it has come. */
  #leaveIndex(index: StreamIndex | undefined): void {
    if (index === undefined) return;
    if (index.waiting > 0) {
      this.#oldIndexes.add(index);
    } else {
      this.#oldIndexes.delete(index);
      index.close();
    }
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
      const { controlOpen, dataOpen } = this.owner;
      if (!controlOpen && dataOpen) return true;
      if (controlOpen && this.#pairing.waiting().length > 0) return true;
      this.#lastSequence = this.#pairing.lastIndexed();
    }
    return this.#lastSequence !== undefined &&
      BigInt.asIntN(64, this.#dataSequence - this.#lastSequence) < 0n;
  }

  #finish(): void {
    this.#closed = true;
    const steps = [
      () => this.#leaveWhole(),
      () => this.#dataFile?.close(),
      ...[...this.#oldIndexes].map((index) => () => index.close()),
      () => this.#index?.close(),
      () => this.#rotation?.nextChunk?.release(),
      () => this.#chunk?.release(),
    ];
    let failure: { error: unknown } | undefined;
    for (const step of steps) {
      try {
        step();
      } catch (error) {
        failure ??= { error };
      }
    }
    this.#pairing.clear();
    this.#dataFile =
      this.#index =
      this.#rotation =
      this.#chunk =
        undefined;
    this.owner.streamClosed(this);
    if (failure !== undefined) throw failure.error;
  }

  /** Readers refuse a file that ends in the middle of a packet. */
  #leaveWhole(): void {
    const file = this.#dataFile;
    if (file !== undefined && file.size < this.#dataEnd) {
      // A write failed before: what it left is not what was announced.
      this.totals.bytesCut += this.#dataEnd - this.#safeEnd;
      this.#discardUnsafe();
      return;
    }
    this.flush();
    if (file === undefined || file.size === this.#dataEnd) return;
    this.totals.bytesCut += file.size - this.#dataEnd;
    file.truncate(this.#dataEnd);
    this.#incoming = undefined;
  }
}
