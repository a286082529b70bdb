/** Asks again and again, as clients of a session daemon must. */

/** How often the state of a session is asked for, milliseconds. */
const POLL_MS = 200;

/** How long to wait for a session. */
export interface WaitOptions {
  /**
   * Milliseconds.
   *
   * @default {600000}
   */
  readonly timeoutMs?: number | undefined;
  /** Called before each pause, to show that something goes on. */
  readonly onWait?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `ask` every 200 ms until it gives something other than `undefined`;
 * `undefined` when time is up.
 */
export async function poll<T>(
  ask: () => Promise<T | undefined>,
  { timeoutMs = Infinity, onWait, signal }: WaitOptions,
): Promise<T | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    signal?.throwIfAborted();
    if (Date.now() >= deadline) return undefined;
    onWait?.();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
