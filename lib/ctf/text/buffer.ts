/** Text as bytes, gathered in one growing buffer. */

import {
  INTEGER_ROOM,
  writeDecimal,
  writeHexadecimal,
  writeHexadecimal64,
  writeNine,
} from "./digits.ts";

const encoder = new TextEncoder();

/** What is gathered before a buffer says that it is full. */
const FULL_BYTES = 128 * 1024;
/** The most bytes that a character of a string becomes, escaped or not. */
const BYTES_PER_CHARACTER = 6;
/** Fewer bytes are copied faster one by one than by a call. */
const COPIED_BY_HAND = 24;
/** The lone surrogates that stand for bytes from 0x80. */
const RAW_BYTES = 0xdc80;
const RAW_BYTES_END = 0xdcff;

const wide = new BigInt64Array(1);
const halves = new Uint32Array(wide.buffer);
/** Which half of {@linkcode halves} is the low one depends on the machine. */
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

/** The bytes of an ASCII or any other text. */
export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/**
 * A growing buffer of UTF-8. Who writes into it directly asks for room first,
 * and sets {@linkcode length} afterwards.
 */
export class TextBuffer {
  /** All the memory that there is; new memory after it has grown. */
  storage: Uint8Array<ArrayBuffer> = new Uint8Array(2 * FULL_BYTES);
  /** The same memory. */
  view: DataView<ArrayBuffer> = new DataView(this.storage.buffer);
  /** How many bytes are in it. */
  length = 0;

  /** Whether it is time to take what is in it. */
  get isFull(): boolean {
    return this.length >= FULL_BYTES;
  }

  /** What is in it, valid until the next change; then it is empty. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.storage.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  /** Drops everything after the first `length` bytes. */
  truncate(length: number): void {
    this.length = length;
  }

  /** Adds bytes. */
  bytes(source: Uint8Array): void {
    const { length } = source;
    this.reserve(length);
    const target = this.storage;
    const start = this.length;
    this.length = start + length;
    if (length > COPIED_BY_HAND) {
      target.set(source, start);
      return;
    }
    for (let index = 0; index < length; index++) {
      target[start + index] = source[index]!;
    }
  }

  /** Adds any text as it is. */
  text(text: string): void {
    const { length } = text;
    const room = length * BYTES_PER_CHARACTER;
    this.reserve(room);
    const target = this.storage;
    const start = this.length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.length = start +
          encoder.encodeInto(text, target.subarray(start)).written;
        return;
      }
      target[start + index] = code;
    }
    this.length = start + length;
  }

  /**
   * Adds text in double quotes. `escapes` has, by code unit below 128, what
   * stands for it; `undefined` leaves it as it is. Lone surrogates U+DC80 to
   * U+DCFF stand for single bytes 0x80 to 0xFF that are no UTF-8.
   */
  quoted(
    text: string,
    escapes: readonly (Uint8Array | undefined)[],
  ): void {
    const { length } = text;
    const room = length * BYTES_PER_CHARACTER + 2;
    this.reserve(room);
    const target = this.storage;
    let at = this.length;
    target[at++] = 0x22;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        const end = endOfNonAscii(text, index);
        at = this.#nonAscii(text.slice(index, end), at);
        index = end - 1;
        continue;
      }
      const escape = escapes[code];
      if (escape === undefined) target[at++] = code;
      else for (const byte of escape) target[at++] = byte;
    }
    target[at++] = 0x22;
    this.length = at;
  }

  /** Puts text at `at`, where there is room; returns where it ends. */
  #nonAscii(text: string, at: number): number {
    const target = this.storage;
    if (text.isWellFormed()) {
      return at + encoder.encodeInto(text, target.subarray(at)).written;
    }
    for (const character of text) {
      const code = character.charCodeAt(0);
      if (
        character.length === 1 && code >= RAW_BYTES && code <= RAW_BYTES_END
      ) {
        target[at++] = code - RAW_BYTES + 0x80;
      } else {
        at += encoder.encodeInto(character, target.subarray(at)).written;
      }
    }
    return at;
  }

  /** Adds an integer in base 10. */
  decimal(value: number | bigint): void {
    const short = Number(value);
    if (!Number.isSafeInteger(short)) return this.text(value.toString());
    const at = this.reserve(INTEGER_ROOM);
    this.length = writeDecimal(this.view, at, short);
  }

  /** Adds an integer below a milliard in exactly nine decimal digits. */
  nine(value: number): void {
    const at = this.reserve(INTEGER_ROOM);
    this.length = writeNine(this.view, at, value);
  }

  /** Adds the low `bits` bits, a multiple of 4, in upper case base 16. */
  hexadecimal(value: number | bigint, bits: number): void {
    let low: number;
    let high: number;
    if (typeof value === "bigint") {
      wide[0] = value;
      low = halves[LOW]!;
      high = halves[1 - LOW]!;
    } else {
      low = value | 0;
      high = Math.floor(value / 2 ** 32);
    }
    if (bits < 32) low &= 2 ** bits - 1;
    const at = this.reserve(INTEGER_ROOM);
    if (bits <= 32) {
      this.length = writeHexadecimal(this.view, at, low >>> 0);
      return;
    }
    if (bits < 64) high &= 2 ** (bits - 32) - 1;
    this.length = writeHexadecimal64(this.view, at, high >>> 0, low >>> 0);
  }

  /** Makes room for `count` more bytes; returns how many are in it. */
  reserve(count: number): number {
    const needed = this.length + count;
    if (needed > this.storage.length) this.#grow(needed);
    return this.length;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.storage.length));
    grown.set(this.storage.subarray(0, this.length));
    this.storage = grown;
    this.view = new DataView(grown.buffer);
  }
}

function endOfNonAscii(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text.charCodeAt(end) >= 0x80) end++;
  return end;
}
