/** Viewers, producers and relay daemons that vanish, fall silent, or are slow. */

import { assert } from "@std/assert";
import { startViewers } from "../support/live_viewer.ts";
import { sleep, waitFor } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import { ustMissing } from "../support/ust_app.ts";
import {
  assertPrinted,
  assertStored,
  range,
  startLive,
} from "./live_session.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const NEEDS = { programs: PROGRAMS, skip: await ustMissing() };
const PRINT_MILLISECONDS = 15_000;
/** Many times the live timer and the pause of a viewer. */
const SILENCE_MILLISECONDS = 1_500;

const VANISHING: readonly [string, (world: World) => Promise<void>][] = [
  ["consumer daemons are killed", (world) => world.sessiond.killConsumers()],
  ["session daemon is killed", (world) => world.sessiond.kill()],
];

for (const [name, vanish] of VANISHING) {
  stockTest(
    `viewers end with all that came when the ${name}`,
    NEEDS,
    async () => {
      await using world = await World.start(SECOND_KIND, {});
      const session = await startLive(world);
      await using viewers = await startViewers(world.relay, 2, {
        name: session,
      });
      const application = await world.application();
      await application.emit(100);
      await world.waitForPaths(/\.idx$/, 1);
      await world.settle();
      await vanish(world);
      for (const viewer of viewers.programs) {
        await assertPrinted(viewer, range(0, 100));
      }
      await assertStored(world, 100);
    },
  );
}

stockTest(
  "viewers end when the relay daemon is stopped",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const session = await startLive(world);
    await using viewers = await startViewers(world.relay, 2, { name: session });
    const application = await world.application();
    await application.emit(10);
    await world.waitForPaths(/\.idx$/, 1);
    await world.relay.stop();
    for (const viewer of viewers.programs) {
      await waitFor("the end of a viewer", () => !viewer.running);
    }
  },
);

stockTest(
  "viewers wait for a producer that falls silent, and miss nothing",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const session = await startLive(world);
    await using viewers = await startViewers(world.relay, 2, { name: session });
    const application = await world.application();
    await application.emit(20);
    await world.waitForPaths(/\.idx$/, 1);
    const { sessiond } = world;
    const machine = [sessiond.child.pid, ...sessiond.consumerPids()];
    for (const pid of machine) Deno.kill(pid, "SIGSTOP");
    try {
      await application.emit(20);
      await sleep(SILENCE_MILLISECONDS);
      for (const viewer of viewers.programs) {
        assert(viewer.running, viewer.errors);
      }
    } finally {
      for (const pid of machine) Deno.kill(pid, "SIGCONT");
    }
    await world.finish(session);
    for (const viewer of viewers.programs) {
      await assertPrinted(viewer, range(0, 40));
    }
  },
);

stockTest(
  "a viewer that is stopped delays neither the producer nor another viewer",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const session = await startLive(world, {
      channel: ["--subbuf-size=262144", "--num-subbuf=8"],
    });
    await using viewers = await startViewers(world.relay, 2, { name: session });
    const [quick, slow] = viewers.programs;
    const application = await world.application("app", 1_000);
    const emitting = application.emit(1_000, 200);
    await waitFor(
      "the viewer to be stopped prints",
      () => slow!.text.includes("intfield = 9,"),
      PRINT_MILLISECONDS,
    );
    slow!.signal("SIGSTOP");
    await emitting;
    await application.emit(2_000, 100);
    await waitFor(
      "the other viewer goes on",
      () => quick!.text.includes("intfield = 2900,"),
      PRINT_MILLISECONDS,
    );
    await world.finish(session);
    await assertPrinted(quick!, range(0, 3_000));
    await assertStored(world, 3_000);
    assert(slow!.running);
    slow!.signal("SIGCONT");
    await assertPrinted(slow!, range(0, 3_000));
  },
);
