/** Time that passes when a test says so. */

import type { Timer } from "../../../lib/viewer/timer.ts";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Nobody wakes before the test lets time pass. */
export class FakeTimer implements Timer {
  #now = 0;
  readonly #sleepers = new Set<Sleeper>();
  #onSleep: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { until: this.#now + milliseconds, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      }, { once: true });
      for (const told of this.#onSleep.splice(0)) told();
    });
  }

  /** How many sleep. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** When somebody sleeps. */
  async whenAsleep(): Promise<void> {
    if (this.#sleepers.size > 0) return;
    await new Promise<void>((resolve) => this.#onSleep.push(resolve));
  }

  /** Lets time pass; whoever has slept enough wakes. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
