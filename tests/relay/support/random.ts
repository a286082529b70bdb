/** Random bytes that a printed seed brings back. */

/** The seed of this run: `LTTNG_SEED`, or the time. */
export const SEED = Number(Deno.env.get("LTTNG_SEED") ?? Date.now() % 2 ** 31);

/** A small generator (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    let mixed = this.#state = (this.#state + 0x6D2B79F5) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}
