import { assertEquals } from "@std/assert";
import { defineEvent } from "../../../lib/ctf/event_class.ts";
import { string, u32, u8 } from "../../../lib/ctf/declare.ts";
import { integer } from "../../../lib/ctf/declare.ts";
import { integerRange } from "../../../lib/ctf/types.ts";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import type { TracerOptions } from "../../../lib/tracer/tracer.ts";
import { stockTest } from "../../support/stock.ts";
import { expectedText } from "../expected_text.ts";
import { Random, randomFields, randomValue, testSeed } from "../random.ts";
import { recordTo, steppingClock, withTraceDirectory } from "../recording.ts";
import { readOurs, readStock } from "./plain_text.ts";

const EVENTS = 400;

/** Records random events; what a reader must print of them. */
async function recordRandom(
  directory: string,
  seed: number,
  options: Omit<TracerOptions, "sink">,
): Promise<string[]> {
  const random = new Random(seed);
  const classes = Array.from(
    // More than 31, so that compact headers need their long form.
    { length: 48 },
    (_, index) => defineEvent(`random:${index}`, randomFields(random)),
  );
  const expected: string[] = [];
  const report = await recordTo(directory, {
    subBufferSize: 32 * 1024,
    subBufferCount: 64,
    clock: steppingClock(10_000_000),
    ...options,
  }, async (tracer) => {
    for (let count = 0; count < EVENTS; count++) {
      const event = random.oneOf(classes);
      const values = randomValue(random, event.payload);
      tracer.record(event, values as never);
      expected.push(
        `${event.name}: { cpu_id = 0 }, ${expectedText(event.payload, values)}`,
      );
      if (count % 50 === 0) await tracer.flush();
    }
  });
  assertEquals([report.errors, report.events], [[], EVENTS]);
  return expected;
}

for (const byteOrder of ["le", "be"] as const) {
  for (const eventHeader of ["large", "compact"] as const) {
    Deno.test(`TraceReader reads random events back, ${byteOrder}, ${eventHeader} headers`, async () => {
      const seed = testSeed();
      console.log(`LTTNG_TEST_SEED=${seed}`);
      await withTraceDirectory(async (directory) => {
        const options = { byteOrder, eventHeader };
        const expected = await recordRandom(directory, seed, options);
        const { lines, losses, errors } = await readOurs(directory);
        assertEquals([losses, errors], [[], []]);
        const texts = lines.map((line) => line.replace(/^\[[\d.]+\] /, ""));
        for (const [index, text] of expected.entries()) {
          assertEquals(texts[index], text, `Event ${index}, seed ${seed}`);
        }
        assertEquals(texts.length, expected.length);
      });
    });
  }

  Deno.test(`TraceReader reads integers of every width, ${byteOrder}`, async () => {
    await withTraceDirectory(async (directory) => {
      const expected: string[] = [];
      await recordTo(directory, { byteOrder }, (tracer) => {
        for (let size = 1; size <= 64; size++) {
          for (const signed of [false, true]) {
            const type = integer(size, { signed });
            const event = defineEvent(`i${size}`, { before: u8, value: type });
            const { min, max } = integerRange(type);
            for (const value of [min, max, 0n]) {
              tracer.record(event, { before: 255, value });
              expected.push(`{ before = 255, value = ${value} }`);
            }
          }
        }
      });
      const { lines } = await readOurs(directory);
      const payloads = lines.map((line) => line.replace(/^.* }, /, ""));
      assertEquals(payloads, expected);
    });
  });
}

const GAPS = [0, 1, 2 ** 27 - 1, 2 ** 27, 2 ** 27 + 1, 2 ** 32 - 1, 2 ** 32]
  .concat([2 ** 32 + 1, 2 ** 40, 5, 2 ** 50, 1]);

