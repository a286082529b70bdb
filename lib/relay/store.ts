/** The output directory: every file operation of the collector is made here. */

import {
  joinPath,
  type PathComponent,
  type RelativePath,
} from "../base/path.ts";
import { OpenFiles, outOfDescriptors, TraceFile } from "./trace_file.ts";

const DIRECTORY_MODE = 0o770;

/** All files below one output directory, none outside it. */
export class Store {
  /** Whether names that differ in case alone are one, as disks mostly have it. */
  readonly caseless = ["darwin", "windows"].includes(Deno.build.os);
  readonly #base: string;
  readonly #openFiles: OpenFiles;

  /**
   * @param base The output directory, absolute.
   * @param filePoolSize Most files kept open at once.
   */
  constructor(base: string, filePoolSize: number) {
    this.#base = base;
    this.#openFiles = new OpenFiles(filePoolSize);
  }

  /** The path that the operating system knows. */
  locate(path: RelativePath): string {
    return path === "" ? this.#base : `${this.#base}/${path}`;
  }

  /** Closes trace files until they are written to, so that others can open. */
  giveUpDescriptors(): void {
    this.#openFiles.park();
  }

  /** Makes a directory and those above it; an existing one is fine. */
  makeDirectory(path: RelativePath): void {
    Deno.mkdirSync(this.locate(path), {
      recursive: true,
      mode: DIRECTORY_MODE,
    });
  }

  /** Renames a file or directory. Open files below it stay usable. */
  rename(from: RelativePath, to: RelativePath): void {
    // Windows renames no directory that has open files in it.
    if (Deno.build.os === "windows") this.#openFiles.park();
    Deno.renameSync(this.locate(from), this.locate(to));
  }

  /** Removes a file; a missing one is fine. */
  removeFile(path: RelativePath): void {
    try {
      Deno.removeSync(this.locate(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Removes a directory unless something is left in it or it is gone. */
  removeEmptyDirectory(path: RelativePath): void {
    try {
      if ([...Deno.readDirSync(this.locate(path))].length > 0) return;
      Deno.removeSync(this.locate(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Whether anything has this path. */
  exists(path: RelativePath): boolean {
    try {
      Deno.lstatSync(this.locate(path));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /**
   * Creates a file, or empties an existing one.
   *
   * @param where Says where the file is now: its directory may be renamed.
   */
  createFile(where: () => RelativePath): TraceFile {
    return new TraceFile(() => this.locate(where()), this.#openFiles);
  }

  /** Opens a file that is there already, to read only. */
  openToRead(path: RelativePath): Deno.FsFile {
    const located = this.locate(path);
    try {
      return Deno.openSync(located);
    } catch (error) {
      if (!outOfDescriptors(error)) throw error;
      this.giveUpDescriptors();
      return Deno.openSync(located);
    }
  }

  /** Moves the entries `names` of one directory into another. */
  moveEntries(
    from: RelativePath,
    to: RelativePath,
    names: Iterable<PathComponent>,
  ): void {
    for (const name of names) {
      const source = joinPath(from, name);
      if (this.exists(source)) this.rename(source, joinPath(to, name));
    }
  }
}
