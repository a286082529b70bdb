/** Events as JSON. */

import { assertEquals } from "@std/assert";
import type { FieldClass, Value } from "../../../lib/ctf/read/model.ts";
import { TextBuffer } from "../../../lib/ctf/text/buffer.ts";
import { JsonPrinter } from "../../../lib/ctf/text/json.ts";
import { integer, sampleEvent, struct } from "./sample_events.ts";

function jsonOf(fields: Record<string, [FieldClass, Value]>): string {
  const out = new TextBuffer();
  new JsonPrinter(out, { traceName: () => "here/a" })
    .event(sampleEvent({ fields }));
  return new TextDecoder().decode(out.take());
}

Deno.test({
  name: "JsonPrinter prints an event on one line",
  permissions: "none",
  fn: () =>
    assertEquals(
      jsonOf({ a: [integer(), 1], "": [integer(), 2] }),
      '{"timestamp":1000000001,"cycles":1000000001,"trace":"here/a",' +
        '"hostname":"here","name":"tp:one","packet_context":{"cpu_id":1},' +
        '"fields":{"a":1,"":2}}\n',
    ),
});

const float: FieldClass = {
  kind: "float",
  size: 64,
  alignment: 8,
  byteOrder: "le",
};

const FIELDS: readonly [FieldClass, Value, string][] = [
  [integer({ size: 64 }), 2n ** 64n - 1n, "18446744073709551615"],
  [integer({ size: 64, signed: true }), -(2n ** 63n), "-9223372036854775808"],
  [integer({ base: 16 }), 255, "255"],
  [float, 0.1, "0.1"],
  [float, -0, "-0.0"],
  [float, 5e-324, "5e-324"],
  [float, NaN, '"NaN"'],
  [float, -Infinity, '"-Infinity"'],
  [
    { kind: "string", encoding: "utf-8" },
    'a"\\\n\x01é',
    '"a\\"\\\\\\n\\u0001é"',
  ],
  [
    { kind: "enumeration", container: integer(), mappings: [] },
    3,
    '{"value":3,"labels":[]}',
  ],
  [
    {
      kind: "enumeration",
      container: integer(),
      mappings: [{ label: "low", first: 0n, last: 9n }],
    },
    3,
    '{"value":3,"labels":["low"]}',
  ],
  [
    { kind: "array", length: 2, element: float, minimumAlignment: 1 },
    [1, 2.5],
    "[1,2.5]",
  ],
  [
    { kind: "text", length: 2, encoding: "utf-8" },
    "ab",
    '"ab"',
  ],
  [struct({ b: integer() }), [1], '{"b":1}'],
  [
    {
      kind: "variant",
      tag: { path: ["tag"] },
      options:
        struct({ a: integer(), b: { kind: "string", encoding: "utf-8" } })
          .members,
    },
    { option: 1, value: "x" },
    '"x"',
  ],
];

for (const [type, value, json] of FIELDS) {
  Deno.test({
    name: `JsonPrinter prints ${json} for a field of kind ${type.kind}`,
    permissions: "none",
    fn: () => {
      const line = jsonOf({ x: [type, value] });
      assertEquals(/"fields":\{"x":(.*)\}\}\n$/.exec(line)?.[1], json);
      JSON.parse(line);
    },
  });
}
