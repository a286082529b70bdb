/** Filters: the bytecode is the stock client's, and refusals say where. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { compileFilter } from "../../../lib/control/filter/compile.ts";
import { FilterError } from "../../../lib/control/filter/error.ts";
import { parseBytes, readPairs } from "../../wire/golden.ts";

// Read here, with the permissions of the run: the tests have none.
const recorded = readPairs("sessiond/filters.txt")
  .map(([filter, bytecode]) => ({ filter, bytecode }));

/** What the stock client takes, and changes: here these are refused. */
const STRICTER = [
  "a[1][2] == 1",
  "a == 18446744073709551616",
  "a == 0xffffffffffffffffff",
  "a == 1e400",
];

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** The words of a refusal, and the part of the filter that it points at. */
function refusal(filter: string): [string, string] {
  const error = assertThrows(() => compileFilter(filter), FilterError);
  assertEquals([error.code, error.text], [106, "Invalid filter bytecode"]);
  const end = error.offset + error.length;
  assert(error.offset >= 0 && end <= filter.length, filter);
  return [error.reason, filter.slice(error.offset, end)];
}

test("compileFilter() makes what the stock client makes", () => {
  const taken = recorded.filter(({ bytecode }) => bytecode !== undefined);
  assert(taken.length > 100);
  for (const { filter, bytecode } of taken) {
    if (STRICTER.includes(filter)) continue;
    assertEquals(compileFilter(filter), bytecode!.slice(), filter);
  }
});

test("compileFilter() refuses what the stock client refuses", () => {
  const refused = recorded.filter(({ bytecode }) => bytecode === undefined);
  assert(refused.length > 60);
  for (const { filter } of refused) refusal(filter);
});

test("compileFilter() refuses what the stock client would change", () => {
  assertEquals(STRICTER.map(refusal), [
    ["only one index can follow a name", "[2]"],
    [
      "18446744073709551616 > 18446744073709551615",
      "18446744073709551616",
    ],
    [
      "0xffffffffffffffffff > 18446744073709551615",
      "0xffffffffffffffffff",
    ],
    ["1e400 is too large for a floating point number", "1e400"],
  ]);
});

const container = (length: string, code: string) =>
  `${length} 0e000000 ${"00".repeat(8)} ${"00".repeat(32)} ${code}`;

test("compileFilter() makes the specification's first example", () => {
  assertEquals(
    compileFilter("intfield > 5"),
    parseBytes(container(
      "19000000",
      "3bffff4105000000000000000e01 0000696e746669656c6400",
    )).slice(),
  );
});

test("compileFilter() pads the header for 2.15", () => {
  const old = compileFilter("a == 1", 14);
  const fresh = compileFilter("a == 1", 15);
  assertEquals(fresh.length, old.length + 16);
  assertEquals(fresh.slice(64), old.slice(48));
  assertEquals(fresh.slice(0, 48), old.slice(0, 48));
});

const refusals: readonly (readonly [string, string, string])[] = [
  ["", "syntax error: the filter ends too early", ""],
  ["a +", "syntax error: the filter ends too early", ""],
  ["a b", "syntax error: not expected here", "b"],
  ["(a == 1", "syntax error: the filter ends too early", ""],
  ["a == 1)", "syntax error: not expected here", ")"],
  ["a == == b", "syntax error: not expected here", "=="],
  ["a == 08", "syntax error: not expected here", "8"],
  ["a = 1", '"=" compares nothing: use "=="', "="],
  ["a == 1;", '";" has no meaning here', ";"],
  ["a ü b", '"ü" has no meaning here', "ü"],
  ["a + 1 == 2", "binary operation + not supported", "+"],
  ["a == 1 && b % 2", "binary operation % not supported", "%"],
  ['"text"', "a string alone is neither true nor false", '"text"'],
  ["1.5", "a float alone is neither true nor false", "1.5"],
  ['a && "x"', "logical && cannot have a string", '"x"'],
  ['a & "x"', "bitwise & cannot have a string", '"x"'],
  ["1.5 << a", "bitwise << cannot have a floating point number", "1.5"],
  ['a && "b" == 2', "== cannot compare a string with a number", '"b" == 2'],
  ['a || -"x"', "unary operation - not allowed on a string", '-"x"'],
  [
    'a < "x*y"',
    "only == and != are allowed with a globbing pattern",
    'a < "x*y"',
  ],
  ['"*a" == "b*"', "two patterns cannot be compared", '"*a" == "b*"'],
  ["a[b] == 1", "Expecting constant index in array expression", "b"],
  ["a[-1] == 1", "Expecting constant index in array expression", "-1"],
  [
    "$foo.bar == 1",
    "Unexpected identifier $foo: only $ctx and $app are known",
    "$foo",
  ],
  ["1 == $ctx", "Expecting identifier after $ctx", "$ctx"],
  ["$ctx[1] == 1", "Expecting identifier after $ctx", "$ctx[1]"],
  ["a == 'open", "a string without its closing '", "'open"],
  [
    'a == "\\n"',
    'Unsupported escape character detected: only "\\\\" and "\\*" are known',
    "\\n",
  ],
  ["a == 1 /* x", "a comment that does not end", "/* x"],
];

for (const [filter, reason, part] of refusals) {
  test(`compileFilter() says what is wrong with ${JSON.stringify(filter)}`, () => {
    assertEquals(refusal(filter), [reason, part]);
  });
}

test("FilterError counts columns from 1 in its message", () => {
  assertThrows(
    () => compileFilter("a b"),
    FilterError,
    "Invalid filter bytecode: at 3: syntax error: not expected here",
  );
});

test("compileFilter() takes a thousand terms", () => {
  const filter = Array.from({ length: 1000 }, (_, i) => `a != ${i}`).join("&&");
  assert(compileFilter(filter).length > 13_000);
});

test("compileFilter() refuses bottomless filters before the stack ends", () => {
  assertEquals(
    refusal("(".repeat(30_000) + "a" + ")".repeat(30_000))[0],
    "nested deeper than 200 levels",
  );
  assertEquals(
    refusal("!".repeat(60_000) + "a")[0],
    "nested deeper than 2000 levels",
  );
  assertEquals(
    refusal("a[".repeat(20_000))[0],
    "nested deeper than 200 levels",
  );
});

test("compileFilter() refuses filters and bytecode that are too long", () => {
  assertEquals(refusal("a".repeat(65_536))[0], "65537 bytes > 65536");
  const terms = Array.from({ length: 1900 }, () => `${"b".repeat(22)}==1`);
  assertEquals(
    /^\d+ bytes of bytecode > 65536$/.test(refusal(terms.join("&&"))[0]),
    true,
  );
});
