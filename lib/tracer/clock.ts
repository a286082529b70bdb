/** The clock of a trace: the process's monotonic clock, or one that a test turns by hand. */

import type { ClockDescription } from "../ctf/metadata.ts";

/** A clock whose values become timestamps. */
export interface TraceClock extends ClockDescription {
  /** Ticks since the clock's zero: a whole number from 0 to 2^53 - 1. */
  now(): number;
}

const NANOSECONDS_PER_MILLISECOND = 1e6;

/**
 * Nanoseconds since this process (or worker) began, by `performance.now()`;
 * the offset is `performance.timeOrigin`. It never goes back.
 */
export function monotonicClock(): TraceClock {
  const microseconds = Math.round(performance.timeOrigin * 1000);
  return {
    name: "monotonic",
    description: "Monotonic Clock",
    frequency: 1_000_000_000n,
    offset: BigInt(microseconds) * 1000n,
    now: () => Math.floor(performance.now() * NANOSECONDS_PER_MILLISECOND),
  };
}
