/** `deno task demo`, as root and as others, to its end and interrupted. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { tracefsMissing, tracefsTest } from "../kernel/support/tracefs.ts";
import {
  denoIsPrivate,
  SessiondPlace,
} from "../session/support/sessiond_process.ts";
import { ChildProgram, run, waitFor } from "../support/process.ts";
import { isRunning } from "../support/sessiond.ts";
import { Tracefs } from "../../lib/kernel/tracefs.ts";

const DEMO = new URL("../../examples/demo.ts", import.meta.url).pathname;
const COMMAND = [Deno.execPath(), "run", "--quiet", "-A", DEMO];
const PATIENCE_MS = 60_000;
const INTERRUPTED = 130;

/** What a pattern finds in a text: its first group. */
function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`No ${pattern} in:\n${text}`);
  return match;
}

/** Asserts that of the demo nothing is left but its trace, and removes that. */
async function assertClean(output: string, trace: string): Promise<void> {
  assert(!isRunning(Number(found(output, /In the background: process (\d+)/))));
  const runDirectory = found(output, /LTTNG_RUNDIR=(\S+)/);
  const there = await Deno.stat(runDirectory).catch(() => undefined);
  assertEquals(there, undefined, runDirectory);
  const { path } = Tracefs.open();
  const instances = [...Deno.readDirSync(`${path}/instances`)]
    .map(({ name }) => name).filter((name) => name.includes("demo"));
  assertEquals(instances, []);
  await removeTrace(trace);
}

/** Removes the directory that the demo made for its trace. */
async function removeTrace(trace: string): Promise<void> {
  const directory = found(trace, /^(.*\/lttng-demo-[^/]+)\//);
  await Deno.remove(directory, { recursive: true });
}

tracefsTest(
  "the demo of root records the kernel and shows what arrived",
  async () => {
    const { code, stdout, stderr } = await run(
      { command: COMMAND },
      PATIENCE_MS,
    );
    assertEquals([code, stderr], [0, ""], stdout);
    const trace = found(stdout, /The trace is in (\S+);/);
    for (
      const command of [
        ...["lttng create demo --set-url=net://127.0.0.1:", "lttng start\n"],
        ...["lttng enable-event --kernel ", "lttng stop\n", "lttng destroy\n"],
        `lttng view --summary ${trace}\n`,
      ]
    ) assertStringIncludes(stdout, `$ ${command}`);
    const recorded = Number(found(stdout, /destroyed: (\d+) events recorded/));
    const dumped = Number(found(stdout, /lttng-statedump_0 +(\d+) events/));
    assert(recorded > 0 && dumped > 0);
    assertEquals(Number(found(stdout, /\nEvents: (\d+) /)), recorded + dumped);
    assertStringIncludes(stdout, "\n  syscall_entry_openat ");
    await assertClean(stdout, trace);
  },
);

tracefsTest(
  "the demo that is interrupted ends its daemons and says what it has",
  async () => {
    await using demo = new ChildProgram({ command: COMMAND });
    await waitFor(
      "the load",
      () => demo.stdout.includes("  1 s: "),
      PATIENCE_MS,
    );
    demo.signal("SIGINT");
    const { code } = await demo.ended;
    assertEquals([code, demo.stderr], [INTERRUPTED, "\nInterrupted\n"]);
    assertStringIncludes(demo.stdout, "Session demo destroyed: ");
    const trace = found(demo.stdout, /The trace is in (\S+);/);
    await assertClean(demo.stdout, trace);
  },
);

/** Why the demo cannot be run as another user. */
function otherUserMissing(): string | undefined {
  return Deno.uid() === 0 ? denoIsPrivate() : undefined;
}

const privateDeno = otherUserMissing();
if (privateDeno !== undefined) {
  console.log(`Skipped: the demo of a user: ${privateDeno}`);
}

Deno.test({
  name: "the demo of a user says what root sees, and traces a program",
  ignore: privateDeno !== undefined,
  async fn() {
    await using place = await SessiondPlace.make();
    const { code, stdout, stderr } = await place.runProgram(DEMO);
    assertEquals([code, stderr], [0, ""], stdout);
    assertStringIncludes(
      stdout,
      "Not root: as root, this demo traces the kernel.\n" +
        "So a program is traced instead.\n",
    );
    assertStringIncludes(stdout, "\n2004 events in ");
    await removeTrace(found(stdout, /What arrived in (\S+):\n/));
  },
});

Deno.test({
  name: "the demo of root says why the kernel cannot be traced",
  // Only root can take the mount away, and only where there is one.
  ignore: tracefsMissing() !== undefined,
  async fn() {
    const script = 'mount -o remount,bind,ro "$0" && exec "$@"';
    const { code, stdout } = await run({
      command: [
        ...["unshare", "--mount", "sh", "-c", script, Tracefs.find()],
        ...COMMAND,
      ],
    });
    assertEquals(code, 0, stdout);
    assertStringIncludes(
      stdout,
      "it is mounted read-only, as in a container: mount tracefs for " +
        "writing there, or trace from the host.\n" +
        "So a program is traced instead.\n",
    );
    await removeTrace(found(stdout, /What arrived in (\S+):\n/));
  },
});
