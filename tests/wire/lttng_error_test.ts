/** LTTng's error codes, symbols and texts. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  lttngErrorCode,
  lttngErrorCodes,
  lttngErrorNumber,
} from "../../lib/wire/lttng_error.ts";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("lttngErrorCode() has symbol and text of every kind of code", () => {
  assertEquals(lttngErrorCode(10), {
    code: 10,
    symbol: "LTTNG_OK",
    text: "Success",
  });
  assertEquals(lttngErrorCode(23), {
    code: 23,
    symbol: "LTTNG_ERR_SESS_NOT_FOUND",
    text: "Session name not found",
  });
  assertEquals(lttngErrorCode(110).text, "Unknown error code");
  assertEquals(lttngErrorCode(9999).text, "Unknown error code");
});

test("lttngErrorCodes() has each of the 158 codes up to 170 once", () => {
  const codes = lttngErrorCodes().map(({ code }) => code);
  assertEquals(new Set(codes).size, 158);
  assertEquals([Math.min(...codes), Math.max(...codes)], [10, 170]);
});

test("lttngErrorNumber() finds what lttngErrorCode() names", () => {
  for (const { code, symbol } of lttngErrorCodes()) {
    assertEquals(lttngErrorNumber(symbol.replace(/^LTTNG_(ERR_)?/, "")), code);
  }
  assertThrows(() => lttngErrorNumber("NO_SUCH"), TypeError, "NO_SUCH");
});
