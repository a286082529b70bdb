/** Floating point numbers as C's `%g` prints them: six significant digits. */

import type { TextBuffer } from "./buffer.ts";

const DIGITS = 6;
/** Below this, `%g` writes an exponent. */
const LEAST_FIXED_EXPONENT = -4;

const number = new Float64Array(1);
const bytes = new Uint8Array(number.buffer);
const SIGN_BYTE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 7 : 0;

/**
 * How near to halfway between two numbers of six digits a product may be
 * before its own rounding matters; far more than that.
 */
const HALFWAY_MARGIN = 1e-6;

/** Adds `value` as `%g` prints it. */
export function printFloat(value: number, out: TextBuffer): void {
  const size = Math.abs(value);
  if (!(size >= 1e-3 && size < 999_999)) return out.text(formatFloat(value));
  let fraction = 8;
  let scale = 1e8;
  for (let limit = 1e-2; size >= limit; limit *= 10) {
    fraction--;
    scale /= 10;
  }
  const product = size * scale;
  let digits = Math.floor(product);
  const rest = product - digits;
  if (Math.abs(rest - 0.5) < HALFWAY_MARGIN) {
    return out.text(formatFloat(value));
  }
  if (rest > 0.5) digits++;
  if (value < 0) out.text("-");
  const whole = Math.floor(digits / scale);
  out.decimal(whole);
  let decimals = digits - whole * scale;
  if (decimals === 0) return;
  while (decimals % 10 === 0) {
    decimals /= 10;
    fraction--;
  }
  out.text(".");
  out.padded(decimals, fraction);
}

/** `value` as `%g` prints it. */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (Number.isInteger(value) && Math.abs(value) < 10 ** DIGITS) {
    return String(value);
  }
  const rounded = mayBeHalfway(value) ? evenWhereHalfway(value) : value;
  const size = Math.abs(rounded);
  if (size >= 1e-3 && size < 1e5) return trim(rounded.toPrecision(DIGITS));
  const [mantissa = "", power] = rounded.toExponential(DIGITS - 1).split("e");
  const exponent = Number(power);
  if (exponent >= LEAST_FIXED_EXPONENT && exponent < DIGITS) {
    return trim(rounded.toPrecision(DIGITS));
  }
  const sign = exponent < 0 ? "-" : "+";
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${trim(mantissa)}e${sign}${digits}`;
}

function formatNonFinite(value: number): string {
  if (!Number.isNaN(value)) return value > 0 ? "inf" : "-inf";
  number[0] = value;
  return bytes[SIGN_BYTE]! >= 0x80 ? "-nan" : "nan";
}

/** Drops zeros at the end of a fraction. */
function trim(text: string): string {
  let end = text.length;
  if (!text.includes(".")) return text;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  if (text.charCodeAt(end - 1) === 0x2e) end--;
  return text.slice(0, end);
}

/**
 * Whether `value` could be exactly halfway between two numbers of six digits:
 * then it has seven digits, and a fraction of at most ten bits.
 */
function mayBeHalfway(value: number): boolean {
  return Number.isInteger(value * 1024);
}

/** C rounds a value that is exactly halfway to the even digit, JavaScript up. */
function evenWhereHalfway(value: number): number {
  const exact = value.toExponential(60);
  const halfway = /^(-?\d\.\d{4}[02468])50*(e.*)$/.exec(exact);
  return halfway ? Number(halfway[1]! + halfway[2]!) : value;
}
