/** One file of a trace, appended to: small writes are gathered, few stay open. */

import { GATHER_BYTES } from "../base/limits.ts";

const FILE_MODE = 0o660;
/** Writes of this size and more are not worth gathering. */
const DIRECT_BYTES = GATHER_BYTES / 2;
/** How often a file is looked at for having been removed, milliseconds. */
const REMOVED_CHECK_MS = 1000;
const ZEROS = new Uint8Array(DIRECT_BYTES);
const COPY_BYTES = 1024 * 1024;

/** The files that hold a file descriptor, the one used longest ago first. */
export class OpenFiles {
  readonly #most: number;
  readonly #files = new Set<TraceFile>();
  /** Gather buffers that no file needs now. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];

  /** @param most Most descriptors held at once. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Opens `file`, which is at `path`, within the bound. */
  open(file: TraceFile, path: string, options: Deno.OpenOptions): Deno.FsFile {
    if (this.#files.size >= this.#most) {
      const [oldest] = this.#files;
      oldest?.park();
    }
    let opened: Deno.FsFile;
    try {
      opened = Deno.openSync(path, options);
    } catch (error) {
      if (!outOfDescriptors(error) || this.#files.size === 0) throw error;
      // Connections took what was left; files can do without for a while.
      this.park();
      opened = Deno.openSync(path, options);
    }
    this.#files.add(file);
    return opened;
  }

  /** `file` was used just now. Order matters only where room is short. */
  used(file: TraceFile): void {
    if (this.#files.size < this.#most / 2) return;
    this.#files.delete(file);
    this.#files.add(file);
  }

  /** `file` holds no descriptor any more. */
  closed(file: TraceFile): void {
    this.#files.delete(file);
  }

  /** Closes every descriptor; each file opens again when it is written to. */
  park(): void {
    for (const file of [...this.#files]) file.park();
  }

  /** An empty gather buffer. */
  takeBuffer(): Uint8Array<ArrayBuffer> {
    return this.#buffers.pop() ?? new Uint8Array(GATHER_BYTES);
  }

  /** Gives a gather buffer back. */
  giveBuffer(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#buffers.length < 64) this.#buffers.push(buffer);
  }
}

/** Whether the process has no file descriptor left. */
export function outOfDescriptors(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EMFILE";
}

/** A file that grows at its end. All offsets and sizes are in bytes. */
export class TraceFile {
  readonly #where: () => string;
  readonly #openFiles: OpenFiles;
  #file: Deno.FsFile | undefined;
  #gathered: Uint8Array<ArrayBuffer> | undefined;
  #gatheredBytes = 0;
  /** Bytes that are in the file, not counting gathered ones. */
  #written = 0;
  #lastCheck = Date.now();
  #closed = false;

  /** Creates the file, or empties an existing one. */
  constructor(where: () => string, openFiles: OpenFiles) {
    this.#where = where;
    this.#openFiles = openFiles;
    this.#file = openFiles.open(this, where(), {
      read: true,
      write: true,
      create: true,
      truncate: true,
      mode: FILE_MODE,
    });
  }

  /** Bytes appended so far. */
  get size(): number {
    return this.#written + this.#gatheredBytes;
  }

  /** Adds bytes at the end; the caller may reuse them at once. */
  append(bytes: Uint8Array): void {
    if (bytes.length >= DIRECT_BYTES) {
      this.flush();
      this.#write(bytes);
      return;
    }
    if (this.#gatheredBytes + bytes.length > GATHER_BYTES) this.flush();
    this.#gathered ??= this.#openFiles.takeBuffer();
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  /** Adds zero bytes at the end; many of them become a hole in the file. */
  appendZeros(count: number): void {
    if (count === 0) return;
    if (count <= ZEROS.length) {
      this.append(count === ZEROS.length ? ZEROS : ZEROS.subarray(0, count));
      return;
    }
    this.flush();
    const file = this.#open();
    file.truncateSync(this.#written + count);
    this.#written += count;
    file.seekSync(this.#written, Deno.SeekMode.Start);
  }

  /** Hands what was gathered to the operating system. */
  flush(): void {
    if (this.#gathered === undefined) return;
    const buffer = this.#gathered;
    const bytes = buffer.subarray(0, this.#gatheredBytes);
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    this.#openFiles.giveBuffer(buffer);
    this.#write(bytes);
  }

  /** Cuts the file to its first `size` bytes. */
  truncate(size: number): void {
    this.flush();
    this.#cut(size);
  }

  /** Throws away what was gathered and cuts the file, after a failed write. */
  discardAfter(size: number): void {
    if (this.#gathered !== undefined) {
      this.#openFiles.giveBuffer(this.#gathered);
    }
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    if (size < this.#written) this.#cut(size);
  }

  /** Moves everything after `offset` to the end of `target`. */
  moveTail(offset: number, target: TraceFile): void {
    this.flush();
    const file = this.#open();
    const buffer = new Uint8Array(
      Math.min(COPY_BYTES, this.#written - offset),
    );
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let left = this.#written - offset; left > 0;) {
      const count = file.readSync(buffer.subarray(0, left)) ?? 0;
      if (count === 0) throw new Error(`${this.#where()} became shorter`);
      target.append(buffer.subarray(0, count));
      left -= count;
    }
    target.flush();
    this.#cut(offset);
  }

  /** Gives the descriptor up; the next write opens the file again. */
  park(): void {
    if (this.#file === undefined) return;
    this.#openFiles.closed(this);
    const file = this.#file;
    this.#file = undefined;
    file.close();
  }

  /** Writes what was gathered and closes. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.flush();
      if (this.#file !== undefined) this.#checkPresent(this.#file);
    } finally {
      this.discardAfter(this.#written);
      this.park();
    }
  }

  #write(bytes: Uint8Array): void {
    const file = this.#open();
    for (let at = 0; at < bytes.length;) {
      const count = file.writeSync(at === 0 ? bytes : bytes.subarray(at));
      at += count;
      this.#written += count;
    }
    const now = Date.now();
    if (now - this.#lastCheck >= REMOVED_CHECK_MS) {
      this.#lastCheck = now;
      this.#checkPresent(file);
    }
  }

  #cut(size: number): void {
    const file = this.#open();
    file.truncateSync(size);
    this.#written = size;
    file.seekSync(size, Deno.SeekMode.Start);
  }

  #open(): Deno.FsFile {
    if (this.#file !== undefined) {
      this.#openFiles.used(this);
      return this.#file;
    }
    const file = this.#openFiles.open(this, this.#where(), {
      read: true,
      write: true,
    });
    file.seekSync(this.#written, Deno.SeekMode.Start);
    return this.#file = file;
  }

  /** An unlinked file still takes bytes that nobody will ever find. */
  #checkPresent(file: Deno.FsFile): void {
    if (file.statSync().nlink === 0) {
      throw new Deno.errors.NotFound(`${this.#where()} was removed`);
    }
  }
}
