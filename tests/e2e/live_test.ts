/** Stock babeltrace2 follows a stock session daemon's live sessions through our relay daemon. */

import { assert, assertEquals } from "@std/assert";
import { startViewers } from "../support/live_viewer.ts";
import { waitFor } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import { ustMissing } from "../support/ust_app.ts";
import {
  assertPrinted,
  assertPrintedFrom,
  assertStored,
  range,
  startLive,
} from "./live_session.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const END_MILLISECONDS = 15_000;
/**
 * Events of the application `fields`, and how many of them a round has.
 * babeltrace2 2.0.4 crashes where one with a sequence is declared while it is
 * attached, whatever the relay daemon.
 */
const LATE_EVENTS = "fields:integers,fields:enumerations";
const LATE_COUNT = 20 + 24;
const NEEDS = { programs: PROGRAMS, skip: await ustMissing() };

for (const timer of [100_000, 1_000_000, 10_000_000]) {
  stockTest(
    `at a timer of ${timer} µs, a viewer alone and five at once print each event once`,
    NEEDS,
    async () => {
      await using world = await World.start(SECOND_KIND, {});
      const channel = ["--subbuf-size=4096", "--num-subbuf=64"];
      await startLive(world, { name: "alone", timer, channel });
      await startLive(world, { name: "crowd", timer, channel });
      const application = await world.application();
      await application.emit(10);
      await world.waitForPaths(/\/ch_0$/, 2);
      await using alone = await startViewers(world.relay, 1, { name: "alone" });
      await using crowd = await startViewers(world.relay, 5, { name: "crowd" });
      await application.emit(300, 1_000);
      await application.emit(700);
      await world.finish("alone");
      await world.finish("crowd");
      for (const viewer of [...alone.programs, ...crowd.programs]) {
        // Whether what came before is seen depends on when it was attached.
        await assertPrintedFrom(viewer, 10, 1010);
      }
      await assertStored(world, 2 * 1010);
    },
  );
}

stockTest("a viewer sees events while they are recorded", NEEDS, async () => {
  await using world = await World.start(SECOND_KIND, {});
  const name = await startLive(world);
  const application = await world.application();
  await application.emit(1);
  await world.waitForPaths(/\.idx$/, 1);
  await using viewers = await startViewers(world.relay, 1, { name });
  const [viewer] = viewers.programs;
  // Enough for its output buffer to be written, long before the end.
  await application.emit(500);
  await waitFor(
    "the viewer prints",
    () => viewer?.text.includes("intfield = 50,") ?? false,
    END_MILLISECONDS,
  );
  assert(viewer?.running);
  await world.finish(name);
  await assertPrintedFrom(viewer, 1, 501);
});

stockTest(
  "viewers that are attached before the first application see all of it",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const name = await startLive(world);
    await using viewers = await startViewers(world.relay, 2, { name });
    const application = await world.application();
    await application.emit(50);
    await world.waitForPaths(/\.idx$/, 1);
    await application.emit(50);
    await world.finish(name);
    for (const viewer of viewers.programs) {
      await assertPrinted(viewer, range(0, 100));
    }
    await assertStored(world, 100);
  },
);

stockTest(
  "viewers of two sessions at once see only their own",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    for (const name of ["short", "long"]) await startLive(world, { name });
    await using short = await startViewers(world.relay, 1, { name: "short" });
    await using long = await startViewers(world.relay, 1, { name: "long" });
    const application = await world.application();
    await application.emit(20);
    await world.finish("short");
    await assertPrinted(short.programs[0]!, range(0, 20));
    assert(long.programs[0]!.running);
    await application.emit(20);
    await world.finish("long");
    await assertPrinted(long.programs[0]!, range(0, 40));
    await assertStored(world, 60);
  },
);

stockTest(
  "a viewer sees applications with buffers of their own come and go",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const name = await startLive(world, { channel: ["--buffers-pid"] });
    await using viewers = await startViewers(world.relay, 1, { name });
    const first = await world.application("first");
    await first.emit(1);
    for (const name of ["second", "third"]) {
      const application = await world.application(name);
      await application.emit(20);
      await application.finish();
    }
    await first.emit(10);
    await world.finish(name);
    for (const viewer of viewers.programs) {
      const expected = [0, ...range(0, 20), ...range(0, 20), ...range(1, 11)];
      assertEquals(await viewer.values(), expected);
    }
    await assertStored(world, 51);
  },
);

stockTest(
  "a viewer sees events that are declared while it is attached",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const name = await startLive(world);
    await using viewers = await startViewers(world.relay, 1, { name });
    const application = await world.application();
    await application.emit(10);
    await world.waitForPaths(/\.idx$/, 1);
    await world.lttng(
      ...["enable-event", "--userspace", `--session=${name}`],
      ...["--channel=ch", LATE_EVENTS],
    );
    const other = await world.sessiond.startFieldsApplication();
    await other.emit(1);
    await application.emit(10);
    await world.finish(name);
    for (const viewer of viewers.programs) {
      const lines = await viewer.lines();
      const fields = lines.filter((line) => line.includes(" fields:"));
      assertEquals([fields.length, lines.length], [
        LATE_COUNT,
        LATE_COUNT + 20,
      ]);
      assertEquals(viewer.errors, "");
    }
    await assertStored(world, LATE_COUNT + 20);
  },
);
