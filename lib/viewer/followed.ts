/** What a viewer knows of the sessions, traces and streams that it follows. */

import * as limits from "../base/limits.ts";
import type { streamEntry } from "../wire/live.ts";
import { type Decoded, WireError } from "../wire/struct.ts";
import type { EndReason, LiveSession, LiveStream, LiveTrace } from "./items.ts";
import type { ReplyOf } from "./reply.ts";

/** A trace of a followed session. */
export class FollowedTrace {
  readonly trace: LiveTrace;
  /** Unset before it is announced, and once it has ended. */
  metadata: LiveStream | undefined;
  /** Whether any metadata came. */
  hasMetadata = false;
  /** There is metadata that the relay daemon did not hand out when asked. */
  metadataIsDue = false;
  /** Data streams that have not ended. */
  readonly open = new Set<FollowedStream>();

  constructor(trace: LiveTrace) {
    this.trace = trace;
  }

  /** Whether everything is there that the next packet may need. */
  get isReadable(): boolean {
    if (this.metadata === undefined) return true;
    return this.hasMetadata && !this.metadataIsDue;
  }

  /** No index tells any more whether there is new metadata. */
  get needsLook(): boolean {
    return this.metadata !== undefined &&
      (this.open.size === 0 || !this.isReadable);
  }
}

/** A data stream that has not ended. */
export class FollowedStream {
  readonly stream: LiveStream;
  readonly session: FollowedSession;
  readonly trace: FollowedTrace;
  /** Up to when it is known what happened, in cycles. */
  knownUntil = -1n;
  /** An index whose packet waits for metadata. */
  held: ReplyOf<"GET_NEXT_INDEX"> | undefined;
  /** How often in a row the relay daemon failed to say what comes next. */
  failures = 0;

  constructor(
    stream: LiveStream,
    session: FollowedSession,
    trace: FollowedTrace,
  ) {
    this.stream = stream;
    this.session = session;
    this.trace = trace;
  }
}

/** A stream that has just been announced. */
export interface Announced {
  readonly stream: LiveStream;
  readonly trace: FollowedTrace;
  /** Unset where it is a metadata stream. */
  readonly data: FollowedStream | undefined;
}

/** A session that the viewer is attached to. */
export class FollowedSession {
  readonly session: LiveSession;
  /** Set once no stream will be announced any more. */
  closed: EndReason | undefined;
  /** How often in a row the relay daemon failed to say what streams are new. */
  failures = 0;
  readonly #traces = new Map<bigint, FollowedTrace>();
  /** Handles of streams that have been announced, ended ones included. */
  readonly #announced = new Set<bigint>();

  constructor(session: LiveSession) {
    this.session = session;
  }

  get traces(): Iterable<FollowedTrace> {
    return this.#traces.values();
  }

  /** Whether a data stream has not ended. */
  get hasOpenStreams(): boolean {
    for (const { open } of this.#traces.values()) {
      if (open.size > 0) return true;
    }
    return false;
  }

  /**
   * Takes the streams that the relay daemon announces and has not before,
   * those of metadata first, one for each trace.
   *
   * The stock daemon announces a stream again that it has forgotten too early,
   * and would then send all of it a second time.
   *
   * @throws {WireError} There are too many.
   */
  announce(entries: readonly Decoded<typeof streamEntry>[]): Announced[] {
    const added: Announced[] = [];
    const sorted = [
      ...entries.filter((entry) => entry.isMetadata),
      ...entries.filter((entry) => !entry.isMetadata),
    ];
    for (const entry of sorted) {
      if (this.#announced.has(entry.id)) continue;
      this.#announced.add(entry.id);
      const trace = this.#traceOf(entry.traceId);
      if (entry.isMetadata && trace.metadata !== undefined) continue;
      added.push(this.#add(entry, trace));
    }
    this.#checkCount();
    return added;
  }

  /** Forgets traces of which nothing is left. */
  prune(): void {
    for (const [id, { open, metadata }] of this.#traces) {
      if (open.size === 0 && metadata === undefined) this.#traces.delete(id);
    }
  }

  #add(entry: Decoded<typeof streamEntry>, trace: FollowedTrace): Announced {
    const stream: LiveStream = {
      id: entry.id,
      session: this.session,
      trace: trace.trace,
      isMetadata: entry.isMetadata,
      pathname: entry.pathname,
      channelName: entry.channelName,
    };
    if (entry.isMetadata) {
      trace.metadata = stream;
      return { stream, trace, data: undefined };
    }
    const data = new FollowedStream(stream, this, trace);
    trace.open.add(data);
    return { stream, trace, data };
  }

  #traceOf(id: bigint): FollowedTrace {
    let trace = this.#traces.get(id);
    if (trace === undefined) {
      trace = new FollowedTrace({ id, session: this.session });
      this.#traces.set(id, trace);
    }
    return trace;
  }

  #checkCount(): void {
    let open = 0;
    for (const trace of this.#traces.values()) open += 1 + trace.open.size;
    if (open > limits.STREAMS_PER_SESSION) {
      throw new WireError(
        "stream entries",
        `${open} open streams > ${limits.STREAMS_PER_SESSION}`,
      );
    }
    // Only handles of long ago go: those are not announced again.
    for (const id of this.#announced) {
      if (this.#announced.size <= 4 * limits.STREAMS_PER_SESSION) break;
      this.#announced.delete(id);
    }
  }
}
