/** The table language: each kind of field, and what its errors say. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  bool32,
  bool8,
  cstring,
  lengthOf,
  lengthOf64,
  list,
  optional,
  paddedText,
  raw,
  sizedBytes,
  sizedText,
  struct,
  tail,
  text,
  u32,
  u64,
  u8,
  WireError,
} from "../../lib/wire/struct.ts";
import { parseBytes } from "./golden.ts";

/** A test that is pure. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** That `run` throws a WireError that says exactly `message`. */
function assertRefuses(run: () => unknown, message: string): void {
  assertEquals(assertThrows(run, WireError).message, message);
}

const small = struct("SMALL", { a: u8, b: u32, c: u64 });

test("struct() computes size and offsets from the declaration", () => {
  assertEquals(small.size, 13);
  assertEquals(small.offsets, { a: 0, b: 1, c: 5 });
});

test("integers travel big-endian and unaligned", () => {
  const bytes = small.encode({ a: 1, b: 0x01020304, c: 0x05060708n });
  assertEquals(bytes, parseBytes("01 01020304 0000000005060708").slice());
  assertEquals(small.decode(bytes), { a: 1, b: 0x01020304, c: 0x05060708n });
});

test("decode() reads from a view into a larger buffer", () => {
  const whole = parseBytes("ffff 01 01020304 0000000005060708 ff");
  assertEquals(small.decode(whole.subarray(2)).c, 0x05060708n);
});

test("decode() of a short message names the first field that is missing", () => {
  assertRefuses(
    () => small.decode(new Uint8Array(3)),
    "SMALL.b: the message has 3 bytes, 13 are needed",
  );
});

test("encode() refuses integers that do not fit", () => {
  const value = { a: 256, b: 0, c: 0n };
  assertRefuses(
    () => small.encode(value),
    "SMALL.a: 256 is not between 0 and 255",
  );
  assertRefuses(
    () => small.encode({ ...value, a: 0, b: -1 }),
    "SMALL.b: -1 is not between 0 and 4294967295",
  );
  assertRefuses(
    () => small.encode({ a: 0, b: 0, c: 1n << 64n }),
    "SMALL.c: 18446744073709551616 is not between 0 and 18446744073709551615",
  );
});

test("bool8 and bool32 take anything but 0 for true", () => {
  const flags = struct("FLAGS", { narrow: bool8, wide: bool32 });
  assertEquals(flags.decode(parseBytes("02 00000100")), {
    narrow: true,
    wide: true,
  });
  assertEquals(
    flags.encode({ narrow: true, wide: false }),
    parseBytes("01 00000000").slice(),
  );
});

test("raw() gives a copy and refuses another length", () => {
  const id = struct("ID", { uuid: raw(2) });
  const bytes = new Uint8Array([1, 2]);
  const { uuid } = id.decode(bytes);
  bytes[0] = 9;
  assertEquals(uuid, new Uint8Array([1, 2]));
  assertRefuses(
    () => id.encode({ uuid: new Uint8Array(3) }),
    "ID.uuid: 3 bytes, not 2",
  );
});

const fixed = struct("FIXED", { name: text(4) });

test("text() is zero-filled, and garbage after its NUL is ignored", () => {
  assertEquals(fixed.encode({ name: "ab" }), parseBytes("61620000").slice());
  assertEquals(fixed.decode(parseBytes("616200ee")), { name: "ab" });
});

test("text() needs room for its NUL", () => {
  assertRefuses(
    () => fixed.decode(parseBytes("61626364")),
    "FIXED.name: no NUL within 4 bytes",
  );
  assertRefuses(
    () => fixed.encode({ name: "abcd" }),
    "FIXED.name: 5 bytes with its NUL > 4",
  );
});

test("text() refuses bytes that are not UTF-8, and a NUL inside", () => {
  assertRefuses(
    () => fixed.decode(parseBytes("ff610000")),
    "FIXED.name: 2 bytes that are not UTF-8",
  );
  assertRefuses(
    () => fixed.encode({ name: "a\0b" }),
    "FIXED.name: a NUL inside the text",
  );
});

test("paddedText() may fill its field, both ways", () => {
  const padded = struct("PADDED", { name: paddedText(4) });
  const bytes = parseBytes("61626364").slice();
  assertEquals(padded.decode(bytes), { name: "abcd" });
  assertEquals(padded.encode({ name: "abcd" }), bytes);
});

test("paddedText() and sizedText() show a name that is not UTF-8 with ?", () => {
  const padded = struct("PADDED", { name: paddedText(4) });
  assertEquals(padded.decode(parseBytes("61ff6200")), { name: "a?b" });
  const sized = struct("SIZED", {
    length: lengthOf("name"),
    name: sizedText(4),
  });
  assertEquals(sized.decode(parseBytes("00000002 ff61")), { name: "?a" });
});

const named = struct("NAMED", {
  length: lengthOf("name"),
  name: cstring({ max: 4 }),
});

test("cstring() announces its length with its NUL", () => {
  const bytes = parseBytes("00000003 616200").slice();
  assertEquals(named.encode({ name: "ab" }), bytes);
  assertEquals(named.decode(bytes), { name: "ab" });
});

