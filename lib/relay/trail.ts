/** What live viewers follow: in which files the entries of a stream are. */

import {
  joinPath,
  type PathComponent,
  type RelativePath,
} from "../base/path.ts";
import type { IndexMinor } from "../ctf/index_file.ts";
import type { Chunk } from "./chunk.ts";
import { INDEX_DIRECTORY, indexFileName } from "./layout.ts";

/** A data file and its index file, as long as the chunk has them. */
export interface TrailFile {
  /** Knows where it lies now. A trail does not hold it. */
  readonly chunk: Chunk;
  /** Paths below the chunk. */
  readonly data: RelativePath;
  readonly index: RelativePath;
  readonly indexMinor: IndexMinor;
  /** Entries written into the index file so far. */
  entries: number;
  /** A newer file has taken its name. */
  overwritten: boolean;
}

/** Entries that were written one after the other into one index file. */
export interface TrailRun {
  /** Unset where the stream had no file yet: there are no entries. */
  readonly file: TrailFile | undefined;
  /** Number of its first entry in the index file. */
  readonly first: number;
  count: number;
  /** Linked forward only: what no viewer has in front of it can go. */
  next: TrailRun | undefined;
}

/** The trail of one stream. It does no input or output. */
export class Trail {
  readonly #files = new Map<RelativePath, TrailFile>();
  #file: TrailFile | undefined;
  #oldest = run(undefined, 0, 0);
  #newest = this.#oldest;

  /** The file pair that the next packet goes to. */
  get file(): TrailFile | undefined {
    return this.#file;
  }

  /** Where a viewer starts that wants all that the current chunk has. */
  get oldest(): TrailRun {
    return this.#oldest;
  }

  /** Where the last entry is. */
  get newest(): TrailRun {
    return this.#newest;
  }

  /** The stream goes on in a new data file, `name` in `directory`. */
  begin(
    chunk: Chunk,
    directory: RelativePath,
    name: PathComponent,
    indexMinor: IndexMinor,
  ): void {
    const data = joinPath(directory, name);
    if (this.#file?.chunk !== chunk) {
      this.#files.clear();
      this.#append(run(undefined, 0, 0));
      this.#oldest = this.#newest;
    }
    const old = this.#files.get(data);
    if (old !== undefined) {
      old.overwritten = true;
      while (this.#oldest.file?.overwritten ?? this.#oldest.count === 0) {
        if (this.#oldest.next === undefined) break;
        this.#oldest = this.#oldest.next;
      }
    }
    const file = {
      chunk,
      data,
      index: joinPath(directory, INDEX_DIRECTORY, indexFileName(name)),
      indexMinor,
      entries: 0,
      overwritten: false,
    };
    this.#files.set(data, file);
    this.#file = file;
  }

  /** An entry was appended to the index file of `file`. */
  add(file: TrailFile): void {
    const entry = file.entries++;
    const { newest } = this;
    if (newest.file === file && newest.first + newest.count === entry) {
      newest.count++;
    } else {
      this.#append(run(file, entry, 1));
    }
  }

  #append(next: TrailRun): void {
    this.#newest.next = next;
    this.#newest = next;
  }
}

function run(
  file: TrailFile | undefined,
  first: number,
  count: number,
): TrailRun {
  return { file, first, count, next: undefined };
}
