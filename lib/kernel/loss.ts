/** Counts the events that a ring buffer lost, from what its pages and its counters say. */

/** The counters of one processor's ring buffer, as its `stats` file says. */
export interface RingCounters {
  /** Events that lie in the buffer. */
  readonly entries: number;
  /** Events that were overwritten before they were read. */
  readonly overrun: number;
  /** Events lost because one was interrupted for too long. */
  readonly commitOverrun: number;
  /** Events that found the buffer full. */
  readonly dropped: number;
  /** Events that were read. */
  readonly read: number;
}

/** The counters that matter, in the order in which they stand there. */
const COUNTERS =
  /^entries: (\d+)\noverrun: (\d+)\ncommit overrun: (\d+)$[\s\S]*?^dropped events: (\d+)\nread events: (\d+)$/m;

/**
 * The counters in the text of a `stats` file.
 *
 * @throws {RangeError} where it is none.
 */
export function parseRingCounters(text: string): RingCounters {
  const match = COUNTERS.exec(text);
  if (match === null) {
    throw new RangeError(
      `Cannot read a ring buffer's counters: ${JSON.stringify(text)}`,
    );
  }
  const [, entries, overrun, commitOverrun, dropped, read] = match.map(Number);
  return {
    entries: entries!,
    overrun: overrun!,
    commitOverrun: commitOverrun!,
    dropped: dropped!,
    read: read!,
  };
}

/** All events that the counters say were lost. */
export function lostEvents(counters: RingCounters): number {
  return counters.overrun + counters.commitOverrun + counters.dropped;
}

/**
 * The running total of one buffer's losses. A page says how many were lost
 * before it, but not where they do not fit after its events: then, and at the
 * end, the counters say.
 */
export class LossLedger {
  readonly #counters: () => RingCounters;
  #total = 0;
  /** Whether the total has been ahead of the pages since a page without count. */
  #isAhead = false;

  constructor(counters: () => RingCounters) {
    this.#counters = counters;
  }

  /** Events lost so far, as far as it is known. */
  get total(): number {
    return this.#total;
  }

  /** A page says that `count` events were lost before it, or that some were. */
  add(count: number | undefined): void {
    if (count === undefined) {
      this.#isAhead = true;
      this.reconcile();
      return;
    }
    const sum = this.#total + count;
    // The counter already had what later pages tell of.
    this.#total = this.#isAhead
      ? Math.max(this.#total, Math.min(sum, lostEvents(this.#counters())))
      : sum;
  }

  /** Takes over what the counters say; returns whether that is more. */
  reconcile(): boolean {
    const lost = lostEvents(this.#counters());
    if (lost <= this.#total) return false;
    this.#total = lost;
    return true;
  }
}
