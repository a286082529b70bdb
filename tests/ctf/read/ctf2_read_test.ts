import { assert, assertEquals } from "@std/assert";
import { defineEvent } from "../../../lib/ctf/event_class.ts";
import {
  type EventRecord,
  toObject,
  type TraceReadError,
} from "../../../lib/ctf/read/model.ts";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import { TextBuffer } from "../../../lib/ctf/text/buffer.ts";
import { JsonPrinter } from "../../../lib/ctf/text/json.ts";
import { SHOWN_FIELDS, TextPrinter } from "../../../lib/ctf/text/printer.ts";
import { Random, randomFields, randomValue, testSeed } from "../random.ts";
import { recordTo, steppingClock, withTraceDirectory } from "../recording.ts";
import { rewriteAsCtf2 } from "./ctf2_convert.ts";
import { everyClass, writeFiles } from "./ctf2_every_class.ts";
import {
  type Fields2,
  FieldWriter,
  type Fragment,
  type Json2,
  metadataOf,
  structure,
} from "./ctf2_writer.ts";
import { readOurs } from "./plain_text.ts";

const GOLDEN = new URL("../../golden/ctf2/every_class.txt", import.meta.url);

/** The text of all events, from their bytes and from their values. */
async function textsOf(
  directory: string,
): Promise<{ fromBytes: string; fromValues: string; losses: string[] }> {
  const options = {
    seconds: true,
    fields: new Set(SHOWN_FIELDS),
    traceName: () => "here",
  };
  const buffers = [new TextBuffer(), new TextBuffer()] as const;
  const [bytes, values] = buffers.map((out) => new TextPrinter(out, options));
  const losses: string[] = [];
  const reader = await TraceReader.open(directory);
  for (const source of reader.sources()) {
    if (source.loss) losses.push(values!.loss(source.loss));
    else assert(bytes!.eventAt(source));
  }
  for (const message of reader.messages()) {
    if (message.kind === "event") values!.event(message);
  }
  const [fromBytes, fromValues] = buffers.map((out) =>
    new TextDecoder().decode(out.take())
  );
  return { fromBytes: fromBytes!, fromValues: fromValues!, losses };
}

for (const byteOrder of ["little-endian", "big-endian"] as const) {
  Deno.test(`TextPrinter prints every field class as babeltrace2 2.1 does, ${byteOrder}`, async () => {
    const golden = Deno.readTextFileSync(GOLDEN).split("\n");
    await withTraceDirectory(async (directory) => {
      await writeFiles(directory, everyClass(byteOrder));
      const { fromBytes, fromValues, losses } = await textsOf(directory);
      assertEquals(fromBytes.split("\n"), golden);
      assertEquals(fromValues, fromBytes);
      const place = `in trace "here" (UID: 3fa8) within stream ` +
        `"${directory}/stream" (stream class ID: 5, stream ID: 300).`;
      assertEquals(losses, [
        "WARNING: Tracer discarded 3 events between [1700000001.154320750] " +
        `and [1700000002.154320750] ${place}`,
        "WARNING: Tracer discarded 1 packet between [1700000001.154320750] " +
        `and [1700000001.154320875] ${place}`,
      ]);
      // With little memory, and without looking, too.
      assertEquals((await readOurs(directory)).errors, []);
    });
  });
}

Deno.test("TraceReader tells what CTF 2 metadata says of trace, clock and classes", async () => {
  await withTraceDirectory(async (directory) => {
    await writeFiles(directory, everyClass("big-endian"));
    const reader = await TraceReader.open(directory);
    const { uuid, uid, byteOrder, environment, streams } = reader.traces[0]!;
    assertEquals([uuid, uid, byteOrder], [
      "2a6422d0-6cee-11e0-8c08-cb07d7b3a564",
      "3fa8",
      undefined,
    ]);
    assertEquals([...environment], [
      ["hostname", "here"],
      ["domain", "ust"],
      ["procname", "program"],
      ["vpid", 42n],
      ["large", -9_007_199_254_740_993n],
    ]);
    const stream = streams.get(5n)!;
    assertEquals(stream.clock, {
      name: "the slow clock",
      uuid: "clock-1",
      description: "Counts at 8 MHz",
      frequency: 8_000_000n,
      offsetSeconds: 1_700_000_000n,
      offset: 1_234_567n,
      precision: 5n,
    });
    assertEquals(
      [...stream.events.values()].map(({ name, logLevel, emfUri }) => [
        name,
        logLevel,
        emfUri,
      ]),
      [
        ["bits", 13, "e:1"],
        ["numbers", 4, undefined],
        ["texts", 13, "e:1"],
        ["lists", 4, undefined],
        ["choices", 13, "e:1"],
        ["places", 4, undefined],
      ],
    );
  });
});

