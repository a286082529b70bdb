/** Log lines, as text and as JSON. */

import { assertEquals } from "@std/assert";
import { createLog, type LogLevel } from "../../lib/base/log.ts";

function capture(level: LogLevel, json: boolean) {
  const lines: string[] = [];
  const log = createLog({
    level,
    json,
    write: (line) => lines.push(line),
    now: () => 0,
  });
  return { log, lines };
}

Deno.test({
  name: "createLog() drops lines below its level",
  permissions: "none",
  fn: () => {
    const { log, lines } = capture("warning", false);
    log.debug("a");
    log.info("b");
    log.warning("c");
    log.error("d");
    assertEquals(lines, ["Warning: c", "Error: d"]);
  },
});

Deno.test({
  name: "createLog() writes control characters of a message in the open",
  permissions: "none",
  fn: () => {
    const { log, lines } = capture("info", false);
    log.info("host \n\x1b[31mError: é\u2028\x9b");
    assertEquals(lines, ["host \\x0a\\x1b[31mError: é\\u2028\\x9b"]);
  },
});

Deno.test({
  name: "createLog() lets no field replace a JSON line's own keys",
  permissions: "none",
  fn: () => {
    const { log, lines } = capture("info", true);
    log.warning("m\n", { level: "x", time: 1, count: 2n, big: 2n ** 64n });
    assertEquals(lines.map((line) => JSON.parse(line)), [{
      time: "1970-01-01T00:00:00.000Z",
      level: "warning",
      message: "m\n",
      count: 2,
      big: "18446744073709551616",
    }]);
  },
});
