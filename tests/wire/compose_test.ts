/** Little-endian integers, and what messages are put together with. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  constant,
  decodeWhole,
  entriesToEnd,
  filled,
  lengthOf8,
  nested,
  padding,
  restOrAbsent,
  sized,
  sizedOrAbsent,
  sizeOf,
  tagged,
} from "../../lib/wire/compose.ts";
import {
  bool32,
  i32,
  i64,
  i8,
  lengthOf,
  lengthOf16,
  lengthOf64,
  u16,
  u32,
  u64,
} from "../../lib/wire/little_endian.ts";
import {
  cstring,
  type Struct,
  struct,
  u8,
  WireError,
} from "../../lib/wire/struct.ts";
import { parseBytes } from "./golden.ts";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

function assertRefuses(run: () => unknown, message: string): void {
  assertEquals(assertThrows(run, WireError).message, message);
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return parseBytes(text).slice();
}

const all = struct("ALL", { a: i8, b: u16, c: i32, d: u32, e: i64, f: u64 });

test("little-endian integers travel unaligned, least byte first", () => {
  const value = { a: -2, b: 0x0102, c: -2, d: 0x01020304, e: -2n, f: 1n };
  const wire = bytes(
    "fe 0201 feffffff 04030201 feffffffffffffff 0100000000000000",
  );
  assertEquals(all.encode(value), wire);
  assertEquals(all.decode(wire), value);
});

test("little-endian integers refuse what does not fit", () => {
  const value = { a: 0, b: 0, c: 0, d: 0, e: 0n, f: 0n };
  assertRefuses(
    () => all.encode({ ...value, a: 128 }),
    "ALL.a: 128 is not between -128 and 127",
  );
  assertRefuses(
    () => all.encode({ ...value, f: -1n }),
    "ALL.f: -1 is not between 0 and 18446744073709551615",
  );
  assertRefuses(
    () => all.encode({ ...value, b: 1.5 }),
    "ALL.b: 1.5 is not between 0 and 65535",
  );
});

test("little-endian bool32 takes anything but 0 for true", () => {
  const flag = struct("FLAG", { set: bool32 });
  assertEquals(flag.decode(bytes("00000001")), { set: true });
  assertEquals(flag.encode({ set: true }), bytes("01000000"));
});

test("lengths of every width are computed and checked", () => {
  const text = cstring({ max: 10 });
  const lengths = struct("LENGTHS", {
    aLength: lengthOf8("a"),
    bLength: lengthOf16("b"),
    cLength: lengthOf("c"),
    dLength: lengthOf64("d"),
    ...{ a: text, b: text, c: text, d: text },
  });
  const value = { a: "a", b: "bb", c: "", d: "d" };
  const wire = bytes(
    "02 0300 01000000 0200000000000000 6100 626200 00 6400",
  );
  assertEquals(lengths.encode(value), wire);
  assertEquals(lengths.decode(wire), value);
  wire[14] = 0xFF;
  assertRefuses(
    () => lengths.decode(wire),
    "LENGTHS.dLength: 18374686479671623682 > 9007199254740991",
  );
});

test("padding() is written as zeros and ignored when read", () => {
  const padded = struct("PADDED", { a: u8, gap: padding(3), b: u8 });
  assertEquals(padded.size, 5);
  assertEquals(padded.offsets["b"], 4);
  assertEquals(padded.encode({ a: 1, b: 2 }), bytes("01 000000 02"));
  assertEquals(padded.decode(bytes("01 ffffff 02")), { a: 1, b: 2 });
});

test("constant() is written as declared and ignored when read", () => {
  const fixed = struct("FIXED", { command: constant(u32, 7), a: u8 });
  assertEquals(fixed.encode({ a: 1 }), bytes("07000000 01"));
  assertEquals(fixed.decode(bytes("09000000 01")), { a: 1 });
});

const inner = struct("inner", {
  length: lengthOf8("name"),
  name: cstring({ max: 9 }),
});

test("nested() names the outer and the inner field in errors", () => {
  const outer = struct("OUTER", { a: u8, inner: nested(inner) });
  assertEquals(
    outer.encode({ a: 1, inner: { name: "x" } }),
    bytes("01 02 7800"),
  );
  assertRefuses(
    () => outer.decode(bytes("01 03 7800")),
    "OUTER.inner, inner.name: 3 bytes > 2 left",
  );
});

test("sized() refuses a message shorter or longer than its length", () => {
  const outer = struct("OUTER", {
    size: lengthOf8("inner"),
    inner: sized(inner),
  });
  assertEquals(outer.encode({ inner: { name: "x" } }), bytes("03 02 7800"));
  assertEquals(outer.decode(bytes("03 02 7800")), { inner: { name: "x" } });
  assertRefuses(
    () => outer.decode(bytes("04 02 7800 00")),
    "OUTER.inner, inner: 1 bytes too many after 3",
  );
  assertRefuses(
    () => outer.decode(bytes("02 02 7800")),
    "OUTER.inner, inner.name: 2 bytes > 1 left",
  );
  assertRefuses(
    () => outer.decode(bytes("09 02 7800")),
    "OUTER.inner: 9 bytes > 3 left",
  );
});

test("sizedOrAbsent() is absent where its length is 0", () => {
  const outer = struct("OUTER", {
    size: lengthOf8("inner"),
    inner: sizedOrAbsent(inner),
  });
  assertEquals(outer.encode({ inner: undefined }), bytes("00"));
  assertEquals(outer.decode(bytes("00")), { inner: undefined });
  assertEquals(outer.decode(bytes("03 02 7800")), { inner: { name: "x" } });
});

test("entriesToEnd() reads entries up to the last byte", () => {
  const outer = struct("OUTER", { entries: entriesToEnd(inner) });
  const value = { entries: [{ name: "x" }, { name: "" }] };
  assertEquals(outer.encode(value), bytes("02 7800 01 00"));
  assertEquals(outer.decode(bytes("02 7800 01 00")), value);
  assertRefuses(
    () => outer.decode(bytes("02 7800 01")),
    "OUTER.entries, inner.name: 1 bytes > 0 left",
  );
});

test("entriesToEnd() refuses entries of no bytes rather than loop", () => {
  const outer = struct("OUTER", { entries: entriesToEnd(struct("none", {})) });
  assertRefuses(
    () => outer.decode(bytes("00")),
    "OUTER.entries: an entry of no bytes",
  );
});

test("restOrAbsent() is absent at the end", () => {
  const outer = struct("OUTER", { a: u8, inner: restOrAbsent(inner) });
  assertEquals(outer.decode(bytes("01")), { a: 1, inner: undefined });
  assertEquals(outer.decode(bytes("01 01 00")), { a: 1, inner: { name: "" } });
  assertEquals(outer.encode({ a: 1, inner: undefined }), bytes("01"));
});

test("tagged() reads and writes the layout that its tag chooses", () => {
  interface Either {
    tag: number;
    number: number;
  }
  const short: Struct<Either> = struct("short", { tag: u8, number: u8 });
  const long: Struct<Either> = struct("long", { tag: u8, number: u32 });
  const either = tagged<{ tag: number }, Either>(
    "either",
    struct("either", { tag: u8 }),
    ({ tag }) => tag === 0 ? short : long,
  );
  assertEquals(either.encode({ tag: 0, number: 5 }), bytes("00 05"));
  assertEquals(either.encode({ tag: 1, number: 5 }), bytes("01 05000000"));
  assertEquals(decodeWhole(either, bytes("01 05000000")).number, 5);
  assertRefuses(
    () => either.decode(bytes("01 05")),
    "long.number: the message has 2 bytes, 5 are needed",
  );
});

test("filled() adds when reading what it leaves out when writing", () => {
  const old: Struct<{ a: number; b: number }> = filled(
    struct("OLD", { a: u8 }),
    { b: 9 },
  );
  assertEquals(old.decode(bytes("01")), { a: 1, b: 9 });
  assertEquals(old.encode({ a: 1, b: 2 }), bytes("01"));
});

test("decodeWhole() refuses what follows the message", () => {
  assertRefuses(
    () => decodeWhole(inner, bytes("01 00 ff")),
    "inner: 1 bytes too many after 2",
  );
});

test("sizeOf() counts the fixed fields", () => {
  assertEquals(sizeOf({ a: u8, b: padding(3), c: u64 }), 12);
});
