import { assertEquals, assertThrows } from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import {
  array,
  enumeration,
  float,
  i8,
  integer,
  sequence,
  string,
  struct,
  u16,
  u32,
  u8,
} from "../../lib/ctf/declare.ts";
import { alignmentOf, type FieldDeclarations } from "../../lib/ctf/types.ts";

const PURE = { permissions: "none" } as const;

function assertRefused(declare: () => unknown, text: string): void {
  assertThrows(declare, RangeError, text);
}

Deno.test(
  "integer() refuses a size, alignment or byte order that cannot be",
  PURE,
  () => {
    for (const size of [0, 65, 1.5, NaN]) {
      assertRefused(() => integer(size), `its size is ${size} bits`);
    }
    for (const alignment of [0, 3, 2 ** 20, -8]) {
      assertRefused(
        () => integer(8, { alignment }),
        `its alignment is ${alignment} bits`,
      );
    }
    assertRefused(() => integer(5, { byteOrder: "be" }), "whole bytes");
    assertRefused(
      () => integer(16, { byteOrder: "be", alignment: 4 }),
      "whole bytes",
    );
  },
);

Deno.test("float() refuses an alignment below a byte", PURE, () => {
  assertRefused(() => float(32, { alignment: 4 }), "at least 8");
});

Deno.test(
  "enumeration() refuses labels that do not fit its integer",
  PURE,
  () => {
    assertRefused(() => enumeration(u8, {}), "no label");
    assertRefused(() => enumeration(u8, { A: 256 }), '"A" is 256..256');
    assertRefused(() => enumeration(i8, { A: [-129, 0] }), '"A" is -129..0');
    assertRefused(() => enumeration(u8, { A: [2, 1] }), '"A" is 2..1');
    assertRefused(() => enumeration(u8, { A: 1.5 }), '"A" is 1.5');
  },
);

Deno.test("array() and sequence() refuse a length that cannot be", PURE, () => {
  assertRefused(() => array(u8, 0), "its length is 0");
  assertRefused(() => array(u8, 1.5), "its length is 1.5");
  assertRefused(() => sequence(u8, { length: i8 }), "signed");
});

Deno.test(
  "array() and sequence() refuse a sequence as their element",
  PURE,
  () => {
    const inner = sequence(u8) as never;
    assertRefused(() => array(inner, 2), "needs a struct around it");
    assertRefused(() => sequence(inner), "needs a struct around it");
  },
);

Deno.test("defineEvent() refuses names that cannot be", PURE, () => {
  function refuse(fields: FieldDeclarations, text: string): void {
    assertRefused(() => defineEvent("e", fields), text);
  }
  refuse({ "a-b": u8 }, '"a-b"');
  refuse({ "": u8 }, '""');
  refuse({ "1a": u8 }, '"1a"');
  refuse(
    { a: sequence(u8), _a_length: u8 },
    '"_a_length" is the length of "a"',
  );
  assertRefused(() => defineEvent("", {}), "0 bytes");
  assertRefused(() => defineEvent("é".repeat(128), {}), "256 bytes");
  assertRefused(() => defineEvent("a\nb", {}), "control character");
  assertRefused(
    () => defineEvent("a", {}, { logLevel: "loud" as never }),
    '"loud"',
  );
});

Deno.test("alignmentOf() is that of the most aligned part", PURE, () => {
  assertEquals(alignmentOf(integer(5)), 1);
  assertEquals(alignmentOf(u32), 8);
  assertEquals(alignmentOf(string), 8);
  assertEquals(alignmentOf(struct({})), 1);
  assertEquals(alignmentOf(struct({ a: integer(3) })), 1);
  assertEquals(alignmentOf(struct({ a: u8 }, { alignment: 64 })), 64);
  const wide = integer(16, { alignment: 32 });
  assertEquals(alignmentOf(struct({ a: array(wide, 2), b: u16 })), 32);
  assertEquals(
    alignmentOf(struct({ a: sequence(integer(3), { length: wide }) })),
    32,
  );
});
