import { assertEquals } from "@std/assert";
import { type PlainValue, toObject } from "../../../lib/ctf/read/model.ts";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import { Random, testSeed } from "../random.ts";
import { withTraceDirectory } from "../recording.ts";
import {
  packetBytes,
  type TraceFiles,
  writeFiles,
} from "./ctf2_every_class.ts";
import { ClassMaker } from "./ctf2_random.ts";
import {
  type Fields2,
  type Json2,
  metadataOf,
  structure,
} from "./ctf2_writer.ts";
import { readOurs } from "./plain_text.ts";

const CLASSES = 30;
const EVENTS = 60;

const HEADER: Json2 = structure({
  id: {
    type: "variable-length-unsigned-integer",
    roles: ["event-record-class-id"],
  },
});

/** Where the content ends: events need not end at a byte. */
const CONTEXT: Json2 = structure({
  total: size("packet-total-length"),
  content: size("packet-content-length"),
});

function size(role: string): Json2 {
  return {
    type: "fixed-length-unsigned-integer",
    length: 32,
    "byte-order": "little-endian",
    roles: [role],
  };
}

/** A trace of random events, and what a reader makes of their payloads. */
function randomTrace(
  random: Random,
): { files: TraceFiles; expected: PlainValue[] } {
  const classes = Array.from(
    { length: CLASSES },
    () => new ClassMaker(random).struct([]),
  );
  const events = Array.from({ length: EVENTS }, () => {
    const id = random.between(0, CLASSES - 1);
    return { id, payload: classes[id]!.make({}) as Fields2 };
  });
  const stream = packetBytes(
    {
      aliases: new Map(),
      packetContext: CONTEXT,
      eventHeader: HEADER,
      event: ({ id }) => ({ payload: classes[id as number]!.json }),
    },
    {
      header: {},
      context: (content) => ({ total: Math.ceil(content / 8) * 8, content }),
      events: events.map(({ id, payload }) => ({ header: { id }, payload })),
    },
  );
  const metadata = metadataOf([
    { type: "preamble", version: 2 },
    {
      type: "data-stream-class",
      "packet-context-field-class": CONTEXT,
      "event-record-header-field-class": HEADER,
    },
    ...classes.map(({ json }, id) => ({
      type: "event-record-class",
      id,
      name: `e${id}`,
      "payload-field-class": json,
    })),
  ]);
  return {
    files: { metadata, stream },
    expected: events.map(({ id, payload }) => classes[id]!.plain(payload)),
  };
}

/** Integers of any size in one form. */
function normal(value: PlainValue): PlainValue {
  if (typeof value === "number" && Number.isInteger(value)) {
    return BigInt(value);
  }
  if (Array.isArray(value)) return value.map(normal);
  if (
    typeof value !== "object" || value === null || value instanceof Uint8Array
  ) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, normal(item)]),
  );
}

Deno.test("TraceReader reads random field classes of CTF 2 back", async () => {
  const seed = testSeed();
  console.log(`LTTNG_TEST_SEED=${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 20; round++) {
    const { files, expected } = randomTrace(random);
    await withTraceDirectory(async (directory) => {
      await writeFiles(directory, files);
      const reader = await TraceReader.open(directory);
      const found: PlainValue[] = [];
      for (const message of reader.messages()) {
        if (message.kind !== "event") continue;
        found.push(toObject(message.class.payload!, message.payload!));
      }
      for (const [index, value] of expected.entries()) {
        const place = `Seed ${seed}, round ${round}, event ${index}`;
        assertEquals(normal(found[index]!), normal(value), place);
      }
      assertEquals(found.length, expected.length);
      assertEquals((await readOurs(directory)).errors, []);
    });
  }
});
