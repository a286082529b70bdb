/**
 * Runs `lttng` again and again as the user whose id is the first argument: one
 * command line a line, as JSON; one answer a line. Tests run as root, whose
 * caches other users cannot read, so that the user is changed once all code is
 * loaded.
 */

import { TextLineStream } from "@std/streams";
import process from "node:process";
import { runLttng } from "../../../lib/cli/lttng/lttng.ts";

const uid = Number(Deno.args[0]);
if (Deno.uid() !== uid) {
  process.setgid?.(uid);
  process.setuid?.(uid);
}

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const { args, hints } = JSON.parse(line) as {
    args: string[];
    hints: boolean;
  };
  let stdout = "";
  let stderr = "";
  const code = await runLttng(args, {
    out: (text) => stdout += text,
    err: (text) => stderr += text,
    hints,
  });
  console.log(JSON.stringify({ code: code & 0xFF, stdout, stderr }));
}