Deno.test("JsonPrinter prints every field class of CTF 2", async () => {
  await withTraceDirectory(async (directory) => {
    await writeFiles(directory, everyClass("little-endian"));
    const reader = await TraceReader.open(directory);
    const out = new TextBuffer();
    const printer = new JsonPrinter(out);
    const lines: Record<string, unknown>[] = [];
    for (const message of reader.messages()) {
      if (message.kind !== "event") continue;
      printer.event(message);
      lines.push(JSON.parse(new TextDecoder().decode(out.take())));
    }
    const [bits, , numbers, , texts, , , , choices, other] = lines.map((line) =>
      line["fields"] as Record<string, unknown>
    );
    assertEquals(
      { ...bits, all: 0, wide: 0 },
      {
        ...{ one: 1, odd: 0x1ABC, all: 0, bit: true, byte: true, wide: 0 },
        map: { value: 0x209, flags: ["low", "the high", "both"] },
        aligned: { value: 0x8001, flags: ["low", "both"] },
      },
    );
    assertEquals(numbers!["two_labels"], { value: 5, labels: ["a", "b"] });
    assertEquals(numbers!["vs"], Number(-(2n ** 63n)));
    assertEquals([texts!["blob"], texts!["blob_d"]], ["007fff", "0a0b"]);
    assertEquals(texts!["z_utf32be"], 'Grüße, 漢 😀 "?\n');
    assertEquals(
      [choices!["if_unsigned"], other!["if_unsigned"], other!["if_signed"]],
      [{ inner: 5 }, null, { inner: null }],
    );
  });
});

for (const byteOrder of ["le", "be"] as const) {
  for (const eventHeader of ["large", "compact"] as const) {
    Deno.test(`TraceReader reads the same with CTF 2 as with TSDL, ${byteOrder}, ${eventHeader} headers`, async () => {
      const seed = testSeed();
      console.log(`LTTNG_TEST_SEED=${seed}`);
      await withTraceDirectory(async (directory) => {
        await recordRandom(directory, new Random(seed), byteOrder, eventHeader);
        const before = await readOurs(directory);
        assertEquals(before.lines.length, 300);
        const path = `${directory}/metadata`;
        const tsdl = await Deno.readFile(path);
        // As the specification has it, and as LTTng 2.15 stores it.
        for (const form of ["plain", "packets"] as const) {
          await Deno.writeFile(path, tsdl);
          assertEquals(await rewriteAsCtf2(directory, form), 1);
          const after = await readOurs(directory);
          assertEquals(after.lines, before.lines, `Seed ${seed}`);
          assertEquals(after.errors, []);
          assertEquals(after.losses.length, before.losses.length);
        }
      });
    });
  }
}

async function recordRandom(
  directory: string,
  random: Random,
  byteOrder: "le" | "be",
  eventHeader: "large" | "compact",
): Promise<void> {
  const classes = Array.from(
    { length: 40 },
    (_, index) => defineEvent(`random:${index}`, randomFields(random)),
  );
  await recordTo(directory, {
    subBufferSize: 32 * 1024,
    subBufferCount: 64,
    clock: steppingClock(10_000_000),
    ...{ byteOrder, eventHeader },
  }, async (tracer) => {
    for (let count = 0; count < 300; count++) {
      const event = random.oneOf(classes);
      tracer.record(event, randomValue(random, event.payload) as never);
      if (count % 50 === 0) await tracer.flush();
    }
  });
}

const U8 = {
  type: "fixed-length-unsigned-integer",
  length: 8,
  "byte-order": "big-endian",
};
const FLAG = { ...U8, type: "fixed-length-boolean" };

/** A trace of one packet: what comes before its events, and they themselves. */
interface Small {
  readonly fragments: readonly Fragment[];
  /** Structs one after the other, and their values. */
  readonly fields: readonly (readonly [Json2, Fields2])[];
}

/** Reads a small trace. */
async function readSmall({ fragments, fields }: Small): Promise<EventRecord[]> {
  const writer = new FieldWriter();
  for (const [fieldClass, values] of fields) writer.write(fieldClass, values);
  const events: EventRecord[] = [];
  await withTraceDirectory(async (directory) => {
    await writeFiles(directory, {
      metadata: metadataOf([{ type: "preamble", version: 2 }, ...fragments]),
      stream: writer.bytes(writer.position / 8),
    });
    const reader = await TraceReader.open(directory);
    for (const message of reader.messages()) {
      if (message.kind === "event") events.push(message);
    }
  });
  return events;
}

/** One event of `payload`, as an object. */
async function payloadOf(
  payload: Json2,
  values: Fields2,
): Promise<Record<string, unknown>> {
  const [event] = await readSmall({
    fragments: [
      { type: "data-stream-class" },
      { type: "event-record-class", "payload-field-class": payload },
    ],
    fields: [[payload, values]],
  });
  return toObject(event!.class.payload!, event!.payload!);
}

