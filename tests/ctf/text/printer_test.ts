/** Text of single events, as babeltrace2 2.0.4 was seen to print them. */

import { assertEquals } from "@std/assert";
import type {
  FieldClass,
  LossRecord,
  Value,
} from "../../../lib/ctf/read/model.ts";
import { TextBuffer } from "../../../lib/ctf/text/buffer.ts";
import {
  SHOWN_FIELDS,
  SHOWN_NAMES,
  type TextOptions,
  TextPrinter,
} from "../../../lib/ctf/text/printer.ts";
import {
  integer,
  sampleEvent,
  type SampleOptions,
  sampleStream,
  struct,
} from "./sample_events.ts";

function printed(options: TextOptions, ...events: SampleOptions[]): string {
  const out = new TextBuffer();
  const printer = new TextPrinter(out, { gmt: true, ...options });
  for (const event of events) printer.event(sampleEvent(event));
  return new TextDecoder().decode(out.take());
}

function fieldText(type: FieldClass, value: Value): string {
  const line = printed({}, { fields: { x: [type, value] } });
  return /\{ x = (.*) \}\n$/s.exec(line)?.[1] ?? line;
}

const ENUMERATION: FieldClass = {
  kind: "enumeration",
  container: integer({ size: 8 }),
  mappings: [
    { label: "one", first: 1n, last: 1n },
    { label: "low", first: 0n, last: 9n },
    { label: 'odd "label"', first: 20n, last: 20n },
  ],
};
const LIST: FieldClass = {
  kind: "array",
  element: integer({ base: 16 }),
  length: 2,
  minimumAlignment: 1,
};

const FIELDS: readonly [string, FieldClass, Value, string][] = [
  ["a decimal", integer(), 42, "42"],
  ["a great decimal", integer(), 4294967295, "4294967295"],
  ["a negative", integer({ signed: true }), -1, "-1"],
  [
    "2^64-1",
    integer({ size: 64 }),
    18446744073709551615n,
    "18446744073709551615",
  ],
  [
    "-2^63",
    integer({ size: 64, signed: true }),
    -(2n ** 63n),
    "-9223372036854775808",
  ],
  [
    "ten digits with zeros",
    integer({ size: 64 }),
    1_000_000_007n,
    "1000000007",
  ],
  ["hexadecimal", integer({ base: 16 }), 0xbeef, "0xBEEF"],
  ["hexadecimal zero", integer({ base: 16 }), 0, "0x0"],
  [
    "hexadecimal of 48 bits",
    integer({ base: 16, size: 48 }),
    0x123000000001,
    "0x123000000001",
  ],
  [
    "negative hexadecimal of 48 bits",
    integer({ base: 16, size: 48, signed: true }),
    -2,
    "0xFFFFFFFFFFFE",
  ],
  [
    "negative hexadecimal, by whole digits",
    integer({ base: 16, size: 5, signed: true }),
    -1,
    "0xFF",
  ],
  [
    "negative hexadecimal of 64 bits",
    integer({ base: 16, size: 64, signed: true }),
    -2n,
    "0xFFFFFFFFFFFFFFFE",
  ],
  ["octal", integer({ base: 8 }), 8, "010"],
  [
    "negative octal",
    integer({ base: 8, size: 8, signed: true }),
    -1,
    "0777",
  ],
  ["binary", integer({ base: 2, size: 5 }), 5, "0b00101"],
  ["text", { kind: "string", encoding: "utf-8" }, "é 漢 😀", '"é 漢 😀"'],
  [
    "escapes",
    { kind: "string", encoding: "utf-8" },
    "\\\"'?\x07\b\x1b\f\n\r\t\v\x01\x7f",
    String.raw`"\\\"\'\?\a\b\e\f\n\r\t\v\x01\x7f"`,
  ],
  ["an empty text", { kind: "string", encoding: "utf-8" }, "", '""'],
  ["a label", ENUMERATION, 5, '( "low" : container = 5 )'],
  ["two labels", ENUMERATION, 1, '( "one", "low" : container = 1 )'],
  [
    "an escaped label",
    ENUMERATION,
    20,
    '( "odd \\"label\\"" : container = 20 )',
  ],
  ["no label", ENUMERATION, 99, "( <unknown> : container = 99 )"],
  ["a list", LIST, [1, 255], "[ [0] = 0x1, [1] = 0xFF ]"],
  ["an empty list", LIST, [], "[ ]"],
  [
    "a struct",
    struct({ a: integer(), b: struct({}) }),
    [1, []],
    "{ a = 1, b = { } }",
  ],
  [
    "a variant",
    {
      kind: "variant",
      tag: { path: ["tag"] },
      options:
        struct({ a: integer(), b: { kind: "string", encoding: "utf-8" } })
          .members,
    },
    { option: 1, value: "x" },
    '{ "x" }',
  ],
];

for (const [what, type, value, text] of FIELDS) {
  Deno.test({
    name: `TextPrinter prints ${what}`,
    permissions: "none",
    fn: () => assertEquals(fieldText(type, value), text),
  });
}

