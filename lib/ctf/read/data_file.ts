/** Reads one data file of a trace: pieces of its packets, and where they begin. */

import { errorText } from "../../base/errors.ts";
import { PacketCursor, PacketEndError } from "./bits.ts";
import { type StreamInfo, TraceReadError } from "./model.ts";
import type { PacketStart, TraceDecoder } from "./trace_decoder.ts";

/** How much of a packet is read to know its header and context. */
const START_SIZES: readonly number[] = [4096, 65_536, 1_048_576];

/** A data file, and what its first packet says. */
export class DataFile implements Disposable {
  readonly path: string;
  /** That of its trace, as far as its metadata has been read. */
  decoder: TraceDecoder;
  readonly start: PacketStart;
  /** As much of it, in bytes, as is to be read by now. */
  limit = Infinity;
  readonly #handle: Deno.FsFile | undefined;
  #stream: StreamInfo;
  #isClosed = false;

  private constructor(
    path: string,
    decoder: TraceDecoder,
    start: PacketStart,
    handle: Deno.FsFile | undefined,
  ) {
    this.path = path;
    this.decoder = decoder;
    this.start = start;
    this.#stream = streamInfo(path, decoder, start);
    this.#handle = handle;
  }

  /**
   * Opens a data file; nothing where it has no whole beginning of a packet
   * yet. With `handle`, which it closes at its end, it can be read even after
   * it was renamed or removed.
   *
   * @throws {TraceReadError} where no packet begins in it.
   */
  static open(
    path: string,
    decoder: TraceDecoder,
    handle?: Deno.FsFile,
  ): DataFile | undefined {
    try {
      const { size } = handle?.statSync() ?? Deno.statSync(path);
      if (size === 0) return undefined;
      const read = (bytes: Uint8Array) => readAt(path, handle, 0, bytes);
      const start = readStart(read, decoder, size);
      return new DataFile(path, decoder, start, handle);
    } catch (error) {
      if (handle && error instanceof PacketEndError) return undefined;
      throw asReadError(error, path, 0);
    }
  }

  /** The stream, by the packet opened last. */
  get stream(): StreamInfo {
    return this.#stream;
  }

  /** In bytes, up to the limit. */
  get size(): number {
    return Math.min(this.fullSize, this.limit);
  }

  /** In bytes, with what is not to be read yet. */
  get fullSize(): number {
    return (this.#handle?.statSync() ?? Deno.statSync(this.path)).size;
  }

  /** Whether it has been read to its end, and its handle is closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The stream that a packet is of; its classes follow the metadata. */
  streamOf(start: PacketStart): StreamInfo {
    if (start.stream.class !== this.#stream.class) {
      this.#stream = streamInfo(this.path, this.decoder, start);
    }
    return this.#stream;
  }

  /** Fills `bytes` from `offset` on. */
  read(offset: number, bytes: Uint8Array): void {
    readAt(this.path, this.#handle, offset, bytes);
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) this.#handle?.close();
    this.#isClosed = true;
  }
}

/** What a stream is, by the beginning of a packet. */
export function streamInfo(
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

/** Reads a packet's header and context, and no more of it than that needs. */
function readStart(
  read: (bytes: Uint8Array) => void,
  decoder: TraceDecoder,
  fileSize: number,
): PacketStart {
  for (const length of START_SIZES) {
    const bytes = new Uint8Array(Math.min(length, fileSize));
    read(bytes);
    const cursor = new PacketCursor(bytes);
    cursor.reset(bytes, bytes.length * 8);
    try {
      return decoder.readStart(cursor);
    } catch (error) {
      const isWhole = fileSize <= length || length === START_SIZES.at(-1);
      if (!(error instanceof PacketEndError) || isWhole) throw error;
    }
  }
  throw new RangeError("a packet's header is too long");
}

/**
 * Fills `bytes` from `offset` on. Without a handle it is opened each time:
 * traces may have more streams than a process may have files.
 */
function readAt(
  path: string,
  handle: Deno.FsFile | undefined,
  offset: number,
  bytes: Uint8Array,
): void {
  const file = handle ?? Deno.openSync(path);
  try {
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      const count = file.readSync(bytes.subarray(at));
      if (count === null) throw new RangeError("the file became shorter");
      at += count;
    }
  } finally {
    if (!handle) file.close();
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
