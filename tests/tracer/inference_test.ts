import { assertEquals } from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import {
  array,
  boolean,
  enumeration,
  float64,
  sequence,
  string,
  struct,
  u64,
  u8,
} from "../../lib/ctf/declare.ts";
import { Tracer } from "../../lib/tracer/tracer.ts";
import { MemorySink } from "./memory_sink.ts";

const everything = defineEvent("all", {
  small: u8,
  large: u64,
  ratio: float64,
  text: string,
  yes: boolean,
  kind: enumeration(u8, { A: 0, range: [1, 9] }),
  list: array(u8, 2),
  names: sequence(string),
  deep: struct({ x: u8 }),
});

const values = {
  small: 1,
  large: 2n,
  ratio: 0.5,
  text: "t",
  yes: true,
  kind: "A",
  list: [1, 2],
  names: ["n"],
  deep: { x: 1 },
} as const;

// Here the type checker is what is tested: each line below must be an error
// to it, or `deno check` fails. That they fail at run time too comes second.
Deno.test("Tracer.record() takes values of the declared types only", {
  permissions: "none",
}, async () => {
  const tracer = new Tracer({ sink: new MemorySink() });
  let refused = 0;
  function refuse(record: () => void): void {
    try {
      record();
    } catch {
      refused++;
    }
  }
  tracer.record(everything, values);
  tracer.record(everything, { ...values, small: 1n, large: 2, kind: 5n });
  tracer.record(everything, { ...values, list: new Uint8Array(2) });
  // @ts-expect-error: a field is missing.
  refuse(() => tracer.record(everything, { small: 1 }));
  // @ts-expect-error: not a number.
  refuse(() => tracer.record(everything, { ...values, small: "1" }));
  // @ts-expect-error: floats are numbers.
  refuse(() => tracer.record(everything, { ...values, ratio: 1n }));
  // @ts-expect-error: not a string.
  refuse(() => tracer.record(everything, { ...values, text: 1 }));
  // @ts-expect-error: not a boolean.
  refuse(() => tracer.record(everything, { ...values, yes: 1 }));
  // @ts-expect-error: no such label.
  refuse(() => tracer.record(everything, { ...values, kind: "B" }));
  // @ts-expect-error: a range is no value.
  refuse(() => tracer.record(everything, { ...values, kind: "range" }));
  // @ts-expect-error: text is not a list of texts.
  refuse(() => tracer.record(everything, { ...values, names: "abc" }));
  // @ts-expect-error: not what the struct holds.
  refuse(() => tracer.record(everything, { ...values, deep: { x: "1" } }));
  // @ts-expect-error: a sequence needs a struct around it.
  refuse(() => array(sequence(u8), 2));
  const report = await tracer.stop();
  assertEquals([report.events, refused], [3, 10]);
});
