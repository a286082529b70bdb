/** The packets of one stream out of its data files, of which a window is in memory. */

import { type PacketCursor, PacketEndError } from "./bits.ts";
import { asReadError, type DataFile } from "./data_file.ts";
import { type StreamInfo, TraceReadError } from "./model.ts";
import { packetAfter, packetBefore } from "./packet_index.ts";
import type { OpenPacket, PacketInput } from "./packet_input.ts";
import type { PacketStart } from "./trace_decoder.ts";

/** Windows begin at multiples of this: no alignment in use is larger. */
const PAGE = 4096;
/** The most that one event may need; a larger one is damage. */
const MAX_WINDOW = 256 * 2 ** 20;

/** Reads the files of one stream, which are in order of time. */
export class FileInput implements PacketInput {
  /** More may be added while it grows. */
  readonly files: DataFile[];
  /**
   * While the recording goes on, a packet that is not whole is one that is not
   * there yet, and the last file has no end.
   */
  isEnded: boolean;
  readonly knownUntil = undefined;
  readonly #windowSize: number;
  #index = 0;
  /** The next packet's first byte. */
  #offset = 0;
  /** The open packet's first byte, and the bytes of it that the file has. */
  #packet = 0;
  #available = 0;
  /** The first byte of the packet that the cursor can see. */
  #window = 0;
  /** A piece of the file at hand; it may begin before the packet. */
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #pieceOffset = 0;
  #fileSize = 0;
  /** The newest packet of the files before, and the last one of all. */
  #newest: PacketStart | undefined;
  #last: PacketStart | undefined;

  /** `windowSize` in bytes: how much of a packet is in memory, if it can be. */
  constructor(
    files: readonly DataFile[],
    windowSize: number,
    isEnded: boolean = true,
  ) {
    this.files = [...files];
    this.isEnded = isEnded;
    this.#windowSize = Math.max(PAGE, Math.floor(windowSize / PAGE) * PAGE);
  }

  get stream(): StreamInfo {
    return this.files[0]!.stream;
  }

