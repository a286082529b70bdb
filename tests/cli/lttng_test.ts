/**
 * `lttng` itself, where no session daemon is; its commands are compared with
 * the stock program's elsewhere.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../lib/base/version.ts";
import { commandHelp } from "../../lib/cli/lttng/command_help.ts";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { lttngHelp, runLttng, shortHelp } from "../../lib/cli/lttng/lttng.ts";
import {
  LTTNG_ENVIRONMENT,
  lttngPermissionFlags,
} from "../../lib/cli/lttng/lttng_options.ts";

async function lttng(args: readonly string[], hints = false) {
  let stdout = "";
  let stderr = "";
  const code = await runLttng(args, {
    out: (text) => stdout += text,
    err: (text) => stderr += text,
    hints,
  });
  return { code, stdout, stderr };
}

Deno.test("lttng --version says which LTTng it speaks", async () => {
  assertEquals(await lttng(["--version"]), {
    code: 0,
    stdout: `lttng ${VERSION} (LTTng 2.15)\n`,
    stderr: "",
  });
});

Deno.test("lttng says what there is and how to begin", async () => {
  const { code, stdout, stderr } = await lttng([], true);
  assertEquals([code, stdout], [1, shortHelp()]);
  assertStringIncludes(stderr, "First steps:\n  lttng create demo");
});

Deno.test("lttng --help names the commands", async () => {
  const { code, stdout } = await lttng(["--help"]);
  assertEquals([code, stdout], [0, lttngHelp()]);
  for (const { name } of COMMANDS) assertStringIncludes(stdout, `  ${name}\n`);
});

Deno.test("lttng --help runs as a program with no more than it is compiled with", () => {
  const { code, stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...lttngPermissionFlags(), "cli.ts", "--help"],
    stdin: "null",
    stderr: "inherit",
  }).outputSync();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, lttngHelp()]);
});

Deno.test("lttngPermissionFlags() allows every variable in the table", () => {
  const flag =
    lttngPermissionFlags().find((text) => text.startsWith("--allow-env=")) ??
      "";
  const allowed = flag.slice("--allow-env=".length).split(",");
  for (const { name } of LTTNG_ENVIRONMENT) assert(allowed.includes(name));
});

for (const command of COMMANDS) {
  const { name, options } = command;
  Deno.test(`lttng ${name} --help has every option, in lines that fit`, async () => {
    const { code, stdout } = await lttng([name, "--help"]);
    assertEquals([code, stdout], [0, commandHelp(command)]);
    for (const option of options) {
      if (option.name.startsWith("list-")) continue;
      assertStringIncludes(stdout, `--${option.name}`);
    }
    const wide = stdout.split("\n").filter((line) => line.length > 79);
    // Usage and examples are whole command lines.
    assertEquals(wide.filter((line) => !/^(Usage:)? +lttng/.test(line)), []);
  });

  Deno.test(`lttng ${name} gives no option twice`, () => {
    const words = options.flatMap(({ name, short, aliases = [] }) => [
      ...[name, ...aliases].map((name) => `--${name}`),
      ...(short === undefined ? [] : [`-${short}`]),
    ]);
    assertEquals(new Set(words).size, words.length);
  });
}

const HINTS: readonly [string[], string][] = [
  [["--versoin"], "Did you mean --version? --versoin is no option here: "],
  [["crate"], "Did you mean lttng create?"],
  [["start", "--foo"], "--foo is no option here: see lttng start --help."],
  [["create", "--outptu"], "Did you mean --output? "],
  [["create", "--output"], "--output needs an argument: "],
  [["stop", "--no-wait=1"], "--no-wait takes no argument: "],
  [["--mi=yaml", "list"], "Use xml or json."],
  [["help", "lsit"], "Did you mean list?"],
  [["start", "a", "b"], "See lttng start --help."],
  [["completion", "ksh"], "Use one of bash, zsh, fish."],
];

for (const [args, hint] of HINTS) {
  Deno.test(`lttng ${args.join(" ")} says what to write instead`, async () => {
    const { code, stderr } = await lttng(args, true);
    assert(code !== 0);
    assertStringIncludes(stderr, `Hint: ${hint}`);
    const { stderr: withoutHint } = await lttng(args);
    assertEquals(withoutHint.includes("Hint: "), false);
  });
}

Deno.test("lttng add-trigger says where triggers are", async () => {
  assertEquals(await lttng(["add-trigger"]), {
    code: 5,
    stdout: "",
    stderr: "Error: Triggers are not supported: use the lttng of " +
      "lttng-tools, which works with the same session daemon\n",
  });
});

Deno.test("lttng --mi=json version tells what --mi=xml tells", async () => {
  const { stdout } = await lttng(["--json", "version"]);
  const { name, output: { version } } = JSON.parse(stdout);
  assertEquals(name, "version");
  assertEquals([version.major, version.minor], [2, 13]);
  const xml = (await lttng(["--mi=xml", "version"])).stdout;
  assertStringIncludes(xml, `<name>${version.name}</name>`);
});
