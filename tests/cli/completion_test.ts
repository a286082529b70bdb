/** Completion scripts, in the shells that are installed. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { completionScript, SHELLS } from "../../lib/cli/lttng/completion.ts";
import { LTTNG_OPTIONS } from "../../lib/cli/lttng/lttng_options.ts";
import { run } from "../support/process.ts";
import { isOnPath } from "../support/stock.ts";

/** A test that is skipped, in words, where there is no such shell. */
function shellTest(name: string, shell: string, fn: () => Promise<void>) {
  const ignore = !isOnPath(shell);
  if (ignore) console.log(`Skipped: ${name}: Not installed: ${shell}`);
  Deno.test({ name, ignore, fn });
}

for (const shell of SHELLS) {
  const script = completionScript(shell, COMMANDS, LTTNG_OPTIONS);

  Deno.test({
    name: `completionScript() for ${shell} knows every command that is shown`,
    permissions: "none",
    fn: () => {
      for (const { name, isHidden } of COMMANDS) {
        if (!isHidden) assertStringIncludes(script, name);
      }
    },
  });

  shellTest(
    `completionScript() for ${shell} is a script that ${shell} reads`,
    shell,
    async () => {
      const path = await Deno.makeTempFile();
      try {
        await Deno.writeTextFile(path, script);
        const { code, stderr } = await run({ command: [shell, "-n", path] });
        assertEquals([code, stderr], [0, ""]);
      } finally {
        await Deno.remove(path);
      }
    },
  );
}

/** What bash completes a command line to. */
async function complete(...words: string[]): Promise<string[]> {
  const script = completionScript("bash", COMMANDS, LTTNG_OPTIONS);
  const line = `${script}
COMP_WORDS=(lttng ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}
_lttng
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run({ command: ["bash", "-c", line] });
  return stdout.trim().split("\n");
}

const COMPLETED: readonly [string[], string[]][] = [
  [["dest"], ["destroy"]],
  [["--sess"], ["--sessiond-path"]],
  [["-q", "enable-c"], ["enable-channel"]],
  [["create", "--sna"], ["--snapshot"]],
  [["snapshot", "re"], ["record"]],
  [["help", "rot"], ["rotate"]],
];

for (const [words, expected] of COMPLETED) {
  shellTest(
    `bash completes lttng ${words.join(" ")}`,
    "bash",
    async () => assertEquals(await complete(...words), expected),
  );
}
