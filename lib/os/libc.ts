/**
 * The calls of Linux's C library that Deno has no function for. A library
 * handle belongs to whoever opened it, and is closed after use.
 */

/** Why a call failed: `errno` and what it stands for. */
export class SystemError extends Error {
  override name = "SystemError";
  /** What `errno` stands for: `Connection refused`. */
  readonly reason: string;

  constructor(
    /** The call: `connect`. */
    readonly call: string,
    /** The number that `errno` had. */
    readonly errno: number,
  ) {
    super(`${call}: ${errnoText(errno)}`);
    this.reason = errnoText(errno);
  }
}

/** The native library cannot be used here: another system, or no permission. */
export class NativeLibraryError extends Error {
  override name = "NativeLibraryError";
}

/** `errno` values that callers tell apart; the same on x86-64 and arm64. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  ENOTDIR: 20,
  EPIPE: 32,
  ECONNRESET: 104,
  ECONNREFUSED: 111,
} as const;

const texts: ReadonlyMap<number, string> = new Map([
  [Errno.EPERM, "Operation not permitted"],
  [Errno.ENOENT, "No such file or directory"],
  [Errno.EINTR, "Interrupted system call"],
  [Errno.EAGAIN, "Resource temporarily unavailable"],
  [Errno.EACCES, "Permission denied"],
  [Errno.ENOTDIR, "Not a directory"],
  [24, "Too many open files"],
  [98, "Address already in use"],
  [Errno.EPIPE, "Broken pipe"],
  [Errno.ECONNRESET, "Connection reset by peer"],
  [Errno.ECONNREFUSED, "Connection refused"],
]);

function errnoText(errno: number): string {
  return texts.get(errno) ?? `Error ${errno}`;
}

const symbols = {
  __errno_location: { parameters: [], result: "pointer" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  getegid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  getgrnam: { parameters: ["buffer"], result: "pointer" },
  getgroups: { parameters: ["i32", "buffer"], result: "i32" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  getuid: { parameters: [], result: "u32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  poll: {
    parameters: ["buffer", "u64", "i32"],
    result: "i32",
    nonblocking: true,
  },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  sched_setscheduler: {
    parameters: ["i32", "i32", "buffer"],
    result: "i32",
  },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  setfsgid: { parameters: ["u32"], result: "i32" },
  setfsuid: { parameters: ["u32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
} as const;

type Calls = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** An open C library. */
export class Libc implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof symbols>;
  /** Where this thread's `errno` is; it never moves. */
  readonly #errno: Deno.UnsafePointerView;
  readonly call: Calls;

  private constructor(library: Deno.DynamicLibrary<typeof symbols>) {
    this.#library = library;
    this.call = library.symbols;
    const place = this.call.__errno_location();
    if (place === null) throw new NativeLibraryError("errno has no place");
    this.#errno = new Deno.UnsafePointerView(place);
  }

  /**
   * Opens the library.
   *
   * @throws {NativeLibraryError} When this is not Linux with glibc, or Deno
   * may not load native libraries.
   */
  static open(): Libc {
    if (Deno.build.os !== "linux") {
      throw new NativeLibraryError(
        `Native calls work on Linux only: this is ${Deno.build.os}`,
      );
    }
    try {
      return new Libc(Deno.dlopen("libc.so.6", symbols));
    } catch (error) {
      const denied = error instanceof Deno.errors.NotCapable;
      throw new NativeLibraryError(
        denied
          ? "Deno may not load native libraries: run it with --allow-ffi"
          : `Cannot load libc.so.6: ${
            error instanceof Error ? error.message : error
          }`,
        { cause: error },
      );
    }
  }

  /** What `errno` says; of use only right after a call that failed. */
  get errno(): number {
    return this.#errno.getInt32();
  }

  /** The result of `call`, which says that it failed by a negative one. */
  check(call: string, result: number | bigint): number {
    if (result < 0) throw new SystemError(call, this.errno);
    return Number(result);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** Bytes at an address that stays the same, as native calls need it. */
export function nativeBuffer(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}

/** Text with its NUL, for native calls. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.includes(0)) throw new TypeError("Text with a NUL has no C form");
  const buffer = nativeBuffer(bytes.length + 1);
  buffer.set(bytes);
  return buffer;
}
