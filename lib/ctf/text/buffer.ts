/** Text as bytes, gathered in one growing buffer. */

const encoder = new TextEncoder();

/** What is gathered before a buffer says that it is full. */
const FULL_BYTES = 128 * 1024;
/** The most bytes that a character of a string becomes, escaped or not. */
const BYTES_PER_CHARACTER = 6;
/** Fewer bytes are copied faster one by one than by a call. */
const COPIED_BY_HAND = 24;
/** Room for any number in any form. */
const NUMBER_BYTES = 72;

/** The lone surrogates that stand for bytes from 0x80. */
const RAW_BYTES = 0xdc80;
const RAW_BYTES_END = 0xdcff;

const ZERO = 0x30;
const UPPER_DIGITS = asciiBytes("0123456789ABCDEF");

const wide = new BigInt64Array(1);
const halves = new Uint32Array(wide.buffer);
/** Which half of {@linkcode halves} is the low one depends on the machine. */
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

/** The bytes of an ASCII or any other text. */
export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** A growing buffer of UTF-8. */
export class TextBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(2 * FULL_BYTES);
  #length = 0;

  /** How many bytes are in it. */
  get length(): number {
    return this.#length;
  }

  /** Whether it is time to take what is in it. */
  get isFull(): boolean {
    return this.#length >= FULL_BYTES;
  }

  /** What is in it, valid until the next change; then it is empty. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** Drops everything after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Adds bytes. */
  bytes(source: Uint8Array): void {
    const { length } = source;
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    const target = this.#bytes;
    const start = this.#length;
    this.#length = start + length;
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
    if (this.#length + room > this.#bytes.length) this.#grow(room);
    const target = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#length = start +
          encoder.encodeInto(text, target.subarray(start)).written;
        return;
      }
      target[start + index] = code;
    }
    this.#length = start + length;
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
    if (this.#length + room > this.#bytes.length) this.#grow(room);
    const target = this.#bytes;
    let at = this.#length;
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
    this.#length = at;
  }

  /** Puts text at `at`, where there is room; returns where it ends. */
  #nonAscii(text: string, at: number): number {
    const target = this.#bytes;
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
    if (typeof value === "bigint") {
      const short = Number(value);
      if (Number.isSafeInteger(short)) this.decimal(short);
      else this.text(value.toString());
      return;
    }
    if (this.#length + NUMBER_BYTES > this.#bytes.length) {
      this.#grow(NUMBER_BYTES);
    }
    if (value < 0) {
      this.#bytes[this.#length++] = 0x2d;
      value = -value;
    }
    if (value < 1e9) {
      this.#digits(value, digitsOf(value));
      return;
    }
    const high = Math.floor(value / 1e9);
    this.decimal(high);
    this.#digits(value - high * 1e9, 9);
  }

  /** Adds an integer below a milliard in exactly `count` decimal digits. */
  padded(value: number, count: number): void {
    if (this.#length + NUMBER_BYTES > this.#bytes.length) {
      this.#grow(NUMBER_BYTES);
    }
    this.#digits(value, count);
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
    if (bits <= 32) high = 0;
    else if (bits < 64) high &= 2 ** (bits - 32) - 1;
    if (this.#length + NUMBER_BYTES > this.#bytes.length) {
      this.#grow(NUMBER_BYTES);
    }
    if (high === 0) {
      this.#nibbles(low >>> 0, nibblesOf(low >>> 0));
    } else {
      this.#nibbles(high >>> 0, nibblesOf(high >>> 0));
      this.#nibbles(low, 8);
    }
  }

  #nibbles(value: number, count: number): void {
    const target = this.#bytes;
    for (let shift = (count - 1) * 4; shift >= 0; shift -= 4) {
      target[this.#length++] = UPPER_DIGITS[(value >>> shift) & 15]!;
    }
  }

  #digits(value: number, count: number): void {
    const target = this.#bytes;
    let rest = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const next = (rest / 10) | 0;
      target[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#length += count;
  }

  /** Makes room; only called where there is too little, which is cheaper. */
  #grow(count: number): void {
    const needed = this.#length + count;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function endOfNonAscii(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text.charCodeAt(end) >= 0x80) end++;
  return end;
}

function nibblesOf(value: number): number {
  return value === 0 ? 1 : (35 - Math.clz32(value)) >> 2;
}

function digitsOf(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}
