/** The index file beside one data file, in which there are only whole entries. */

import {
  encodeIndexEntry,
  indexHeader,
  type IndexMinor,
} from "../ctf/index_file.ts";
import type { SendIndex } from "../wire/relay.ts";
import type { TraceFile } from "./trace_file.ts";
import type { TrailFile } from "./trail.ts";

/** An index file that is being written. */
export class StreamIndex {
  readonly #file: TraceFile;
  readonly #minor: IndexMinor;
  /** How viewers find it, where the session is live. */
  readonly trailFile: TrailFile | undefined;
  /** Its size after the last flush that succeeded, bytes. */
  #safe = 0;
  /** Packets in the data file whose entries are still to come. */
  waiting = 0;

  /** Writes the header into `file`, which is empty. */
  constructor(file: TraceFile, minor: IndexMinor, trailFile?: TrailFile) {
    this.#file = file;
    this.#minor = minor;
    this.trailFile = trailFile;
    file.append(indexHeader(minor));
  }

  /**
   * Adds the entry of the packet at `offset` bytes in the data file. When it
   * cannot, the entries since the last flush are lost.
   */
  append(index: SendIndex, offset: number): void {
    const entry = encodeIndexEntry({
      offset: BigInt(offset),
      packetSize: index.packetSize,
      contentSize: index.contentSize,
      timestampBegin: index.timestampBegin,
      timestampEnd: index.timestampEnd,
      eventsDiscarded: index.eventsDiscarded,
      streamId: index.streamId,
      streamInstanceId: index.streamInstanceId,
      packetSequenceNumber: index.packetSequenceNumber,
    }, this.#minor);
    try {
      this.#file.append(entry);
    } catch (error) {
      this.discardUnsafe();
      throw error;
    }
  }

  /** Writes what was gathered; when it cannot, nothing of it stays. */
  flush(): void {
    try {
      this.#file.flush();
      this.#safe = this.#file.size;
    } catch (error) {
      this.discardUnsafe();
      throw error;
    }
  }

  /** Goes back to the last flush, after a failed write here or of the data. */
  discardUnsafe(): void {
    this.#file.discardAfter(this.#safe);
  }

  /** Closes the file; doing so again does nothing. */
  close(): void {
    this.#file.close();
  }
}
