/** Takes ring-buffer pages of `trace_pipe_raw` apart: records and their times. */

import type { PageLayout } from "./format.ts";

/** Bit 31 of the commit word: events were lost before this page. */
const LOST = 0x8000_0000;
/** Bit 30: how many, after the valid data. */
const LOST_COUNT = 0x4000_0000;

const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;

const TWO_POW_27 = 0x800_0000;
const TWO_POW_32 = 0x1_0000_0000;
const TWO_POW_59 = 2 ** 59;

/** Where pages come from: `trace_pipe_raw`, or a test. */
export interface PageSource {
  /**
   * Fills `page` with the next page; 0 where there is none, less where there
   * is one that cannot be had at this moment.
   */
  read(page: Uint8Array): number;
  close(): void;
}

/** A page that contradicts itself. */
export class PageError extends Error {
  override name = "PageError";
}

/** Where the addresses of a call stack lie in a page. */
export interface StackSpan {
  from: number;
  to: number;
}

/** Numbers of the records that hold call stacks, where they are recorded. */
export interface StackIds {
  readonly kernel?: number;
  readonly user?: number;
}

/**
 * Reads one page after the other: {@linkcode begin}, then {@linkcode next}
 * until it says no. Between, the fields say where the record lies, so that no
 * object is made for each of them.
 *
 * Times are nanoseconds of the instance's clock as a `number`: exact below
 * 2^53, which is 104 days of uptime, and to 2 ns in the 104 days after that.
 */
export class PageReader {
  /** Where the record's payload, which begins with the event's id, lies. */
  at = 0;
  /** Bytes of the payload, rounded up to 4 by the ring buffer. */
  size = 0;
  /** When the record was made. */
  time = 0;
  /** Bytes of records in the page. */
  committed = 0;
  /** Whether events were lost between the page before and this one. */
  hasLoss = false;
  /** How many; `undefined` where the page does not say. */
  lost: number | undefined;
  /** Call stacks of the event, where {@linkcode takeStacks} found some. */
  readonly stacks: { readonly kernel: StackSpan; readonly user: StackSpan } = {
    kernel: { from: 0, to: 0 },
    user: { from: 0, to: 0 },
  };
  readonly layout: PageLayout;
  /** The page. */
  view: DataView = new DataView(new ArrayBuffer(0));
  #position = 0;
  #end = 0;
  /** The bits of the page's time that a time stamp record leaves out. */
  #timeTop = 0;

  constructor(layout: PageLayout) {
    this.layout = layout;
  }

  /** The share of the page that holds records, 0 to 1. */
  get fill(): number {
    return this.committed / this.layout.dataSize;
  }

  /**
   * Starts on the page in `view`.
   *
   * @throws {PageError} where it claims more bytes than there are.
   */
  begin(view: DataView): void {
    const { layout } = this;
    const little = layout.littleEndian;
    if (view.byteLength < layout.dataOffset) {
      throw new PageError(
        `Cannot read a ring-buffer page: ${view.byteLength} bytes, ` +
          `its header alone has ${layout.dataOffset}`,
      );
    }
    this.view = view;
    const first = view.getUint32(layout.timestampOffset, little);
    const second = view.getUint32(layout.timestampOffset + 4, little);
    this.time = little
      ? second * TWO_POW_32 + first
      : first * TWO_POW_32 + second;
    this.#timeTop = Math.floor(this.time / TWO_POW_59) * TWO_POW_59;
    // Only the low 32 bits of the commit word mean anything.
    const low = layout.longSize === 8 && !little ? 4 : 0;
    const commit = view.getUint32(layout.commitOffset + low, little);
    this.committed = (commit & ~(LOST | LOST_COUNT)) >>> 0;
    this.#position = layout.dataOffset;
    this.#end = layout.dataOffset + this.committed;
    if (this.#end > view.byteLength) {
      throw new PageError(
        `Cannot read a ring-buffer page: it claims ${this.committed} bytes ` +
          `of records, ${view.byteLength - layout.dataOffset} are there`,
      );
    }
    this.hasLoss = (commit & LOST) !== 0;
    this.lost = this.hasLoss && (commit & LOST_COUNT) !== 0
      ? this.#readLoss()
      : undefined;
  }

  #readLoss(): number | undefined {
    const { longSize, littleEndian } = this.layout;
    if (this.#end + longSize > this.view.byteLength) return undefined;
    if (longSize === 4) return this.view.getUint32(this.#end, littleEndian);
    return Number(this.view.getBigUint64(this.#end, littleEndian));
  }

  /**
   * Goes to the next event's record; `false` at the page's end.
   *
   * @throws {PageError} where a record reaches past the page's end.
   */
  next(): boolean {
    const view = this.view;
    const little = this.layout.littleEndian;
    const end = this.#end;
    let position = this.#position;
    while (position + 4 <= end) {
      const word = view.getUint32(position, little);
      const type = little ? word & 31 : word >>> 27;
      const delta = little ? word >>> 5 : word & (TWO_POW_27 - 1);
      if (type >= 1 && type <= 28) {
        this.time += delta;
        this.at = position + 4;
        this.size = type * 4;
        this.#position = position + 4 + this.size;
        if (this.#position > end) throw this.#overrun();
        return true;
      }
      if (type === TYPE_PADDING && delta === 0) break;
      if (position + 8 > end) throw this.#overrun();
      const second = view.getUint32(position + 4, little);
      if (type === TYPE_TIME_EXTEND) {
        this.time += delta + second * TWO_POW_27;
        position += 8;
      } else if (type === TYPE_TIME_STAMP) {
        this.time = this.#timeTop + delta + second * TWO_POW_27;
        position += 8;
      } else {
        // A long record, or one that was taken back: the length counts itself.
        this.time += delta;
        const next = position + 4 + Math.max(second, 4);
        if (next > end) throw this.#overrun();
        if (type === 0) {
          this.at = position + 8;
          this.size = next - this.at;
          this.#position = next;
          return true;
        }
        position = next;
      }
    }
    this.#position = end;
    return false;
  }

  /**
   * Takes the records of call stacks that follow an event; returns how many.
   * The event stays the record on which the reader stands, but
   * {@linkcode time} is the last one's.
   */
  takeStacks(ids: StackIds): number {
    const { at, size, stacks } = this;
    stacks.kernel.to = stacks.kernel.from;
    stacks.user.to = stacks.user.from;
    let taken = 0;
    for (;;) {
      const position = this.#position;
      const { time } = this;
      const found = this.next() ? this.#stackOf(ids) : undefined;
      if (found === undefined) {
        this.#position = position;
        this.time = time;
        break;
      }
      found.from = this.at + this.#stackOffset;
      found.to = this.at + this.size;
      taken++;
    }
    this.at = at;
    this.size = size;
    return taken;
  }

  /** Addresses begin after a count, or a process's id, of 32 bits. */
  get #stackOffset(): number {
    return this.layout.longSize === 8 ? 16 : 12;
  }

  #stackOf(ids: StackIds): StackSpan | undefined {
    const id = this.view.getUint16(this.at, this.layout.littleEndian);
    if (this.size < this.#stackOffset) return undefined;
    if (id === ids.kernel) return this.stacks.kernel;
    return id === ids.user ? this.stacks.user : undefined;
  }

  #overrun(): PageError {
    const error = new PageError(
      "Cannot read a ring-buffer page: a record reaches past its end",
    );
    this.#position = this.#end;
    return error;
  }
}
