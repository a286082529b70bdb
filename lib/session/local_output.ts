/**
 * A trace in a directory of this machine, in trace chunks: the tree that a
 * stock consumer daemon writes.
 */

import { basicIso8601, type Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import {
  type AsOwner,
  LocalStream,
  makeDirectory,
  writeAll,
} from "./local_stream.ts";
import type { ChunkLocation, StreamFiles, TraceOutput } from "./output.ts";

/** Where chunks go that were left. */
const ARCHIVES = "archives";
/** Metadata that is to take the place of the old; readers skip hidden files. */
const NEW_METADATA = ".metadata.new";

/** Which directory, and how it is written. */
export interface LocalOutputOptions {
  /** The session's directory: absolute. */
  readonly path: string;
  /** Directory of the trace below a chunk's: `kernel`. */
  readonly domain: string;
  readonly clock: Clock;
  /** Runs what touches names, as the owner of the session. */
  readonly asOwner: AsOwner;
  /** Snapshots have none. */
  readonly hasIndex: boolean;
}

/** A trace in a directory. */
export class LocalOutput implements TraceOutput {
  readonly #options: LocalOutputOptions;
  readonly #streams: LocalStream[] = [];
  readonly #metadata: Uint8Array[] = [];
  #metadataFile: Deno.FsFile | undefined;
  #metadataTurn: Promise<unknown> = Promise.resolve();
  #chunkId = 0;
  #chunkBegin: number;
  /** Whether the chunk has a directory of its own below the session's. */
  #chunkName = "";
  readonly #lost = Promise.withResolvers<Error>();

  /**
   * Makes the directory.
   *
   * @throws {Error} When it cannot be made.
   */
  constructor(options: LocalOutputOptions) {
    this.#options = options;
    this.#chunkBegin = options.clock.now();
    options.asOwner(() => makeDirectory(this.#directory));
  }

  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  openStream(name: string, files: StreamFiles): Promise<LocalStream> {
    const host = {
      asOwner: this.#options.asOwner,
      directory: () => this.#directory,
      hasIndex: this.#options.hasIndex,
    };
    const stream = new LocalStream(host, name, files);
    stream.open();
    this.#streams.push(stream);
    return Promise.resolve(stream);
  }

  writeMetadata(bytes: Uint8Array): Promise<void> {
    const kept = bytes.slice();
    return this.#inMetadataTurn(async () => {
      await this.#appendMetadata(kept);
      this.#metadata.push(kept);
    });
  }

  /** Written beside the old and renamed: a reader sees one or the other. */
  replaceMetadata(bytes: Uint8Array): Promise<void> {
    const kept = bytes.slice();
    return this.#inMetadataTurn(async () => {
      const file = await this.#putMetadata(kept);
      this.#metadataFile?.close();
      this.#metadataFile = file;
      this.#metadata.splice(0, this.#metadata.length, kept);
    });
  }

  /** A write that returned is stored. */
  waitUntilStored(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  rotate(): Promise<ChunkLocation> {
    return this.#renew(() => this.#archive(), true);
  }

  archive(): Promise<ChunkLocation> {
    return this.#renew(() => this.#archive(), false);
  }

  #archive(): ChunkLocation {
    const { path, clock, asOwner, domain } = this.#options;
    const begin = chunkTime(this.#chunkBegin);
    const end = chunkTime(clock.now());
    const archive = `${path}/${ARCHIVES}/${begin}-${end}-${this.#chunkId}`;
    asOwner(() => {
      makeDirectory(`${path}/${ARCHIVES}`);
      if (this.#chunkName === "") {
        makeDirectory(archive);
        moveIfThere(this.#directory, `${archive}/${domain}`);
      } else moveIfThere(`${path}/${this.#chunkName}`, archive);
    });
    this.#chunkId++;
    this.#chunkBegin = clock.now();
    this.#chunkName = `${chunkTime(this.#chunkBegin)}-${this.#chunkId}`;
    return { kind: "local", path: archive };
  }

  clear(): Promise<void> {
    return this.#renew(() => {
      this.#options.asOwner(() => removeIfThere(this.#directory));
      this.#chunkBegin = this.#options.clock.now();
    }, true);
  }

  async close(): Promise<void> {
    await this.#metadataTurn;
    for (const stream of this.#streams) await stream.leave(Promise.resolve());
    this.#metadataFile?.close();
    this.#metadataFile = undefined;
  }

  get #directory(): string {
    const { path, domain } = this.#options;
    return [path, this.#chunkName, domain].filter((name) => name !== "")
      .join("/");
  }

  /** Has all files closed, moves on, and opens them anew if it goes on. */
  #renew<T>(move: () => T, goesOn: boolean): Promise<T> {
    return this.#inMetadataTurn(async () => {
      const { promise: moved, resolve } = Promise.withResolvers<void>();
      try {
        for (const stream of this.#streams) await stream.leave(moved);
        this.#metadataFile?.close();
        this.#metadataFile = undefined;
        const result = move();
        if (!goesOn) return result;
        for (const stream of this.#streams) stream.open();
        for (const bytes of this.#metadata) await this.#appendMetadata(bytes);
        return result;
      } finally {
        resolve();
      }
    });
  }

  async #appendMetadata(bytes: Uint8Array): Promise<void> {
    const path = `${this.#directory}/metadata`;
    this.#metadataFile ??= this.#create(path);
    try {
      await writeAll(this.#metadataFile, bytes);
    } catch (error) {
      this.#lost.resolve(
        new Error(`Cannot write ${path}: ${errorText(error)}`),
      );
      throw error;
    }
  }

  /** The metadata file, new, with `bytes` in it. */
  async #putMetadata(bytes: Uint8Array): Promise<Deno.FsFile> {
    const path = `${this.#directory}/metadata`;
    const beside = `${this.#directory}/${NEW_METADATA}`;
    let file: Deno.FsFile | undefined;
    try {
      file = this.#create(beside);
      await writeAll(file, bytes);
      // Or a machine that goes down could leave the name with an empty file.
      await file.syncData();
      this.#options.asOwner(() => Deno.renameSync(beside, path));
      return file;
    } catch (error) {
      if (file !== undefined) this.#drop(file, beside);
      throw new Error(`Cannot write ${path} anew: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  #drop(file: Deno.FsFile, path: string): void {
    file.close();
    try {
      this.#options.asOwner(() => Deno.removeSync(path));
    } catch {
      // The reason why it is not needed is what matters; the next takes it.
    }
  }

  /** A new file for metadata. */
  #create(path: string): Deno.FsFile {
    return this.#options.asOwner(() => {
      makeDirectory(this.#directory);
      return Deno.openSync(path, {
        create: true,
        write: true,
        truncate: true,
        mode: 0o660,
      });
    });
  }

  #inMetadataTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#metadataTurn.then(run);
    this.#metadataTurn = result.catch(() => {});
    return result;
  }
}

/** A time in the name of a chunk. */
function chunkTime(milliseconds: number): string {
  return basicIso8601(new Date(milliseconds));
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
