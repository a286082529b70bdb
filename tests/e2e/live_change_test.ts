/**
 * Viewers of sessions that are stopped, cleared, or kept in a ring of files.
 * The stock session daemon does not rotate live sessions.
 */

import { assert, assertEquals } from "@std/assert";
import { startViewers } from "../support/live_viewer.ts";
import type { ProxyOptions } from "../support/proxy.ts";
import { sleep, waitFor } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import { listTree } from "../support/trees.ts";
import { type UstApplication, ustMissing } from "../support/ust_app.ts";
import {
  assertIncreasing,
  assertPrinted,
  assertStored,
  range,
  startLive,
} from "./live_session.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const NEEDS = { programs: PROGRAMS, skip: await ustMissing() };
const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];
const PRINT_MILLISECONDS = 15_000;

/** What happens under two attached viewers, which are to see `events` events. */
interface Change {
  readonly name: string;
  readonly channel?: readonly string[];
  /** A slow way to the relay daemon. */
  readonly proxy?: ProxyOptions;
  readonly events: number;
  readonly script: (
    world: World,
    application: UstApplication,
    session: string,
  ) => Promise<void>;
}

const CHANGES: readonly Change[] = [
  {
    name: "stopped and started",
    events: 30,
    script: async (world, application, session) => {
      await application.emit(10);
      await world.lttng("stop", session);
      // While it is stopped, nothing is recorded.
      await sleep(300);
      await world.lttng("start", session);
      await application.emit(20);
    },
  },
  {
    name: "kept in files of bounded size",
    channel: [...SMALL_PACKETS, "--tracefile-size=8192"],
    events: 1000,
    script: async (_, application) => await application.emit(1000, 100),
  },
  {
    name: "sent with its packets later than their indexes",
    channel: SMALL_PACKETS,
    proxy: { dataDelay: 20 },
    events: 400,
    script: async (_, application) => await application.emit(400, 500),
  },
  {
    name: "sent with its streams and metadata late",
    channel: SMALL_PACKETS,
    proxy: { commandDelays: { STREAMS_SENT: 300, SEND_METADATA: 300 } },
    events: 400,
    script: async (_, application) => await application.emit(400, 500),
  },
];

for (const { name, channel = [], proxy, events, script } of CHANGES) {
  stockTest(
    `viewers see every event of a session that is ${name}`,
    NEEDS,
    async () => {
      await using world = await World.start(
        SECOND_KIND,
        proxy === undefined ? {} : { proxy },
      );
      const session = await startLive(world, { channel });
      await using viewers = await startViewers(world.relay, 2, {
        name: session,
      });
      const application = await world.application();
      await script(world, application, session);
      await world.finish(session);
      for (const viewer of viewers.programs) {
        await assertPrinted(viewer, range(0, events));
      }
      await assertStored(world, events);
    },
  );
}

for (const stopped of [false, true]) {
  stockTest(
    `a viewer goes on after its ${
      stopped ? "stopped" : "started"
    } session is cleared`,
    NEEDS,
    async () => {
      await using world = await World.start(SECOND_KIND, {});
      const session = await startLive(world);
      const application = await world.application();
      await application.emit(10);
      await world.waitForPaths(/\.idx$/, 1);
      await using viewers = await startViewers(world.relay, 1, {
        name: session,
      });
      if (stopped) await world.lttng("stop", session);
      await world.lttng("clear", session);
      if (stopped) await world.lttng("start", session);
      await application.emit(20);
      await world.finish(session);
      for (const viewer of viewers.programs) {
        const values = await viewer.values();
        assertEquals(values.filter((value) => value >= 10), range(10, 30));
        assertIncreasing(values);
      }
      await assertStored(world, 20);
    },
  );
}

stockTest(
  "in a ring of files a viewer that keeps up sees all, and one that does not goes on",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const session = await startLive(world, {
      channel: [
        ...SMALL_PACKETS,
        ...["--tracefile-size=16384", "--tracefile-count=4"],
      ],
    });
    await using viewers = await startViewers(world.relay, 2, { name: session });
    const [quick, slow] = viewers.programs;
    const application = await world.application("app", 100);
    await application.emit(20);
    // It has got its streams when it has printed a first buffer.
    await application.emit(50);
    await waitFor(
      "both viewers print",
      () =>
        viewers.programs.every(({ text }) => text.includes("intfield = 9,")),
      PRINT_MILLISECONDS,
    );
    slow!.signal("SIGSTOP");
    for (let round = 0; round < 10; round++) {
      // Half of the ring; then as long as a viewer sleeps, and more.
      await application.emit(160);
      await sleep(250);
    }
    await world.finish(session);
    slow!.signal("SIGCONT");
    const total = application.produced;
    await assertPrinted(quick!, range(0, total));
    const values = await slow!.values();
    assertIncreasing(values);
    assertEquals(values.at(-1), total - 1);
    assert(values.length < total, "nothing was overwritten");
    await world.settle();
    const files = (await listTree(world.output))
      .filter((path) => /\/ch_0_\d+$/.test(path));
    assertEquals(files.length, 4);
  },
);
