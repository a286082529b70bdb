import { assertEquals } from "@std/assert";
import { defineEvent, type EventClass } from "../../lib/ctf/event_class.ts";
import type { ByteOrder, FieldDeclarations } from "../../lib/ctf/types.ts";
import type { EventHeaderKind } from "../../lib/ctf/metadata.ts";
import { stockTest } from "../support/stock.ts";
import { expectedText } from "./expected_text.ts";
import {
  discardedIn,
  readTrace,
  recordTo,
  steppingClock,
  withTraceDirectory,
} from "./recording.ts";
import { Random, randomFields, randomValue, testSeed } from "./random.ts";

const CLASSES = 24;
const EVENTS = 400;

async function checkRandomTrace(
  seed: number,
  byteOrder: ByteOrder,
  eventHeader: EventHeaderKind,
): Promise<void> {
  const random = new Random(seed);
  const classes: EventClass<FieldDeclarations>[] = Array.from(
    // More than 31, so that compact headers need their long form.
    { length: eventHeader === "compact" ? 2 * CLASSES : CLASSES },
    (_, index) => defineEvent(`random:${index}`, randomFields(random)),
  );
  const expected: string[] = [];
  await withTraceDirectory(async (directory) => {
    const report = await recordTo(directory, {
      byteOrder,
      eventHeader,
      subBufferSize: 32 * 1024,
      subBufferCount: 64,
      clock: steppingClock(10_000_000),
    }, async (tracer) => {
      for (let count = 0; count < EVENTS; count++) {
        const event = random.oneOf(classes);
        const values = randomValue(random, event.payload);
        tracer.record(event, values as never);
        expected.push(`${event.name} ${expectedText(event.payload, values)}`);
        if (count % 50 === 0) await tracer.flush();
      }
    });
    assertEquals(report.errors, []);
    assertEquals(report.events, EVENTS);
    const { events, warnings } = await readTrace(directory);
    assertEquals(discardedIn(warnings), 0);
    const read = events.map(({ name, payload }) => `${name} ${payload}`);
    assertEquals(read.length, expected.length);
    for (const [index, text] of expected.entries()) {
      assertEquals(read[index], text, `Event ${index}, seed ${seed}`);
    }
  });
}

for (const byteOrder of ["le", "be"] as const) {
  for (const eventHeader of ["large", "compact"] as const) {
    stockTest(
      `Tracer writes random events that babeltrace2 reads back, ${byteOrder}, ${eventHeader} headers`,
      { programs: ["babeltrace2"] },
      async () => {
        const seed = testSeed();
        console.log(`LTTNG_TEST_SEED=${seed}`);
        await checkRandomTrace(seed, byteOrder, eventHeader);
      },
    );
  }
}
