/** Command lines, split as getopt and popt split them. */

import { assertEquals } from "@std/assert";
import {
  type Arguments,
  splitCommand,
  splitGlobal,
} from "../../lib/cli/lttng/arguments.ts";
import type { OptionTable } from "../../lib/cli/options/options.ts";

const TABLE: OptionTable = [
  { name: "session", short: "s", kind: "value", help: "" },
  {
    name: "set-url",
    short: "U",
    kind: "value",
    aliases: ["set-uri"],
    help: "",
  },
  { name: "live", kind: "optional", help: "" },
  { name: "all", short: "a", kind: "switch", help: "" },
  { name: "verbose", short: "v", kind: "count", help: "" },
];

/** Options as `name` or `name=value`, then what else there is. */
function words({ given, problem, rest }: Arguments) {
  const options = given.map(({ option, value }) =>
    value === undefined ? option.name : `${option.name}=${value}`
  );
  return [
    options,
    rest,
    ...(problem === undefined ? [] : [`${problem.kind} ${problem.written}`]),
  ];
}

const COMMANDS: readonly [string[], unknown[]][] = [
  [[], [[], []]],
  [["x", "--all", "y"], [["all"], ["x", "y"]]],
  [["--session", "a", "--session=b"], [["session=a", "session=b"], []]],
  [["-s", "a", "-sb", "-s=c"], [["session=a", "session=b", "session=c"], []]],
  [["-vav"], [["verbose", "all", "verbose"], []]],
  [["-asx"], [["all", "session=x"], []]],
  [["--set-uri=x"], [["set-url=x"], []]],
  [["--live"], [["live"], []]],
  [["--live", "-a"], [["live", "all"], []]],
  [["--live", "5"], [["live=5"], []]],
  [["--live=5", "n"], [["live=5"], ["n"]]],
  [["--live="], [["live="], []]],
  [["-", "--", "--all"], [[], ["-", "--all"]]],
  [["--al"], [[], [], "unknown --al"]],
  [["-a", "-x", "-v"], [["all"], ["-v"], "unknown -x"]],
  [["--all=1"], [[], [], "unwanted value --all"]],
  [["--session"], [[], [], "no value --session"]],
  [["-s"], [[], [], "no value -s"]],
];

for (const [args, expected] of COMMANDS) {
  Deno.test({
    name: `splitCommand() splits ${JSON.stringify(args)}`,
    permissions: "none",
    fn: () => assertEquals(words(splitCommand(TABLE, args)), expected),
  });
}

const GLOBALS: readonly [string[], unknown[]][] = [
  [["-a", "list", "-v"], [["all"], ["list", "-v"]]],
  [["--ver", "--al"], [["verbose", "all"], []]],
  [["--se=x"], [[], [], "ambiguous --se"]],
  [["--sess=x"], [["session=x"], []]],
  [["-s=x"], [["session==x"], []]],
  [["--", "list"], [[], ["list"]]],
];

for (const [args, expected] of GLOBALS) {
  Deno.test({
    name: `splitGlobal() splits ${JSON.stringify(args)}`,
    permissions: "none",
    fn: () => assertEquals(words(splitGlobal(TABLE, args)), expected),
  });
}
