/** Plain recordings, compared between the stock relay daemon and ours. */

import { assert, assertEquals } from "@std/assert";
import { hasIpv6 } from "../support/relay_process.ts";
import { countDiscarded, countEvents, type Outcome } from "./comparison.ts";
import { type Scenario, testScenarios, type World } from "./scenario.ts";

/** Small packets, so that few events fill several of them. */
const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];
const MANY_EVENTS = 100_000;
const FLOOD_EVENTS = 50_000;

const SCENARIOS: Scenario[] = [
  {
    name: "relayd records per-UID buffers of three applications",
    events: 30,
    script: async (world) => {
      await world.start("demo", { channel: ["--buffers-uid"] });
      for (const name of ["first", "second", "third"]) {
        const application = await world.application(name);
        await application.emit(10);
      }
      await world.finish("demo");
    },
  },
  {
    name: "relayd records per-PID buffers of ten applications",
    events: 55,
    script: async (world) => {
      await world.start("demo", { channel: ["--buffers-pid"] });
      for (let number = 1; number <= 10; number++) {
        const application = await world.application(`app-${number}`);
        await application.emit(number);
        // Half of them end before the session does.
        if (number % 2 === 0) await application.finish();
      }
      await world.finish("demo");
    },
  },
  {
    name: "relayd records many packets",
    events: 800,
    script: async (world) => {
      await world.start("demo", { channel: SMALL_PACKETS });
      const application = await world.application();
      await application.emit(800);
      await world.finish("demo");
    },
    check: (outcome) => {
      const packets = outcome.tree.filter((line) =>
        /\/ch_\d+\.idx entry/.test(line)
      );
      assert(packets.length > 10, `Few packets: ${packets.length}`);
    },
  },
  {
    name: "relayd records two channels of one session",
    // The session daemon numbers the channels by chance.
    compare: "chunks",
    events: 1600,
    script: async (world) => {
      await world.create("demo", { channel: SMALL_PACKETS });
      await world.lttng("enable-channel", "-u", "-s", "demo", "more");
      await world.lttng("enable-event", "-u", "-c", "more", "tp:*");
      await world.lttng("start", "demo");
      const application = await world.application();
      await application.emit(800);
      await world.finish("demo");
    },
  },
  {
    name: "relayd keeps the last trace files of a stream with size and count",
    script: (world) =>
      recordTraceFiles(world, [
        "--tracefile-size=8192",
        "--tracefile-count=3",
      ]),
    check: (outcome) => {
      assertEquals(pinnedDataFiles(outcome), 3);
      const read = countEvents(outcome);
      assert(read > 50 && read < TRACE_FILE_EVENTS, `Events read: ${read}`);
    },
  },
  {
    name: "relayd keeps all trace files of a stream with size and no count",
    oursOnly: "lttng-relayd 2.13.9 dies of a division by zero at the " +
      "second trace file when there is no count",
    events: 600,
    script: (world) => recordTraceFiles(world, ["--tracefile-size=8192"]),
    check: (outcome) => assert(pinnedDataFiles(outcome) > 5),
  },
  {
    name: "relayd records two sessions at once",
    events: 60,
    script: async (world) => {
      const application = await world.application();
      await world.start("one");
      await application.emit(10);
      await world.start("two", { channel: SMALL_PACKETS });
      await application.emit(20);
      await world.finish("two");
      await application.emit(10);
      await world.finish("one");
    },
    check: (outcome) => assertEquals(outcome.traces.length, 2),
  },
  {
    name: "relayd lets the first of two sessions be destroyed first",
    oursOnly: "lttng-relayd 2.13.9 mistakes the chunk of the other session " +
      "for the one that is asked for, so that lttng destroy never returns",
    events: 60,
    script: async (world) => {
      const application = await world.application();
      await world.start("one");
      await application.emit(10);
      await world.start("two");
      await application.emit(20);
      await world.finish("one");
      await application.emit(10);
      await world.finish("two");
    },
  },
  {
    name: "relayd groups output by host when told",
    relayArgs: ["--group-output-by-host"],
    events: 10,
    script: recordShortly,
  },
  {
    name: "relayd groups output by session when told",
    relayArgs: ["--group-output-by-session"],
    events: 10,
    script: recordShortly,
  },
  {
    name: "relayd groups a session with a generated name by session",
    relayArgs: ["--group-output-by-session"],
    events: 10,
    script: recordGeneratedName,
  },
  {
    name: "relayd groups a session with a generated name by host",
    events: 10,
    script: recordGeneratedName,
  },
  {
    name: "relayd puts a session where the URL's path says",
    events: 10,
    script: recordCustomPath,
  },
  {
    name: "relayd puts the URL's path below the session when grouping by it",
    relayArgs: ["--group-output-by-session"],
    events: 10,
    script: recordCustomPath,
  },
  {
    name: "relayd records over IPv6",
    hostname: "::1",
    skip: hasIpv6() ? undefined : "No IPv6 loopback address",
    events: 10,
    script: recordShortly,
  },
  {
    name: "relayd records a session without any application",
    events: 0,
    script: async (world) => {
      await world.start("demo");
      await world.finish("demo");
    },
  },
  {
    name: "relayd records a session that is stopped and started again",
    events: 20,
    script: async (world) => {
      await world.start("demo");
      const application = await world.application();
      await application.emit(10);
      await world.lttng("stop", "demo");
      await application.emit(10);
      await world.lttng("start", "demo");
      await application.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd records 100,000 events and loses none",
    events: MANY_EVENTS,
    script: async (world) => {
      await world.start("demo", {
        channel: ["--subbuf-size=1M", "--num-subbuf=16"],
      });
      const application = await world.application("app", 8);
      await application.emit(MANY_EVENTS);
      await world.finish("demo");
    },
    check: (outcome) => {
      assertEquals(countDiscarded(outcome), 0);
      outcome.traces[0]?.events.forEach((event, at) =>
        assert(event.includes(`intfield = ${at}, `), event)
      );
    },
  },
  {
    name: "relayd lets lttng destroy wait for packets that lag",
    proxy: { dataDelay: 30 },
    events: 600,
    script: async (world) => {
      await world.start("demo", { channel: SMALL_PACKETS });
      const application = await world.application();
      await application.emit(600);
      const { code } = await world.sessiond.tryLttng("destroy", "demo");
      assertEquals(code, 0);
    },
  },
  {
    name: "relayd records as discarded what did not fit the buffers",
    compare: "files",
    script: async (world) => {
      await world.start("demo", {
        channel: ["--subbuf-size=4096", "--num-subbuf=2"],
      });
      const application = await world.application("app", 512);
      await application.emit(FLOOD_EVENTS);
      await world.finish("demo");
    },
    check: (outcome) => {
      const discarded = countDiscarded(outcome);
      assert(discarded > 0, "Nothing was discarded");
      assertEquals(countEvents(outcome) + discarded, FLOOD_EVENTS);
    },
  },
];

const TRACE_FILE_EVENTS = 600;

async function recordTraceFiles(
  world: World,
  channel: string[],
): Promise<void> {
  await world.start("demo", { channel: [...SMALL_PACKETS, ...channel] });
  const application = await world.application("app", 32);
  await application.emit(TRACE_FILE_EVENTS);
  await world.finish("demo");
}

/** How many data files the stream with the events has. */
function pinnedDataFiles(outcome: Outcome): number {
  const counts = new Map<string, number>();
  for (const line of outcome.tree) {
    const stream = /\/(ch_\d+)_\d+ /.exec(line)?.[1];
    if (stream) counts.set(stream, (counts.get(stream) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

async function recordShortly(world: World): Promise<void> {
  await world.start("demo");
  const application = await world.application();
  await application.emit(10);
  await world.finish("demo");
}

async function recordGeneratedName(world: World): Promise<void> {
  await world.lttng("create", `--set-url=${world.url()}`);
  await world.lttng("enable-event", "--userspace", "tp:*");
  await world.lttng("start");
  const application = await world.application();
  await application.emit(10);
  await world.lttng("destroy");
}

async function recordCustomPath(world: World): Promise<void> {
  await world.start("demo", {
    create: [`--set-url=${world.url("some/path")}`],
  });
  const application = await world.application();
  await application.emit(10);
  await world.finish("demo");
}

await testScenarios(SCENARIOS);
