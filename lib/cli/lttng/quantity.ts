/** Sizes, times and counts as `lttng` takes them on its command line. */

const UINT64_MAXIMUM = 2n ** 64n - 1n;

/** Bits that each suffix of a size shifts by. */
const SIZE_SHIFTS: Readonly<Record<string, bigint>> = {
  "": 0n,
  k: 10n,
  K: 10n,
  M: 20n,
  G: 30n,
};

/** Microseconds of each suffix of a time. */
const TIME_UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  us: 1n,
  ms: 1_000n,
  s: 1_000_000n,
  m: 60_000_000n,
  h: 3_600_000_000n,
};

/**
 * Reads a size in bytes: an integer as C has them, decimal, `0x…` or `0…`,
 * and `k`, `K`, `M` or `G`; `undefined` for anything else.
 */
export function parseSize(text: string): bigint | undefined {
  const match = /^\s*\+?(0[xX][\dA-Fa-f]+|\d+)(.*)$/s.exec(text);
  const [, digits = "", suffix = ""] = match ?? [];
  const number = cInteger(digits);
  const shift = SIZE_SHIFTS[suffix];
  if (number === undefined || shift === undefined) return undefined;
  const size = number << shift;
  return size <= UINT64_MAXIMUM ? size : undefined;
}

/**
 * Reads a time in microseconds: a decimal integer and `us`, `ms`, `s`, `m` or
 * `h`; `undefined` for anything else.
 */
export function parseTime(text: string): bigint | undefined {
  const [, digits = "", suffix = ""] = /^\s*\+?(\d+)(.*)$/s.exec(text) ?? [];
  const unit = TIME_UNITS[suffix];
  if (digits === "" || unit === undefined) return undefined;
  const number = BigInt(digits);
  const time = number * unit;
  return number <= UINT64_MAXIMUM && time <= UINT64_MAXIMUM ? time : undefined;
}

/** Reads the integer that `text` begins with, as `strtoull(…, 0)` does. */
export function parseCount(text: string): bigint | undefined {
  if (!/^\d/.test(text)) return undefined;
  const [digits = ""] = /^(0[xX][\dA-Fa-f]+|0[0-7]*|\d+)/.exec(text) ?? [];
  return cInteger(digits);
}

/** An integer in C's notation; `undefined` for what is none. */
function cInteger(digits: string): bigint | undefined {
  if (digits === "") return undefined;
  const isOctal = /^0\d/.test(digits);
  if (isOctal && !/^[0-7]+$/.test(digits)) return undefined;
  const number = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  return number <= UINT64_MAXIMUM ? number : undefined;
}

/** The next power of two that is not smaller. */
export function nextPowerOfTwo(value: bigint): bigint {
  let power = 1n;
  while (power < value) power <<= 1n;
  return power;
}

/** Whether a number fits 32 bits without a sign. */
export function fits32(value: bigint): boolean {
  return value === BigInt.asUintN(32, value);
}
