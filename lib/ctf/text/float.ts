/** Floating point numbers as C's `%g` prints them: six significant digits. */

import type { TextBuffer } from "./buffer.ts";
import { writeDecimal } from "./digits.ts";

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

/** Powers of ten that are exact. */
const POWERS = Array.from({ length: 23 }, (_, power) => 10 ** power);
/** Beyond these, the product with a power of ten is too uncertain. */
const LEAST_FAST = 1e-4;
const MOST_FAST = 1e21;
/** Bytes that any number needs. */
export const FLOAT_ROOM = 32;

/** Adds `value` as `%g` prints it. */
export function printFloat(value: number, out: TextBuffer): void {
  const at = out.reserve(FLOAT_ROOM);
  out.length = writeFloat(out.view, at, value);
}

/** Writes `value` as `%g` prints it; returns where that ends. */
export function writeFloat(view: DataView, at: number, value: number): number {
  const size = Math.abs(value);
  if (!(size >= LEAST_FAST && size < MOST_FAST)) {
    return writeText(view, at, formatFloat(value));
  }
  if (size < 1e6 && Math.floor(size) === size) {
    return writeDecimal(view, at, value);
  }
  const exponent = exponentOf(size);
  const shift = DIGITS - 1 - exponent;
  const product = shift >= 0 ? size * POWERS[shift]! : size / POWERS[-shift]!;
  let digits = Math.floor(product);
  const rest = product - digits;
  if (Math.abs(rest - 0.5) < HALFWAY_MARGIN) {
    return writeText(view, at, formatFloat(value));
  }
  if (rest > 0.5) digits++;
  // Rounded up to one digit more.
  if (digits === 1e6) return writeText(view, at, formatFloat(value));
  if (value < 0) view.setUint8(at++, 0x2d);
  if (exponent < DIGITS) return writeFixed(view, at, digits, exponent);
  at = writeFixed(view, at, digits, 0);
  view.setUint8(at, 0x65);
  view.setUint8(at + 1, 0x2b);
  if (exponent < 10) view.setUint8(at + 2, 0x30);
  return writeDecimal(view, at + (exponent < 10 ? 3 : 2), exponent);
}

/** The decimal exponent of a number of the fast range. */
function exponentOf(size: number): number {
  let exponent = -4;
  while (size >= (exponent < 0 ? BELOW_ONE[-exponent]! : POWERS[exponent]!)) {
    exponent++;
  }
  return exponent - 1;
}

/** Bounds of the exponents below 0, by their size. */
const BELOW_ONE = [1, 1e-1, 1e-2, 1e-3, 1e-4];

/** Six digits, of which the first stands for 10 to the power of `exponent`. */
function writeFixed(
  view: DataView,
  at: number,
  digits: number,
  exponent: number,
): number {
  let decimals = DIGITS - 1 - exponent;
  while (decimals > 0 && digits % 10 === 0) {
    digits /= 10;
    decimals--;
  }
  const scale = POWERS[decimals]!;
  const whole = Math.floor(digits / scale);
  at = writeDecimal(view, at, whole);
  if (decimals === 0) return at;
  view.setUint8(at++, 0x2e);
  let rest = digits - whole * scale;
  for (let place = decimals - 1; place >= 0; place--) {
    const next = (rest / 10) | 0;
    view.setUint8(at + place, 0x30 + rest - next * 10);
    rest = next;
  }
  return at + decimals;
}

function writeText(view: DataView, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    view.setUint8(at + index, text.charCodeAt(index));
  }
  return at + text.length;
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
