/** Reads one data file of a trace: pieces of its packets, and where they begin. */

import { errorText } from "../../base/errors.ts";
import { PacketCursor, PacketEndError } from "./bits.ts";
import { type StreamInfo, TraceReadError } from "./model.ts";
import type { PacketStart, TraceDecoder } from "./trace_decoder.ts";

/** How much of a packet is read to know its header and context. */
const START_SIZES: readonly number[] = [4096, 65_536, 1_048_576];

/** A data file, and what its first packet says. */
export interface DataFile {
  readonly path: string;
  readonly decoder: TraceDecoder;
  readonly stream: StreamInfo;
  readonly start: PacketStart;
}

/**
 * Opens a data file; nothing where it is empty.
 *
 * @throws {TraceReadError} where no packet begins in it.
 */
export function openDataFile(
  path: string,
  decoder: TraceDecoder,
): DataFile | undefined {
  try {
    const size = sizeOf(path);
    if (size === 0) return undefined;
    const start = readStart(path, decoder, 0, size);
    const stream = describe(path, decoder, start);
    return { path, decoder, stream, start };
  } catch (error) {
    throw asReadError(error, path, 0);
  }
}

/** What a stream is, by the beginning of its first packet. */
export function describe(
  path: string,
  { trace }: TraceDecoder,
  { instanceId, stream }: PacketStart,
): StreamInfo {
  return {
    path,
    trace,
    class: stream.class,
    ...(instanceId === undefined ? {} : { instanceId }),
  };
}

/** The file's size in bytes. */
export function sizeOf(path: string): number {
  return Deno.statSync(path).size;
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
 * Fills `bytes` from `offset` on. Opened each time: traces may have more
 * streams than a process may have files.
 */
export function readAt(path: string, offset: number, bytes: Uint8Array): void {
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