Deno.test({
  name: "TextPrinter keeps [INDEX] right in a list of any length",
  permissions: "none",
  fn: () => {
    const values = Array.from({ length: 600 }, (_, index) => index);
    const expected = values.map((index) =>
      `[${index}] = 0x${index.toString(16).toUpperCase()}`
    );
    const text = `[ ${expected.join(", ")} ]`;
    assertEquals(fieldText({ ...LIST, length: 600 }, values), text);
    assertEquals(fieldText({ ...LIST, length: 600 }, values), text);
  },
});

const DAY = 86_400_000_000_000n;

Deno.test({
  name: "TextPrinter prints times and the time between events",
  permissions: "none",
  fn: () => {
    const stream = sampleStream();
    const times = [5n, 1_000_000_005n, 1_999_999_999n, 2_000_000_000n];
    const events = [...times, DAY, DAY + 3_600_000_000_000n]
      .map((timestamp) => ({ timestamp, stream }));
    const starts = printed({}, ...events).split("\n")
      .map((line) => line.split(" here")[0]);
    assertEquals(starts, [
      "[00:00:00.000000005] (+?.?????????)",
      "[00:00:01.000000005] (+1.000000000)",
      "[00:00:01.999999999] (+0.999999994)",
      "[00:00:02.000000000] (+0.000000001)",
      "[00:00:00.000000000] (+86398.000000000)",
      "[01:00:00.000000000] (+3600.000000000)",
      "",
    ]);
  },
});

const TIMES: readonly [string, TextOptions, string][] = [
  ["seconds", { seconds: true }, "[1.000000001] (+?.?????????)"],
  ["dates", { date: true }, "[1970-01-01 00:00:01.000000001] (+?.?????????)"],
  ["cycles", { cycles: true }, "[00000000001000000001] (+????????????)"],
  ["no delta", { delta: false }, "[00:00:01.000000001]"],
];

for (const [what, options, text] of TIMES) {
  Deno.test({
    name: `TextPrinter prints ${what}`,
    permissions: "none",
    fn: () =>
      assertEquals(
        printed(options, {}),
        `${text} here tp:one: { cpu_id = 1 }, { }\n`,
      ),
  });
}

Deno.test({
  name: "TextPrinter prints a process that the trace names",
  permissions: "none",
  fn: () => {
    const environment = { hostname: "here", procname: "app", vpid: 12n };
    assertEquals(
      printed({ delta: false }, { environment }),
      "[00:00:01.000000001] here:app:(12) tp:one: { cpu_id = 1 }, { }\n",
    );
  },
});

Deno.test({
  name: "TextPrinter prints all fields and names",
  permissions: "none",
  fn: () => {
    const line = printed(
      {
        fields: new Set(SHOWN_FIELDS),
        names: new Set(SHOWN_NAMES),
        traceName: () => "here/a",
      },
      { environment: { hostname: "here", domain: "ust" }, logLevel: 13 },
    );
    assertEquals(
      line,
      "timestamp = 00:00:01.000000001, delta = +?.?????????, " +
        "trace = here/a, , trace:hostname = here, trace:domain = ust, " +
        "loglevel = TRACE_DEBUG_LINE (13), name = tp:one, " +
        "stream.packet.context = { cpu_id = 1 }, event.fields = { }\n",
    );
  },
});

Deno.test({
  name: "TextPrinter says what is lost",
  permissions: "none",
  fn: () => {
    const printer = new TextPrinter(new TextBuffer(), { gmt: true });
    const loss: LossRecord = {
      kind: "discarded_events",
      count: 2n,
      begin: 1_000_000_000n,
      end: 2_000_000_003n,
      timestamp: 1_000_000_000n,
      stream: sampleStream(),
    };
    const where =
      'in trace "(unknown)" (UUID: 00000000-0000-4000-8000-000000000001) ' +
      'within stream "/traces/a/channel0_0" (stream class ID: 3, stream ID: 7).';
    assertEquals(
      printer.loss(loss),
      "WARNING: Tracer discarded 2 events between [00:00:01.000000000] and " +
        `[00:00:02.000000003] ${where}`,
    );
    const { begin: _begin, count: _count, ...unknown } = loss;
    assertEquals(
      printer.loss({ ...unknown, kind: "lost_packets" }),
      `WARNING: Tracer may have discarded packets (unknown time range) ${where}`,
    );
    assertEquals(
      printer.loss({ ...unknown, count: 1n }),
      `WARNING: Tracer discarded 1 event (unknown time range) ${where}`,
    );
  },
});

Deno.test({
  name: "TextPrinter numbers a stream that has no number as it is told",
  permissions: "none",
  fn: () => {
    const { instanceId: _id, ...stream } = sampleStream();
    const loss: LossRecord = { kind: "lost_packets", timestamp: 0n, stream };
    const numbered = { streamNumber: () => 4 };
    for (
      const [options, end] of [
        [{}, "no stream ID)."],
        [numbered, "stream ID: 4)."],
      ] as const
    ) {
      const line = new TextPrinter(new TextBuffer(), options).loss(loss);
      assertEquals(line.endsWith(`(stream class ID: 3, ${end}`), true, line);
    }
  },
});
