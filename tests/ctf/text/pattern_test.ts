/** Patterns of event names. */

import { assertEquals } from "@std/assert";
import { namePattern } from "../../../lib/ctf/text/pattern.ts";

const CASES: readonly [string, string, boolean][] = [
  ["sched_switch", "sched_switch", true],
  ["sched_switch", "sched_switches", false],
  ["sched_*", "sched_", true],
  ["*", "", true],
  ["*:tp*st", "tp:tptest", true],
  ["tp.test", "tpXtest", false],
  ["a\\*b", "a*b", true],
  ["a\\*b", "aXb", false],
  ["(a|b)", "(a|b)", true],
  ["[a-z]", "b", false],
  ["tail\\", "tail\\", true],
];

for (const [pattern, name, matches] of CASES) {
  Deno.test({
    name: `namePattern("${pattern}") ${
      matches ? "takes" : "refuses"
    } "${name}"`,
    permissions: "none",
    fn: () => assertEquals(namePattern(pattern)(name), matches),
  });
}
