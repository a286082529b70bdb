/** Reads integers of any width at any bit of a packet. */

/** Thrown where a field reaches beyond the packet's content. */
export class PacketEndError extends RangeError {
  override readonly name = "PacketEndError";
}

const WORD = 2 ** 32;

/**
 * A clock's value, told by timestamps that may be only its low bits: it never
 * goes back, so a smaller value means that the bits above went on by one.
 */
export class ClockValue {
  #high = 0;
  #low = 0;

  /** In ticks. */
  get ticks(): bigint {
    return this.#high < 0x20_0000
      ? BigInt(this.#high * WORD + this.#low)
      : BigInt(this.#high) << 32n | BigInt(this.#low);
  }

  /** In ticks, exact up to 2^53. */
  get short(): number {
    return this.#high * WORD + this.#low;
  }

  /** Sets all 64 bits. */
  set(ticks: bigint): void {
    this.#low = Number(ticks & 0xFFFF_FFFFn);
    this.#high = Number(ticks >> 32n & 0xFFFF_FFFFn);
  }

  /** Takes in the low `size` bits. */
  update(value: number | bigint, size: number): void {
    if (size <= 32) this.updateLow(Number(value), 2 ** size);
    else if (size === 64) this.set(BigInt.asUintN(64, BigInt(value)));
    else this.#updateWide(BigInt(value), BigInt(size));
  }

  /** Takes in the low bits, at most 32, that count up to, not with, `range`. */
  updateLow(value: number, range: number): void {
    const before = this.#low % range;
    const low = this.#low - before + value + (value < before ? range : 0);
    if (low >= WORD) this.#high = (this.#high + 1) >>> 0;
    this.#low = low % WORD;
  }

  #updateWide(value: bigint, size: bigint): void {
    const { ticks } = this;
    const before = BigInt.asUintN(Number(size), ticks);
    const carry = value < before ? 1n << size : 0n;
    this.set(BigInt.asUintN(64, ticks - before + value + carry));
  }
}

/** Where decoding is in one packet, and what later fields need from earlier ones. */
export class PacketCursor {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  /** In bits from the packet's beginning. */
  position = 0;
  /** The first bit after the packet's content. */
  end = 0;
  /** Integers that lengths and tags refer to. */
  readonly slots: (number | bigint)[] = [];
  /** The id in the last event header. */
  eventId: number | bigint = 0;
  /** The time in the last event header. */
  readonly clock: ClockValue = new ClockValue();

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Starts at the first bit of `bytes`, of which `end` bits count. */
  reset(bytes: Uint8Array<ArrayBuffer>, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.position = 0;
    this.end = Math.min(end, bytes.length * 8);
  }

  /** Goes to the next multiple of `alignment`, a power of two. */
  align(alignment: number): void {
    const over = this.position % alignment;
    if (over !== 0) this.position += alignment - over;
  }

  /** The bit where a field of `size` bits begins; the cursor goes behind it. */
  take(size: number): number {
    const at = this.position;
    if (at + size > this.end) {
      throw new PacketEndError(
        `a field of ${size} bits begins ${this.end - at} bits ` +
          `before the packet's content ends`,
      );
    }
    this.position = at + size;
    return at;
  }
}

/** `size` bits, at most 32, from bit `at` on, as an unsigned integer. */
export function readBits(
  bytes: Uint8Array,
  at: number,
  size: number,
  little: boolean,
): number {
  const first = Math.floor(at / 8);
  const last = Math.floor((at + size - 1) / 8);
  // At most five bytes: 40 bits, which a number holds exactly.
  let word = 0;
  if (little) {
    for (let index = last; index >= first; index--) {
      word = word * 256 + bytes[index]!;
    }
    word = Math.floor(word / 2 ** (at % 8));
  } else {
    for (let index = first; index <= last; index++) {
      word = word * 256 + bytes[index]!;
    }
    word = Math.floor(word / 2 ** ((last + 1) * 8 - at - size));
  }
  return word % 2 ** size;
}

/** `size` bits, at most 64, from bit `at` on, as an unsigned integer. */
export function readBigBits(
  bytes: Uint8Array,
  at: number,
  size: number,
  little: boolean,
): bigint {
  if (size <= 32) return BigInt(readBits(bytes, at, size, little));
  const rest = size - 32;
  if (little) {
    const low = readBits(bytes, at, 32, true);
    return BigInt(readBits(bytes, at + 32, rest, true)) << 32n | BigInt(low);
  }
  const high = readBits(bytes, at, rest, false);
  return BigInt(high) << 32n | BigInt(readBits(bytes, at + rest, 32, false));
}
