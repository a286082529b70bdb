/** The files of one stream in a trace directory: data, index, and the next ones. */

import {
  encodeIndexEntry,
  indexHeader,
  type IndexMinor,
} from "../ctf/index_file.ts";
import type { PacketInfo } from "../ctf/sink.ts";
import type { OutputStream, StreamFiles } from "./output.ts";

const INDEX_MINOR: IndexMinor = 1;
const FILE_MODE = 0o660;
const DIRECTORY_MODE = 0o770;

/** Runs what touches names in the file system, perhaps as another user. */
export type AsOwner = <T>(use: () => T) => T;

/** What a stream needs of its output. */
export interface LocalStreamHost {
  readonly asOwner: AsOwner;
  /** The directory of the trace in the current chunk. */
  directory(): string;
  /** Whether packets are listed in index files. */
  readonly hasIndex: boolean;
}

/** One stream of a trace directory. */
export class LocalStream implements OutputStream {
  readonly #host: LocalStreamHost;
  readonly #name: string;
  readonly #files: StreamFiles;
  #data: Deno.FsFile | undefined;
  #index: Deno.FsFile | undefined;
  #size = 0;
  #fileNumber = 0n;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: LocalStreamHost, name: string, files: StreamFiles) {
    this.#host = host;
    this.#name = name;
    this.#files = files;
  }

  /** Makes the files, so that a stream without packets has them too. */
  open(): void {
    if (this.#data === undefined) this.#openFiles();
  }

  writePacket(content: Uint8Array, info: PacketInfo): Promise<void> {
    return this.#inTurn(() => this.#write(content, info));
  }

  /**
   * Lets go of its files, and resolves then; packets wait until `moved` has
   * settled and go into new files.
   */
  leave(moved: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    void this.#inTurn(async () => {
      this.#close();
      this.#fileNumber = 0n;
      resolve();
      await moved;
    }).catch(() => {});
    return promise;
  }

  async #write(content: Uint8Array, info: PacketInfo): Promise<void> {
    const total = Number(info.packetSize / 8n);
    const { traceFileSize } = this.#files;
    const isFull = traceFileSize > 0n && this.#size > 0 &&
      BigInt(this.#size + total) > traceFileSize;
    if (isFull) this.#nextFile();
    this.open();
    const offset = this.#size;
    try {
      await append(this.#data!, content, offset, total);
      this.#size += total;
      if (this.#index !== undefined) {
        await writeAll(this.#index, entryOf(info, offset));
      }
    } catch (error) {
      // A packet is there whole, with its index, or not at all.
      this.#size = offset;
      await this.#data?.truncate(offset).catch(() => {});
      await this.#data?.seek(offset, Deno.SeekMode.Start).catch(() => {});
      throw error;
    }
  }

  #nextFile(): void {
    this.#close();
    const { traceFileCount } = this.#files;
    this.#fileNumber++;
    if (traceFileCount > 0n) this.#fileNumber %= traceFileCount;
  }

  #openFiles(): void {
    const directory = this.#host.directory();
    const name = this.#files.traceFileSize > 0n
      ? `${this.#name}_${this.#fileNumber}`
      : this.#name;
    const options = {
      create: true,
      write: true,
      truncate: true,
      mode: FILE_MODE,
    };
    this.#host.asOwner(() => {
      makeDirectory(directory);
      this.#data = Deno.openSync(`${directory}/${name}`, options);
      if (!this.#host.hasIndex) return;
      makeDirectory(`${directory}/index`);
      const path = `${directory}/index/${name}.idx`;
      this.#index = Deno.openSync(path, options);
      this.#index.writeSync(indexHeader(INDEX_MINOR));
    });
    this.#size = 0;
  }

  #close(): void {
    this.#data?.close();
    this.#index?.close();
    this.#data = this.#index = undefined;
    this.#size = 0;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }
}

/** Makes a directory and those above it. */
export function makeDirectory(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
}

/** Writes `content`, and zeros after it up to `total` bytes. */
async function append(
  file: Deno.FsFile,
  content: Uint8Array,
  offset: number,
  total: number,
): Promise<void> {
  await writeAll(file, content);
  if (total <= content.length) return;
  await file.truncate(offset + total);
  await file.seek(offset + total, Deno.SeekMode.Start);
}

/** Writes all of `bytes`. */
export async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}

function entryOf(info: PacketInfo, offset: number): Uint8Array {
  return encodeIndexEntry({
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
}
