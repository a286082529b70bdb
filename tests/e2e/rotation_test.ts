/** Chunks, snapshots, live sessions: compared between the stock relay daemon and ours. */

import { assert, assertEquals } from "@std/assert";
import type { Outcome } from "./comparison.ts";
import { type Scenario, testScenarios, type World } from "./scenario.ts";
import { checkViewerConnect } from "./viewer.ts";

const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];

const SCENARIOS: Scenario[] = [
  {
    name: "relayd archives a chunk at each of two rotations",
    events: 40,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(10);
      await world.lttng("rotate", "demo");
      await application.emit(20);
      await world.lttng("rotate", "demo");
      await application.emit(10);
      await world.finish("demo");
    },
    check: (outcome) => assertEquals(archives(outcome), 3),
  },
  {
    name: "relayd archives chunks of many packets under way",
    compare: "events",
    events: 3000,
    script: async (world) => {
      await world.start("demo", { channel: SMALL_PACKETS });
      const application = await world.application();
      for (let rotation = 0; rotation < 3; rotation++) {
        const emitting = application.emit(1000, 100);
        await world.lttng("rotate", "demo");
        await emitting;
      }
      await world.finish("demo");
    },
    check: (outcome) => assertEquals(archives(outcome), 4),
  },
  {
    name: "relayd archives chunks when packets arrive after their indexes",
    compare: "events",
    proxy: { dataDelay: 30 },
    events: 600,
    script: rotateUnderWay,
    check: (outcome) => assertEquals(archives(outcome), 4),
  },
  {
    name: "relayd archives chunks when the rotation's command arrives late",
    compare: "events",
    proxy: { commandDelays: { ROTATE_STREAMS: 150 } },
    events: 600,
    script: rotateUnderWay,
    check: (outcome) => assertEquals(archives(outcome), 4),
  },
  {
    name: "relayd archives chunks of applications that come and go",
    events: 40,
    script: async (world) => {
      await world.start("demo", { channel: ["--buffers-pid"] });
      const first = await world.application("first");
      await first.emit(10);
      await world.lttng("rotate", "demo");
      const second = await world.application("second");
      await second.emit(10);
      await first.emit(10);
      await first.finish();
      await world.lttng("rotate", "demo");
      await second.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd archives a chunk when the session is stopped",
    events: 20,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(10);
      await world.lttng("stop", "demo");
      await world.lttng("rotate", "demo");
      await world.lttng("start", "demo");
      await application.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd archives chunks of trace files with size and count",
    script: async (world) => {
      await world.start("demo", {
        channel: [
          ...SMALL_PACKETS,
          "--tracefile-size=8192",
          "--tracefile-count=3",
        ],
      });
      const application = await world.application("app", 32);
      await application.emit(300);
      await world.lttng("rotate", "demo");
      await application.emit(300);
      await world.finish("demo");
    },
    check: (outcome) => assertEquals(archives(outcome), 2),
  },
  {
    name: "relayd archives chunks that a timer ends",
    compare: "events",
    events: 20,
    script: async (world) => {
      await world.create("demo");
      await world.lttng("enable-rotation", "-s", "demo", "--timer=1000000");
      await world.lttng("start", "demo");
      const application = await world.application();
      await application.emit(10);
      await world.waitForPaths(/\/archives\/[^/]+\/$/, 1);
      await application.emit(10);
      await world.waitForPaths(/\/archives\/[^/]+\/$/, 2);
      await world.finish("demo");
    },
    check: (outcome) => assert(archives(outcome) >= 2),
  },
  {
    name: "relayd archives chunks that a size ends",
    compare: "events",
    events: 300,
    script: async (world) => {
      await world.create("demo", {
        channel: ["--subbuf-size=4096", "--num-subbuf=256"],
      });
      await world.lttng("enable-rotation", "-s", "demo", "--size=64K");
      await world.lttng("start", "demo");
      const application = await world.application("app", 1000);
      await application.emit(200);
      await world.waitForPaths(/\/archives\/[^/]+\/$/, 1);
      await application.emit(100);
      await world.finish("demo");
    },
    check: (outcome) => assert(archives(outcome) >= 1),
  },
  {
    name: "relayd clears a started session",
    // The consumer daemon may or may not have sent an empty packet before.
    compare: "chunks",
    events: 10,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(20);
      await world.lttng("clear", "demo");
      await application.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd clears a stopped session",
    events: 10,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(20);
      await world.lttng("stop", "demo");
      await world.lttng("clear", "demo");
      await world.settle();
      await world.lttng("start", "demo");
      await application.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd leaves an empty directory after a session is only cleared",
    events: 0,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(20);
      await world.lttng("stop", "demo");
      await world.lttng("clear", "demo");
      await world.lttng("destroy", "demo");
    },
  },
  {
    name: "relayd clears what came after a rotation and keeps the archive",
    // The consumer daemon may or may not have sent an empty packet before.
    compare: "chunks",
    events: 30,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(20);
      await world.lttng("rotate", "demo");
      await application.emit(10);
      await world.lttng("clear", "demo");
      await application.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd with --disallow-clear does not clear",
    relayArgs: ["--disallow-clear"],
    events: 20,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(20);
      const { code, stderr } = await world.sessiond.tryLttng("clear", "demo");
      world.note(`clear: exit code ${code}: ${stderr}`);
      assert(code !== 0);
      await world.finish("demo");
    },
  },
  {
    name: "relayd records two snapshots",
    events: 30,
    script: async (world) => {
      await world.start("demo", {
        create: ["--snapshot", `--set-url=${world.url()}`],
      });
      const application = await world.application();
      await application.emit(10);
      await world.lttng("snapshot", "record", "--session=demo");
      await application.emit(10);
      await world.lttng("stop", "demo");
      await world.lttng("snapshot", "record", "--session=demo");
      await world.lttng("destroy", "demo");
    },
  },
  {
    name: "relayd records a named snapshot of many packets",
    script: async (world) => {
      await world.start("demo", {
        create: ["--snapshot", `--set-url=${world.url()}`],
        channel: ["--subbuf-size=4096", "--num-subbuf=4"],
      });
      const application = await world.application("app", 100);
      await application.emit(400);
      await world.lttng("stop", "demo");
      await world.lttng(
        ...["snapshot", "record", "--session=demo", "--name=chosen"],
      );
      await world.lttng("destroy", "demo");
    },
    check: (outcome) => {
      const events = outcome.traces.flatMap((trace) => trace.events);
      assert(events.at(-1)?.includes("intfield = 399, "), events.at(-1));
    },
  },
  {
    name: "relayd stores metadata again when it is regenerated",
    events: 20,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(10);
      await world.lttng("regenerate", "metadata", "--session=demo");
      await application.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd records a live session and answers a viewer's CONNECT",
    compare: "events",
    events: 30,
    script: async (world) => {
      await world.start("demo", {
        create: ["--live=100000", `--set-url=${world.url()}`],
      });
      const application = await world.application();
      await application.emit(10);
      // Some periods of the live timer, in which beacons are sent.
      await world.waitForPaths(/\.idx$/, 1);
      await checkViewerConnect(world.relay);
      await application.emit(20, 20_000);
      await world.finish("demo");
    },
  },
];

async function rotateUnderWay(world: World): Promise<void> {
  await world.start("demo", { channel: SMALL_PACKETS });
  const application = await world.application();
  for (let rotation = 0; rotation < 3; rotation++) {
    const emitting = application.emit(200, 1_000);
    await world.lttng("rotate", "demo");
    await emitting;
  }
  await world.finish("demo");
}

/** How many archived chunks an outcome has. */
function archives(outcome: Outcome): number {
  return outcome.tree.filter((line) => /\/archives\/[^/]+\/ \d+$/.test(line))
    .length;
}

await testScenarios(SCENARIOS);
