/** Finds functions and instrumentation points (SDT) in executables and shared objects. */

/** A file that is no executable, or has not what was looked for. */
export class ElfError extends Error {
  override name = "ElfError";
}

const MAGIC = 0x7F454C46;
const CLASS_64 = 2;
const LITTLE = 1;

const SECTION_SYMBOLS = 2;
const SECTION_DYNAMIC_SYMBOLS = 11;
const SEGMENT_LOAD = 1;
const SYMBOL_FUNCTION = 2;
const SYMBOL_INDIRECT_FUNCTION = 10;

const NOTE_SECTION = ".note.stapsdt";
const BASE_SECTION = ".stapsdt.base";
const NOTE_OWNER = "stapsdt";
const NOTE_TYPE = 3;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** One place of an instrumentation point. */
export interface SdtPlace {
  /** Offset in the file. */
  readonly offset: number;
  /** Whether programs skip it unless a counter of theirs says otherwise. */
  readonly hasSemaphore: boolean;
}

/** An executable or shared object, of whatever machine. */
export class Elf {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #little: boolean;
  readonly #is64: boolean;
  readonly #sections: readonly Section[];
  readonly #segments: readonly Segment[];

  /** @throws {ElfError} where the bytes are none. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < 52 || this.#view.getUint32(0) !== MAGIC) {
      throw new ElfError("it is no executable and no shared object");
    }
    this.#is64 = bytes[4] === CLASS_64;
    this.#little = bytes[5] === LITTLE;
    try {
      this.#segments = this.#readSegments();
      this.#sections = this.#readSections();
    } catch (error) {
      throw damaged(error);
    }
  }

  /**
   * Offset in the file of function `name`.
   *
   * @throws {ElfError} where there is none.
   */
  functionOffset(name: string): number {
    try {
      const address = this.#functionAddress(name);
      if (address !== undefined) return this.#offsetOf(address);
    } catch (error) {
      throw damaged(error);
    }
    throw new ElfError(`it has no function "${name}"`);
  }

  /**
   * All places of an instrumentation point.
   *
   * @throws {ElfError} where there is none.
   */
  sdtPlaces(provider: string, name: string): SdtPlace[] {
    let places: SdtPlace[];
    try {
      places = this.#notes().filter((note) =>
        note.provider === provider && note.name === name
      ).map(({ address, hasSemaphore }) => ({
        offset: this.#offsetOf(address),
        hasSemaphore,
      }));
    } catch (error) {
      throw damaged(error);
    }
    if (places.length > 0) return places;
    throw new ElfError(`it has no instrumentation point "${provider}:${name}"`);
  }

  #functionAddress(name: string): number | undefined {
    for (const section of this.#sections) {
      const { type, link, offset, size, entrySize } = section;
      const hasSymbols = type === SECTION_SYMBOLS ||
        type === SECTION_DYNAMIC_SYMBOLS;
      const names = this.#sections[link];
      if (!hasSymbols || names === undefined || entrySize === 0) continue;
      for (let at = offset; at + entrySize <= offset + size; at += entrySize) {
        const info = this.#view.getUint8(at + (this.#is64 ? 4 : 12)) & 15;
        const value = this.#word(at + (this.#is64 ? 8 : 4));
        if (value === 0) continue;
        if (info !== SYMBOL_FUNCTION && info !== SYMBOL_INDIRECT_FUNCTION) {
          continue;
        }
        if (this.#text(names.offset + this.#u32(at)) === name) return value;
      }
    }
    return undefined;
  }

  #notes(): {
    provider: string;
    name: string;
    address: number;
    hasSemaphore: boolean;
  }[] {
    const notes = [];
    const base = this.#sections.find(({ name }) => name === BASE_SECTION);
    const word = this.#is64 ? 8 : 4;
    for (const { name, offset, size } of this.#sections) {
      if (name !== NOTE_SECTION) continue;
      for (let at = offset; at + 12 <= offset + size;) {
        const nameSize = this.#u32(at);
        const dataSize = this.#u32(at + 4);
        const type = this.#u32(at + 8);
        const data = at + 12 + align(nameSize);
        at = data + align(dataSize);
        if (
          type !== NOTE_TYPE ||
          this.#text(data - align(nameSize)) !== NOTE_OWNER
        ) {
          continue;
        }
        const provider = this.#text(data + 3 * word);
        const point = this.#text(data + 3 * word + provider.length + 1);
        // The file may have been moved since the note was written.
        const shift = base === undefined
          ? 0
          : base.address - this.#word(data + word);
        notes.push({
          provider,
          name: point,
          address: this.#word(data) + shift,
          hasSemaphore: this.#word(data + 2 * word) !== 0,
        });
      }
    }
    return notes;
  }

  #offsetOf(address: number): number {
    for (const segment of this.#segments) {
      const distance = address - segment.address;
      if (distance >= 0 && distance < segment.size) {
        return segment.offset + distance;
      }
    }
    throw new ElfError(`address 0x${address.toString(16)} is not in the file`);
  }

  #readSegments(): Segment[] {
    const is64 = this.#is64;
    const start = this.#word(is64 ? 32 : 28);
    const entry = this.#u16(is64 ? 54 : 42);
    const count = this.#u16(is64 ? 56 : 44);
    const segments: Segment[] = [];
    for (let index = 0; index < count; index++) {
      const at = start + index * entry;
      if (this.#u32(at) !== SEGMENT_LOAD) continue;
      segments.push({
        offset: this.#word(at + (is64 ? 8 : 4)),
        address: this.#word(at + (is64 ? 16 : 8)),
        size: this.#word(at + (is64 ? 32 : 16)),
      });
    }
    return segments;
  }

  #readSections(): Section[] {
    const is64 = this.#is64;
    const start = this.#word(is64 ? 40 : 32);
    const entry = this.#u16(is64 ? 58 : 46);
    const count = this.#u16(is64 ? 60 : 48);
    const namesIndex = this.#u16(is64 ? 62 : 50);
    const raw = Array.from({ length: count }, (_, index) => {
      const at = start + index * entry;
      return {
        nameAt: this.#u32(at),
        type: this.#u32(at + 4),
        address: this.#word(at + (is64 ? 16 : 12)),
        offset: this.#word(at + (is64 ? 24 : 16)),
        size: this.#word(at + (is64 ? 32 : 20)),
        link: this.#u32(at + (is64 ? 40 : 24)),
        entrySize: this.#word(at + (is64 ? 56 : 36)),
      };
    });
    const names = raw[namesIndex]?.offset;
    return raw.map(({ nameAt, ...section }) => ({
      ...section,
      name: names === undefined ? "" : this.#text(names + nameAt),
    }));
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }

  /** An address or size, as wide as the machine has them. */
  #word(at: number): number {
    if (!this.#is64) return this.#u32(at);
    return Number(this.#view.getBigUint64(at, this.#little));
  }

  #text(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    return new TextDecoder().decode(this.#bytes.subarray(at, end));
  }
}

function align(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function damaged(error: unknown): ElfError {
  if (error instanceof ElfError) return error;
  return new ElfError("it is damaged: something lies outside of it", {
    cause: error,
  });
}
