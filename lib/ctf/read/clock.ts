/** Turns a clock's ticks into nanoseconds since 1970. */

import type { ClockClass } from "./model.ts";

const GIGA = 1_000_000_000n;

/** The function that turns ticks of `clock` into nanoseconds since 1970. */
export function nanosecondsOf(clock: ClockClass): (ticks: bigint) => bigint {
  const { frequency, offset, offsetSeconds } = clock;
  const seconds = offsetSeconds + offset / frequency;
  const base = seconds * GIGA + scale(offset % frequency, frequency);
  if (frequency === GIGA) return (ticks) => ticks + base;
  return (ticks) => scale(ticks, frequency) + base;
}

/** As babeltrace2 does: in floating point unless nothing is to be scaled. */
function scale(ticks: bigint, frequency: bigint): bigint {
  if (frequency === GIGA) return ticks;
  return BigInt(Math.trunc(1e9 * Number(ticks) / Number(frequency)));
}