Deno.test("TraceReader reads what is there if a boolean says so", async () => {
  const payload = structure({
    yes: FLAG,
    no: FLAG,
    a: {
      type: "optional",
      "selector-field-location": { path: ["yes"] },
      "field-class": U8,
    },
    b: {
      type: "optional",
      "selector-field-location": { path: ["no"] },
      "field-class": U8,
    },
  });
  assertEquals(await payloadOf(payload, { yes: 2, no: 0, a: 7, b: null }), {
    yes: true,
    no: false,
    a: 7,
    b: null,
  });
});

Deno.test("TraceReader finds a length any number of structs further out", async () => {
  const list = (path: (string | null)[]): Json2 => ({
    type: "dynamic-length-array",
    "length-field-location": { path },
    "element-field-class": U8,
  });
  const payload = structure({
    n: U8,
    other: structure({ n: U8 }),
    in: structure({
      n: U8,
      in: structure({
        here: list([null, "n"]),
        out: list([null, null, "n"]),
        side: list(["out", null, null, null, "other", "n"]),
      }),
    }),
  });
  const values = {
    n: 2,
    other: { n: 3 },
    in: { n: 1, in: { here: [1], out: [2, 3], side: [4, 5, 6] } },
  };
  assertEquals(await payloadOf(payload, values), values);
});

Deno.test("TraceReader keeps a value for fields in an option and behind it", async () => {
  const option = (name: string, lengthClass: Json2, first: number) => ({
    name,
    "selector-field-ranges": [[first, first]],
    "field-class": structure({
      n: lengthClass,
      inside: {
        type: "dynamic-length-array",
        "length-field-location": { path: ["n"] },
        "element-field-class": U8,
      },
    }),
  });
  const payload = structure({
    tag: U8,
    v: {
      type: "variant",
      "selector-field-location": { path: ["tag"] },
      options: [
        option("a", U8, 0),
        option("b", { type: "variable-length-unsigned-integer" }, 1),
      ],
    },
    behind: {
      type: "dynamic-length-array",
      "length-field-location": {
        origin: "event-record-payload",
        path: ["v", "n"],
      },
      "element-field-class": U8,
    },
  });
  for (const tag of [0, 1]) {
    const chosen = { n: 2, inside: [8, 9] };
    assertEquals(
      await payloadOf(payload, {
        tag,
        v: { option: tag, value: chosen },
        behind: [1, 2],
      }),
      { tag, v: chosen, behind: [1, 2] },
    );
  }
});

Deno.test("TraceReader reads roles in options, in lists and in options of variants", async () => {
  const wide = { ...U8, length: 32 };
  const time = { ...wide, roles: ["default-clock-timestamp"] };
  const context = structure({
    has: FLAG,
    times: {
      type: "variant",
      "selector-field-location": { path: ["choice"] },
      options: [{
        "selector-field-ranges": [[0, 9]],
        "field-class": structure({ begin: time, seen: U8 }),
      }],
    },
    end: {
      type: "optional",
      "selector-field-location": { path: ["has"] },
      "field-class": {
        ...wide,
        roles: ["packet-end-default-clock-timestamp"],
      },
    },
  });
  const members = context["member-classes"] as unknown[];
  members.unshift({ name: "choice", "field-class": U8 });
  const header = structure({
    count: U8,
    times: {
      type: "dynamic-length-array",
      "length-field-location": { path: ["count"] },
      "element-field-class": time,
    },
  });
  const events = await readSmall({
    fragments: [
      { type: "clock-class", id: "c", frequency: 1_000_000_000 },
      {
        type: "data-stream-class",
        "default-clock-class-id": "c",
        "packet-context-field-class": context,
        "event-record-header-field-class": header,
      },
      { type: "event-record-class" },
    ],
    fields: [
      [context, {
        ...{ choice: 1, has: 0, end: null },
        times: { option: 0, value: { begin: 50, seen: 1 } },
      }],
      // Without a time it is that of what was before.
      [header, { count: 0, times: [] }],
      [header, { count: 2, times: [60, 70] }],
    ],
  });
  assertEquals(events.map(({ timestamp }) => timestamp), [50n, 70n]);
  const { stream, packetContext } = events[0]!;
  assertEquals(
    stream.class.packetContext!.members.map(({ name }) => name),
    ["choice", "has", "times"],
  );
  assertEquals(packetContext!.slice(0, 2), [1, false]);
});

