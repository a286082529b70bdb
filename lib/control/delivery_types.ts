/** What is told of a trace on its way, and of what was lost. */

import { OutputState } from "../wire/sessiond/delivery.ts";
import type { Names } from "./names.ts";

/**
 * How it is with the output of a session: `idle` before anything is recorded,
 * `opening` for the first time, `ready`, `failed` where it cannot be opened and
 * is tried again, `lost` where it worked and does so no more; `none` of a
 * session without one.
 */
export type OutputStateName =
  | "none"
  | "idle"
  | "opening"
  | "ready"
  | "failed"
  | "lost";

/** The numbers of the states. */
export const outputStateNames: Names<OutputStateName> = {
  none: OutputState.NONE,
  idle: OutputState.IDLE,
  opening: OutputState.OPENING,
  ready: OutputState.READY,
  failed: OutputState.FAILED,
  lost: OutputState.LOST,
};

/** What became of the events and packets of one stream. */
export interface StreamDelivery {
  /** `CHANNEL_INSTANCE`. */
  readonly name: string;
  /** Events in packets that the output has taken. */
  readonly recordedEvents: bigint;
  /** Events that no packet has, or that were in packets given up. */
  readonly discardedEvents: bigint;
  /**
   * Events in the tracer's buffers, or in packets that wait; 0 where the tracer
   * cannot tell.
   */
  readonly pendingEvents: bigint;
  /** Packets that newer ones replaced before they were read. */
  readonly overwrittenPackets: bigint;
  /** Packets that no output took, or that one took with it. */
  readonly givenUpPackets: bigint;
  /** Packets on their way to the output. */
  readonly waitingPackets: bigint;
  readonly waitingBytes: bigint;
  /** Packets sent, and not confirmed to be stored. */
  readonly unconfirmedPackets: bigint;
  readonly unconfirmedBytes: bigint;
}

/** What became of the trace of one session. */
export interface SessionDelivery {
  readonly outputState: OutputStateName;
  /** Where the trace goes, as `createSessionExt` takes it; empty: nowhere. */
  readonly url: string;
  /** Why the output does not work; empty where it does. */
  readonly failure: string;
  /** The tracer's buffers held more when its time to be emptied was up. */
  readonly hasMore: boolean;
  readonly streams: readonly StreamDelivery[];
}

/** Which session is meant. */
export interface DeliveryOptions {
  /**
   * The last of this name that was destroyed: a session daemon knows a few, for
   * some minutes.
   *
   * @default {false}
   */
  readonly hasEnded?: boolean | undefined;
}
