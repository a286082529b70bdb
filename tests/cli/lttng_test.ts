/** `lttng` itself; its commands have tests of their own. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../lib/base/version.ts";
import { lttngHelp } from "../../lib/cli/lttng.ts";

function lttng(...args: string[]) {
  const cli = new URL("../../cli.ts", import.meta.url).href;
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", cli, ...args],
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("lttng --version says which LTTng it speaks", () => {
  assertEquals(lttng("--version"), {
    code: 0,
    stdout: `lttng ${VERSION} (LTTng 2.15)\n`,
    stderr: "",
  });
});

Deno.test("lttng --help names the commands", () => {
  const { code, stdout } = lttng("--help");
  assertEquals([code, stdout], [0, lttngHelp()]);
  assertStringIncludes(stdout, "Command view: ");
});

const REFUSED: readonly [string[], string][] = [
  [[], "No command: view: see --help"],
  [
    ["create", "--help"],
    "Unknown command: create: version 0.1.0 has view: see --help",
  ],
  [
    ["--versoin"],
    "Unknown option: --versoin: did you mean --version?: see --help",
  ],
];

for (const [args, message] of REFUSED) {
  Deno.test(`lttng refuses ${JSON.stringify(args)}`, () => {
    assertEquals(lttng(...args), {
      code: 1,
      stdout: "",
      stderr: `Error: ${message}\n`,
    });
  });
}
