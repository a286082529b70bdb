import { assertEquals } from "@std/assert";
import {
  CpuReader,
  type CpuReaderOptions,
  type EventTable,
} from "../../lib/kernel/cpu_reader.ts";
import type { RingCounters } from "../../lib/kernel/loss.ts";
import type { PacketInfo } from "../../lib/ctf/sink.ts";
import type { EventPlan } from "../../lib/kernel/plan.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { compileWriter } from "../../lib/kernel/transcode.ts";
import { integer } from "../../lib/ctf/declare.ts";
import {
  type MadePage,
  makePage,
  payload,
  usualLayout,
} from "./support/make_page.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const NO_LOSS: RingCounters = {
  entries: 0,
  overrun: 0,
  commitOverrun: 0,
  dropped: 0,
  read: 0,
};

/** Events 1 and 3 are written with 4 and with 64 bytes, 2 is only looked at. */
const threads = new ThreadTable(() => undefined);

function writerOf(bytes: number) {
  const fields: EventPlan["fields"] = [{
    name: "tid",
    type: integer(32),
    source: { kind: "bytes", at: 4, size: 4 },
  }, {
    name: "rest",
    type: { kind: "array", element: integer(8), length: bytes },
    source: { kind: "bytes", at: 8, size: bytes },
  }];
  const options = { littleEndian: true, context: [], threads };
  return compileWriter({ fields }, options);
}

/** What a packet was. */
interface Packet {
  readonly info: PacketInfo;
  readonly events: number;
  readonly bytes: number;
}

class Bench {
  readonly pages: Uint8Array[] = [];
  readonly packets: Packet[] = [];
  readonly seen: number[] = [];
  counters: RingCounters = NO_LOSS;
  room = Infinity;
  readonly reader: CpuReader;

  constructor(options: Partial<CpuReaderOptions> = {}) {
    const events: EventTable = [];
    events[1] = { size: 16, event: { id: 0, write: writerOf(8) } };
    events[2] = {
      size: 8,
      observe: (page) => this.seen.push(page.time),
    };
    events[3] = { size: 8, event: { id: 1, write: writerOf(4000) } };
    this.reader = new CpuReader({
      cpu: 1,
      layout: usualLayout,
      source: {
        read: (page) => {
          const next = this.pages.shift();
          if (next !== undefined) page.set(next);
          return next?.length ?? 0;
        },
        close: () => {},
      },
      counters: () => this.counters,
      overwrite: true,
      packets: {
        size: 4096,
        byteOrder: "le",
        uuid: new Uint8Array(16),
        streamClassId: 0,
        streamInstanceId: 1,
        eventHeader: "large",
      },
      events,
      threads,
      hasRoom: () => this.packets.length < this.room,
      emit: ({ info, events, content }) =>
        this.packets.push({ info, events, bytes: content.length }),
      ...options,
    });
  }

  page(time: number, ids: readonly number[], lost?: MadePage["lost"]): void {
    this.pages.push(makePage({
      time: BigInt(time),
      records: ids.map((id) => ({
        kind: "long data",
        delta: 10,
        payload: payload(id, id === 1 ? 16 : 8),
      })),
      ...(lost === undefined ? {} : { lost }),
    }));
  }

  /** Sequence number, events and running total of losses of each packet. */
  get shown(): number[][] {
    return this.packets.map(({ info, events }) => [
      Number(info.packetSequenceNumber),
      events,
      Number(info.eventsDiscarded),
    ]);
  }
}

test("CpuReader writes known events, and counts all others", () => {
  const bench = new Bench();
  bench.page(1_000, [1, 2, 1, 99, 2]);
  bench.pages.push(makePage({
    time: 2_000n,
    records: [{ kind: "data", delta: 0, payload: payload(1, 8) }],
  }));
  bench.reader.drain(Infinity);
  bench.reader.finish();
  const { events, hidden, unknown, malformed, pages } = bench.reader.statistics;
  assertEquals([events, hidden, unknown, malformed, pages], [2, 2, 1, 1, 2]);
  assertEquals(bench.shown, [[0, 2, 0]]);
  assertEquals(bench.seen, [1_020, 1_050]);
  const { info } = bench.packets[0]!;
  assertEquals([info.timestampBegin, info.timestampEnd], [1_010n, 1_030n]);
  assertEquals([info.streamInstanceId, info.streamClassId], [1n, 0n]);
});

