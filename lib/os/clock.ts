/** The system's clocks, to the nanosecond: Deno's own begin with the process. */

import { Libc, nativeBuffer } from "./libc.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

const NANOSECONDS_PER_SECOND = 1_000_000_000;

/** The least of so many differences is taken. */
const SAMPLES = 50;

/** Reads the system's clocks; belongs to who made it, and is closed after use. */
export class SystemClocks implements Disposable {
  readonly #libc: Libc;
  /** `struct timespec`, on 64-bit Linux. */
  readonly #buffer = nativeBuffer(16);
  readonly #words = new BigInt64Array(this.#buffer.buffer);

  /** @throws {NativeLibraryError} where the system has no such calls. */
  constructor() {
    this.#libc = Libc.open();
  }

  /**
   * `CLOCK_MONOTONIC` in nanoseconds: exact below 2^53, which is 104 days of
   * uptime.
   */
  monotonic(): number {
    this.#read(CLOCK_MONOTONIC);
    return Number(this.#words[0]!) * NANOSECONDS_PER_SECOND +
      Number(this.#words[1]!);
  }

  /** Nanoseconds since 1970-01-01 UTC when `CLOCK_MONOTONIC` was 0. */
  monotonicOffset(): bigint {
    let offset = 0n;
    let least = -1n;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = this.#exact(CLOCK_MONOTONIC);
      const now = this.#exact(CLOCK_REALTIME);
      const after = this.#exact(CLOCK_MONOTONIC);
      const width = after - before;
      if (least >= 0n && width >= least) continue;
      least = width;
      offset = now - (before + width / 2n);
    }
    return offset;
  }

  #exact(clock: number): bigint {
    this.#read(clock);
    return this.#words[0]! * 1_000_000_000n + this.#words[1]!;
  }

  #read(clock: number): void {
    this.#libc.check(
      "clock_gettime",
      this.#libc.call.clock_gettime(clock, this.#buffer),
    );
  }

  [Symbol.dispose](): void {
    this.#libc[Symbol.dispose]();
  }
}
