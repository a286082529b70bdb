/** Follows sessions: decides what to ask the relay daemon next. */

import {
  AttachStatus,
  MetadataStatus,
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  PacketStatus,
  type SessionEntry,
  type streamEntry,
} from "../wire/live.ts";
import { LIVE_PACKET_BYTES } from "../base/limits.ts";
import { ALL_ONES } from "../base/ids.ts";
import { type Decoded, WireError } from "../wire/struct.ts";
import { askToAttach, type AttachedSession } from "./attach.ts";
import {
  FollowedSession,
  type FollowedStream,
  type FollowedTrace,
} from "./followed.ts";
import type { EndReason, LiveItem, PacketLossReason } from "./items.ts";
import { ask, give, pause, type Plan } from "./plan.ts";
import type { ReplyOf } from "./reply.ts";

/** How sessions are followed. */
export interface FollowerOptions {
  /** Pause before a stream that had nothing is asked again, milliseconds. */
  readonly pollMs: number;
  /** Pause between two looks for more sessions that are meant, milliseconds. */
  readonly sessionPollMs: number;
  /** Most bytes of a packet that are asked for at once. */
  readonly requestBytes: number;
  /** Whether to attach to this session too; unset: to no other. */
  readonly isMeant: ((entry: SessionEntry) => boolean) | undefined;
  /** Whether the relay daemon knows DETACH_SESSION. */
  readonly canDetach: boolean;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Sessions that the relay daemon may take the viewer to be attached to. */
  readonly held: Set<bigint>;
}

/** How often the same is asked for before the relay daemon's no is taken. */
const TRIES = 10;
/** The same for the next packet of a session that has hung up. */
const LAST_TRIES = 50;

type Index = ReplyOf<"GET_NEXT_INDEX">;

