/**
 * Waits for any number of file descriptors with one native call, and so with
 * one thread: peers that say nothing cannot use up the threads of a daemon.
 */

import { Errno, type Libc, nativeBuffer } from "./libc.ts";

/** What is waited for. */
export const PollEvent = { READ: 1, WRITE: 4 } as const;

/** Size of `struct pollfd`. */
const POLL_BYTES = 8;
/** Longest single wait in the system. */
const POLL_MS = 1_000;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;

interface Wait {
  readonly fd: number;
  readonly events: number;
  readonly resolve: () => void;
}

/** One `poll` for everybody who waits. */
export class Poller {
  readonly #libc: Libc;
  readonly #wakeRead: number;
  readonly #wakeWrite: number;
  readonly #waits = new Set<Wait>();
  #loop: Promise<void> | undefined;
  #closed = false;

  constructor(libc: Libc) {
    this.#libc = libc;
    const ends = nativeBuffer(8);
    libc.check("pipe2", libc.call.pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    const [read = -1, write = -1] = new Int32Array(ends.buffer);
    this.#wakeRead = read;
    this.#wakeWrite = write;
  }

  /**
   * Resolves when `fd` is ready, when `signal` is aborted, or for no reason:
   * the caller tries again and finds out.
   */
  wait(fd: number, events: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      if (!this.#waits.delete(wait)) return;
      signal.removeEventListener("abort", abort);
      resolve();
    };
    const abort = () => {
      end();
      // Until then the native wait would hold on to what is closed next.
      this.#wake();
    };
    const wait: Wait = { fd, events, resolve: end };
    this.#waits.add(wait);
    signal.addEventListener("abort", abort, { once: true });
    if (this.#loop === undefined) this.#loop = this.#run();
    else this.#wake();
    return promise;
  }

  /** Ends every wait, and the native one, before the library may be closed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const wait of [...this.#waits]) wait.resolve();
    this.#wake();
    await this.#loop;
    this.#libc.call.close(this.#wakeRead);
    this.#libc.call.close(this.#wakeWrite);
  }

  #wake(): void {
    const one = nativeBuffer(1);
    this.#libc.call.write(this.#wakeWrite, one, 1n);
  }

  async #run(): Promise<void> {
    while (this.#waits.size > 0) {
      const waits = [...this.#waits];
      const table = this.#tableOf(waits);
      const view = new DataView(table.buffer);
      const count = BigInt(waits.length + 1);
      const ready = await this.#libc.call.poll(table, count, POLL_MS);
      // Its errno is another thread's: whoever waits finds out what is wrong.
      if (ready < 0) await new Promise((resolve) => setTimeout(resolve, 1));
      this.#drainWakes();
      waits.forEach((wait, index) => {
        const events = view.getInt16(POLL_BYTES * (index + 1) + 6, true);
        if (ready < 0 || events !== 0) wait.resolve();
      });
    }
    this.#loop = undefined;
  }

  #tableOf(waits: readonly Wait[]): Uint8Array<ArrayBuffer> {
    const table = nativeBuffer(POLL_BYTES * (waits.length + 1));
    const view = new DataView(table.buffer);
    view.setInt32(0, this.#wakeRead, true);
    view.setInt16(4, PollEvent.READ, true);
    waits.forEach(({ fd, events }, index) => {
      view.setInt32(POLL_BYTES * (index + 1), fd, true);
      view.setInt16(POLL_BYTES * (index + 1) + 4, events, true);
    });
    return table;
  }

  #drainWakes(): void {
    const { call } = this.#libc;
    const buffer = nativeBuffer(64);
    let count: number | bigint;
    do count = call.read(this.#wakeRead, buffer, 64n); while (count > 0);
    if (count < 0 && this.#libc.errno === Errno.EINTR) this.#drainWakes();
  }
}
