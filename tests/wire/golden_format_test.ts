/** The text form of recorded bytes says what was put into it. */

import { assertEquals, assertThrows } from "@std/assert";
import { type Exchange, parseExchanges, printExchanges } from "./golden.ts";

Deno.test("printExchanges() prints what parseExchanges() reads", {
  permissions: "none",
}, () => {
  const exchanges: Exchange[] = [
    {
      title: "a name, with [brackets]",
      origin: "recorded",
      minor: 13,
      request: Uint8Array.from({ length: 100 }, (_, i) => i),
      reply: new Uint8Array(4096),
      closed: false,
    },
    {
      title: "nothing comes back",
      origin: "answered",
      minor: 4,
      request: new Uint8Array([1]),
      reply: new Uint8Array(0),
      closed: true,
    },
  ];
  const text = printExchanges(["A comment."], exchanges, 24);
  assertEquals(parseExchanges(text), exchanges);
  assertEquals(text.split("\n")[0], "# A comment.");
  assertEquals(text.includes("< 00*4096\n"), true);
});

Deno.test("parseExchanges() refuses a line that is none, with its number", {
  permissions: "none",
}, () => {
  assertThrows(
    () => parseExchanges("# comment\n> 00\n"),
    SyntaxError,
    "Line 2",
  );
  assertThrows(
    () => parseExchanges("[a] minor 1, recorded\n> 0\n"),
    SyntaxError,
    "Not hexadecimal: 0",
  );
});
