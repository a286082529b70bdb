/** A live session of our session daemon, followed by a stock viewer. */

import { assertEquals } from "@std/assert";
import { startViewers } from "../support/live_viewer.ts";
import { waitFor } from "../support/process.ts";
import { type RelayKind, startRelay } from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockMissing, stockTest } from "../support/stock.ts";
import { HOSTNAME, RunningDaemon } from "./support/running_daemon.ts";

const PROGRAMS = [...SESSIOND_PROGRAMS, "babeltrace2"];

for (const kind of ["ours", "stock"] as const satisfies RelayKind[]) {
  stockTest(
    `a viewer follows a live session, over streams that fall silent (${kind} relay daemon)`,
    {
      programs: PROGRAMS,
      skip: kind === "stock" ? stockMissing("lttng-relayd") : undefined,
    },
    async () => {
      await using relay = await startRelay(kind);
      await using daemon = await RunningDaemon.start();
      const { control, data } = relay.ports;
      const url = `--set-url=net://127.0.0.1:${control}:${data}`;
      await daemon.lttng("create", "demo", "--live=100000", url);
      await daemon.lttng("enable-event", "--kernel", "fake_tick");
      await daemon.lttng("start");
      await using viewers = await startViewers(relay, 1, {
        name: "demo",
        hostname: HOSTNAME,
      });
      const recording = daemon.tracer.recordings.get("demo")!;
      const [viewer] = viewers.programs;
      // One stream alone, again and again: the other has nothing to say. What
      // the viewer prints comes in pieces of 4 KiB.
      let rounds = 0;
      await waitFor("the viewer prints while the session goes on", async () => {
        recording.produce(rounds++ % 2 === 0 ? 1 : 3, "x".repeat(200));
        await new Promise((resolve) => setTimeout(resolve, 50));
        return viewer!.text.includes("fake_tick");
      }, 20_000);
      await daemon.lttng("stop");
      await daemon.lttng("destroy");
      const produced = recording.channels[0]!.produced;
      const expected = Array.from({ length: produced }, (_, n) => n);
      assertEquals(await viewer!.values("n"), expected);
    },
  );
}
