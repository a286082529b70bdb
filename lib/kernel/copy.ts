/** What generated writers call for text, sequences and block requests. */

import type { Cursor } from "../ctf/cursor.ts";

/** Bytes of a page. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** The same, to be filled in. */
interface MutableSpan {
  from: number;
  to: number;
}

/** One for all: its values are used before the next call. */
const SPAN: MutableSpan = { from: 0, to: 0 };

/** `size` bytes from `from`. */
export function spanOf(from: number, size: number): Span {
  SPAN.from = from;
  SPAN.to = from + Math.max(size, 0);
  return SPAN;
}

/**
 * What the location word at `word` points to: low half an offset from `base`,
 * high half a length. What would lie outside of the record is empty.
 */
export function located(
  view: DataView,
  at: number,
  size: number,
  word: number,
  base: number,
  littleEndian: boolean,
): Span {
  const location = view.getUint32(word, littleEndian);
  const from = base + (location & 0xFFFF);
  const end = at + size;
  if (from > end) return spanOf(end, 0);
  SPAN.from = from;
  SPAN.to = Math.min(from + (location >>> 16), end);
  return SPAN;
}

/** Where the text in `from..to` ends: at its first NUL, or at `to`. */
function textEnd(view: DataView, from: number, to: number): number {
  let end = from;
  while (end < to && view.getUint8(end) !== 0) end++;
  return end;
}

/** Text up to its NUL, and one NUL. */
export function text(
  cursor: Cursor,
  view: DataView,
  from: number,
  to: number,
): void {
  const end = textEnd(view, from, to);
  const size = end - from;
  const out = cursor.take(size + 1);
  const { bytes } = cursor;
  for (let index = 0; index < size; index++) {
    bytes[out + index] = view.getUint8(from + index);
  }
  bytes[out + size] = 0;
}

/** Text in `width` bytes at `out`, the last of them NUL. */
export function padded(
  cursor: Cursor,
  out: number,
  width: number,
  view: DataView,
  from: number,
  to: number,
): void {
  const { bytes } = cursor;
  const size = textEnd(view, from, Math.min(to, from + width - 1)) - from;
  for (let index = 0; index < size; index++) {
    bytes[out + index] = view.getUint8(from + index);
  }
  for (let index = size; index < width; index++) bytes[out + index] = 0;
}

const encoder = new TextEncoder();

/** Known text in `width` bytes at `out`, the last of them NUL. */
export function literal(
  cursor: Cursor,
  out: number,
  width: number,
  value: string,
): void {
  const room = cursor.bytes.subarray(out, out + width).fill(0);
  encoder.encodeInto(value, room.subarray(0, width - 1));
}

function putCount(
  cursor: Cursor,
  count: number,
  size: number,
  littleEndian: boolean,
): void {
  const out = cursor.take(size);
  if (size === 1) cursor.view.setUint8(out, count);
  else cursor.view.setUint32(out, count, littleEndian);
}

function putBytes(
  cursor: Cursor,
  view: DataView,
  from: number,
  size: number,
): void {
  const out = cursor.take(size);
  const { bytes } = cursor;
  for (let index = 0; index < size; index++) {
    bytes[out + index] = view.getUint8(from + index);
  }
}

/** How many elements there are, and their bytes. */
export function elements(
  cursor: Cursor,
  view: DataView,
  from: number,
  to: number,
  elementSize: number,
  countSize: number,
  littleEndian: boolean,
): void {
  const count = Math.floor((to - from) / elementSize);
  putCount(cursor, count, countSize, littleEndian);
  putBytes(cursor, view, from, count * elementSize);
}

/** The addresses of a call stack, up to the first that is 0. */
export function stack(
  cursor: Cursor,
  view: DataView,
  { from, to }: Span,
  longSize: number,
  littleEndian: boolean,
): void {
  let end = from;
  while (end + longSize <= to) {
    const isEnd = view.getUint32(end, littleEndian) === 0 &&
      (longSize === 4 || view.getUint32(end + 4, littleEndian) === 0);
    if (isEnd) break;
    end += longSize;
  }
  elements(cursor, view, from, end, longSize, 4, littleEndian);
}

/** How long the text is, and the text, without a NUL. */
export function textElements(
  cursor: Cursor,
  view: DataView,
  from: number,
  to: number,
  littleEndian: boolean,
): void {
  const size = textEnd(view, from, to) - from;
  putCount(cursor, size, 4, littleEndian);
  putBytes(cursor, view, from, size);
}

/** LTTng's bits of a block request (`lttng-modules`, block.h). */
const BIT = {
  write: 1,
  discard: 2,
  read: 4,
  readAhead: 8,
  sync: 32,
  metadata: 64,
  secure: 128,
  flush: 256,
  forceUnitAccess: 512,
  preflush: 1024,
} as const;

const LETTER = {
  A: 65,
  D: 68,
  E: 69,
  F: 70,
  M: 77,
  N: 78,
  R: 82,
  S: 83,
  W: 87,
} as const;

/**
 * tracefs's letters as LTTng's bits: a first F is a flush before the
 * operation, or the operation itself where no other letter of one follows;
 * any F after the operation is forced unit access.
 */
export function requestBits(view: DataView, from: number, to: number): number {
  const end = textEnd(view, from, to);
  let at = from;
  let bits = 0;
  const leadingFlush = at < end && view.getUint8(at) === LETTER.F;
  if (leadingFlush) at++;
  const operation = at < end ? view.getUint8(at) : 0;
  const isOperation = operation === LETTER.W || operation === LETTER.D ||
    operation === LETTER.R || operation === LETTER.N ||
    operation === LETTER.F;
  if (leadingFlush) bits |= isOperation ? BIT.preflush : BIT.flush;
  if (isOperation) {
    at++;
    if (operation === LETTER.W) bits |= BIT.write;
    if (operation === LETTER.R) bits |= BIT.read;
    if (operation === LETTER.F) bits |= BIT.flush;
    if (operation === LETTER.D) bits |= BIT.discard;
    if (at < end && view.getUint8(at) === LETTER.E) {
      bits |= BIT.secure;
      at++;
    }
  }
  for (; at < end; at++) {
    switch (view.getUint8(at)) {
      case LETTER.F:
        bits |= BIT.forceUnitAccess;
        break;
      case LETTER.A:
        bits |= BIT.readAhead;
        break;
      case LETTER.S:
        bits |= BIT.sync;
        break;
      case LETTER.M:
        bits |= BIT.metadata;
        break;
    }
  }
  return bits;
}
