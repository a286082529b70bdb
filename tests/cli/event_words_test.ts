/** Exclusions, probes and wrong filters of `lttng enable-event`. */

import { assertEquals, assertThrows } from "@std/assert";
import { compileFilter } from "../../lib/control/filter/compile.ts";
import { FilterError } from "../../lib/control/filter/error.ts";
import { Console } from "../../lib/cli/lttng/console.ts";
import { parseExclusions } from "../../lib/cli/event_rules/exclusions.ts";
import { explainFilter } from "../../lib/cli/event_rules/filter_words.ts";
import {
  parseKernelProbe,
  parseUserspaceProbe,
  splitEscaped,
} from "../../lib/cli/event_rules/probes.ts";
import { CommandFailure } from "../../lib/cli/lttng/status.ts";

function recorder() {
  const lines: string[] = [];
  const streams = {
    out: () => {},
    err: (text: string) => void lines.push(text),
    hints: false,
  };
  const settings = { quiet: false, verbosity: 0, forProgram: false };
  return { say: new Console(streams, settings), lines };
}

const EXCLUSIONS: readonly [string, string, string[] | string][] = [
  ["tp:*", "tp:a,tp:b", []],
  ["tp:*", "tp:a*", []],
  ["tp:*", "other", "other does not exclude any events from tp:*"],
  ["tp:*", "t", "t does not exclude any events from tp:*"],
  ["tp:*", "*b*", []],
  ["a*b", "zzz", []],
  ["tp\\*:*", "tp\\*:x", []],
  ["tp\\*:*", "tp:x", "tp:x does not exclude any events from tp\\*:*"],
];

for (const [name, text, warning] of EXCLUSIONS) {
  Deno.test({
    name: `parseExclusions() of ${name} without ${text}`,
    permissions: "none",
    fn: () => {
      const { say, lines } = recorder();
      parseExclusions(say, name, text);
      assertEquals(
        lines,
        typeof warning === "string"
          ? [`Warning: Event ${name}: ${warning}\n`]
          : warning,
      );
    },
  });
}

for (const [name, text] of [["plain", "x"], ["tp:*", "*"], ["tp:*", "tp*"]]) {
  Deno.test({
    name: `parseExclusions() refuses ${text} of ${name}`,
    permissions: "none",
    fn: () => {
      const { say } = recorder();
      assertThrows(() => parseExclusions(say, name!, text!), CommandFailure);
    },
  });
}

Deno.test({
  name: "splitEscaped() keeps a separator behind a backslash",
  permissions: "none",
  fn: () => {
    assertEquals(splitEscaped("a\\:b:c\\d:\\", ":"), ["a:b", "c\\d", "\\"]);
  },
});

Deno.test({
  name: "parseKernelProbe() reads symbols, offsets and addresses",
  permissions: "none",
  fn: () => {
    const read = (text: string) => parseKernelProbe(text, "probe");
    assertEquals(read("do_fork+0x10"), { symbol: "do_fork", offset: 16n });
    assertEquals(read("_start"), { symbol: "_start" });
    assertEquals(read("0xc0101280"), { address: 0xc0101280n });
    assertThrows(
      () => read("?"),
      CommandFailure,
      "Invalid probe description ?",
    );
  },
});

Deno.test("parseUserspaceProbe() reads functions and SDT probes", () => {
  assertEquals(parseUserspaceProbe("/bin/sh:main"), {
    ...{ path: "/bin/sh", lookup: "elf", functionName: "main" },
  });
  assertEquals(parseUserspaceProbe("elf:/bin/sh:main"), {
    ...{ path: "/bin/sh", lookup: "elf", functionName: "main" },
  });
  assertEquals(parseUserspaceProbe("sdt:/bin/sh:provider:probe"), {
    ...{ path: "/bin/sh", lookup: "sdt" },
    ...{ providerName: "provider", probeName: "probe" },
  });
  for (const text of ["x", "foo:/bin/sh:main", "/no/such:main", "a:b:c:d"]) {
    assertThrows(() => parseUserspaceProbe(text), CommandFailure);
  }
});

const FILTERS: readonly [string, string][] = [
  ["a + b", "  a + b\n    ^"],
  ["a ==", "  a ==\n      ^"],
  ["a\t== 'é' && b +", "  a == 'é' && b +\n"],
];

for (const [filter, shown] of FILTERS) {
  Deno.test({
    name: `explainFilter() shows where ${JSON.stringify(filter)} is wrong`,
    permissions: "none",
    fn: () => {
      const { say, lines } = recorder();
      const error = assertThrows(() => compileFilter(filter), FilterError);
      explainFilter(say, filter, error);
      const text = lines.join("");
      assertEquals(text.startsWith(shown), true, text);
      assertEquals(text.includes(error.reason), true);
    },
  });
}
