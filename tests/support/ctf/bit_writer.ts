/** Puts integers of any number of bits one after the other, as CTF 1.8 orders them. */

/** Order of bytes and, within them, of bits. */
export type BitOrder = "le" | "be";

/** Bytes that grow bit by bit. */
export class BitWriter {
  readonly #order: BitOrder;
  #bytes = new Uint8Array(1024);
  #position = 0;

  constructor(order: BitOrder) {
    this.#order = order;
  }

  /** Bits so far. */
  get position(): number {
    return this.#position;
  }

  /** Zero bits up to a multiple of `bits`. */
  align(bits: number): void {
    this.#position = Math.ceil(this.#position / bits) * bits;
    this.#makeRoom(0);
  }

  /** The low `bits` bits of `value`; from its most significant one in `be`. */
  integer(value: number | bigint, bits: number, order = this.#order): void {
    this.#makeRoom(bits);
    const rest = BigInt.asUintN(bits, BigInt(value));
    for (let bit = 0; bit < bits; bit++) {
      const from = order === "le" ? bit : bits - 1 - bit;
      const set = Number((rest >> BigInt(from)) & 1n);
      const at = this.#position++;
      const shift = order === "le" ? at % 8 : 7 - at % 8;
      this.#bytes[at >> 3]! |= set << shift;
    }
  }

  /** A number of 32 or 64 bits as IEEE 754 has it. */
  float(value: number, bits: number): void {
    const view = new DataView(new ArrayBuffer(8));
    if (bits === 32) view.setFloat32(4, value);
    else view.setFloat64(0, value);
    this.integer(view.getBigUint64(0), bits);
  }

  /** Bytes as they are. */
  bytes(bytes: Iterable<number>): void {
    for (const byte of bytes) this.integer(byte, 8);
  }

  /** What was written, filled up with zeros to `size` bytes. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (this.#position > size * 8) {
      throw new RangeError(`${this.#position} bits > ${size} bytes`);
    }
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, size));
    return bytes;
  }

  #makeRoom(bits: number): void {
    const needed = (this.#position + bits + 7) >> 3;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(2 * needed);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