for (const eventHeader of ["large", "compact"] as const) {
  Deno.test(`TraceReader extends timestamps across gaps of any length, ${eventHeader} headers`, async () => {
    let ticks = 0;
    const clock = { ...steppingClock(), now: () => ticks };
    const event = defineEvent("tick", {});
    const expected: bigint[] = [];
    await withTraceDirectory(async (directory) => {
      await recordTo(directory, { eventHeader, clock }, (tracer) => {
        for (const gap of GAPS) {
          ticks += gap;
          tracer.record(event, {});
          expected.push(BigInt(ticks));
        }
      });
      const reader = await TraceReader.open(directory);
      const messages = [...reader.messages()];
      assertEquals(
        messages.map((message) => message.kind === "event" && message.cycles),
        expected,
      );
      assertEquals(
        messages.at(-1)!.timestamp,
        BigInt(ticks) + 1_700_000_000_000_000_000n,
      );
    });
  });
}

/** Three streams of small packets, each message a microsecond after another. */
async function recordStreams(directory: string, events: number): Promise<void> {
  const event = defineEvent("demo:tick", { n: u32, text: string });
  await recordTo(directory, {
    streams: 3,
    subBufferSize: 4096,
    subBufferCount: 8,
    clock: steppingClock(),
  }, async (tracer) => {
    for (let n = 0; n < events; n++) {
      tracer.stream(n % 3).record(event, { n, text: `event ${n}` });
      if (n % 500 === 0) await tracer.flush();
    }
  });
}

stockTest(
  "TraceReader reads several streams as babeltrace2 does",
  { programs: ["babeltrace2"] },
  async () => {
    await withTraceDirectory(async (directory) => {
      await recordStreams(directory, 10_000);
      const ours = await readOurs(directory);
      const stock = await readStock(directory);
      assertEquals([ours.errors, ours.losses], [[], []]);
      assertEquals(ours.lines.length, 10_000);
      assertEquals(ours.lines, stock.lines);
    });
  },
);

Deno.test("TraceReader reads the same without index files", async () => {
  await withTraceDirectory(async (directory) => {
    await recordStreams(directory, 3000);
    const { lines } = await readOurs(directory);
    assertEquals(lines.length, 3000);
    await Deno.remove(`${directory}/index`, { recursive: true });
    assertEquals((await readOurs(directory)).lines, lines);
  });
});

Deno.test("TraceReader finds traces below a directory and merges them by time", async () => {
  await withTraceDirectory(async (directory) => {
    await recordStreams(`${directory}/b/one`, 300);
    await recordStreams(`${directory}/a`, 300);
    const reader = await TraceReader.open(directory);
    assertEquals(reader.traces.map(({ path }) => path), [
      `${directory}/a`,
      `${directory}/b/one`,
    ]);
    assertEquals(reader.streams.length, 6);
    const times = [...reader.messages()].map(({ timestamp }) => timestamp);
    assertEquals(times.length, 600);
    assertEquals(times, times.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0));
  });
});

Deno.test("TraceReader hands out the messages of a range, both ends included", async () => {
  await withTraceDirectory(async (directory) => {
    await recordStreams(directory, 3000);
    const reader = await TraceReader.open(directory);
    const all = [...reader.messages()].map(({ timestamp }) => timestamp);
    for (const [first, last] of [[0, 0], [1234, 2345], [2999, 2999]] as const) {
      const range = { begin: all[first]!, end: all[last]! };
      const times = [...reader.messages(range)].map((m) => m.timestamp);
      assertEquals(times, all.slice(first, last + 1));
    }
    assertEquals([...reader.messages({ begin: all.at(-1)! + 1n })], []);
  });
});

stockTest(
  "TraceReader orders events of the same time as babeltrace2 does",
  { programs: ["babeltrace2"] },
  async () => {
    await withTraceDirectory(async (directory) => {
      const event = defineEvent("tick", { n: u32 });
      for (const name of ["b", "a"]) {
        const clock = { ...steppingClock(), now: () => 1000 };
        const options = { streams: 3, clock };
        await recordTo(`${directory}/${name}`, options, (tracer) => {
          for (let n = 0; n < 30; n++) {
            tracer.stream((n * 7) % 3).record(event, { n });
          }
        });
      }
      const ours = await readOurs(directory);
      const stock = await readStock(directory);
      assertEquals(ours.lines.length, 60);
      assertEquals(ours.lines, stock.lines);
    });
  },
);