/**
 * The state of one viewer: which streams it knows, and when to ask which.
 *
 * Streams take turns. One that had nothing rests for `pollMs`. When all rest,
 * and otherwise every `pollMs`, comes a _look around_: new streams, metadata of
 * traces that no index speaks of, the end of sessions. That does not depend on
 * flags, since the stock daemon up to 2.13.9 raises NEW_STREAM only together
 * with a packet, and once.
 *
 * INACTIVE waits for the next look around, so that streams which were published
 * before it are announced before time passes.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #attached: readonly AttachedSession[];
  readonly #sessions = new Set<FollowedSession>();
  /** Ids of all sessions that it ever was attached to. */
  readonly #known = new Set<bigint>();
  #ready: FollowedStream[] = [];
  /** In the order in which they are due. */
  #resting: { stream: FollowedStream; due: number }[] = [];
  readonly #inactive = new Map<FollowedStream, Index>();
  #lookDue = 0;
  #listDue: number;
  #toldIdle = false;

  constructor(attached: readonly AttachedSession[], options: FollowerOptions) {
    this.#attached = attached;
    this.#options = options;
    this.#listDue = options.now() + options.sessionPollMs;
  }

  /** Follows until all sessions have ended. */
  *run(): Plan<void> {
    for (const { session, streams } of this.#attached) {
      yield* this.#add(session, streams);
    }
    while (this.#sessions.size > 0) {
      for (const stream of this.#takeReady()) yield* this.#serve(stream);
      const isBusy = this.#ready.length > 0;
      if (!isBusy || this.#options.now() >= this.#lookDue) {
        yield* this.#lookAround();
      }
      if (this.#ready.length === 0 && this.#sessions.size > 0) {
        yield* this.#rest();
      }
    }
  }

  // ---- Turns ------------------------------------------------------------------

  #takeReady(): FollowedStream[] {
    const ready = this.#ready;
    const now = this.#options.now();
    const due = this.#resting.findIndex((rest) => rest.due > now);
    const rested = this.#resting.splice(0, due < 0 ? Infinity : due);
    this.#ready = [];
    return [...ready, ...rested.map(({ stream }) => stream)];
  }

  /** Asks the stream again when others had their turn and time has passed. */
  #putToRest(stream: FollowedStream): void {
    const due = this.#options.now() + this.#options.pollMs;
    this.#resting.push({ stream, due });
  }

  *#rest(): Plan<void> {
    if (!this.#toldIdle) yield* this.#give({ kind: "idle" });
    const due = Math.min(this.#resting[0]?.due ?? Infinity, this.#lookDue);
    const left = due - this.#options.now();
    if (left > 0) yield* pause(left);
  }

  *#give(item: LiveItem): Plan<void> {
    this.#toldIdle = item.kind === "idle";
    yield* give(item);
  }

  // ---- Sessions ---------------------------------------------------------------

  *#add(
    entry: SessionEntry,
    streams: readonly Decoded<typeof streamEntry>[],
  ): Plan<void> {
    const session = new FollowedSession(entry);
    this.#sessions.add(session);
    this.#known.add(entry.id);
    yield* this.#give({ kind: "session", session: entry });
    yield* this.#announce(session, streams);
  }

  *#announce(
    session: FollowedSession,
    streams: readonly Decoded<typeof streamEntry>[],
  ): Plan<void> {
    const added = session.announce(streams);
    for (const { stream } of added) {
      yield* this.#give({ kind: "stream", stream });
    }
    for (const { trace, data } of added) {
      if (data === undefined) yield* this.#fetchMetadata(trace);
      else this.#ready.push(data);
    }
  }

  *#lookAround(): Plan<void> {
    let complete = true;
    for (const session of [...this.#sessions]) {
      if (session.closed !== undefined) continue;
      const known = yield* this.#newStreams(session);
      complete &&= known;
    }
    yield* this.#newSessions();
    for (const session of [...this.#sessions]) {
      for (const trace of [...session.traces]) {
        if (trace.needsLook) yield* this.#fetchMetadata(trace);
      }
      session.prune();
    }
    if (complete) yield* this.#tellInactive();
    for (const session of [...this.#sessions]) yield* this.#endIfOver(session);
    this.#lookDue = this.#options.now() + this.#options.pollMs;
  }

  /** `false` where the relay daemon cannot say now what streams there are. */
  *#newStreams(session: FollowedSession): Plan<boolean> {
    const { status, streams } = yield* ask("GET_NEW_STREAMS", {
      sessionId: session.session.id,
    });
    session.failures = status === NewStreamsStatus.ERROR
      ? session.failures + 1
      : 0;
    if (status === NewStreamsStatus.HANG_UP) session.closed = "hang-up";
    else if (session.failures >= TRIES) session.closed = "error";
    yield* this.#announce(session, streams);
    return status === NewStreamsStatus.OK || session.closed !== undefined;
  }

  *#newSessions(): Plan<void> {
    const { isMeant, now, sessionPollMs, held } = this.#options;
    if (isMeant === undefined || now() < this.#listDue) return;
    const { sessions } = yield* ask("LIST_SESSIONS", {});
    for (const entry of sessions) {
      const isNew = isMeant(entry) && entry.liveTimer > 0 &&
        !this.#known.has(entry.id);
      if (!isNew) continue;
      held.add(entry.id);
      const { status, streams } = yield* askToAttach(entry, "beginning");
      if (status === AttachStatus.OK) yield* this.#add(entry, streams);
      else held.delete(entry.id);
    }
    this.#listDue = now() + sessionPollMs;
  }

  *#endIfOver(session: FollowedSession): Plan<void> {
    if (session.closed === undefined || session.hasOpenStreams) return;
    for (const trace of [...session.traces]) {
      yield* this.#endMetadata(trace, "hang-up");
    }
    this.#sessions.delete(session);
    const { closed: reason, session: entry } = session;
    if (this.#options.canDetach) {
      // Whatever it says: it has ended.
      yield* ask("DETACH_SESSION", { sessionId: entry.id });
    }
    this.#options.held.delete(entry.id);
    yield* this.#give({ kind: "session-ended", session: entry, reason });
  }

  // ---- Streams ----------------------------------------------------------------

  /** One turn of a stream: at most one packet. */
  *#serve(stream: FollowedStream): Plan<void> {
    const { held } = stream;
    if (held !== undefined) yield* this.#fetchMetadata(stream.trace);
    const index = held ?? (yield* this.#nextIndex(stream));
    if (index === undefined) return;
    if (!stream.trace.isReadable && stream.session.closed === undefined) {
      stream.held = index;
      this.#putToRest(stream);
      return;
    }
    stream.held = undefined;
    yield* this.#packet(stream, index);
    this.#ready.push(stream);
  }

  /** The index of its next packet; otherwise the stream rests, or has ended. */
  *#nextIndex(stream: FollowedStream): Plan<Index | undefined> {
    const { id: streamId } = stream.stream;
    const index = yield* ask("GET_NEXT_INDEX", { streamId });
    if (index.status === NextIndexStatus.INACTIVE) {
      this.#inactive.set(stream, index);
    } else {
      this.#inactive.delete(stream);
    }
    yield* this.#heed(index.flags, stream.trace);
    if (index.status === NextIndexStatus.OK) {
      stream.failures = 0;
      return index;
    }
    if (index.status === NextIndexStatus.HANG_UP) {
      yield* this.#end(stream, "hang-up");
    } else if (this.#hasFailed(stream, index.status)) {
      yield* this.#end(stream, "error");
    } else {
      this.#putToRest(stream);
    }
    return undefined;
  }

  /**
   * Whether a stream that brought nothing, again, is to be given up. The stock
   * daemon fails for a moment while chunks are renamed; and it says RETRY for
   * ever where a session ended before a rotation was complete.
   */
  #hasFailed(stream: FollowedStream, status: number): boolean {
    const isWaiting = status === NextIndexStatus.RETRY ||
      status === NextIndexStatus.INACTIVE;
    if (isWaiting && stream.session.closed === undefined) {
      stream.failures = 0;
      return false;
    }
    return ++stream.failures >= (isWaiting ? LAST_TRIES : TRIES);
  }

  *#heed(flags: number, trace: FollowedTrace): Plan<void> {
    if ((flags & NextIndexFlag.NEW_STREAM) !== 0) yield* this.#lookAround();
    if ((flags & NextIndexFlag.NEW_METADATA) !== 0) {
      yield* this.#fetchMetadata(trace);
    }
  }

  /** Tells until when streams had nothing, where that is new. */
  *#tellInactive(): Plan<void> {
    const inactive = [...this.#inactive];
    this.#inactive.clear();
    for (const [followed, { timestampEnd, streamId }] of inactive) {
      if (timestampEnd <= followed.knownUntil) continue;
      followed.knownUntil = timestampEnd;
      yield* this.#give({
        kind: "inactive",
        stream: followed.stream,
        timestampEnd,
        streamClassId: streamId === ALL_ONES ? undefined : streamId,
      });
    }
  }

  *#end(followed: FollowedStream, reason: EndReason): Plan<void> {
    followed.trace.open.delete(followed);
    yield* this.#give({
      kind: "stream-ended",
      stream: followed.stream,
      reason,
    });
  }

  // ---- Metadata ---------------------------------------------------------------

  /** Fetches all the metadata there is. */
  *#fetchMetadata(trace: FollowedTrace): Plan<void> {
    while (trace.metadata !== undefined) {
      const stream = trace.metadata;
      const { status, metadata: bytes } = yield* ask("GET_METADATA", {
        streamId: stream.id,
      });
      if (status === MetadataStatus.ERROR) {
        yield* this.#endMetadata(
          trace,
          trace.hasMetadata ? "hang-up" : "error",
        );
        return;
      }
      trace.metadataIsDue = status === MetadataStatus.OK && bytes.length === 0;
      if (status === MetadataStatus.NO_NEW || trace.metadataIsDue) return;
      trace.hasMetadata = true;
      yield* this.#give({ kind: "metadata", stream, bytes });
    }
  }

  *#endMetadata(trace: FollowedTrace, reason: EndReason): Plan<void> {
    const { metadata: stream } = trace;
    if (stream === undefined) return;
    trace.metadata = undefined;
    yield* this.#give({ kind: "stream-ended", stream, reason });
  }

  // ---- Packets ----------------------------------------------------------------

  *#packet(followed: FollowedStream, reply: Index): Plan<void> {
    const { stream } = followed;
    const { status: _, flags: __, streamId: streamClassId, ...rest } = reply;
    const index = { ...rest, streamClassId };
    const reason = faultOf(reply);
    const { timestampEnd } = index;
    if (reason !== "bad-index" && timestampEnd > followed.knownUntil) {
      followed.knownUntil = timestampEnd;
    }
    const bytes = reason === undefined
      ? yield* this.#fetchPacket(followed, reply)
      : undefined;
    yield* this.#give(
      bytes === undefined
        ? {
          kind: "packet-lost",
          stream,
          index,
          reason: reason ?? "unavailable",
        }
        : { kind: "packet", stream, index, bytes },
    );
  }

  /** The whole packet; nothing where the relay daemon does not have it. */
  *#fetchPacket(
    followed: FollowedStream,
    index: Index,
  ): Plan<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = new Uint8Array(Number(index.packetSize / 8n));
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(
        bytes.length - done,
        this.#options.requestBytes,
      );
      const offset = index.offset + BigInt(done);
      const piece = yield* this.#fetchPiece(followed, offset, length);
      if (piece === undefined) return undefined;
      bytes.set(piece, done);
      done += length;
    }
    return bytes;
  }

  *#fetchPiece(
    followed: FollowedStream,
    offset: bigint,
    length: number,
  ): Plan<Uint8Array | undefined> {
    const { id: streamId } = followed.stream;
    for (let tries = 0; tries < TRIES; tries++) {
      const { status, packet, flags } = yield* ask("GET_PACKET", {
        streamId,
        offset,
        length,
      });
      if (status === PacketStatus.OK) {
        if (packet.length === length) return packet;
        throw new WireError(
          "GET_PACKET reply.packet",
          `${packet.length} bytes, not the ${length} that were asked for`,
        );
      }
      const isComing = status === PacketStatus.RETRY ||
        status === PacketStatus.ERROR && flags !== 0;
      if (!isComing) return undefined;
      // Old relay daemons want flags heeded first.
      yield* this.#heed(flags, followed.trace);
      if (status === PacketStatus.RETRY) yield* pause(this.#options.pollMs);
    }
    return undefined;
  }
}

/** What is wrong with an index, if anything is. */
function faultOf(index: Index): PacketLossReason | undefined {
  const { packetSize, contentSize, offset } = index;
  if (packetSize % 8n !== 0n || packetSize === 0n || contentSize > packetSize) {
    return "bad-index";
  }
  if (offset + packetSize / 8n > ALL_ONES) return "bad-index";
  return packetSize / 8n > BigInt(LIVE_PACKET_BYTES) ? "too-large" : undefined;
}
