/** A live session of this machine's kernel, of which one processor alone has events. */

import { assertEquals } from "@std/assert";
import { tracefsMissing } from "../kernel/support/tracefs.ts";
import { readTrace } from "../support/babeltrace.ts";
import { startViewers } from "../support/live_viewer.ts";
import { waitFor } from "../support/process.ts";
import { type RelayKind, startRelay } from "../support/relay_process.ts";
import { stockMissing, stockTest } from "../support/stock.ts";
import { OpeningShell } from "./support/opening_shell.ts";
import { ROOT_DAEMON_PROGRAMS, RootDaemon } from "./support/root_daemon.ts";

const PROGRAMS = [...ROOT_DAEMON_PROGRAMS, "babeltrace2", "bash", "taskset"];
const noKernel = Deno.uid() === 0 ? tracefsMissing() : "Needs root";
const PATIENCE_MS = 30_000;
const LIVE_TIMER_US = 100_000;
/** Files opened at once; the viewer prints in pieces of 4 KiB. */
const FILES = 100;

function callsIn(lines: readonly string[]): string[] {
  return lines.filter((line) => line.includes("openat:"));
}

for (const kind of ["ours", "stock"] as const satisfies RelayKind[]) {
  stockTest(
    `a viewer follows the kernel, of which a processor is idle (${kind} relay daemon)`,
    {
      programs: PROGRAMS,
      skip: noKernel ??
        (kind === "stock" ? stockMissing("lttng-relayd") : undefined),
    },
    async () => {
      await using relay = await startRelay(kind);
      await using daemon = await RootDaemon.start();
      await using shell = new OpeningShell();
      const url = `--set-url=${relay.url()}`;
      await daemon.lttng("create", "demo", `--live=${LIVE_TIMER_US}`, url);
      await daemon.lttng("enable-event", "--kernel", "--syscall", "openat");
      await daemon.lttng("track", "--kernel", `--pid=${shell.child.pid}`);
      await daemon.lttng("start");
      await using viewers = await startViewers(relay, 1, { name: "demo" });
      const [viewer] = viewers.programs;
      let opened = 0;
      for (let round = 1; round <= 3; round++) {
        const printed = () => callsIn(viewer!.text.split("\n")).length;
        const before = printed();
        await waitFor(
          "the viewer prints while the session goes on",
          async () => {
            await shell.open("/etc/hostname", FILES);
            opened += FILES;
            return printed() > before;
          },
          PATIENCE_MS,
        );
        // All streams are silent for some periods.
        await new Promise((done) =>
          setTimeout(done, 5 * LIVE_TIMER_US / 1_000)
        );
      }
      await daemon.lttng("stop");
      await daemon.lttng("destroy");
      const seen = callsIn(await viewer!.lines());
      assertEquals(seen.length, 2 * opened);
      const { events, errors } = await readTrace(relay.output);
      assertEquals(callsIn(events).length, 2 * opened, errors);
      assertEquals(seen.map(timeOf).toSorted(), seen.map(timeOf));
    },
  );
}

/** When an event was, as babeltrace2 prints it. */
function timeOf(line: string): string {
  return line.slice(0, line.indexOf("]"));
}
