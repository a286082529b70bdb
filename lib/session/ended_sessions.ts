/** What did not arrive of sessions that are gone, kept for a while. */

import type { SessionDelivery } from "./delivery.ts";
import { refuse } from "./errors.ts";
import type { Caller } from "./host.ts";
import type { Session } from "./session.ts";

/** Most sessions that are remembered. */
export const ENDED_SESSIONS_MAXIMUM = 64;
/** Most streams of all of them. */
export const ENDED_STREAMS_MAXIMUM = 16_384;
/** How long one is remembered, milliseconds. */
export const ENDED_SESSION_MS = 10 * 60 * 1_000;

interface Ended {
  readonly name: string;
  readonly ownerUid: number;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly delivery: SessionDelivery;
}

/** The sessions that were destroyed last. */
export class EndedSessions {
  /** Oldest first. */
  #ended: Ended[] = [];

  /** How many are remembered. */
  get size(): number {
    return this.#ended.length;
  }

  /** Remembers how a session ended, and forgets what is too old or too much. */
  add({ name, options }: Session, delivery: SessionDelivery, now: number) {
    const ownerUid = options.owner.uid;
    this.#ended.push({ name, ownerUid, endedAt: now, delivery });
    this.forget(now);
  }

  /** Forgets what is too old at `now`, milliseconds since 1970, or too much. */
  forget(now: number): void {
    let streams = 0;
    const kept = this.#ended.toReversed().filter((ended, index) => {
      streams += ended.delivery.streams.length;
      // A clock that was set back must not make one stay for ever.
      return Math.abs(now - ended.endedAt) < ENDED_SESSION_MS &&
        index < ENDED_SESSIONS_MAXIMUM && streams <= ENDED_STREAMS_MAXIMUM;
    });
    this.#ended = kept.reverse();
  }

  /**
   * How the last session of that name ended that `caller` might control.
   *
   * @throws {CommandError} SESS_NOT_FOUND, EPERM where it was another's.
   */
  find(name: string, caller: Caller, now: number): SessionDelivery {
    this.forget(now);
    const named = this.#ended.filter((ended) => ended.name === name);
    if (named.length === 0) refuse("SESS_NOT_FOUND");
    const own = named.findLast(({ ownerUid }) =>
      caller.uid === 0 || caller.uid === ownerUid
    );
    if (own !== undefined) return own.delivery;
    refuse("EPERM", `Session ${name} belonged to another user`);
  }
}
