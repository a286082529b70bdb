/** Waits that end by themselves: at a deadline or with an abort signal. */

/** How long something may take. */
export interface WaitOptions {
  /**
   * Milliseconds in all.
   *
   * @default {10000}
   */
  readonly timeoutMs?: number;
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Shared by the waits of one operation. */
export class Deadline {
  readonly #startedAt = performance.now();

  constructor(
    /** Milliseconds in all. */
    readonly timeoutMs: number,
    readonly signal: AbortSignal | undefined,
  ) {}

  /** Milliseconds that are left, 0 at least. */
  get leftMs(): number {
    return Math.max(0, this.timeoutMs - this.passedMs);
  }

  /** Whole milliseconds since the beginning. */
  get passedMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /**
   * `true` when `promise` resolves before the deadline, `false` when it does
   * not; then nobody looks at its outcome any more.
   *
   * @throws What `promise` rejects with, or the signal's reason.
   */
  async reaches(promise: Promise<unknown>): Promise<boolean> {
    this.signal?.throwIfAborted();
    const { promise: end, resolve, reject } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), this.leftMs);
    const onAbort = () => reject(this.signal?.reason);
    this.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([promise.then(() => true), end]);
    } finally {
      clearTimeout(timer);
      this.signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Sleeps, but not beyond the deadline; `false` when that has come. */
  async sleep(milliseconds: number): Promise<boolean> {
    if (this.leftMs === 0) return false;
    const pause = new Deadline(
      Math.min(milliseconds, this.leftMs),
      this.signal,
    );
    await pause.reaches(new Promise(() => {}));
    return this.leftMs > 0;
  }
}

/** How long an operation may take, unless told otherwise (ms). */
const WAIT_TIMEOUT_MS = 10_000;

/** The deadline of an operation that begins now. */
export function deadlineOf(options: WaitOptions): Deadline {
  return new Deadline(options.timeoutMs ?? WAIT_TIMEOUT_MS, options.signal);
}
