/** Time as the viewer sees it, so that tests can replace it. */

/** A clock that only goes forward, and sleep. */
export interface Timer {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /**
   * Resolves after `milliseconds`.
   *
   * @throws The signal's reason when it is aborted before.
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own time. */
export const systemTimer: Timer = {
  now: () => performance.now(),
  sleep(milliseconds, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timeout);
        reject(signal?.reason);
      };
      const timeout = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, milliseconds);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};

/** The longest that the machine's timers can wait: 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * A duration that an option gives, `Infinity` included.
 *
 * @throws {RangeError} It is not above 0.
 */
export function duration(name: string, milliseconds: number): number {
  if (milliseconds > 0) return Math.min(milliseconds, LONGEST_MS);
  throw new RangeError(`Cannot use ${name} ${milliseconds}: it is not above 0`);
}
