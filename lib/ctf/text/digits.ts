/** Writes numbers as ASCII digits into bytes, three digits at a time. */

/** Three digits of each number below 1000, in the low bytes. */
const PADDED = new Uint32Array(1000);
/** The same without the zeros before them. */
const SHORT = new Uint32Array(1000);
for (let number = 0; number < 1000; number++) {
  PADDED[number] = packed(String(number).padStart(3, "0"));
  SHORT[number] = packed(String(number));
}
/** Room that every writer here may use behind what it returns. */
export const DIGITS_SLACK = 4;
/** Digits of any 64-bit integer, its sign, and {@linkcode DIGITS_SLACK}. */
export const INTEGER_ROOM = 26;

const WORD = 2 ** 32;
/** Above this high word an integer is no longer exact as a number. */
const HIGH_LIMIT = 2 ** 21;

const NIBBLES = Uint8Array.from(
  "0123456789ABCDEF",
  (digit) => digit.charCodeAt(0),
);

function packed(text: string): number {
  let word = 0;
  for (let index = text.length - 1; index >= 0; index--) {
    word = word * 256 + text.charCodeAt(index);
  }
  return word;
}

/** Nine digits of an integer below a milliard; returns where they end. */
export function writeNine(view: DataView, at: number, value: number): number {
  const high = (value / 1_000_000) | 0;
  const rest = value - high * 1_000_000;
  const middle = (rest / 1000) | 0;
  view.setUint32(at, PADDED[high]!, true);
  view.setUint32(at + 3, PADDED[middle]!, true);
  view.setUint32(at + 6, PADDED[rest - middle * 1000]!, true);
  return at + 9;
}

/** An integer that is exact as a number; returns where it ends. */
export function writeDecimal(
  view: DataView,
  at: number,
  value: number,
): number {
  if (value < 0) {
    view.setUint8(at++, 0x2d);
    value = -value;
  }
  if (value < 1000) return writeShort(view, at, value);
  if (value < 1_000_000) {
    const high = (value / 1000) | 0;
    at = writeShort(view, at, high);
    view.setUint32(at, PADDED[value - high * 1000]!, true);
    return at + 3;
  }
  if (value < 1_000_000_000) {
    const high = (value / 1_000_000) | 0;
    const rest = value - high * 1_000_000;
    const middle = (rest / 1000) | 0;
    at = writeShort(view, at, high);
    view.setUint32(at, PADDED[middle]!, true);
    view.setUint32(at + 3, PADDED[rest - middle * 1000]!, true);
    return at + 6;
  }
  const high = Math.floor(value / 1_000_000_000);
  at = writeDecimal(view, at, high);
  return writeNine(view, at, value - high * 1_000_000_000);
}

function writeShort(view: DataView, at: number, value: number): number {
  view.setUint32(at, SHORT[value]!, true);
  return at + (value > 99 ? 3 : value > 9 ? 2 : 1);
}

/** An integer of 64 bits in two words; `high` has the sign, if it has one. */
export function writeDecimal64(
  view: DataView,
  at: number,
  high: number,
  low: number,
): number {
  if (high < HIGH_LIMIT && high >= -HIGH_LIMIT) {
    return writeDecimal(view, at, high * WORD + low);
  }
  const text = String((BigInt(high) << 32n) + BigInt(low));
  for (let index = 0; index < text.length; index++) {
    view.setUint8(at + index, text.charCodeAt(index));
  }
  return at + text.length;
}

/** An unsigned integer of 32 bits in upper case base 16. */
export function writeHexadecimal(
  view: DataView,
  at: number,
  value: number,
): number {
  const digits = value === 0 ? 1 : (35 - Math.clz32(value)) >> 2;
  return writeNibbles(view, at, value, digits);
}

/** An unsigned integer of 64 bits in two words, in upper case base 16. */
export function writeHexadecimal64(
  view: DataView,
  at: number,
  high: number,
  low: number,
): number {
  if (high === 0) return writeHexadecimal(view, at, low);
  return writeNibbles(view, writeHexadecimal(view, at, high), low, 8);
}

function writeNibbles(
  view: DataView,
  at: number,
  value: number,
  digits: number,
): number {
  for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    view.setUint8(at++, NIBBLES[(value >>> shift) & 15]!);
  }
  return at;
}
