import { assertEquals } from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import { decodeIndexFile } from "../../lib/ctf/index_file.ts";
import {
  array,
  boolean,
  enumeration,
  float32,
  float64,
  integer,
  sequence,
  string,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "../../lib/ctf/declare.ts";
import { type ByteOrder, integerRange } from "../../lib/ctf/types.ts";
import { run } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import {
  readTrace,
  recordTo,
  steppingClock,
  withTraceDirectory,
} from "./recording.ts";

const NEEDS = { programs: ["babeltrace2"] };
const BYTE_ORDERS: readonly ByteOrder[] = ["le", "be"];

async function payloads(
  byteOrder: ByteOrder,
  write: Parameters<typeof recordTo>[2],
): Promise<string[]> {
  let read: string[] = [];
  await withTraceDirectory(async (directory) => {
    const report = await recordTo(directory, { byteOrder }, write);
    assertEquals(report.errors, []);
    const { events, warnings } = await readTrace(directory);
    assertEquals(warnings, "");
    read = events.map(({ payload }) => payload);
  });
  return read;
}

for (const byteOrder of BYTE_ORDERS) {
  stockTest(
    `babeltrace2 reads the least and greatest integer of every width, ${byteOrder}`,
    NEEDS,
    async () => {
      const expected: string[] = [];
      const read = await payloads(byteOrder, (tracer) => {
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
      assertEquals(read, expected);
    },
  );

  stockTest(
    `babeltrace2 reads every float bit by bit, ${byteOrder}`,
    NEEDS,
    () => checkFloats(byteOrder),
  );

  stockTest(
    `babeltrace2 reads text, lists and enumerations, ${byteOrder}`,
    NEEDS,
    () => checkCompounds(byteOrder),
  );
}

const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.1,
  Math.PI,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** -1022,
  2 ** 53 - 1,
  Infinity,
  -Infinity,
  NaN,
];

/** babeltrace2 prints six digits only, so have it write CTF of its own. */
async function checkFloats(byteOrder: ByteOrder): Promise<void> {
  const event = defineEvent("floats", { wide: float64, narrow: float32 });
  await withTraceDirectory(async (directory) => {
    await recordTo(directory, { byteOrder }, (tracer) => {
      for (const value of FLOATS) {
        tracer.record(event, { wide: value, narrow: value });
      }
    });
    const again = `${directory}-again`;
    const { code, stderr } = await run({
      command: [
        "babeltrace2",
        directory,
        "--output-format=ctf",
        `--output=${again}`,
      ],
    });
    assertEquals(code, 0, stderr);
    // It names the trace after the host.
    const bytes = await Deno.readFile(`${again}/here/channel0_0`);
    const expected = FLOATS.map((value) => [value, Math.fround(value)]);
    assertEquals(floatsOf(new DataView(bytes.buffer)), expected);
  });
}

/**
 * The floats of a data file that babeltrace2 wrote, packed without holes:
 * packet header 36 bytes, context 52; then a record each: id u64, time u64,
 * double, float. In native byte order.
 */
function floatsOf(view: DataView<ArrayBuffer>): number[][] {
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  const rows: number[][] = [];
  for (let at = 36 + 52; at < view.byteLength; at += 28) {
    rows.push([
      view.getFloat64(at + 16, little),
      view.getFloat32(at + 24, little),
    ]);
  }
  return rows;
}

async function checkCompounds(byteOrder: ByteOrder): Promise<void> {
  const texts = [
    "plain",
    "é ß 漢 😀 \u{10FFFF}",
    'quotes " and \\ backslash',
    "x".repeat(1000),
  ];
  const text = defineEvent("text", { value: string });
  const empty = defineEvent("empty", { value: string, after: u8 });
  const lists = defineEvent("lists", {
    fixed: array(u16, 3),
    nested: array(array(u8, 2), 2),
    texts: sequence(string),
    structs: sequence(struct({ a: u8, b: sequence(integer(3)) }), {
      length: u8,
    }),
    bytes: sequence(u8),
  });
  const kinds = defineEvent("kinds", {
    kind: enumeration(u64, {
      none: 0,
      some: [1, 9],
      most: 2n ** 64n - 1n,
      'odd "label" ü': [5, 6],
    }),
    yes: boolean,
  });
  const nothing = defineEvent("nothing", {});

  const read = await payloads(byteOrder, (tracer) => {
    for (const value of texts) tracer.record(text, { value });
    tracer.record(empty, { value: "", after: 7 });
    tracer.record(lists, {
      fixed: new Uint16Array([0, 1, 65535]),
      nested: [[1, 2], [3, 4]],
      texts: ["", "b"],
      structs: [{ a: 1, b: [] }, { a: 2, b: [7, 0] }],
      bytes: new Uint8Array([0, 255]),
    });
    tracer.record(lists, {
      fixed: [1, 2n, 3],
      nested: [[1, 2], [3, 4]],
      texts: [],
      structs: [],
      bytes: [],
    });
    tracer.record(kinds, { kind: "none", yes: false });
    tracer.record(kinds, { kind: "most", yes: true });
    tracer.record(kinds, { kind: 5, yes: true });
    tracer.record(kinds, { kind: 10n, yes: true });
    tracer.record(nothing, {});
  });

  assertEquals(read, [
    '{ value = "plain" }',
    '{ value = "é ß 漢 😀 \u{10FFFF}" }',
    '{ value = "quotes \\" and \\\\ backslash" }',
    `{ value = "${"x".repeat(1000)}" }`,
    '{ value = "", after = 7 }',
    "{ fixed = [ [0] = 0, [1] = 1, [2] = 65535 ], " +
    "nested = [ [0] = [ [0] = 1, [1] = 2 ], [1] = [ [0] = 3, [1] = 4 ] ], " +
    '_texts_length = 2, texts = [ [0] = "", [1] = "b" ], ' +
    "_structs_length = 2, structs = [ " +
    "[0] = { a = 1, _b_length = 0, b = [ ] }, " +
    "[1] = { a = 2, _b_length = 2, b = [ [0] = 7, [1] = 0 ] } ], " +
    "_bytes_length = 2, bytes = [ [0] = 0, [1] = 255 ] }",
    "{ fixed = [ [0] = 1, [1] = 2, [2] = 3 ], " +
    "nested = [ [0] = [ [0] = 1, [1] = 2 ], [1] = [ [0] = 3, [1] = 4 ] ], " +
    "_texts_length = 0, texts = [ ], _structs_length = 0, structs = [ ], " +
    "_bytes_length = 0, bytes = [ ] }",
    '{ kind = ( "none" : container = 0 ), yes = ( "false" : container = 0 ) }',
    '{ kind = ( "most" : container = 18446744073709551615 ), ' +
    'yes = ( "true" : container = 1 ) }',
    '{ kind = ( "some", "odd \\"label\\" ü" : container = 5 ), ' +
    'yes = ( "true" : container = 1 ) }',
    '{ kind = ( <unknown> : container = 10 ), yes = ( "true" : container = 1 ) }',
    "{ }",
  ]);
}

for (const eventHeader of ["large", "compact"] as const) {
  stockTest(
    `babeltrace2 reads timestamps exactly across gaps of any length, ${eventHeader} headers`,
    NEEDS,
    async () => {
      // At, below and above what 27 and 32 bits of time can tell.
      const gaps = [0, 1, 2 ** 27 - 1, 2 ** 27, 2 ** 27 + 1, 2 ** 32 - 1]
        .concat([2 ** 32, 2 ** 32 + 1, 2 ** 40, 5, 2 ** 50, 1]);
      let ticks = 0;
      const clock = { ...steppingClock(), now: () => ticks };
      const event = defineEvent("tick", {});
      const expected: bigint[] = [];
      await withTraceDirectory(async (directory) => {
        await recordTo(directory, { eventHeader, clock }, (tracer) => {
          for (const gap of gaps) {
            ticks += gap;
            tracer.record(event, {});
            expected.push(BigInt(ticks));
          }
        });
        const { events } = await readTrace(directory);
        assertEquals(events.map(({ time }) => time), expected);
      });
    },
  );
}

stockTest(
  "babeltrace2 reads 40,000 events in many packets of several streams",
  NEEDS,
  async () => {
    const event = defineEvent("demo:tick", { n: u32, text: string }, {
      logLevel: "warning",
    });
    await withTraceDirectory(async (directory) => {
      const report = await recordTo(directory, {
        streams: 3,
        subBufferSize: 4096,
        subBufferCount: 8,
        clock: steppingClock(),
      }, async (tracer) => {
        for (let n = 0; n < 40_000; n++) {
          tracer.stream(n % 3).record(event, { n, text: `event ${n}` });
          if (n % 500 === 0) await tracer.flush();
        }
      });
      assertEquals(report.errors, []);
      assertEquals([report.events, report.discarded], [40_000, 0]);

      const { events, warnings } = await readTrace(directory);
      assertEquals(warnings, "");
      assertEquals(events.length, 40_000);
      for (const [n, { payload, stream, level, name }] of events.entries()) {
        assertEquals(payload, `{ n = ${n}, text = "event ${n}" }`);
        assertEquals([stream, level, name], [
          n % 3,
          "TRACE_WARNING",
          "demo:tick",
        ]);
      }
      assertEquals(await packetsInIndexes(directory, 3), report.packets);
    });
  },
);

/** Checks each index against its data file and counts the packets. */
async function packetsInIndexes(
  directory: string,
  streams: number,
): Promise<number> {
  let packets = 0;
  for (let stream = 0; stream < streams; stream++) {
    const name = `channel0_${stream}`;
    const data = await Deno.readFile(`${directory}/${name}`);
    const view = new DataView(data.buffer);
    const bytes = await Deno.readFile(`${directory}/index/${name}.idx`);
    const { minor, entries } = decodeIndexFile(bytes);
    assertEquals(minor, 1);
    let offset = 0n;
    for (const [number, entry] of entries.entries()) {
      assertEquals(entry.offset, offset);
      assertEquals(view.getUint32(Number(offset), true), 0xC1FC1FC1);
      assertEquals(
        view.getBigUint64(Number(offset) + 48, true),
        entry.contentSize,
      );
      assertEquals(entry.packetSequenceNumber, BigInt(number));
      assertEquals(entry.streamInstanceId, BigInt(stream));
      offset += entry.packetSize / 8n;
    }
    assertEquals(offset, BigInt(data.length));
    packets += entries.length;
  }
  return packets;
}
