/**
 * `deno task test`: runs every test, or those that the arguments name, and
 * closes with one plain line of counts taken from the runner's own summary.
 */

import { TextLineStream } from "@std/streams";

const SUMMARY =
  /\| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;

const args = Deno.args.length > 0 ? Deno.args : ["tests"];
const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "--allow-all", "--trace-leaks", ...args],
  stdout: "piped",
}).spawn();

let summary: RegExpMatchArray | undefined;
const lines = child.stdout
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  console.log(line);
  // deno-lint-ignore no-control-regex
  const plain = line.replace(/\x1b\[[0-9;]*m/g, "");
  summary = SUMMARY.exec(plain) ?? summary;
}
const { code } = await child.status;
if (summary !== undefined) {
  const [, passed, failed, skipped = "0"] = summary;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
Deno.exit(code !== 0 || summary !== undefined ? code : 1);
