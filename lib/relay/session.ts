/**
 * A relay session: what one consumer of one session daemon records here. It
 * is a state machine that files and connections are told to; it does no
 * input or output of its own.
 */

import { Code, errorText, FatalPeerError, PeerError } from "../base/errors.ts";
import type { ChunkId, Minor, SessionId, StreamId } from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import {
  HERE,
  joinPath,
  type PathComponent,
  pathComponent,
  quote,
  type RelativePath,
  relativePath,
  topComponent,
} from "../base/path.ts";
import type { IndexMinor } from "../ctf/index_file.ts";
import { type AddStream, CloseCommand } from "../wire/relay.ts";
import { Chunk, NEW_CHUNK, OLD_CHUNK } from "./chunk.ts";
import type { PathClaims } from "./claims.ts";
import {
  chunkName,
  dataFileName,
  type Grouping,
  indexFileName,
  legacyStreamPath,
} from "./layout.ts";
import type { Producer } from "./producer.ts";
import type { Store } from "./store.ts";
import { Stream } from "./stream.ts";
import type {
  DataBinding,
  SessionWatcher,
  StreamOwner,
  StreamTotals,
  Trace,
} from "./stream_types.ts";

/** What sessions share: where they write and whom they tell. */
export interface SessionContext {
  readonly store: Store;
  readonly log: Log;
  readonly claims: PathClaims<Producer>;
  readonly groupOutputBy: Grouping;
  /** Milliseconds since 1970. */
  now(): number;
  /** A handle that no stream has or had, and that nobody can guess. */
  newStreamId(): StreamId;
  /** The stream may be addressed by its id from now on. */
  streamOpened(stream: Stream): void;
  /** The stream's id is unknown from now on. */
  streamClosed(stream: Stream): void;
  /** The stream has gathered bytes. */
  touched(stream: Stream): void;
  /** Both connections and all streams are gone. */
  sessionEnded(session: Session): void;
}

/** What CREATE_SESSION says, checked. */
export interface SessionOptions {
  id: SessionId;
  minor: Minor;
  /** Empty before 2.4. */
  sessionName: string;
  hostname: string;
  /** Microseconds; 0: not live. */
  liveTimer: number;
  snapshot: boolean;
  /** A `TraceFormat` as producers number them. */
  traceFormat: number;
  /** Its directory; {@linkcode HERE} before 2.11, where streams carry it. */
  output: RelativePath;
  producer: Producer;
  currentChunk?: Chunk | undefined;
}

/** The first minor with trace chunks. */
const CHUNKS_SINCE = 11;
const INDEXES_SINCE = 4;
const INDEX_1_1_SINCE = 8;
const RESERVED = new Set<string>(["archives", OLD_CHUNK, NEW_CHUNK]);

