/** The language of option tables: command lines, files, variables, layers. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  configLayer,
  environmentLayer,
  mergeLayers,
  OptionError,
  type OptionTable,
  parseCommandLine,
  parseSwitch,
} from "../../lib/cli/options/options.ts";

const TABLE = [
  { name: "output", short: "o", kind: "value", valueName: "DIR", help: "" },
  { name: "control-port", short: "C", kind: "value", help: "" },
  { name: "config", short: "f", kind: "value", inConfigFile: false, help: "" },
  { name: "clear", short: "x", kind: "switch", environment: "CLEAR", help: "" },
  { name: "clear-all", kind: "switch", help: "" },
  { name: "verbose", short: "v", kind: "count", help: "" },
  { name: "live", short: "l", kind: "optional", aliases: ["old"], help: "" },
] as const satisfies OptionTable;

function parse(...args: string[]) {
  const { layer, rest } = parseCommandLine(TABLE, args);
  return { ...mergeLayers(TABLE, [layer]).values, rest };
}

const NOTHING = parse();

const PARSED: readonly [string[], Record<string, unknown>][] = [
  [[], {}],
  [["--output=/tmp"], { output: "/tmp" }],
  [["--output", "/tmp"], { output: "/tmp" }],
  [["-o", "/tmp"], { output: "/tmp" }],
  [["-o/tmp"], { output: "/tmp" }],
  [["-o12"], { output: "12" }],
  [["-vxo/tmp"], { verbose: 1, clear: true, output: "/tmp" }],
  [["-vvv"], { verbose: 3 }],
  [["-v", "--verb", "-v"], { verbose: 3 }],
  [["--out=1", "--output=2"], { output: "2" }],
  [["--output=a=b c\nd"], { output: "a=b c\nd" }],
  [["--output", "--clear"], { output: "--clear" }],
  [["--clear"], { clear: true }],
  [["--clear-"], { "clear-all": true }],
  [["a", "-x", "b"], { clear: true, rest: ["a", "b"] }],
  [["-", "--", "-x", "--"], { rest: ["-", "-x", "--"] }],
  [["--live", "5"], { live: "", rest: ["5"] }],
  [["--live=5"], { live: "5" }],
  [["-vl"], { verbose: 1, live: "" }],
  [["-l5"], { live: "5" }],
  [["--old=5"], { live: "5" }],
];

for (const [args, expected] of PARSED) {
  Deno.test({
    name: `parseCommandLine() reads ${JSON.stringify(args)}`,
    permissions: "none",
    fn: () => assertEquals(parse(...args), { ...NOTHING, ...expected }),
  });
}

const REFUSED: readonly [string[], string][] = [
  [
    ["--ouptut=/tmp"],
    "Unknown option: --ouptut: did you mean --output?: see --help",
  ],
  [["--frobnicate"], "Unknown option: --frobnicate: see --help"],
  [["-vq"], "Unknown option: -q: see --help"],
  [
    ["--c"],
    "Ambiguous option: --c: --control-port, --config, --clear, --clear-all",
  ],
  [["--clear=yes"], "Option takes no value: --clear"],
  [["--verbose=2"], "Option takes no value: --verbose"],
  [["--output"], "Option needs a value: --output=DIR"],
  [["--output="], "Option needs a value: --output=DIR"],
  [["-vC"], "Option needs a value: --control-port=VALUE"],
];

for (const [args, message] of REFUSED) {
  Deno.test({
    name: `parseCommandLine() refuses ${JSON.stringify(args)}`,
    permissions: "none",
    fn: () => {
      const error = assertThrows(() => parse(...args), OptionError);
      assertEquals(error.message, message);
    },
  });
}

Deno.test({
  name: "mergeLayers() lets the last value win and names its origin",
  permissions: "none",
  fn: () => {
    const file = configLayer(
      TABLE,
      [
        { key: "output", value: "/file", line: 1 },
        { key: "control-port", value: "tcp://h", line: 2 },
      ],
      "/etc/x.conf",
    );
    const { layer } = parseCommandLine(TABLE, ["-o/line"]);
    const merged = mergeLayers(TABLE, [file.layer, layer]);
    assertEquals(merged.values.output, "/line");
    assertEquals(merged.origin("output"), "--output");
    assertEquals(merged.values["control-port"], "tcp://h");
    assertEquals(merged.origin("control-port"), "control-port in /etc/x.conf");
  },
});

Deno.test({
  name: "mergeLayers() keeps a switch on that a later layer switches off",
  permissions: "none",
  fn: () => {
    const on = configLayer(
      TABLE,
      [{ key: "clear", value: "on", line: 1 }],
      "a",
    );
    const off = configLayer(
      TABLE,
      [{ key: "clear", value: "0", line: 1 }],
      "b",
    );
    const merged = mergeLayers(TABLE, [on.layer, off.layer]);
    assertEquals(merged.values.clear, true);
    assertEquals(mergeLayers(TABLE, [off.layer]).values.clear, false);
  },
});

Deno.test({
  name: "mergeLayers() adds up what files and the command line count",
  permissions: "none",
  fn: () => {
    const file = configLayer(
      TABLE,
      [{ key: "verbose", value: "2", line: 1 }],
      "a",
    );
    const { layer } = parseCommandLine(TABLE, ["-v"]);
    assertEquals(mergeLayers(TABLE, [file.layer, layer]).values.verbose, 3);
  },
});

Deno.test({
  name: "configLayer() warns of unknown keys and skips those not for files",
  permissions: "none",
  fn: () => {
    const { layer, warnings } = configLayer(
      TABLE,
      [
        { key: "outputs", value: "/x", line: 3 },
        { key: "config", value: "/y", line: 4 },
      ],
      "/a.conf",
    );
    assertEquals(warnings, [
      "Ignored unknown key: outputs in /a.conf, line 3: did you mean output?",
    ]);
    assertEquals(layer.given.size, 0);
  },
});

Deno.test({
  name: "configLayer() refuses a switch that is neither yes nor no",
  permissions: "none",
  fn: () => {
    const error = assertThrows(
      () => configLayer(TABLE, [{ key: "clear", value: "x", line: 1 }], "/a"),
      OptionError,
    );
    assertEquals(
      error.message,
      'clear in /a: Neither yes nor no: "x": use true, yes, on, 1 or false, no, off, 0',
    );
  },
});

Deno.test({
  name: "environmentLayer() reads the table's variables, but not empty ones",
  permissions: "none",
  fn: () => {
    function clearOf(text: string) {
      const layer = environmentLayer(
        TABLE,
        (name) => name === "CLEAR" ? text : undefined,
      );
      return mergeLayers(TABLE, [layer]).values.clear;
    }
    assertEquals(clearOf("1"), true);
    assertEquals(clearOf("no"), false);
    assertEquals(clearOf(""), false);
    const error = assertThrows(() => clearOf("maybe"), OptionError);
    assertEquals(
      error.message,
      'CLEAR: Neither yes nor no: "maybe": use true, yes, on, 1 or false, no, off, 0',
    );
  },
});

Deno.test({
  name: "parseSwitch() takes LTTng's words in any case",
  permissions: "none",
  fn: () => {
    for (const word of ["true", "Yes", "ON", "1", "42"]) {
      assertEquals(parseSwitch(word), true, word);
    }
    for (const word of ["false", "No", "OFF", "0", "00"]) {
      assertEquals(parseSwitch(word), false, word);
    }
    for (const word of ["", "-1", "y", "enable"]) {
      assertEquals(parseSwitch(word), undefined, word);
    }
  },
});
