/** Time as a value that tests can replace. */

/** Where the time comes from. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** Local time as LTTng writes it: `20261123T020714+0000`. */
export function basicIso8601(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const minutes = Math.abs(offset);
  return `${time.getFullYear()}${two(time.getMonth() + 1)}` +
    `${two(time.getDate())}T${two(time.getHours())}${two(time.getMinutes())}` +
    `${two(time.getSeconds())}${sign}${two(Math.floor(minutes / 60))}` +
    `${two(minutes % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