test("CpuReader begins another packet where one is full", () => {
  const bench = new Bench();
  const perPacket = Math.floor((4096 - 84 - 8) / 18);
  for (let page = 0; page < 4; page++) {
    bench.page(1_000 + 2_000 * page, Array(100).fill(1));
  }
  bench.reader.drain(Infinity);
  bench.reader.finish();
  assertEquals(bench.shown, [[0, perPacket, 0], [1, 400 - perPacket, 0]]);
});

test("CpuReader discards an event larger than a packet, and counts it", () => {
  const bench = new Bench();
  bench.page(1_000, [1, 1]);
  bench.pages.push(makePage({
    time: 2_000n,
    records: [{ kind: "long data", delta: 0, payload: payload(3, 4016) }],
  }));
  bench.page(3_000, [1]);
  bench.reader.drain(Infinity);
  bench.reader.finish();
  const { events, discarded, tooLarge } = bench.reader.statistics;
  assertEquals([events, discarded, tooLarge], [3, 1, 1]);
  // The packet that is cut ends before the loss; the next one tells of it.
  assertEquals(bench.shown, [[0, 2, 0], [1, 1, 1]]);
});

test("CpuReader cuts the packet where a page tells of a loss", () => {
  const bench = new Bench();
  bench.page(1_000, [1, 1]);
  bench.page(2_000, [1], 30);
  bench.page(3_000, [1], 5);
  bench.reader.drain(Infinity);
  bench.counters = { ...NO_LOSS, overrun: 35 };
  bench.reader.finish();
  assertEquals(bench.shown, [[0, 2, 0], [1, 1, 30], [2, 1, 35]]);
});

test("CpuReader asks the counters where a page does not say how many", () => {
  const bench = new Bench();
  bench.page(1_000, [1]);
  bench.page(2_000, [1], true);
  bench.counters = { ...NO_LOSS, overrun: 77 };
  bench.reader.drain(Infinity);
  bench.reader.finish();
  assertEquals(bench.shown, [[0, 1, 0], [1, 1, 77]]);
});

test("CpuReader puts an empty packet before a loss that comes first", () => {
  const bench = new Bench();
  bench.page(1_000, [1], 9);
  bench.reader.drain(Infinity);
  bench.counters = { ...NO_LOSS, overrun: 9 };
  bench.reader.finish();
  assertEquals(bench.shown, [[0, 0, 0], [1, 1, 9]]);
});

test("CpuReader tells the rest of the losses at the end", () => {
  const bench = new Bench();
  bench.page(1_000, [1]);
  bench.reader.drain(Infinity);
  bench.counters = { ...NO_LOSS, overrun: 3, commitOverrun: 1 };
  bench.reader.finish();
  assertEquals(bench.shown, [[0, 1, 0], [1, 0, 4]]);
  bench.reader.finish();
  assertEquals(bench.packets.length, 2);
});

test("CpuReader counts what a full ring buffer dropped", () => {
  const bench = new Bench({ overwrite: false });
  bench.page(1_000, [1, 1, 1]);
  bench.counters = { ...NO_LOSS, dropped: 12 };
  bench.reader.drain(Infinity);
  bench.page(2_000, [1]);
  bench.reader.drain(Infinity);
  bench.reader.finish();
  assertEquals(bench.shown, [[0, 3, 0], [1, 1, 12]]);
});

test("CpuReader never goes back in time", () => {
  const bench = new Bench();
  bench.page(2_000, [1]);
  bench.page(1_000, [1]);
  bench.reader.drain(Infinity);
  bench.reader.flush(2_500);
  bench.page(2_200, [1]);
  bench.reader.drain(Infinity);
  bench.reader.finish();
  assertEquals(
    bench.packets.map((
      { info },
    ) => [info.timestampBegin, info.timestampEnd]),
    [[2_010n, 2_500n], [2_500n, 2_500n]],
  );
});

test("CpuReader stops reading while no packet can be emitted", () => {
  const bench = new Bench();
  bench.room = 1;
  for (let page = 0; page < 8; page++) {
    bench.page(1_000 + 5_000 * page, Array(120).fill(1));
  }
  assertEquals(bench.reader.drain(Infinity).isBlocked, true);
  const left = bench.pages.length;
  assertEquals(left > 0, true);
  assertEquals(bench.reader.drain(Infinity), {
    bytes: 0,
    isBlocked: true,
    isBusy: false,
    isDone: false,
  });
  assertEquals(bench.pages.length, left);
  bench.room = Infinity;
  assertEquals(bench.reader.drain(Infinity).isBlocked, false);
  bench.reader.finish();
  assertEquals(bench.reader.statistics.events, 8 * 120);
});

