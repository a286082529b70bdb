/**
 * Trace chunks: the part of a session's output between two rotations, shared
 * by all consumers of one session daemon that write into it.
 */

import type { ChunkId } from "../base/ids.ts";
import {
  HERE,
  joinPath,
  ownName,
  type PathComponent,
  type RelativePath,
  selfAndAncestors,
  topComponent,
} from "../base/path.ts";
import { CloseCommand } from "../wire/relay.ts";
import { chunkName } from "./layout.ts";
import type { Store } from "./store.ts";

/** Where the previous chunk waits while its rotation is under way. */
export const OLD_CHUNK = ownName(".tmp_old_chunk");
/** Where the next chunk begins before the previous one is closed. */
export const NEW_CHUNK = ownName(".tmp_new_chunk");
const ARCHIVES = ownName("archives");

/** What makes a chunk. */
export interface ChunkOptions {
  /** Unset for the anonymous chunk of a peer before 2.11. */
  id?: ChunkId | undefined;
  /** Seconds since 1970. */
  creationTime: number;
  /** The session's directory. */
  output: RelativePath;
  /** A name that replaces the generated one: a snapshot's. */
  overrideName?: PathComponent | undefined;
  /** Its directory at first, below `output`. */
  path: RelativePath;
}

/** One trace chunk. It ends when its last holder releases it. */
export class Chunk {
  readonly id: ChunkId | undefined;
  readonly output: RelativePath;
  readonly overridden: boolean;
  readonly #creationTime: number;
  readonly #store: Store;
  readonly #onEnd: (chunk: Chunk, error: unknown) => void;
  readonly #files = new Set<RelativePath>();
  #name: PathComponent | undefined;
  #path: RelativePath;
  #holders = 0;
  #closeCommand: number | undefined;
  #isDeleted = false;

  /** @param onEnd Told when the chunk has ended, and what failed at it. */
  constructor(
    store: Store,
    options: ChunkOptions,
    onEnd: (chunk: Chunk, error: unknown) => void,
  ) {
    this.#store = store;
    this.#onEnd = onEnd;
    this.id = options.id;
    this.output = options.output;
    this.overridden = options.overrideName !== undefined;
    this.#creationTime = options.creationTime;
    this.#name = options.overrideName ??
      (options.id === undefined
        ? undefined
        : chunkName(options.id, options.creationTime));
    this.#path = options.path;
    store.makeDirectory(this.directory);
  }

  /** `START-ID`, `START-END-ID` once closed, or the override name. */
  get name(): PathComponent {
    return this.#name ?? ownName("anonymous");
  }

  /** Where it is now, below the output directory. */
  get directory(): RelativePath {
    return joinPath(this.output, this.#path);
  }

  /** Its files are gone; what has their names now is another chunk's. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** One more holder: a session or a stream. */
  hold(): this {
    this.#holders++;
    return this;
  }

  /** One holder less; the last one carries out the close command. */
  release(): void {
    if (--this.#holders > 0) return;
    let failure: unknown;
    try {
      this.#end();
    } catch (error) {
      failure = error;
    }
    this.#onEnd(this, failure);
  }

  /** Makes a directory below the chunk's. */
  makeDirectory(path: RelativePath): void {
    this.#store.makeDirectory(joinPath(this.directory, path));
  }

  /** Notes a file that a stream created, for the case that it is deleted. */
  created(file: RelativePath): void {
    this.#files.add(file);
  }

  /**
   * Moves the chunk to `path` below its session's directory. Siblings repeat
   * it, so moving to where it is does nothing; a chunk with an overridden name
   * never moves.
   */
  moveTo(path: RelativePath): void {
    if (this.overridden || path === this.#path) return;
    const from = this.directory;
    const to = joinPath(this.output, path);
    const tops = new Set<PathComponent>();
    for (const file of this.#files) {
      const top = topComponent(file);
      if (top !== undefined) tops.add(top);
    }
    if (this.#path === HERE) {
      this.#store.makeDirectory(to);
      this.#store.moveEntries(from, to, tops);
    } else if (path === HERE) {
      this.#store.moveEntries(from, to, tops);
      this.#store.removeEmptyDirectory(from);
    } else {
      this.#store.rename(from, to);
    }
    this.#path = path;
  }

  /** Moves the chunk to its own name. */
  moveToOwnName(): void {
    this.moveTo(joinPath(this.name));
  }

  /** Takes the close command; what it asks is done when the last holder goes. */
  close(closeTime: number, command: number | undefined): void {
    if (!this.overridden && this.id !== undefined) {
      this.#name = chunkName(this.id, this.#creationTime, closeTime);
    }
    this.#closeCommand = command;
  }

  /** Where a rotation archives the chunk, below the output directory. */
  get archivePath(): RelativePath {
    return joinPath(this.output, ARCHIVES, this.name);
  }

  #end(): void {
    switch (this.#closeCommand) {
      case CloseCommand.MOVE_TO_COMPLETED:
        this.#store.makeDirectory(joinPath(this.output, ARCHIVES));
        this.moveTo(joinPath(OLD_CHUNK));
        this.moveTo(joinPath(ARCHIVES, this.name));
        break;
      case CloseCommand.DELETE:
        this.#delete();
        break;
    }
  }

  #delete(): void {
    this.#isDeleted = true;
    const directories = new Set<RelativePath>();
    for (const file of this.#files) {
      this.#store.removeFile(joinPath(this.directory, file));
      for (const above of selfAndAncestors(file).slice(1)) {
        directories.add(above);
      }
    }
    const deepestFirst = [...directories].sort((a, b) =>
      b.split("/").length - a.split("/").length
    );
    for (const path of deepestFirst) {
      this.#store.removeEmptyDirectory(joinPath(this.directory, path));
    }
    if (this.#path !== HERE) this.#store.removeEmptyDirectory(this.directory);
  }
}