/** One relay session. */
export class Session implements StreamOwner {
  readonly id: SessionId;
  readonly minor: Minor;
  readonly sessionName: string;
  readonly hostname: string;
  readonly liveTimer: number;
  readonly snapshot: boolean;
  readonly traceFormat: number;
  readonly output: RelativePath;
  readonly producer: Producer;
  readonly createdAt: number;
  readonly streams = new Map<StreamId, Stream>();
  readonly #traces = new Map<RelativePath, Trace>();
  readonly #context: SessionContext;
  readonly #claimed = new Set<RelativePath>();
  readonly #totals: StreamTotals & { streams: number } = {
    streams: 0,
    packets: 0,
    bytes: 0,
    packetsLost: 0n,
    eventsDiscarded: 0n,
    bytesCut: 0,
  };
  #unpublished: Stream[] = [];
  #current: Chunk | undefined;
  #pendingClosure: Chunk | undefined;
  #hasRotated = false;
  #aborted = false;
  #controlOpen = true;
  #dataConnection: DataBinding | undefined;
  #dataSeen = false;
  #ended = false;
  #closedAt: number | undefined;
  /** When data last came, once a connection has closed. */
  #progressAt = 0;
  /** The viewers that are attached. They hold nothing here. */
  readonly watchers = new Set<SessionWatcher>();

  /** Makes its directory. Throws what the file system throws. */
  constructor(context: SessionContext, options: SessionOptions) {
    this.#context = context;
    this.id = options.id;
    this.minor = options.minor;
    this.sessionName = options.sessionName;
    this.hostname = options.hostname;
    this.liveTimer = options.liveTimer;
    this.snapshot = options.snapshot;
    this.traceFormat = options.traceFormat;
    this.output = options.output;
    this.producer = options.producer;
    this.createdAt = context.now();
    if (this.#hasChunks) {
      // Claimed first: nothing is made in the output of another producer.
      this.#claim(this.output);
      try {
        context.store.makeDirectory(this.output);
      } catch (error) {
        this.#releaseClaims();
        throw error;
      }
      this.#current = options.currentChunk?.hold();
    } else {
      this.#current = new Chunk(context.store, {
        creationTime: this.createdAt / 1000,
        output: HERE,
        path: HERE,
      }, () => {}).hold();
    }
    this.producer.join(this);
  }

  /** For log lines. */
  toString(): string {
    const name = this.sessionName === "" ? "" : ` ${quote(this.sessionName)}`;
    const host = this.hostname === "" ? "" : ` of ${quote(this.hostname)}`;
    return `session ${this.id}${name}${host}`;
  }

  get #hasChunks(): boolean {
    return this.minor >= CHUNKS_SINCE;
  }

  // ---- What its streams ask ---------------------------------------------------

  get storesIndexes(): boolean {
    return this.minor >= INDEXES_SINCE && !this.snapshot;
  }

  get indexMinor(): IndexMinor {
    return this.minor >= INDEX_1_1_SINCE ? 1 : 0;
  }

  get live(): boolean {
    return this.liveTimer > 0 && this.storesIndexes;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get controlOpen(): boolean {
    return this.#controlOpen;
  }

  get dataOpen(): boolean {
    return this.#dataConnection !== undefined;
  }

  viewerFailed(reason: string): void {
    this.#context.log.warning(`${this}: a viewer has to wait: ${reason}`);
  }

  touched(stream: Stream): void {
    this.#context.touched(stream);
    if (this.#closedAt !== undefined) this.#progressAt = this.#context.now();
  }

  streamClosed(stream: Stream): void {
    this.streams.delete(stream.id);
    this.#unpublished = this.#unpublished.filter((other) => other !== stream);
    this.#context.streamClosed(stream);
    const totals = this.#totals;
    totals.packets += stream.totals.packets;
    totals.bytes += stream.totals.bytes;
    totals.packetsLost += stream.totals.packetsLost;
    totals.eventsDiscarded += stream.totals.eventsDiscarded;
    totals.bytesCut += stream.totals.bytesCut;
    if (stream.totals.bytesCut > 0) {
      this.#context.log.warning(
        `${this}: ${stream}: cut ${stream.totals.bytesCut} bytes of a packet ` +
          `that did not arrive whole`,
        { session: this.id, bytesCut: stream.totals.bytesCut },
      );
    }
    this.#endIfDone();
  }

  // ---- Streams ----------------------------------------------------------------

  /**
   * ADD_STREAM. Throws {@linkcode PeerError} where the stream cannot be
   * created, and what the file system throws.
   */
  addStream(request: AddStream): Stream {
    if (this.#aborted) {
      throw new FatalPeerError(`${this} was cut`, Code.UNKNOWN);
    }
    const { channelName, path } = this.#streamPlace(request);
    const chunk = this.#current;
    if (chunk === undefined) {
      throw new PeerError(
        `${this}: a stream while there is no trace chunk`,
        Code.UNKNOWN,
      );
    }
    if (this.streams.size >= limits.STREAMS_PER_SESSION) {
      throw new PeerError(
        `${this}: ${this.streams.size + 1} streams > ` +
          limits.STREAMS_PER_SESSION,
        Code.UNKNOWN,
      );
    }
    if (!this.#hasChunks) this.#claim(path);
    const stream = new Stream(this, this.#context.store, {
      id: this.#context.newStreamId(),
      trace: this.#trace(path),
      channelName,
      path,
      tracefileSize: request.tracefileSize,
      tracefileCount: request.tracefileCount,
      chunk,
    });
    this.streams.set(stream.id, stream);
    this.#unpublished.push(stream);
    this.#totals.streams++;
    this.#context.streamOpened(stream);
    return stream;
  }

  #streamPlace(
    request: AddStream,
  ): { channelName: PathComponent; path: RelativePath } {
    try {
      const channelName = pathComponent(request.channelName, "Channel name");
      if (channelName === "index") {
        throw new RangeError('Channel name must not be "index"');
      }
      // Refused now, not when the first packet comes.
      indexFileName(dataFileName(
        channelName,
        request.tracefileSize === 0n ? undefined : request.tracefileCount,
      ));
      const sent = relativePath(
        request.pathname.replace(/^\//, ""),
        "Stream path",
      );
      if (sent === "") throw new RangeError("Stream path must not be empty");
      if (!this.#hasChunks) {
        const { createdAt } = this;
        const path = legacyStreamPath(
          sent,
          { ...this, createdAt: createdAt / 1000 },
          this.#context.groupOutputBy,
        );
        return { channelName, path };
      }
      if (RESERVED.has(topComponent(sent) ?? "")) {
        throw new RangeError(`Stream path is reserved: ${quote(sent)}`);
      }
      return { channelName, path: sent };
    } catch (error) {
      throw new PeerError(`${this}: ${errorText(error)}`, Code.UNKNOWN, {
        cause: error,
      });
    }
  }

  #trace(path: RelativePath): Trace {
    let trace = this.#traces.get(path);
    if (trace === undefined) {
      trace = { id: BigInt(this.#traces.size + 1), path };
      this.#traces.set(path, trace);
    }
    return trace;
  }

  #claim(path: RelativePath): void {
    if (this.#claimed.has(path)) return;
    try {
      this.#context.claims.claim(path, this.producer);
    } catch (error) {
      throw new PeerError(`${this}: ${errorText(error)}`, Code.UNKNOWN, {
        cause: error,
      });
    }
    this.#claimed.add(path);
  }

  #releaseClaims(): void {
    for (const path of this.#claimed) {
      this.#context.claims.release(path, this.producer);
    }
    this.#claimed.clear();
  }

  /** STREAMS_SENT: viewers see the streams added since the last one, at once. */
  publishStreams(): void {
    for (const stream of this.#unpublished) {
      stream.published = true;
      for (const watcher of this.watchers) watcher.streamPublished(stream);
    }
    this.#unpublished = [];
  }

  /** BEGIN_DATA_PENDING. */
  beginDataPending(): void {
    for (const stream of this.streams.values()) stream.checked = false;
  }

  /** END_DATA_PENDING: whether anything is still on the wire. */
  anyInFlight(): boolean {
    for (const stream of this.streams.values()) {
      if (stream.inFlight) return true;
    }
    return false;
  }

  // ---- Trace chunks -----------------------------------------------------------

  /** CREATE_TRACE_CHUNK. `creationTime` in seconds since 1970. */
  createChunk(
    id: ChunkId,
    creationTime: number,
    overrideName: PathComponent | undefined,
  ): void {
    if (this.#pendingClosure !== undefined) {
      throw new FatalPeerError(
        `${this}: chunk ${id} while chunk ${this.#pendingClosure.id} is not ` +
          `closed`,
        Code.INVALID_PROTOCOL,
      );
    }
    const previous = this.#current;
    this.producer.ongoingRotation = true;
    previous?.moveTo(joinPath(OLD_CHUNK));
    const chunk = this.producer.shareChunk(id, () =>
      new Chunk(
        this.#context.store,
        {
          id,
          creationTime,
          overrideName,
          output: this.output,
          path: this.#firstPath(id, creationTime, overrideName),
        },
        (ended, error) => {
          this.producer.chunkEnded(ended);
          if (error !== undefined) {
            this.#context.log.error(
              `${this}: could not finish trace chunk ${ended.name}: ` +
                errorText(error),
              { session: this.id },
            );
          }
        },
      ));
    this.#pendingClosure = previous;
    this.#current = chunk.hold();
    if (previous === undefined) this.producer.ongoingRotation = false;
  }

  #firstPath(
    id: ChunkId,
    creationTime: number,
    overrideName: PathComponent | undefined,
  ): RelativePath {
    if (overrideName !== undefined) return joinPath(overrideName);
    if (this.#current !== undefined) return joinPath(NEW_CHUNK);
    if (!this.#hasRotated) return HERE;
    return joinPath(chunkName(id, creationTime));
  }

  /**
   * CLOSE_TRACE_CHUNK. `closeTime` in seconds since 1970. Returns where the
   * chunk will be, below the output directory.
   */
  closeChunk(
    id: ChunkId,
    closeTime: number,
    command: number | undefined,
  ): RelativePath {
    const chunk = this.producer.knownChunk(id, Code.NO_MEMORY);
    if (this.#pendingClosure !== undefined && this.#pendingClosure !== chunk) {
      throw new FatalPeerError(
        `${this}: close of chunk ${id}, not of chunk ` +
          `${this.#pendingClosure.id}, which waits for it`,
        Code.INVALID_PROTOCOL,
      );
    }
    const current = this.#current;
    if (current !== undefined && current !== chunk) {
      this.#settle(
        current,
        command === CloseCommand.DELETE && !this.#hasRotated,
      );
      this.producer.ongoingRotation = false;
    }
    if (command === undefined || command === CloseCommand.NO_OPERATION) {
      this.#settle(chunk, !this.#hasRotated);
    }
    chunk.close(closeTime, command);
    const path = this.#pathOfClosed(chunk, command);
    if (command === CloseCommand.MOVE_TO_COMPLETED) this.#hasRotated = true;
    const heldAsCurrent = current === chunk;
    const heldAsPending = this.#pendingClosure !== undefined;
    if (heldAsCurrent) this.#current = undefined;
    this.#pendingClosure = undefined;
    if (heldAsCurrent) chunk.release();
    if (heldAsPending) chunk.release();
    return path;
  }

  /** Moves a chunk out of its temporary directory. */
  #settle(chunk: Chunk, toSessionDirectory: boolean): void {
    if (toSessionDirectory) chunk.moveTo(HERE);
    else chunk.moveToOwnName();
  }

  /** Upstream answers the session's directory for the first archive: not so here. */
  #pathOfClosed(chunk: Chunk, command: number | undefined): RelativePath {
    if (this.snapshot) return joinPath(this.output, chunk.name);
    return command === CloseCommand.MOVE_TO_COMPLETED
      ? chunk.archivePath
      : this.output;
  }

  // ---- Connections ------------------------------------------------------------

  /**
   * A data connection brought a packet for one of its streams. Only one may:
   * a stranger who guessed a handle is refused.
   */
  bindData(connection: DataBinding): void {
    if (this.#dataConnection === connection) return;
    if (this.#dataSeen) {
      throw new FatalPeerError(`${this} has a data connection already`);
    }
    this.#dataSeen = true;
    this.#dataConnection = connection;
  }

  /** Its control connection is gone; `failed`: not by the peer's plain end. */
  controlClosed(failed: boolean): void {
    this.#controlOpen = false;
    this.#close(failed);
  }

  /** Its data connection is gone. */
  dataClosed(failed: boolean): void {
    this.#dataConnection = undefined;
    this.#close(failed);
  }

  /**
   * Something failed that makes the recording incomplete. All its streams
   * close as they are; its peer learns of it at the next command.
   */
  abort(reason: string): void {
    if (!this.#aborted && this.streams.size > 0) {
      this.#context.log.error(`${this} is cut: ${reason}`, {
        session: this.id,
      });
    }
    this.#close(true);
  }

  /** When its first connection closed, milliseconds; undefined while open. */
  get closedAt(): number | undefined {
    return this.#closedAt;
  }

  /**
   * Since when nothing has come, once a connection has closed, milliseconds:
   * what is still on a slow link may take its time.
   */
  get waitingSince(): number | undefined {
    return this.#closedAt === undefined
      ? undefined
      : Math.max(this.#closedAt, this.#progressAt);
  }

  #close(failed: boolean): void {
    this.#closedAt ??= this.#context.now();
    if (failed || (!this.#controlOpen && this.#dataSeen && !this.dataOpen)) {
      this.#aborted = true;
    }
    // Nothing that it may still bring would be taken.
    if (this.#aborted) this.#dataConnection?.end();
    for (const stream of [...this.streams.values()]) {
      try {
        stream.close();
      } catch (error) {
        this.#context.log.error(
          `${this}: could not close ${stream}: ${errorText(error)}`,
          { session: this.id },
        );
      }
    }
    this.#endIfDone();
  }

  #endIfDone(): void {
    const open = this.#controlOpen || this.dataOpen || this.streams.size > 0;
    if (open || this.#ended || this.#closedAt === undefined) return;
    this.#ended = true;
    const chunks = [this.#current, this.#pendingClosure];
    this.#current = this.#pendingClosure = undefined;
    for (const chunk of chunks) chunk?.release();
    this.producer.leave(this);
    this.#releaseClaims();
    this.#summarise();
    this.#context.sessionEnded(this);
  }

  #summarise(): void {
    const { streams, packets, bytes, packetsLost, eventsDiscarded } =
      this.#totals;
    const seconds = (this.#context.now() - this.createdAt) / 1000;
    const loss = this.storesIndexes
      ? `${packetsLost} packets lost, ${eventsDiscarded} events discarded`
      : "losses not reported";
    const line =
      `${this} ended: ${seconds.toFixed(1)} s, ${streams} streams, ` +
      `${packets} packets, ${bytes} bytes, ${loss}`;
    const fields = {
      session: this.id,
      name: this.sessionName,
      hostname: this.hostname,
      output: this.output,
      seconds,
      streams,
      packets,
      bytes,
      ...(this.storesIndexes ? { packetsLost, eventsDiscarded } : {}),
      bytesCut: this.#totals.bytesCut,
    };
    const lossy = packetsLost > 0n || eventsDiscarded > 0n;
    if (lossy) this.#context.log.warning(line, fields);
    else this.#context.log.info(line, fields);
  }
}
