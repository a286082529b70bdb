/** The times at which reading begins and ends, in the forms that babeltrace2 takes. */

/** Hours, minutes, seconds and nanoseconds of the day of a trace's first event. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: bigint;
}

/** Nanoseconds since 1970, or a time on a day not yet known. */
export type TimeBound = bigint | TimeOfDay;

const SECOND = 1_000_000_000n;

/**
 * Reads `YYYY-MM-DD`, `YYYY-MM-DD HH:MM[:SS[.NS]]`, `HH:MM[:SS[.NS]]` or
 * `[-]SECONDS[.NS]`; anything else is `undefined`. Dates are in the local time
 * zone, or in UTC with `gmt`.
 */
export function parseTimeBound(
  text: string,
  gmt: boolean,
): TimeBound | undefined {
  const seconds = /^(-?)(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds !== null) {
    const size = BigInt(seconds[2]!) * SECOND + nanoseconds(seconds[3]);
    return seconds[1] === "-" ? -size : size;
  }
  const parts =
    /^(?:(\d{4})-(\d{2})-(\d{2})(?: (?=\d)|$))?(?:(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/
      .exec(text);
  if (parts === null || text === "") return undefined;
  const time: TimeOfDay = {
    hour: Number(parts[4] ?? 0),
    minute: Number(parts[5] ?? 0),
    second: Number(parts[6] ?? 0),
    nanosecond: nanoseconds(parts[7]),
  };
  if (parts[1] === undefined) return time;
  const [, year, month, day] = parts.map(Number);
  return atTime(year!, month! - 1, day!, time, gmt);
}

/** `bound` on the day of `first`, a time in nanoseconds since 1970. */
export function resolveTimeBound(
  bound: TimeBound,
  first: bigint,
  gmt: boolean,
): bigint {
  if (typeof bound === "bigint") return bound;
  const date = new Date(Number(first / 1_000_000n));
  return gmt
    ? atTime(
      date.getUTCFullYear(),
      date.getUTCMonth(),
      date.getUTCDate(),
      bound,
      gmt,
    )
    : atTime(date.getFullYear(), date.getMonth(), date.getDate(), bound, gmt);
}

function atTime(
  year: number,
  month: number,
  day: number,
  { hour, minute, second, nanosecond }: TimeOfDay,
  gmt: boolean,
): bigint {
  const milliseconds = gmt
    ? Date.UTC(year, month, day, hour, minute, second)
    : new Date(year, month, day, hour, minute, second).getTime();
  return BigInt(milliseconds) * 1_000_000n + nanosecond;
}

/** `5` is half a second: 500 000 000. */
function nanoseconds(digits: string | undefined): bigint {
  return BigInt((digits ?? "").padEnd(9, "0"));
}