  /** Bytes of the files that it has come by. */
  get readBytes(): number {
    let bytes = this.#offset;
    for (const file of this.files.slice(0, this.#index)) bytes += file.size;
    return Math.min(bytes, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Leaves out packets that end before `begin`, nanoseconds since 1970, but for
   * the last of them: its counters are needed.
   */
  seek(begin: bigint): void {
    function isWanted({ start }: DataFile, ticks: bigint | undefined): boolean {
      return ticks === undefined || start.stream.nanoseconds(ticks) >= begin;
    }
    const later = this.files.findIndex((file) =>
      isWanted(file, file.start.timestampBegin)
    );
    const last = (later < 0 ? this.files.length : later) - 1;
    for (let index = last; index >= 0; index--) {
      const file = this.files[index]!;
      const offset = packetBefore(file.path, (end) => isWanted(file, end));
      this.#index = index;
      this.#offset = offset ?? 0;
      // Where all of this file is wanted, the packet before is in another.
      if (offset !== undefined) break;
    }
  }

  next(cursor: PacketCursor): OpenPacket | undefined {
    for (;;) {
      const packet = this.#next(cursor);
      if (packet === undefined) return undefined;
      if (isRepeated(packet.start, this.#newest)) continue;
      this.#last = packet.start;
      return packet;
    }
  }

  #next(cursor: PacketCursor): OpenPacket | undefined {
    for (; this.#index < this.files.length; this.#goToNextFile()) {
      const file = this.files[this.#index]!;
      const offset = this.#offset;
      if (!this.isEnded || this.#piece.length === 0) this.#measure(file);
      const mayGrow = !this.isEnded && (
        this.#index === this.files.length - 1 || this.#fileSize < file.fullSize
      );
      if (offset >= this.#fileSize) {
        if (mayGrow) break;
        continue;
      }
      try {
        return this.#open(file, offset, cursor, mayGrow);
      } catch (error) {
        if (mayGrow && error instanceof PacketEndError) break;
        this.#offset = packetAfter(file.path, offset) ?? Infinity;
        throw asReadError(error, file.path, offset);
      }
    }
    return undefined;
  }

  #measure(file: DataFile): void {
    try {
      this.#fileSize = file.size;
    } catch (error) {
      this.#goToNextFile();
      throw asReadError(error, file.path, undefined);
    }
  }

  #goToNextFile(): void {
    this.files[this.#index]![Symbol.dispose]();
    this.#index++;
    this.#offset = 0;
    this.#newest = this.#last;
    this.#piece = this.#piece.subarray(0, 0);
  }

  #open(
    file: DataFile,
    offset: number,
    cursor: PacketCursor,
    mayGrow: boolean,
  ): OpenPacket {
    this.#packet = offset;
    this.#available = this.#fileSize - offset;
    const left = this.#pieceOffset + this.#piece.length - offset;
    if (left < Math.min(PAGE, this.#available) || this.#pieceOffset > offset) {
      this.#load(offset, this.#windowSize);
    }
    this.#show(cursor, 0);
    const start = this.#readStart(file, cursor);
    // Without a size, the packet is all that is left.
    const bits = Number(start.packetSize ?? this.#available * 8);
    if (bits % 8 !== 0 || bits < Math.max(8, start.headerSize)) {
      throw new RangeError(
        `a packet of ${bits} bits with a header of ${start.headerSize}`,
      );
    }
    if (bits / 8 > this.#available && mayGrow) {
      throw new PacketEndError("the packet is not whole yet");
    }
    const next = bits / 8 <= this.#available
      ? offset + bits / 8
      : packetAfter(file.path, offset) ?? Infinity;
    this.#offset = next;
    this.#available = Math.min(this.#fileSize, next) - offset;
    cursor.end = Math.min(cursor.end, this.#available * 8);
    return {
      start,
      stream: file.streamOf(start),
      path: file.path,
      offset,
      room: this.#available * 8,
      wantedRoom: bits,
    };
  }

  #readStart(file: DataFile, cursor: PacketCursor): PacketStart {
    for (;;) {
      try {
        return file.decoder.readStart(cursor);
      } catch (error) {
        if (!(error instanceof PacketEndError)) throw error;
        cursor.position = 0;
        if (this.more(cursor) === undefined) throw error;
      }
    }
  }

  more(cursor: PacketCursor): number | undefined {
    const { position } = cursor;
    const seen = this.#pieceOffset + this.#piece.length - this.#packet;
    if (seen >= this.#available) return undefined;
    const from = this.#window + Math.floor(position / 8);
    const window = Math.floor(from / PAGE) * PAGE;
    // What begins where the piece does needs a larger one.
    const isStuck = this.#packet + window <= this.#pieceOffset;
    const size = isStuck ? 2 * this.#piece.length : this.#windowSize;
    if (size > MAX_WINDOW) {
      throw new TraceReadError(
        this.files[this.#index]!.path,
        this.#packet + from,
        `an event of more than ${MAX_WINDOW / 2} bytes`,
      );
    }
    this.#load(this.#packet + window, size);
    const shift = (window - this.#window) * 8;
    this.#show(cursor, window);
    cursor.position = position - shift;
    return window * 8;
  }

  /** Lets the cursor see the packet from `window` on. */
  #show(cursor: PacketCursor, window: number): void {
    this.#window = window;
    const from = this.#packet + window - this.#pieceOffset;
    const to = this.#packet + this.#available - this.#pieceOffset;
    const bytes = this.#piece.subarray(from, to);
    cursor.reset(bytes, bytes.length * 8);
  }

  /** Reads a piece of the file. */
  #load(offset: number, size: number): void {
    const length = Math.min(size, this.#fileSize - offset);
    const whole = new Uint8Array(this.#piece.buffer);
    const isFit = whole.length >= length &&
      whole.length <= 2 * Math.max(length, this.#windowSize);
    const piece = (isFit ? whole : new Uint8Array(length)).subarray(0, length);
    this.files[this.#index]!.read(offset, piece);
    this.#piece = piece;
    this.#pieceOffset = offset;
  }
}

/**
 * Whether a file has a packet that files before it have, too: a snapshot has
 * what was in the buffer at the snapshot before it and still is.
 */
function isRepeated(
  packet: PacketStart,
  newest: PacketStart | undefined,
): boolean {
  function notAfter(
    name: "sequenceNumber" | "timestampBegin" | "timestampEnd",
  ) {
    const value = packet[name];
    const before = newest?.[name];
    return value !== undefined && before !== undefined && value <= before;
  }
  return notAfter("sequenceNumber") && notAfter("timestampBegin") &&
    notAfter("timestampEnd");
}
