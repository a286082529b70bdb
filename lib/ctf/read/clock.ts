/** Turns a clock's ticks into times since 1970. */

import type { ClockValue } from "./bits.ts";
import type { ClockClass } from "./model.ts";

const GIGA = 1_000_000_000;
const GIGA_WIDE = 1_000_000_000n;

/** The function that turns ticks of `clock` into nanoseconds since 1970. */
export function nanosecondsOf(clock: ClockClass): (ticks: bigint) => bigint {
  const { frequency } = clock;
  const base = baseOf(clock);
  if (frequency === GIGA_WIDE) return (ticks) => ticks + base;
  return (ticks) => scale(ticks, frequency) + base;
}

/** The clock's zero, in nanoseconds since 1970. */
function baseOf({ frequency, offset, offsetSeconds }: ClockClass): bigint {
  const seconds = offsetSeconds + offset / frequency;
  return seconds * GIGA_WIDE + scale(offset % frequency, frequency);
}

/** As babeltrace2 does: in floating point unless nothing is to be scaled. */
function scale(ticks: bigint, frequency: bigint): bigint {
  if (frequency === GIGA_WIDE) return ticks;
  return BigInt(Math.trunc(1e9 * Number(ticks) / Number(frequency)));
}

/** A time since 1970 in two numbers, which are far cheaper than a bigint. */
export interface Moment {
  /** Rounded down, so also below 0. */
  seconds: number;
  /** 0 to 999 999 999. */
  nanoseconds: number;
}

/** Sets a moment to the time that a clock shows. */
export type MomentSetter = (ticks: ClockValue, moment: Moment) => void;

/** A setter for `clock`; without a clock every time is 1970. */
export function momentSetter(clock: ClockClass | undefined): MomentSetter {
  if (!clock) return (_, moment) => setMoment(moment, 0n);
  const base = baseOf(clock);
  const frequency = Number(clock.frequency);
  const baseMoment: Moment = { seconds: 0, nanoseconds: 0 };
  setMoment(baseMoment, base);
  const { seconds, nanoseconds } = baseMoment;
  const exact = nanosecondsOf(clock);
  return (ticks, moment) => {
    const short = frequency === GIGA
      ? ticks.short
      : Math.trunc(1e9 * ticks.short / frequency);
    if (!(short <= Number.MAX_SAFE_INTEGER)) {
      return setMoment(moment, exact(ticks.ticks));
    }
    const whole = Math.floor(short / GIGA);
    const rest = short - whole * GIGA + nanoseconds;
    const carry = rest >= GIGA ? 1 : 0;
    moment.seconds = seconds + whole + carry;
    moment.nanoseconds = rest - carry * GIGA;
  };
}

/** Sets `moment` to nanoseconds since 1970. */
export function setMoment(moment: Moment, time: bigint): void {
  const rest = time % GIGA_WIDE;
  const nanoseconds = rest < 0n ? rest + GIGA_WIDE : rest;
  moment.seconds = Number((time - nanoseconds) / GIGA_WIDE);
  moment.nanoseconds = Number(nanoseconds);
}

/** `moment` in nanoseconds since 1970. */
export function timeOf({ seconds, nanoseconds }: Moment): bigint {
  return BigInt(seconds) * GIGA_WIDE + BigInt(nanoseconds);
}