test("cstring() refuses lengths that cannot be", () => {
  assertRefuses(
    () => named.decode(parseBytes("00000005 6162636400")),
    "NAMED.name: 5 bytes > 4",
  );
  assertRefuses(
    () => named.decode(parseBytes("00000004 6162")),
    "NAMED.name: 4 bytes > 2 left",
  );
  assertRefuses(
    () => named.decode(parseBytes("00000000")),
    "NAMED.name: 0 bytes, not even a NUL",
  );
  assertRefuses(
    () => named.encode({ name: "abcd" }),
    "NAMED.name: 5 bytes with its NUL > 4",
  );
});

test("cstring() wants its NUL at the end and nowhere else", () => {
  assertRefuses(
    () => named.decode(parseBytes("00000003 616263")),
    "NAMED.name: its NUL is at -1, not at 2",
  );
  assertRefuses(
    () => named.decode(parseBytes("00000003 610000")),
    "NAMED.name: its NUL is at 1, not at 2",
  );
});

test("cstring() of an empty text is a lone NUL or nothing, as declared", () => {
  const lone = struct("LONE", {
    length: lengthOf("name"),
    name: cstring({ max: 4, empty: 1 }),
  });
  const none = struct("NONE", {
    length: lengthOf("name"),
    name: cstring({ max: 4, empty: 0 }),
  });
  assertEquals(lone.encode({ name: "" }), parseBytes("0000000100").slice());
  assertEquals(lone.decode(parseBytes("00000000")), { name: "" });
  assertEquals(none.encode({ name: "" }), parseBytes("00000000").slice());
  assertRefuses(
    () => none.decode(parseBytes("0000000100")),
    "NONE.name: 1 byte, a lone NUL",
  );
});

test("sizedText() has no NUL", () => {
  const sized = struct("SIZED", {
    length: lengthOf("name"),
    name: sizedText(4),
  });
  const bytes = parseBytes("00000004 61626364").slice();
  assertEquals(sized.encode({ name: "abcd" }), bytes);
  assertEquals(sized.decode(bytes), { name: "abcd" });
  assertRefuses(
    () => sized.decode(parseBytes("00000003 610062")),
    "SIZED.name: a NUL at 1 of 3 bytes",
  );
});

test("sizedBytes() refuses more than its limit and more than there is", () => {
  const sized = struct("SIZED", {
    length: lengthOf64("data"),
    data: sizedBytes(4),
  });
  const data = new Uint8Array([1, 2]);
  assertEquals(sized.decode(sized.encode({ data })), { data });
  assertRefuses(
    () => sized.decode(parseBytes("0000000000000005 0102030405")),
    "SIZED.data: 5 bytes > 4",
  );
  assertRefuses(
    () => sized.decode(parseBytes("0000000000000003 0102")),
    "SIZED.data: 3 bytes > 2 left",
  );
  assertRefuses(
    () => sized.decode(parseBytes("ffffffffffffffff")),
    "SIZED.length: 18446744073709551615 > 9007199254740991",
  );
  assertRefuses(
    () => sized.encode({ data: new Uint8Array(5) }),
    "SIZED.data: 5 bytes > 4",
  );
});

test("tail takes the rest of the message", () => {
  const open = struct("OPEN", { a: u8, rest: tail });
  const value = { a: 1, rest: new Uint8Array([2, 3]) };
  assertEquals(open.decode(open.encode(value)), value);
  assertEquals(open.decode(new Uint8Array([1])).rest.length, 0);
});

test("optional() ignores padding, and the value when it is not set", () => {
  const maybe = struct("MAYBE", { id: optional(u64, 0n, 3) });
  assertEquals(maybe.size, 12);
  const garbage = parseBytes("00 eeeeee ffffffffffffffff");
  assertEquals(maybe.decode(garbage), { id: undefined });
  assertEquals(
    maybe.encode({ id: 7n }),
    parseBytes("01 000000 0000000000000007").slice(),
  );
});

const pair = struct("pair", { a: u32, b: u32 });
const pairs = struct("PAIRS", { count: lengthOf("pairs"), pairs: list(pair) });

test("list() has as many entries as its count says", () => {
  const value = { pairs: [{ a: 1, b: 2 }, { a: 3, b: 4 }] };
  const bytes = pairs.encode(value);
  assertEquals(bytes.length, 20);
  assertEquals(pairs.decode(bytes), value);
});

test("list() refuses a count that cannot be before it allocates", () => {
  assertRefuses(
    () => pairs.decode(parseBytes("ffffffff 0000000000000000")),
    "PAIRS.pairs: 4294967295 entries of 8 bytes > 8 left",
  );
});

test("an error inside an entry names the list and the entry", () => {
  assertRefuses(
    () => pairs.encode({ pairs: [{ a: -1, b: 0 }] }),
    "PAIRS.pairs, pair.a: -1 is not between 0 and 4294967295",
  );
});

test("a fixed field after a text is refused when the text used it up", () => {
  const after = struct("AFTER", {
    length: lengthOf("name"),
    name: cstring({ max: 9 }),
    end: u32,
  });
  const value = { name: "a", end: 5 };
  assertEquals(after.decode(after.encode(value)), value);
  assertRefuses(
    () => after.decode(parseBytes("00000004 61626300")),
    "AFTER.end: 4 bytes > 0 left",
  );
});

test("take() says how long the message was", () => {
  const bytes = parseBytes("00000003 616200 ffff");
  assertEquals(named.take(bytes), { value: { name: "ab" }, size: 7 });
});

test("lengthOf() of a field that is not there is a programming error", () => {
  const wrong = struct("WRONG", { length: lengthOf("nothing") });
  assertThrows(() => wrong.encode({}), TypeError, "nothing");
});
