/** Stores a trace as LTTng does: metadata, one data file a stream, one index file beside each. */

import { errorText } from "../base/errors.ts";
import {
  encodeIndexEntry,
  indexHeader,
  type IndexMinor,
} from "./index_file.ts";
import type { PacketInfo, StreamSink, TraceSink } from "./sink.ts";

const INDEX_MINOR: IndexMinor = 1;

/** What a stream may be called: one path component that hides nothing. */
const STREAM_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}$/;

/** Names that mean something else in a trace directory. */
const TAKEN = ["metadata", "index"];

/**
 * A trace in a directory: `metadata`, `STREAM` and `index/STREAM.idx`.
 *
 * ```ts
 * import { defineEvent, DirectorySink, Tracer, u32 } from "@lttng/stream";
 *
 * const tick = defineEvent("demo:tick", { n: u32 });
 * const directory = `${await Deno.makeTempDir()}/trace`;
 *
 * await using tracer = new Tracer({ sink: new DirectorySink(directory) });
 * tracer.record(tick, { n: 1 });
 * ```
 *
 * Needs permission to read and write the directory. It is made where it does
 * not exist; a trace that lies there already is an error and left alone.
 */
export class DirectorySink implements TraceSink {
  /** The trace's directory. */
  readonly path: string;
  readonly #streams: DirectoryStream[] = [];
  #metadata: AppendFile | undefined;
  #closed = false;

  /** Nothing is made or opened before the first write. */
  constructor(path: string) {
    this.path = path;
  }

  async writeMetadata(bytes: Uint8Array): Promise<void> {
    this.#checkOpen();
    if (!this.#metadata) {
      await Deno.mkdir(this.path, { recursive: true, mode: 0o770 });
      this.#metadata = await AppendFile.create(`${this.path}/metadata`);
    }
    await this.#metadata.append(bytes, bytes.length);
  }

  async openStream(name: string): Promise<StreamSink> {
    this.#checkOpen();
    if (
      !STREAM_NAME.test(name) || TAKEN.includes(name) || name.endsWith(".idx")
    ) {
      throw new RangeError(
        `Cannot open a stream: ${JSON.stringify(name)} is not a file name of ` +
          `letters, digits, "_", "." and "-"`,
      );
    }
    await Deno.mkdir(`${this.path}/index`, { recursive: true, mode: 0o770 });
    const stream = await DirectoryStream.create(this.path, name);
    this.#streams.push(stream);
    return stream;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#streams) await stream.close();
    this.#metadata?.close();
    this.#metadata = undefined;
  }

  #checkOpen(): void {
    if (this.#closed) {
      throw new Error(`Cannot write trace ${this.path}: it is closed`);
    }
  }
}

class DirectoryStream implements StreamSink {
  readonly #data: AppendFile;
  readonly #index: AppendFile;

  constructor(data: AppendFile, index: AppendFile) {
    this.#data = data;
    this.#index = index;
  }

  static async create(path: string, name: string): Promise<DirectoryStream> {
    const data = await AppendFile.create(`${path}/${name}`);
    try {
      const index = await AppendFile.create(`${path}/index/${name}.idx`);
      const header = indexHeader(INDEX_MINOR);
      await index.append(header, header.length);
      return new DirectoryStream(data, index);
    } catch (error) {
      data.close();
      throw error;
    }
  }

  async writePacket(content: Uint8Array, info: PacketInfo): Promise<void> {
    const offset = this.#data.size;
    const entry = encodeIndexEntry({
      offset: BigInt(offset),
      packetSize: info.packetSize,
      contentSize: info.contentSize,
      timestampBegin: info.timestampBegin,
      timestampEnd: info.timestampEnd,
      eventsDiscarded: info.eventsDiscarded,
      streamId: info.streamClassId,
      streamInstanceId: info.streamInstanceId,
      packetSequenceNumber: info.packetSequenceNumber,
    }, INDEX_MINOR);
    await this.#data.append(content, Number(info.packetSize / 8n));
    try {
      await this.#index.append(entry, entry.length);
    } catch (error) {
      // Data that no index names would count as one packet more.
      await this.#data.cutBack(offset);
      throw error;
    }
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.#data.close();
    this.#index.close();
  }
}

/** A file that only ever holds whole units: one that fails is taken back. */
class AppendFile {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #size = 0;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<AppendFile> {
    try {
      const options = { createNew: true, write: true, mode: 0o660 };
      return new AppendFile(path, await Deno.open(path, options));
    } catch (error) {
      throw new Error(`Cannot create ${path}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  /** Bytes in the file: where the next unit begins. */
  get size(): number {
    return this.#size;
  }

  /** Writes `content`, and zeros after it up to `total` bytes. */
  async append(content: Uint8Array, total: number): Promise<void> {
    const file = this.#file;
    if (!file) throw new Error(`Cannot write ${this.#path}: it is closed`);
    try {
      for (let at = 0; at < content.length;) {
        at += await file.write(content.subarray(at));
      }
      if (total > content.length) {
        await file.truncate(this.#size + total);
        await file.seek(this.#size + total, Deno.SeekMode.Start);
      }
      this.#size += total;
    } catch (error) {
      await this.cutBack(this.#size);
      throw new Error(`Cannot write ${this.#path}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  /** Ends the file at `size` again, as well as that still goes. */
  async cutBack(size: number): Promise<void> {
    this.#size = size;
    try {
      await this.#file?.truncate(size);
      await this.#file?.seek(size, Deno.SeekMode.Start);
    } catch {
      // The failure that led here is the one to report.
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
