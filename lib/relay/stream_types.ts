/** What a stream is made from, what it counts and whom it belongs to. */

import type { StreamId } from "../base/ids.ts";
import type { PathComponent, RelativePath } from "../base/path.ts";
import type { IndexMinor } from "../ctf/index_file.ts";
import type { Chunk } from "./chunk.ts";
import type { Stream } from "./stream.ts";

/** The CTF trace that streams with one path and one metadata belong to. */
export interface Trace {
  /** From 1; viewers know it. */
  readonly id: bigint;
  readonly path: RelativePath;
}

/** The data connection of a session, as the session sees it. */
export interface DataBinding {
  /** Nothing that it may still bring would be taken: it should close. */
  end(): void;
}

/** What a stream needs of the session that it belongs to. */
export interface StreamOwner {
  /** Packets come with indexes: since 2.4, but not in snapshots. */
  readonly storesIndexes: boolean;
  readonly indexMinor: IndexMinor;
  /** Viewers may attach: its streams keep trails. */
  readonly live: boolean;
  /** Nothing more is waited for. */
  readonly aborted: boolean;
  /** The control connection may still bring indexes. */
  readonly controlOpen: boolean;
  /** A data connection is there that may still bring packets. */
  readonly dataOpen: boolean;
  /** A data connection brought a packet; throws where it is not the only one. */
  bindData(connection: DataBinding): void;
  /** The data connection is gone; `failed`: not by the peer's plain end. */
  dataClosed(failed: boolean): void;
  /** Something failed that makes the recording incomplete. */
  abort(reason: string): void;
  /** A viewer could not be given what it asked for; the recording goes on. */
  viewerFailed(reason: string): void;
  /** The stream has gathered bytes that {@linkcode Stream.flush} writes. */
  touched(stream: Stream): void;
  /** The stream is complete: its files are closed, its id is unknown now. */
  streamClosed(stream: Stream): void;
}

/** A viewer that is attached to a session, as the session sees it. */
export interface SessionWatcher {
  /** STREAMS_SENT has come for a stream. */
  streamPublished(stream: Stream): void;
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
