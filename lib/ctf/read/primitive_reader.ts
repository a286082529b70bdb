/** Makes the functions that read integers, floating point numbers and text. */

import {
  type PacketCursor,
  PacketEndError,
  readBigBits,
  readBits,
} from "./bits.ts";
import type { FloatClass, IntegerClass, TextEncoding } from "./model.ts";

/** Reads an integer at the cursor. */
export type IntegerReader = (cursor: PacketCursor) => number | bigint;

/** Reads a floating point number at the cursor. */
export type FloatReader = (cursor: PacketCursor) => number;

/** A reader of integers. Those of whole bytes have ways of their own: nearly all are. */
export function makeInteger(fieldClass: IntegerClass): IntegerReader {
  const { size, signed, alignment, byteOrder } = fieldClass;
  const little = byteOrder === "le";
  if (alignment % 8 === 0) {
    const reader = makeByteInteger(size, signed, alignment, little);
    if (reader) return reader;
  }
  if (size <= 32) {
    const half = 2 ** (size - 1);
    return (cursor) => {
      cursor.align(alignment);
      const value = readBits(cursor.bytes, cursor.take(size), size, little);
      return signed && value >= half ? value - 2 * half : value;
    };
  }
  return (cursor) => {
    cursor.align(alignment);
    const bits = readBigBits(cursor.bytes, cursor.take(size), size, little);
    const value = signed ? BigInt.asIntN(size, bits) : bits;
    return size <= 53 ? Number(value) : value;
  };
}

function makeByteInteger(
  size: number,
  signed: boolean,
  alignment: number,
  little: boolean,
): IntegerReader | undefined {
  function at(cursor: PacketCursor): number {
    cursor.align(alignment);
    return cursor.take(size) / 8;
  }
  switch (size) {
    case 8:
      return signed
        ? (cursor) => cursor.view.getInt8(at(cursor))
        : (cursor) => cursor.view.getUint8(at(cursor));
    case 16:
      return signed
        ? (cursor) => cursor.view.getInt16(at(cursor), little)
        : (cursor) => cursor.view.getUint16(at(cursor), little);
    case 32:
      return signed
        ? (cursor) => cursor.view.getInt32(at(cursor), little)
        : (cursor) => cursor.view.getUint32(at(cursor), little);
    case 64:
      return signed
        ? (cursor) => cursor.view.getBigInt64(at(cursor), little)
        : (cursor) => cursor.view.getBigUint64(at(cursor), little);
    default:
      return undefined;
  }
}

const FLOAT_BITS = new DataView(new ArrayBuffer(8));

/** A reader of IEEE 754 numbers. */
export function makeFloat(fieldClass: FloatClass): FloatReader {
  const { size, alignment, byteOrder } = fieldClass;
  const little = byteOrder === "le";
  return (cursor) => {
    cursor.align(alignment);
    const at = cursor.take(size);
    if (at % 8 === 0) {
      return size === 32
        ? cursor.view.getFloat32(at / 8, little)
        : cursor.view.getFloat64(at / 8, little);
    }
    const bits = readBigBits(cursor.bytes, at, size, little);
    FLOAT_BITS.setBigUint64(0, bits << BigInt(64 - size));
    return size === 32 ? FLOAT_BITS.getFloat32(0) : FLOAT_BITS.getFloat64(0);
  };
}

/** Bits that are kept of an integer of variable length, and bytes it may have. */
const VARIABLE_BITS = 64;
const VARIABLE_BYTES = 10;

/** An integer of seven bits a byte, the least first, to the byte below 128. */
export function readVariable(
  cursor: PacketCursor,
  signed: boolean,
): number | bigint {
  cursor.align(8);
  let value = 0n;
  for (let count = 0; count < VARIABLE_BYTES; count++) {
    const byte = cursor.view.getUint8(cursor.take(8) / 8);
    value |= BigInt(byte & 0x7F) << BigInt(7 * count);
    if (byte >= 0x80) continue;
    const bits = Math.min(VARIABLE_BITS, 7 * (count + 1));
    const exact = signed
      ? BigInt.asIntN(bits, value)
      : BigInt.asUintN(VARIABLE_BITS, value);
    const short = Number(exact);
    return Number.isSafeInteger(short) ? short : exact;
  }
  throw new RangeError(
    `an integer of variable length has more than ${VARIABLE_BYTES} bytes`,
  );
}