Deno.test("TraceReader aligns for a list of no elements, read or skipped", async () => {
  const aligned = { ...U8, alignment: 8 };
  const payload = structure({
    first: aligned,
    odd: { ...U8, length: 3 },
    none: {
      type: "static-length-array",
      length: 0,
      "element-field-class": aligned,
    },
    last: { ...U8, length: 3 },
  });
  const context = structure({
    content: { ...U8, roles: ["packet-content-length"] },
  });
  const writer = new FieldWriter();
  const values = { first: 1, odd: 2, none: [], last: 5 };
  // The context, an event of three bytes, and one of 19 bits.
  writer.write(context, { content: 8 + 24 + 19 });
  for (const event of [values, values]) writer.write(payload, event);
  await withTraceDirectory(async (directory) => {
    await writeFiles(directory, {
      metadata: metadataOf([
        { type: "preamble", version: 2 },
        { type: "data-stream-class", "packet-context-field-class": context },
        { type: "event-record-class", "payload-field-class": payload },
      ]),
      stream: writer.bytes(7),
    });
    const { lines, errors } = await readOurs(directory);
    assertEquals(errors, []);
    assertEquals(lines.map((line) => line.replace(/^.*, \{/, "{")), [
      "{ first = 1, odd = 2, none = [ ], last = 5 }",
      "{ first = 1, odd = 2, none = [ ], last = 5 }",
    ]);
  });
});

/** References that lead nowhere, or to what cannot be a length or a tag. */
const REFUSED: Readonly<Record<string, readonly [Json2, string]>> = {
  "a length that comes later": [
    structure({
      a: {
        type: "dynamic-length-blob",
        "length-field-location": { path: ["n"] },
      },
      n: U8,
    }),
    "Reference n finds no integer",
  ],
  "a length further out than it says": [
    structure({
      n: U8,
      in: structure({
        a: {
          type: "dynamic-length-blob",
          "length-field-location": { path: ["n"] },
        },
      }),
    }),
    "Reference n finds no integer",
  ],
  "a boolean as a length": [
    structure({
      n: FLAG,
      a: {
        type: "dynamic-length-blob",
        "length-field-location": { path: ["n"] },
      },
    }),
    "Reference n finds no integer",
  ],
  "an integer as a boolean": [
    structure({
      n: U8,
      a: {
        type: "optional",
        "selector-field-location": { path: ["n"] },
        "field-class": U8,
      },
    }),
    "Reference n finds no boolean",
  ],
  "a length in a list": [
    structure({
      list: {
        type: "static-length-array",
        length: 1,
        "element-field-class": structure({ n: U8 }),
      },
      a: {
        type: "dynamic-length-blob",
        "length-field-location": { path: ["list", "n"] },
      },
    }),
    "Reference list.n finds no integer",
  ],
  "a length that not all options have": [
    structure({
      tag: U8,
      v: {
        type: "variant",
        "selector-field-location": { path: ["tag"] },
        options: [
          {
            "selector-field-ranges": [[0, 0]],
            "field-class": structure({ n: U8 }),
          },
          {
            "selector-field-ranges": [[1, 1]],
            "field-class": structure({ m: U8 }),
          },
        ],
      },
      a: {
        type: "dynamic-length-blob",
        "length-field-location": { path: ["v", "n"] },
      },
    }),
    "Reference v.n finds no integer",
  ],
  "too many structs out": [
    structure({
      n: U8,
      a: {
        type: "dynamic-length-blob",
        "length-field-location": { path: [null, "n"] },
      },
    }),
    "Reference ...n finds no integer",
  ],
};

async function errorsOf(metadata: string): Promise<TraceReadError[]> {
  const errors: TraceReadError[] = [];
  await withTraceDirectory(async (directory) => {
    await writeFiles(directory, { metadata, stream: new Uint8Array(8) });
    await TraceReader.open(directory, {
      onError: (error) => errors.push(error),
    });
  });
  return errors;
}

for (const [name, [payload, message]] of Object.entries(REFUSED)) {
  Deno.test(`TraceReader refuses ${name} in CTF 2 metadata`, async () => {
    const errors = await errorsOf(metadataOf([
      { type: "preamble", version: 2 },
      { type: "data-stream-class" },
      { type: "event-record-class", "payload-field-class": payload },
    ]));
    assertEquals(errors.length, 1);
    assert(errors[0]!.message.endsWith(`/metadata: ${message}`), `${errors}`);
  });
}

Deno.test("TraceReader refuses aliases that make more fields than memory holds", async () => {
  const doubled = Array.from({ length: 60 }, (_, index): Fragment => ({
    type: "field-class-alias",
    name: `a${index + 1}`,
    "field-class": structure({ x: `a${index}`, y: `a${index}` }),
  }));
  const errors = await errorsOf(metadataOf([
    { type: "preamble", version: 2 },
    { type: "field-class-alias", name: "a0", "field-class": U8 },
    ...doubled,
    { type: "data-stream-class" },
    { type: "event-record-class", "payload-field-class": "a60" },
  ]));
  assertEquals(errors.length, 1);
  assert(errors[0]!.message.includes("fields are not supported"), `${errors}`);
});
