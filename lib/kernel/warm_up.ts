/** Runs readers on made-up pages, so that their code is compiled before it matters. */

import { CpuReader, type EventTable } from "./cpu_reader.ts";
import { type PageLayout, pageSizeOf } from "./format.ts";
import { ThreadTable } from "./threads.ts";

const NO_LOSS = {
  entries: 0,
  overrun: 0,
  commitOverrun: 0,
  dropped: 0,
  read: 0,
};

/** Small packets: their ends are code too. */
const PACKET_SIZE = 16 * 1024;

/**
 * Reads made-up records of all events in turn for `milliseconds`. Under load
 * the engine's compiling threads hardly run, and a reader that has not been
 * compiled by then loses events.
 */
export function warmUp(
  events: EventTable,
  layout: PageLayout,
  milliseconds: number,
): void {
  const pages = madeUpPages(events, layout);
  if (pages.length === 0) return;
  const end = performance.now() + milliseconds;
  let next = 0;
  const reader = new CpuReader({
    cpu: 0,
    layout,
    source: {
      read: (page) => {
        if (performance.now() > end) return 0;
        const made = pages[next++ % pages.length]!;
        page.set(made);
        return made.length;
      },
      close: () => {},
    },
    counters: () => NO_LOSS,
    overwrite: true,
    packets: {
      size: PACKET_SIZE,
      byteOrder: layout.littleEndian ? "le" : "be",
      uuid: new Uint8Array(16),
      streamClassId: 0,
      streamInstanceId: 0,
      eventHeader: "large",
    },
    events,
    threads: new ThreadTable(() => undefined),
    hasRoom: () => true,
    emit: () => {},
  });
  reader.drain(Infinity);
}

/** Type of a record that says its length itself. */
const LONG_RECORD = 0;
/** Bytes before the payload of such a record. */
const LONG_HEADER = 8;
/** The most bytes whose length is the record's type, in steps of 4. */
const SHORT_RECORD_MAXIMUM = 112;
const SHORT_HEADER = 4;
/** A record without payload that brings the time forward, and its bytes. */
const TIME_EXTEND = 30;
const TIME_EXTEND_SIZE = 8;
/** Bytes that all events begin with: among them the thread, which is 0. */
const COMMON_SIZE = 8;
/** Nanoseconds from one record to the next. */
const STEP = 100;
/** An uptime: the engine tells numbers of this size from smaller ones. */
const UPTIME = 2 ** 45;

/** What all fields of a made-up event hold, in turn: nothing, text, much. */
const FILLINGS = [0, 0x6162_0000, 0xFFFF_FF00] as const;

/** Pages that hold records of each event, as like to real ones as matters. */
function madeUpPages(
  events: EventTable,
  layout: PageLayout,
): Uint8Array<ArrayBuffer>[] {
  const pages: MadeUpPage[] = [];
  for (const filling of FILLINGS) {
    pages.push(new MadeUpPage(layout));
    events.forEach((entry, id) => {
      if (entry === undefined) return;
      const size = Math.ceil(entry.size / 4) * 4;
      if (pages.at(-1)!.add(id, size, filling)) return;
      const page = new MadeUpPage(layout);
      if (page.add(id, size, filling)) pages.push(page);
    });
  }
  return pages.filter(({ isEmpty }) => !isEmpty).map((page) => page.close());
}

/** A page that is filled. */
class MadeUpPage {
  readonly #layout: PageLayout;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at: number;

  constructor(layout: PageLayout) {
    this.#layout = layout;
    this.#bytes = new Uint8Array(pageSizeOf(layout));
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = layout.dataOffset;
  }

  get isEmpty(): boolean {
    return this.#at === this.#layout.dataOffset;
  }

  /** Adds a record; `false` where it does not fit any more. */
  add(id: number, size: number, filling: number): boolean {
    const { dataOffset, dataSize, littleEndian } = this.#layout;
    const isShort = size > 0 && size <= SHORT_RECORD_MAXIMUM;
    const header = isShort ? SHORT_HEADER : LONG_HEADER;
    const extend = this.isEmpty ? TIME_EXTEND_SIZE : 0;
    const end = this.#at + extend + header + size;
    if (end > dataOffset + dataSize) return false;
    if (extend > 0) this.#head(TIME_EXTEND, extend);
    this.#head(isShort ? size / 4 : LONG_RECORD, header);
    // The length counts itself.
    if (!isShort) this.#view.setUint32(this.#at - 4, size + 4, littleEndian);
    for (let at = this.#at + COMMON_SIZE; at < end; at += 4) {
      this.#view.setUint32(at, filling);
    }
    this.#view.setUint16(this.#at, id, littleEndian);
    this.#at = end;
    return true;
  }

  #head(type: number, size: number): void {
    const { littleEndian } = this.#layout;
    const word = littleEndian ? STEP * 32 + type : type * 2 ** 27 + STEP;
    this.#view.setUint32(this.#at, word, littleEndian);
    this.#at += size;
  }

  /** The page, with its time and the length of what is in it. */
  close(): Uint8Array<ArrayBuffer> {
    const { littleEndian, dataOffset, commitOffset, longSize } = this.#layout;
    const { timestampOffset } = this.#layout;
    const low = longSize === 8 && !littleEndian ? 4 : 0;
    const view = this.#view;
    view.setUint32(commitOffset + low, this.#at - dataOffset, littleEndian);
    view.setBigUint64(timestampOffset, BigInt(UPTIME), littleEndian);
    return this.#bytes;
  }
}
