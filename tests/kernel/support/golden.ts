/** The recorded pages and formats of tests/golden/kernel, read when a test is loaded. */

import {
  type EventFormat,
  type PageLayout,
  pageSizeOf,
  parseFormat,
  parseHeaderPage,
} from "../../../lib/kernel/format.ts";
import { readTrace, type TextEvent } from "./trace_text.ts";

const GOLDEN = new URL("../../golden/kernel/", import.meta.url);

function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, GOLDEN));
}

/** A page and the processor whose it is. */
export interface GoldenPage {
  readonly cpu: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** `header_page` as tracefs had it. */
export const headerPage = read("header_page.txt");

/** What it says. */
export const layout: PageLayout = parseHeaderPage(headerPage, true);

/** Texts of the formats, and the systems they are of. */
export const formatTexts: readonly (readonly [system: string, text: string])[] =
  read("formats.txt").split(/^system: /m).slice(1).map((part) => {
    const at = part.indexOf("\n");
    return [part.slice(0, at), part.slice(at + 1)] as const;
  });

/** What they say, by the numbers of the events. */
export const formats: ReadonlyMap<number, EventFormat> = new Map(
  formatTexts.map(([system, text]) => {
    const format = parseFormat(system, text);
    return [format.id, format];
  }),
);

function pagesIn(text: string): GoldenPage[] {
  const pages: GoldenPage[] = [];
  for (const line of text.split("\n")) {
    const [cpu, data, ...more] = line.split(" ");
    if (data === undefined || more.length > 0) continue;
    const bytes = new Uint8Array(pageSizeOf(layout));
    bytes.set(Uint8Array.fromBase64(data));
    pages.push({ cpu: Number(cpu), bytes });
  }
  return pages;
}

/** Pages of one recording, in order for each processor. */
export const pages: readonly GoldenPage[] = pagesIn(read("pages.txt"));

/** What tracefs itself made of the same pages, in order of time. */
export const traceEvents: readonly TextEvent[] = readTrace(
  read("trace.txt"),
  [...formats.values()],
);

const lossy = read("lossy_pages.txt");

/** Pages of ring buffers that were too small. */
export const lossyPages: readonly GoldenPage[] = pagesIn(lossy);

/** How many events each processor's ring buffer lost, and how many it had. */
export const lossCounters: readonly {
  readonly cpu: number;
  readonly overrun: number;
  readonly entries: number;
}[] = [...lossy.matchAll(/^(\d+) overrun (\d+) entries (\d+)$/gm)].map((
  [, cpu, overrun, entries],
) => ({
  cpu: Number(cpu),
  overrun: Number(overrun),
  entries: Number(entries),
}));
