/** Runs `lttng view` and babeltrace2 on the same trace. */

import { assertEquals } from "@std/assert";

/** What a program wrote, and its exit status. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CLI = new URL("../../../cli.ts", import.meta.url).pathname;
/** A zone that is never UTC and not whole hours from it. */
const TIME_ZONE = "Asia/Kolkata";

/** The command line of `lttng view ARGS`, or of the executable in LTTNG_BIN. */
export function viewCommand(...args: string[]): [string, string[]] {
  const executable = Deno.env.get("LTTNG_BIN");
  if (executable) return [executable, ["view", ...args]];
  const flags = ["run", "--quiet", "--no-prompt", "-A"];
  return [Deno.execPath(), [...flags, CLI, "view", ...args]];
}

/** Runs `lttng view ARGS` to its end. */
export function view(...args: string[]): Promise<Printed> {
  return print(...viewCommand(...args));
}

/** Has both programs print `directory`; fails where a byte differs. */
export async function assertSameText(
  directory: string,
  ...options: string[]
): Promise<Printed> {
  const expected = await print("babeltrace2", [...options, directory]);
  assertEquals(expected.code, 0, expected.stderr);
  const printed = await view(...options, directory);
  const what = `${options.join(" ")} ${directory}`;
  assertSameLines(printed.stdout, expected.stdout, what);
  assertSameLines(printed.stderr, expected.stderr, what);
  assertEquals(printed.code, 0, what);
  return printed;
}

/** Shows the first line that differs, not all of them. */
function assertSameLines(printed: string, expected: string, what: string) {
  if (printed === expected) return;
  const lines = printed.split("\n");
  const wanted = expected.split("\n");
  const at = wanted.findIndex((line, index) => line !== lines[index]);
  assertEquals(lines[at], wanted[at], `${what}: line ${at + 1}`);
  assertEquals(lines.length, wanted.length, what);
}

async function print(program: string, args: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    // No session daemon and no current session there.
    env: {
      TZ: TIME_ZONE,
      LTTNG_HOME: "/nonexistent",
      LTTNG_RUNDIR: "/nonexistent",
    },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Bytes that are no UTF-8, which a trace may have, as `\xHH` each. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Array.from(
      bytes,
      (byte) =>
        byte < 128
          ? String.fromCharCode(byte)
          : `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  }
}
