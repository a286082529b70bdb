import { assertEquals, assertThrows } from "@std/assert";
import { PageError, PageReader } from "../../lib/kernel/page.ts";
import type { PageLayout } from "../../lib/kernel/format.ts";
import {
  formats,
  layout,
  lossCounters,
  lossyPages,
  pages,
  traceEvents,
} from "./support/golden.ts";
import {
  layoutOf,
  type MadePage,
  makePage,
  payload,
  usualLayout,
} from "./support/make_page.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const LAYOUTS: readonly PageLayout[] = [
  layoutOf(true, 8),
  layoutOf(true, 4),
  layoutOf(false, 8),
  layoutOf(false, 4),
];

/** A record as the reader showed it. */
type Shown = readonly [id: number, size: number, time: number];

function records(bytes: Uint8Array, layout: PageLayout): Shown[] {
  const reader = new PageReader(layout);
  reader.begin(viewOf(bytes));
  const shown: Shown[] = [];
  while (reader.next()) {
    const id = reader.view.getUint16(reader.at, layout.littleEndian);
    shown.push([id, reader.size, reader.time]);
  }
  return shown;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

for (const layout of LAYOUTS) {
  const little = layout.littleEndian;
  const title = `${little ? "little" : "big"}-endian, ` +
    `${layout.longSize * 8}-bit`;
  const made = (
    records: MadePage["records"],
    rest: Partial<MadePage> = {},
  ) => makePage({ time: 1_000n, records, ...rest }, layout);
  const data = (id: number, size: number, delta: number) => ({
    kind: "data" as const,
    delta,
    payload: payload(id, size, { little }),
  });

  test(`PageReader reads records of all short lengths, ${title}`, () => {
    const all = [1, 2, 14, 28];
    assertEquals(
      records(made(all.map((words) => data(words, words * 4, 5))), layout),
      all.map((words, index) => [words, words * 4, 1_005 + 5 * index]),
    );
  });

  test(`PageReader reads records that say their length, ${title}`, () => {
    const long = {
      kind: "long data" as const,
      delta: 7,
      payload: payload(9, 400, { little }),
    };
    assertEquals(records(made([long, data(1, 8, 1)]), layout), [
      [9, 400, 1_007],
      [1, 8, 1_008],
    ]);
  });

  test(`PageReader ends where the page says so, ${title}`, () => {
    assertEquals(
      records(made([data(1, 8, 1), { kind: "end" }, data(2, 8, 1)]), layout),
      [[1, 8, 1_001]],
    );
  });

  test(`PageReader passes over records that were taken back, ${title}`, () => {
    const discarded = { kind: "discarded" as const, delta: 3, size: 12 };
    assertEquals(records(made([discarded, data(2, 8, 4)]), layout), [
      [2, 8, 1_007],
    ]);
  });

  test(`PageReader adds time extends to the next record, ${title}`, () => {
    const extend = { kind: "extend" as const, delta: 11, high: 3 };
    assertEquals(
      records(made([data(1, 8, 1), extend, data(2, 8, 0)]), layout),
      [
        [1, 8, 1_001],
        [2, 8, 1_001 + 11 + 3 * 2 ** 27],
      ],
    );
  });

  test(`PageReader takes a time stamp for the time itself, ${title}`, () => {
    const stamp = { kind: "stamp" as const, low: 5, high: 2 };
    assertEquals(records(made([data(1, 8, 1), stamp, data(2, 8, 2)]), layout), [
      [1, 8, 1_001],
      [2, 8, 2 * 2 ** 27 + 7],
    ]);
  });

  test(`PageReader says that events were lost, and how many, ${title}`, () => {
    const reader = new PageReader(layout);
    for (const lost of [undefined, true, 12_345] as const) {
      reader.begin(viewOf(made([data(1, 8, 1)], { ...lost && { lost } })));
      assertEquals(
        [reader.hasLoss, reader.lost, reader.committed],
        [lost !== undefined, lost === true ? undefined : lost, 12],
      );
    }
  });

  test(`PageReader keeps times of 52 bits exact, ${title}`, () => {
    const time = 2n ** 52n + 12_345n;
    assertEquals(records(made([data(1, 8, 1)], { time }), layout), [
      [1, 8, Number(time) + 1],
    ]);
  });
}

test("PageReader.takeStacks() takes what follows an event, and no more", () => {
  const data = (id: number, size: number, delta: number) => ({
    kind: "data" as const,
    delta,
    payload: payload(id, size),
  });
  const reader = new PageReader(usualLayout);
  reader.begin(viewOf(makePage({
    time: 1_000n,
    records: [
      data(1, 8, 1),
      data(4, 40, 2),
      data(13, 80, 3),
      data(2, 12, 4),
      data(4, 24, 5),
    ],
  })));
  const ids = { kernel: 4, user: 13 };
  const sizes = () => {
    const { kernel, user } = reader.stacks;
    return [kernel.to - kernel.from, user.to - user.from];
  };
  assertEquals(reader.next(), true);
  assertEquals(reader.takeStacks(ids), 2);
  assertEquals([reader.size, ...sizes()], [8, 24, 64]);
  assertEquals(reader.next(), true);
  assertEquals([reader.size, reader.time], [12, 1_010]);
  assertEquals(reader.takeStacks({ user: 13 }), 0);
  assertEquals([reader.size, ...sizes()], [12, 0, 0]);
  assertEquals(reader.takeStacks(ids), 1);
  assertEquals([reader.size, ...sizes()], [12, 8, 0]);
  assertEquals(reader.next(), false);
});

test("PageReader keeps the top bits of the page's time in a time stamp", () => {
  const time = 2n ** 60n;
  const stamp = { kind: "stamp" as const, low: 0, high: 2 ** 20 };
  const data = { kind: "data" as const, delta: 0, payload: payload(1) };
  const [shown] = records(
    makePage({ time, records: [stamp, data] }),
    usualLayout,
  );
  assertEquals(shown![2], Number(2n ** 60n + 2n ** 47n));
});

test("PageReader reads nothing from an empty page", () => {
  assertEquals(records(makePage({ time: 1n, records: [] }), usualLayout), []);
});

test("PageReader refuses a page that is cut", () => {
  const reader = new PageReader(usualLayout);
  assertThrows(
    () => reader.begin(new DataView(new ArrayBuffer(15))),
    PageError,
    "15 bytes, its header alone has 16",
  );
  const bytes = makePage({
    time: 1n,
    records: [{ kind: "data", delta: 1, payload: payload(1, 100) }],
  });
  assertThrows(
    () => reader.begin(new DataView(bytes.buffer, 0, 100)),
    PageError,
    "it claims 104 bytes of records, 84 are there",
  );
});

test("PageReader stops at a record that reaches past the end", () => {
  const made = [
    { kind: "data" as const, delta: 1, payload: payload(1) },
    { kind: "data" as const, delta: 1, payload: payload(2, 100) },
  ];
  const bytes = makePage({ time: 1n, records: made });
  // Commits less than the records have.
  new DataView(bytes.buffer).setUint32(8, 50, true);
  const reader = new PageReader(usualLayout);
  reader.begin(viewOf(bytes));
  assertEquals(reader.next(), true);
  assertThrows(() => reader.next(), PageError, "reaches past its end");
  assertEquals(reader.next(), false);
});

test("PageReader never fails otherwise, whatever the page holds", () => {
  const reader = new PageReader(usualLayout);
  let state = 12345;
  for (let round = 0; round < 2_000; round++) {
    const bytes = new Uint8Array(4096);
    for (let at = 16; at < 600; at++) {
      state = (state * 1103515245 + 12345) & 0x7FFF_FFFF;
      bytes[at] = state >>> 16;
    }
    new DataView(bytes.buffer).setUint32(8, state % 600, true);
    reader.begin(viewOf(bytes));
    try {
      while (reader.next()) {
        assertEquals(reader.at + reader.size <= 16 + state % 600, true);
      }
    } catch (error) {
      if (!(error instanceof PageError)) throw error;
    }
  }
});

test("PageReader finds the recorded events at tracefs's times", () => {
  const reader = new PageReader(layout);
  for (const cpu of new Set(pages.map(({ cpu }) => cpu))) {
    const found: unknown[] = [];
    for (const page of pages.filter((page) => page.cpu === cpu)) {
      reader.begin(viewOf(page.bytes));
      while (reader.next()) {
        const { view, at, time } = reader;
        const { name } = formats.get(view.getUint16(at, true))!;
        found.push([name, view.getInt32(at + 4, true), Math.round(time / 1e3)]);
      }
    }
    const expected = traceEvents.filter((event) => event.cpu === cpu)
      .map(({ name, tid, microseconds }) => [name, tid, microseconds]);
    assertEquals(found, expected);
  }
  assertEquals(traceEvents.length > 1_000, true);
});

test("PageReader finds the recorded losses", () => {
  const reader = new PageReader(layout);
  for (const { cpu, overrun, entries } of lossCounters) {
    let lost = 0;
    let found = 0;
    let isExact = true;
    for (const page of lossyPages.filter((page) => page.cpu === cpu)) {
      reader.begin(viewOf(page.bytes));
      if (reader.hasLoss && reader.lost === undefined) isExact = false;
      lost += reader.lost ?? 0;
      while (reader.next()) found++;
    }
    assertEquals(found, entries);
    if (isExact) assertEquals(lost, overrun);
  }
});
