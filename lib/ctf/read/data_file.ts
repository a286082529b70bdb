/** Finds the packets of one data file: by its index file where that holds, else by reading each packet's beginning. */

import { errorText } from "../../base/errors.ts";
import { decodeIndexFile, type IndexEntry } from "../index_file.ts";
import { PacketCursor, PacketEndError } from "./bits.ts";
import { type ErrorListener, TraceReadError } from "./model.ts";
import type { PacketStart, TraceDecoder } from "./trace_decoder.ts";

/** Where a packet lies, in bytes, and its times in ticks where known. */
export interface PacketPlace {
  readonly file: DataFile;
  readonly offset: number;
  /** Bytes that the file has of it. */
  readonly size: number;
  /** Bytes that it should have. */
  readonly wantedSize: number;
  readonly begin: bigint | undefined;
  readonly end: bigint | undefined;
}

/** Larger packets are refused: a packet is held in memory as a whole. */
const MAX_PACKET_SIZE = 512 * 2 ** 20;

/** How much of a packet is read to know its header and context. */
const START_SIZES: readonly number[] = [4096, 65_536, 1_048_576];

/** One data file of a trace. */
export class DataFile {
  readonly path: string;
  readonly decoder: TraceDecoder;
  /** What its first packet says. */
  readonly start: PacketStart;
  readonly packets: readonly PacketPlace[];

  private constructor(
    path: string,
    decoder: TraceDecoder,
    start: PacketStart,
    size: number,
    onError: ErrorListener,
  ) {
    this.path = path;
    this.decoder = decoder;
    this.start = start;
    this.packets = this.#fromIndex(size) ?? this.#scan(0, size, onError);
  }

  /** The file's packets; nothing where it has none that can be read. */
  static open(
    path: string,
    decoder: TraceDecoder,
    onError: ErrorListener,
  ): DataFile | undefined {
    try {
      const { size } = Deno.statSync(path);
      if (size === 0) return undefined;
      const start = readStart(path, decoder, 0, size);
      return new DataFile(path, decoder, start, size, onError);
    } catch (error) {
      onError(asReadError(error, path, 0));
      return undefined;
    }
  }

  /** Unless the index is absent, damaged, or not of this file as it is. */
  #fromIndex(size: number): PacketPlace[] | undefined {
    const cut = this.path.lastIndexOf("/");
    const name = this.path.slice(cut + 1);
    let entries: IndexEntry[];
    try {
      const path = `${this.path.slice(0, cut)}/index/${name}.idx`;
      entries = decodeIndexFile(Deno.readFileSync(path)).entries;
    } catch {
      return undefined;
    }
    const packets: PacketPlace[] = [];
    let offset = 0;
    for (const entry of entries) {
      const bytes = Number(entry.packetSize) / 8;
      if (
        Number(entry.offset) !== offset || !Number.isInteger(bytes) ||
        bytes < 1 || entry.contentSize > entry.packetSize
      ) return undefined;
      packets.push({
        file: this,
        offset,
        size: bytes,
        wantedSize: bytes,
        begin: entry.timestampBegin,
        end: entry.timestampEnd,
      });
      offset += bytes;
    }
    return offset === size ? packets : undefined;
  }

  #scan(from: number, size: number, onError: ErrorListener): PacketPlace[] {
    const packets: PacketPlace[] = [];
    for (let offset = from; offset < size;) {
      try {
        const start = readStart(this.path, this.decoder, offset, size);
        const place = this.#place(start, offset, size);
        packets.push(place);
        offset += place.wantedSize;
      } catch (error) {
        onError(asReadError(error, this.path, offset));
        break;
      }
    }
    return packets;
  }

  #place(start: PacketStart, offset: number, size: number): PacketPlace {
    // Without a size, the packet is all that is left.
    const bits = Number(start.packetSize ?? (size - offset) * 8);
    if (bits % 8 !== 0 || bits < Math.max(8, start.headerSize)) {
      throw new RangeError(
        `a packet of ${bits} bits with a header of ${start.headerSize}`,
      );
    }
    return {
      file: this,
      offset,
      size: Math.min(bits / 8, size - offset),
      wantedSize: bits / 8,
      begin: start.timestampBegin,
      end: start.timestampEnd,
    };
  }
}

/** Reads a packet's header and context, and no more of it than that needs. */
function readStart(
  path: string,
  decoder: TraceDecoder,
  offset: number,
  fileSize: number,
): PacketStart {
  for (const length of START_SIZES) {
    const room = Math.min(length, fileSize - offset);
    const bytes = new Uint8Array(room);
    readAt(path, offset, bytes);
    const cursor = new PacketCursor(bytes);
    cursor.reset(bytes, room * 8);
    try {
      return decoder.readStart(cursor);
    } catch (error) {
      const isWhole = room < length || length === START_SIZES.at(-1);
      if (!(error instanceof PacketEndError) || isWhole) throw error;
    }
  }
  throw new RangeError("a packet's header is too long");
}

/**
 * Reads a packet's bytes into `buffer`, or a new one where that is too small.
 *
 * @throws {TraceReadError} where the packet is too large or gone.
 */
export function readPacket(
  place: PacketPlace,
  buffer: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { file: { path }, offset, size } = place;
  if (size > MAX_PACKET_SIZE) {
    throw new TraceReadError(
      path,
      offset,
      `a packet of ${size} bytes is more than ${MAX_PACKET_SIZE}`,
    );
  }
  const bytes = buffer.length >= size ? buffer : new Uint8Array(size);
  try {
    readAt(path, offset, bytes.subarray(0, size));
  } catch (error) {
    throw asReadError(error, path, offset);
  }
  return bytes;
}

/** Opened for each packet: traces may have more streams than a process files. */
function readAt(path: string, offset: number, bytes: Uint8Array): void {
  using file = Deno.openSync(path);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) throw new RangeError("the file became shorter");
    at += count;
  }
}

/** `error` with the file and the offset that it is about. */
export function asReadError(
  error: unknown,
  path: string,
  offset: number | undefined,
): TraceReadError {
  if (error instanceof TraceReadError) return error;
  return new TraceReadError(path, offset, errorText(error), { cause: error });
}
