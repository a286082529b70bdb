/** Puts ring-buffer pages together by hand: every form of record, both byte orders. */

import { type PageLayout, pageSizeOf } from "../../../lib/kernel/format.ts";

/** A layout of pages of 4096 bytes. */
export function layoutOf(littleEndian: boolean, longSize: 4 | 8): PageLayout {
  return {
    littleEndian,
    timestampOffset: 0,
    commitOffset: 8,
    longSize,
    dataOffset: 8 + longSize,
    dataSize: 4096 - 8 - longSize,
  };
}

/** The layout of most machines. */
export const usualLayout: PageLayout = layoutOf(true, 8);

/** One record of a page. */
export type MadeRecord =
  | {
    readonly kind: "data";
    readonly delta: number;
    readonly payload: Uint8Array;
  }
  | {
    readonly kind: "long data";
    readonly delta: number;
    readonly payload: Uint8Array;
  }
  | { readonly kind: "end" }
  | {
    readonly kind: "discarded";
    readonly delta: number;
    readonly size: number;
  }
  | { readonly kind: "extend"; readonly delta: number; readonly high: number }
  | { readonly kind: "stamp"; readonly low: number; readonly high: number };

/** A page, and what it says of losses. */
export interface MadePage {
  readonly time: bigint;
  readonly records: readonly MadeRecord[];
  /** `true`: some were lost; a number: so many. */
  readonly lost?: true | number;
}

/** The page's bytes. */
export function makePage(
  { time, records, lost }: MadePage,
  layout: PageLayout = usualLayout,
): Uint8Array<ArrayBuffer> {
  const { littleEndian: little, dataOffset, longSize } = layout;
  const bytes = new Uint8Array(pageSizeOf(layout));
  const view = new DataView(bytes.buffer);
  let at = dataOffset;
  function header(type: number, delta: number): void {
    const word = little ? delta * 32 + type : type * 2 ** 27 + delta;
    view.setUint32(at, word, little);
    at += 4;
  }
  function word(value: number): void {
    view.setUint32(at, value, little);
    at += 4;
  }
  for (const record of records) {
    switch (record.kind) {
      case "data":
        header(record.payload.length / 4, record.delta);
        bytes.set(record.payload, at);
        at += record.payload.length;
        break;
      case "long data":
        header(0, record.delta);
        word(record.payload.length + 4);
        bytes.set(record.payload, at);
        at += record.payload.length;
        break;
      case "end":
        header(29, 0);
        break;
      case "discarded":
        header(29, record.delta);
        word(record.size + 4);
        at += record.size;
        break;
      case "extend":
        header(30, record.delta);
        word(record.high);
        break;
      case "stamp":
        header(31, record.low);
        word(record.high);
    }
  }
  const committed = at - dataOffset;
  const flags = lost === undefined
    ? 0
    : lost === true
    ? 2 ** 31
    : 2 ** 31 + 2 ** 30;
  view.setBigUint64(0, time, little);
  if (longSize === 8) {
    // The upper half holds anything, as recent kernels show.
    const high = lost === undefined ? 0n : 0xFFFF_FFFFn << 32n;
    view.setBigUint64(8, BigInt(flags + committed) | high, little);
  } else {
    view.setUint32(8, flags + committed, little);
  }
  if (typeof lost === "number") {
    if (longSize === 8) view.setBigUint64(at, BigInt(lost), little);
    else view.setUint32(at, lost, little);
  }
  return bytes;
}

/** A payload of `size` bytes that begins with an event's number and a thread's. */
export function payload(
  id: number,
  size = 8,
  { tid = 0, little = true }: { tid?: number; little?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id, little);
  if (size >= 8) view.setInt32(4, tid, little);
  return bytes;
}
