/** A place in a packet at which the next bits are written. */

import type { ByteOrder } from "./types.ts";

/** Thrown by a write that does not fit, caught by whoever owns the packet. */
export class PacketFull extends Error {
  override name = "PacketFull";
}

/** One for all: thrown at every sub-buffer's end, where a stack has no use. */
export const PACKET_FULL = new PacketFull("The packet is full");

const encoder = new TextEncoder();

/** Up to here a loop is faster than a call of the text encoder. */
const SHORT_TEXT = 48;

/**
 * Bytes, and how far they are written. Bytes past the place hold anything:
 * every write, padding too, sets the whole of what it passes.
 */
export class Cursor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Byte that is written next. */
  position = 0;
  /** Bits of that byte which are taken, 0 to 7. */
  bit = 0;

  /** A cursor over `size` bytes of its own. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** How far it is written, in bits. */
  get bits(): number {
    return this.position * 8 + this.bit;
  }

  /**
   * Takes `size` bytes and returns where they begin. The place must be on a
   * byte: align first.
   */
  take(size: number): number {
    const start = this.position;
    const end = start + size;
    if (end > this.bytes.length) throw PACKET_FULL;
    this.position = end;
    return start;
  }

  /** Goes forward, over zeros, to the next multiple of 8 bits. */
  alignToByte(): void {
    if (this.bit === 0) return;
    this.bit = 0;
    this.position++;
  }

  /** Goes forward, over zeros, to the next multiple of `alignment` bits. */
  align(alignment: number): void {
    if (alignment >= 8) {
      this.alignToByte();
      const unit = alignment / 8;
      while (this.position % unit !== 0) this.bytes[this.take(1)] = 0;
    } else if (alignment > 1 && this.bit % alignment !== 0) {
      this.bit += alignment - this.bit % alignment;
      if (this.bit === 8) this.alignToByte();
    }
  }

  /**
   * Writes the low `size` bits of `value`: in little-endian the least
   * significant bit first into the low end of a byte, in big-endian the most
   * significant bit first into the high end (CTF 1.8 §4.1.5).
   */
  writeBits(value: bigint, size: number, byteOrder: ByteOrder): void {
    let remaining = size;
    let rest = BigInt.asUintN(size, value);
    while (remaining > 0) {
      if (this.position >= this.bytes.length) throw PACKET_FULL;
      const count = Math.min(8 - this.bit, remaining);
      remaining -= count;
      let part: number;
      let shift: number;
      if (byteOrder === "le") {
        part = Number(BigInt.asUintN(count, rest));
        rest >>= BigInt(count);
        shift = this.bit;
      } else {
        part = Number(BigInt.asUintN(count, rest >> BigInt(remaining)));
        shift = 8 - this.bit - count;
      }
      const before = this.bit === 0 ? 0 : this.bytes[this.position]!;
      this.bytes[this.position] = before | (part << shift);
      this.bit += count;
      if (this.bit === 8) this.alignToByte();
    }
  }

  /** Writes an unsigned 64-bit integer that a `number` holds exactly. */
  writeU64(value: number, littleEndian: boolean): void {
    setU64(this.view, this.take(8), value, littleEndian);
  }

  /** Writes UTF-8 and its closing NUL. `text` has no NUL itself. */
  writeText(text: string): void {
    const length = text.length;
    // Every UTF-16 unit becomes at least one byte: a text that is too long
    // is known before anything is written.
    if (this.position + length >= this.bytes.length) throw PACKET_FULL;
    if (length > SHORT_TEXT || !this.#writeAscii(text)) this.#writeUtf8(text);
    this.bytes[this.take(1)] = 0;
  }

  #writeAscii(text: string): boolean {
    const { bytes, position } = this;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) return false;
      bytes[position + index] = code;
    }
    this.position = position + text.length;
    return true;
  }

  #writeUtf8(text: string): void {
    const room = this.bytes.subarray(this.position);
    const { read, written } = encoder.encodeInto(text, room);
    if (read < text.length) throw PACKET_FULL;
    this.position += written;
  }
}

const TWO_POW_32 = 0x1_0000_0000;

/** Sets an unsigned 64-bit integer that a `number` holds exactly. */
export function setU64(
  view: DataView,
  at: number,
  value: number,
  littleEndian: boolean,
): void {
  const high = Math.floor(value / TWO_POW_32);
  // `>>> 0` is the value modulo 2^32, also above 2^53.
  const low = value >>> 0;
  view.setUint32(littleEndian ? at : at + 4, low, littleEndian);
  view.setUint32(littleEndian ? at + 4 : at, high, littleEndian);
}
