/** The collector's memory: every session and stream there is, and their ids. */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import {
  chunkId,
  type Minor,
  type SessionId,
  sessionId,
  type StreamId,
  streamId,
} from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { HERE, nameComponent, relativePath } from "../base/path.ts";
import { type CreateSession, TraceFormat } from "../wire/relay.ts";
import { PathClaims } from "./claims.ts";
import { type Grouping, sessionPath } from "./layout.ts";
import { Producer } from "./producer.ts";
import { Session, type SessionContext } from "./session.ts";
import type { Store } from "./store.ts";
import type { Stream } from "./stream.ts";

/** What a collector is made from. */
export interface CollectorOptions {
  store: Store;
  log: Log;
  clock: Clock;
  groupOutputBy: Grouping;
  /** Whether `lttng clear` may delete. */
  allowClear: boolean;
}

const NAMES_SINCE = 4;
const CHUNKS_SINCE = 11;

/** How long small things collect before they are handled together. */
const TICK_MS = 1;

/** All sessions of one relay daemon. */
export class Collector implements SessionContext {
  readonly store: Store;
  readonly log: Log;
  readonly allowClear: boolean;
  readonly groupOutputBy: Grouping;
  readonly claims: PathClaims<Producer>;
  readonly #clock: Clock;
  readonly #sessions = new Set<Session>();
  readonly #streams = new Map<StreamId, Stream>();
  readonly #producers = new Map<string, Producer>();
  readonly #touched = new Set<Stream>();
  /** Shared by everything that waits for the next tick. */
  #tick: Promise<void> | undefined;
  #lastSession = 0n;
  #lastViewer = 0n;

  constructor(options: CollectorOptions) {
    this.store = options.store;
    this.claims = new PathClaims(options.store.caseless);
    this.log = options.log;
    this.allowClear = options.allowClear;
    this.groupOutputBy = options.groupOutputBy;
    this.#clock = options.clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Every session that has not ended. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** The session with this id, until it has ended. */
  session(id: SessionId): Session | undefined {
    // Asked for when a viewer comes or goes, not worth a second table.
    return [...this.#sessions].find((session) => session.id === id);
  }

  /** The stream with this handle, while it is open. */
  stream(id: StreamId): Stream | undefined {
    return this.#streams.get(id);
  }

  /** An id for a viewer, from 1. */
  newViewerId(): bigint {
    return ++this.#lastViewer;
  }

  newStreamId(): StreamId {
    // Peers only repeat handles. Random ones keep a stranger, who sees none,
    // from sending packets for somebody else's stream.
    const random = new BigUint64Array(1);
    for (;;) {
      crypto.getRandomValues(random);
      const id = streamId(BigInt.asUintN(62, random[0]!));
      if (id !== 0n && !this.#streams.has(id)) return id;
    }
  }

  /** CREATE_SESSION. Throws an error whose text says why not. */
  createSession(request: CreateSession, minor: Minor): Session {
    if (this.#sessions.size >= limits.SESSIONS) {
      throw new RangeError(
        `${this.#sessions.size + 1} sessions > ${limits.SESSIONS}`,
      );
    }
    if (
      !(Object.values(TraceFormat) as number[]).includes(request.traceFormat)
    ) {
      throw new RangeError(`Unknown trace format: ${request.traceFormat}`);
    }
    const output = this.#sessionOutput(request, minor);
    const key = producerKey(request, minor);
    const producer = this.#producers.get(key ?? "") ?? new Producer(key);
    const chunk = request.currentChunkId;
    const currentChunk = chunk === undefined
      ? undefined
      : producer.chunk(chunkId(chunk));
    if (chunk !== undefined && currentChunk === undefined) {
      throw new RangeError(`The current trace chunk ${chunk} is not known`);
    }
    const session = new Session(this, {
      id: sessionId(this.#lastSession + 1n),
      minor,
      sessionName: request.sessionName,
      hostname: request.hostname,
      liveTimer: request.liveTimer,
      snapshot: request.snapshot !== 0,
      traceFormat: request.traceFormat,
      output,
      producer,
      currentChunk,
    });
    this.#lastSession++;
    if (key !== undefined) this.#producers.set(key, producer);
    this.#sessions.add(session);
    this.log.info(
      `${session} began: ${output === "" ? "recording" : output}`,
      { session: session.id, output, minor },
    );
    return session;
  }

  #sessionOutput(request: CreateSession, minor: Minor) {
    if (minor < NAMES_SINCE) {
      if (this.groupOutputBy === "session") {
        this.log.warning(
          `A peer of LTTng 2.${minor} does not say its session's name: its ` +
            `output is grouped by host`,
        );
      }
      return HERE;
    }
    const sessionName = nameComponent(request.sessionName, "Session name");
    const hostname = nameComponent(request.hostname, "Host name");
    if (minor < CHUNKS_SINCE) return HERE;
    if (request.sessiondUuid.every((byte) => byte === 0)) {
      throw new RangeError("The session daemon's UUID is all zero");
    }
    return sessionPath({
      sessionName,
      hostname,
      basePath: relativePath(request.basePath, "Base path"),
      nameContainsCreationTime: request.nameContainsCreationTime,
      creationTime: Number(request.creationTime),
    }, this.groupOutputBy);
  }

  // ---- What sessions tell -----------------------------------------------------

  streamOpened(stream: Stream): void {
    this.#streams.set(stream.id, stream);
  }

  streamClosed(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.#touched.delete(stream);
  }

  touched(stream: Stream): void {
    this.#touched.add(stream);
  }

  sessionEnded(session: Session): void {
    this.#sessions.delete(session);
    const { key, empty } = session.producer;
    if (empty && key !== undefined) this.#producers.delete(key);
  }

  /** Writes what streams gathered. A stream that cannot ends its session. */
  flush(): void {
    if (this.#touched.size === 0) return;
    for (const stream of this.#touched) {
      try {
        stream.flush();
      } catch (error) {
        stream.owner.abort(`${stream}: ${errorText(error)}`);
      }
    }
    this.#touched.clear();
  }

  /**
   * Resolves within a millisecond or two, after a {@linkcode flush}. Small
   * packets and indexes that wait for it cost one turn and one write together
   * instead of one each.
   */
  nextTick(): Promise<void> {
    return this.#tick ??= new Promise((resolve) =>
      setTimeout(() => {
        this.#tick = undefined;
        this.flush();
        resolve();
      }, TICK_MS)
    );
  }

  /** Ends sessions whose missing data will not come any more. */
  sweep(): void {
    const latest = this.now() - limits.ORPHAN_STREAM_TIMEOUT_MS;
    for (const session of [...this.#sessions]) {
      const { waitingSince } = session;
      if (waitingSince === undefined || waitingSince > latest) continue;
      session.abort(
        `no data came for ${limits.ORPHAN_STREAM_TIMEOUT_MS / 1000} s after ` +
          `its connection was lost`,
      );
    }
  }
}

/** What sibling consumers have in common; older peers have no siblings. */
function producerKey(
  request: CreateSession,
  minor: Minor,
): string | undefined {
  if (minor < CHUNKS_SINCE) return undefined;
  return `${request.sessiondUuid.toHex()}-${request.sessiondSessionId}`;
}
