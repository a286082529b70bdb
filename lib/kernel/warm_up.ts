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
  reader.drain(true);
}

/** Type of a record that says its length itself. */
const LONG_RECORD = 0;
/** Bytes before the payload of such a record. */
const RECORD_HEADER = 8;

/** Pages that hold one record of each event; all fields are 0, text is empty. */
function madeUpPages(
  events: EventTable,
  layout: PageLayout,
): Uint8Array<ArrayBuffer>[] {
  const { littleEndian, dataOffset, dataSize, commitOffset, longSize } = layout;
  const pages: Uint8Array<ArrayBuffer>[] = [];
  let view: DataView | undefined;
  let at = 0;
  function close(): void {
    const low = longSize === 8 && !littleEndian ? 4 : 0;
    view?.setUint32(commitOffset + low, at - dataOffset, littleEndian);
  }
  events.forEach((entry, id) => {
    if (entry === undefined) return;
    const size = Math.ceil(entry.size / 4) * 4;
    if (RECORD_HEADER + size > dataSize) return;
    if (
      view === undefined || at + RECORD_HEADER + size > dataOffset + dataSize
    ) {
      close();
      const page = new Uint8Array(pageSizeOf(layout));
      pages.push(page);
      view = new DataView(page.buffer);
      at = dataOffset;
    }
    view.setUint32(at, LONG_RECORD, littleEndian);
    view.setUint32(at + 4, size + 4, littleEndian);
    view.setUint16(at + RECORD_HEADER, id, littleEndian);
    at += RECORD_HEADER + size;
  });
  close();
  return pages;
}
