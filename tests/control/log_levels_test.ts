/** Log levels: names and numbers of every domain. */

import { assertEquals, assertThrows } from "@std/assert";
import { ControlError } from "../../lib/control/errors.ts";
import {
  formatLogLevel,
  logLevelNames,
  parseLogLevel,
} from "../../lib/control/log_levels.ts";
import type { DomainName } from "../../lib/control/names.ts";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("parseLogLevel() knows the levels of every domain", () => {
  const known: [DomainName, string, number][] = [
    ["ust", "EMERG", 0],
    ["ust", "TRACE_INFO", 6],
    ["ust", "trace_debug_line", 13],
    ["ust", "LINE", 13],
    ["ust", "SYSTEM", 7],
    ["ust", "DEBUG", 14],
    ["jul", "JUL_SEVERE", 1000],
    ["jul", "finest", 300],
    ["jul", "ALL", -2147483648],
    ["log4j", "LOG4J_WARN", 30_000],
    ["log4j", "OFF", 2147483647],
    ["python", "PYTHON_DEBUG", 10],
    ["python", "NOTSET", 0],
  ];
  for (const [domain, name, number] of known) {
    assertEquals(parseLogLevel(domain, name), number, name);
  }
});

test("parseLogLevel() refuses what is no level", () => {
  for (
    const [domain, name] of [
      ["ust", "BOGUS"],
      ["ust", "6"],
      ["ust", "INFO..DEBUG"],
      ["ust", ""],
      ["ust", "constructor"],
      ["jul", "TRACE_INFO"],
      ["kernel", "INFO"],
    ] as const
  ) {
    const error = assertThrows(() => parseLogLevel(domain, name), ControlError);
    assertEquals(error.message, `Invalid parameter: unknown log level ${name}`);
  }
});

test("formatLogLevel() says what parseLogLevel() takes", () => {
  for (const domain of ["ust", "jul", "log4j", "python"] as const) {
    for (const [, number] of logLevelNames(domain)) {
      const name = formatLogLevel(domain, number)!;
      assertEquals(parseLogLevel(domain, name), number, name);
    }
  }
  assertEquals(formatLogLevel("ust", 14), "TRACE_DEBUG");
  assertEquals(formatLogLevel("ust", 99), undefined);
  assertEquals(formatLogLevel("kernel", 0), undefined);
});
