/** What is made of the option table for readers. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  formatMarkdownEnvironment,
  formatMarkdownOptions,
  formatOptionList,
} from "../../lib/cli/options/help.ts";
import type { OptionTable } from "../../lib/cli/options/options.ts";
import {
  RELAYD_ENVIRONMENT,
  RELAYD_OPTIONS,
  relaydHelp,
  relaydPermissionFlags,
} from "../../lib/cli/relayd/relayd_options.ts";

const TABLE = [
  {
    name: "output",
    short: "o",
    kind: "value",
    valueName: "DIR",
    defaultText: "~/traces",
    environment: "OUTPUT",
    help: "Write | here.",
  },
  { name: "json", kind: "switch", help: "Log JSON." },
] as const satisfies OptionTable;

Deno.test({
  name: "relaydHelp() names every option and variable in lines that fit",
  permissions: "none",
  fn: () => {
    const help = relaydHelp();
    for (const { name } of RELAYD_OPTIONS) {
      assertStringIncludes(help, `--${name}`);
    }
    for (const { name } of RELAYD_ENVIRONMENT) {
      assertStringIncludes(help, `  ${name}\n`);
    }
    for (const line of help.split("\n")) assert(line.length <= 79, line);
  },
});

Deno.test({
  name: "formatMarkdownOptions() makes a padded table",
  permissions: "none",
  fn: () => {
    assertEquals(
      formatMarkdownOptions(TABLE),
      "| Option             | Default  | Meaning                            |\n" +
        "| ------------------ | -------- | ---------------------------------- |\n" +
        "| `-o, --output=DIR` | ~/traces | Write \\| here. Variable: `OUTPUT`. |\n" +
        "| `--json`           |          | Log JSON.                          |\n",
    );
  },
});

Deno.test({
  name: "formatMarkdownEnvironment() has a row for each variable",
  permissions: "none",
  fn: () => {
    const table = formatMarkdownEnvironment(RELAYD_ENVIRONMENT);
    assertEquals(
      table.trimEnd().split("\n").length,
      RELAYD_ENVIRONMENT.length + 2,
    );
  },
});

Deno.test({
  name: "formatOptionList() lists long names and letters",
  permissions: "none",
  fn: () => assertEquals(formatOptionList(TABLE), "--output\n-o\n--json\n"),
});

Deno.test({
  name: "RELAYD_OPTIONS gives no name and no letter twice",
  permissions: "none",
  fn: () => {
    const words = formatOptionList(RELAYD_OPTIONS).trim().split("\n");
    assertEquals(new Set(words).size, words.length);
  },
});

Deno.test({
  name: "relaydPermissionFlags() allows every variable in the tables",
  permissions: "none",
  fn: () => {
    const flag = relaydPermissionFlags()
      .find((text) => text.startsWith("--allow-env=")) ?? "";
    const allowed = flag.slice("--allow-env=".length).split(",");
    for (const { name } of RELAYD_ENVIRONMENT) assert(allowed.includes(name));
    for (const row of RELAYD_OPTIONS) {
      if ("environment" in row) assert(allowed.includes(row.environment));
    }
  },
});