test("CpuReader reads to a time, and no page beyond one that is past it", () => {
  const bench = new Bench();
  for (const time of [1_000, 2_000, 3_000]) bench.page(time, [1]);
  assertEquals(bench.reader.drain(1_500).isDone, true);
  assertEquals([bench.pages.length, bench.reader.readTo], [1, 2_010]);
});

test("CpuReader reads so many pages, and says whether there are more", () => {
  const bench = new Bench();
  for (const time of [1_000, 2_000]) bench.page(time, [1]);
  const steps = [1, 2, 3].map(() => bench.reader.drain(Infinity, 1).isDone);
  assertEquals(steps, [false, false, true]);
});

test("CpuReader does not chase a writer, but at the end", () => {
  const bench = new Bench();
  bench.page(1_000, [1]);
  bench.page(2_000, [1]);
  bench.reader.drain();
  assertEquals(bench.pages.length, 1);
  bench.reader.drain(Infinity);
  assertEquals(bench.pages.length, 0);
});

test("CpuReader tells a page that cannot be had from no page", () => {
  const sizes = [-1, 0];
  const bench = new Bench({
    source: { read: () => sizes.shift() ?? 0, close: () => {} },
  });
  assertEquals(bench.reader.drain(Infinity).isBusy, true);
  assertEquals(bench.reader.drain(Infinity).isBusy, false);
});

test("CpuReader goes on after a page that contradicts itself", () => {
  const bench = new Bench();
  const bad = new Uint8Array(4096);
  new DataView(bad.buffer).setUint32(8, 5_000, true);
  bench.pages.push(bad);
  bench.page(1_000, [1]);
  bench.reader.drain(Infinity);
  bench.reader.finish();
  const { malformedPages, events } = bench.reader.statistics;
  assertEquals([malformedPages, events], [1, 1]);
});

test("CpuReader lets no event come before a flush that had none", () => {
  const bench = new Bench();
  bench.reader.flush(2_000);
  bench.reader.flush(2_500);
  // Its writer was interrupted before it had written what it began.
  bench.page(2_200, [1]);
  bench.reader.drain(Infinity);
  bench.reader.finish();
  const begins = bench.packets.map(({ info }) => info.timestampBegin);
  assertEquals(begins, [2_000n, 2_500n]);
});

test("CpuReader emits an empty packet at the first flush of each start", () => {
  const bench = new Bench();
  for (const time of [1_000, 2_000]) {
    bench.reader.flush(time);
    bench.reader.flush(time + 500);
    bench.reader.finish();
  }
  assertEquals(bench.shown, [[0, 0, 0], [1, 0, 0]]);
});

test("CpuReader emits nothing where there is nothing, on demand", () => {
  const bench = new Bench({ readOnDemand: true });
  bench.reader.drain(Infinity);
  bench.reader.flush(5);
  assertEquals(bench.packets, []);
});

test("CpuReader leaves a gap between packets where events were overwritten, on demand", () => {
  const bench = new Bench({ readOnDemand: true });
  bench.counters = { ...NO_LOSS, overrun: 7 };
  assertEquals(bench.reader.hasNewLoss, true);
  bench.page(1_000, [1, 1], 7);
  bench.reader.drain(Infinity);
  bench.reader.flush(2_000);
  assertEquals(bench.reader.hasNewLoss, false);
  bench.page(3_000, [1]);
  bench.reader.drain(Infinity);
  bench.reader.flush(4_000);
  bench.page(5_000, [1], 5);
  bench.reader.drain(Infinity);
  bench.reader.flush(6_000);
  assertEquals(bench.shown, [[1, 2, 0], [2, 1, 0], [4, 1, 0]]);
  assertEquals(bench.reader.statistics.discarded, 12);
});

test("CpuReader tells of events that found the ring buffer full, after all pages of it", () => {
  const bench = new Bench({ overwrite: false, readOnDemand: true });
  bench.counters = { ...NO_LOSS, dropped: 3 };
  for (const time of [1_000, 2_000]) bench.page(time, [1]);
  while (!bench.reader.drain(Infinity, 1).isDone);
  bench.reader.flush(3_000);
  assertEquals(bench.shown, [[0, 2, 0], [1, 0, 3]]);
});