/** Bytes; a copy, since the packet's memory is used again. */
export function readBytes(cursor: PacketCursor, length: number): Uint8Array {
  const start = takeBytes(cursor, length);
  return cursor.bytes.slice(start, start + length);
}

function takeBytes(cursor: PacketCursor, length: number): number {
  if (length < 0) throw new RangeError(`a length of ${length} bytes`);
  return cursor.take(length * 8) / 8;
}

/** A reader of text up to its NUL character. */
export function makeStringReader(
  encoding: TextEncoding,
): (cursor: PacketCursor) => string {
  if (encoding === "utf-8") return readString;
  const unit = unitOf(encoding);
  return (cursor) => {
    cursor.align(8);
    const start = cursor.position / 8;
    const end = Math.floor(cursor.end / 8);
    const stop = findEnd(cursor.bytes, start, end, unit);
    if (stop + unit > end) throw endlessString();
    cursor.position = (stop + unit) * 8;
    return decodeWide(encoding, cursor.bytes.subarray(start, stop));
  };
}

/** A reader of text of a length in bytes: a NUL character ends it early. */
export function makeTextReader(
  encoding: TextEncoding,
): (cursor: PacketCursor, length: number) => string {
  const unit = unitOf(encoding);
  return (cursor, length) => {
    const start = takeBytes(cursor, length);
    const stop = findEnd(cursor.bytes, start, start + length, unit);
    return encoding === "utf-8"
      ? decodeText(cursor.bytes, start, stop)
      : decodeWide(encoding, cursor.bytes.subarray(start, stop));
  };
}

/** Bytes of the smallest character. */
function unitOf(encoding: TextEncoding): number {
  return encoding === "utf-8" ? 1 : encoding.startsWith("utf-16") ? 2 : 4;
}

/** Where a NUL character begins, or the last whole character ends. */
function findEnd(
  bytes: Uint8Array,
  start: number,
  end: number,
  unit: number,
): number {
  if (unit === 1) {
    const found = bytes.indexOf(0, start);
    return found < 0 || found > end ? end : found;
  }
  let at = start;
  for (; at + unit <= end; at += unit) {
    let isEnd = true;
    for (let byte = at; byte < at + unit; byte++) isEnd &&= bytes[byte] === 0;
    if (isEnd) break;
  }
  return at;
}

function decodeWide(encoding: TextEncoding, bytes: Uint8Array): string {
  const [name, order] = [encoding.slice(0, -2), encoding.slice(-2)];
  if (name === "utf-16") return new TextDecoder(encoding).decode(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = "";
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, order === "le");
    text += String.fromCodePoint(code > 0x10_FFFF ? 0xFFFD : code);
  }
  return text;
}

function endlessString(): PacketEndError {
  return new PacketEndError("a string does not end within the packet");
}

/** Text up to its NUL byte. */
function readString(cursor: PacketCursor): string {
  cursor.align(8);
  const start = cursor.position / 8;
  const { bytes } = cursor;
  const stop = bytes.indexOf(0, start);
  if (stop < 0 || stop >= Math.floor(cursor.end / 8)) throw endlessString();
  cursor.position = (stop + 1) * 8;
  return decodeText(bytes, start, stop);
}

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Above this many bytes the decoder's own start-up no longer matters. */
const SHORT_TEXT = 24;

function decodeText(bytes: Uint8Array, start: number, stop: number): string {
  if (stop - start > SHORT_TEXT) {
    return decodeLong(bytes.subarray(start, stop));
  }
  let text = "";
  for (let at = start; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte > 0x7F) return decodeLong(bytes.subarray(start, stop));
    text += String.fromCharCode(byte);
  }
  return text;
}

const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Bytes that are no UTF-8 become lone surrogates, U+DC80 to U+DCFF. */
function decodeLong(bytes: Uint8Array): string {
  const text = DECODER.decode(bytes);
  if (!text.includes("\uFFFD")) return text;
  let result = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    result += length === 0
      ? String.fromCharCode(0xDC00 + bytes[at]!)
      : DECODER.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return result;
}

/** Bytes of the character at `at`; 0 where there is no UTF-8. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  try {
    STRICT.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}
