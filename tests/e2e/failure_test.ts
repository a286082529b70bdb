/** Producers and relay daemons that end untimely: stock compared with ours. */

import { assert } from "@std/assert";
import { countEvents, type Outcome } from "./comparison.ts";
import { type Scenario, testScenarios } from "./scenario.ts";

const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];
/** Enough for several small packets; the last, unfinished one is lost. */
const PRODUCED = 400;

const SCENARIOS: Scenario[] = [
  {
    name: "relayd records an application with per-UID buffers that is killed",
    events: 20,
    script: async (world) => {
      await world.start("demo", { channel: ["--buffers-uid"] });
      const killed = await world.application("killed");
      await killed.emit(10);
      await killed.kill();
      const other = await world.application("other");
      await other.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd records an application with per-PID buffers that is killed",
    events: 20,
    script: async (world) => {
      await world.start("demo", { channel: ["--buffers-pid"] });
      const killed = await world.application("killed");
      await killed.emit(10);
      await killed.kill();
      const other = await world.application("other");
      await other.emit(10);
      await world.finish("demo");
    },
  },
  {
    name: "relayd keeps the packets of a consumer daemon that is killed",
    script: async (world) => {
      await world.start("demo", { channel: SMALL_PACKETS });
      const application = await world.application();
      await world.flushMetadata("demo");
      await application.emit(PRODUCED);
      await world.settle();
      await world.sessiond.killConsumers();
    },
    check: assertBeginning,
  },
  {
    name: "relayd keeps the packets of a session daemon that is killed",
    script: async (world) => {
      await world.start("demo", { channel: SMALL_PACKETS });
      const application = await world.application();
      await world.flushMetadata("demo");
      await application.emit(PRODUCED);
      await world.settle();
      await world.sessiond.kill();
    },
    check: assertBeginning,
  },
  {
    name: "relayd keeps the packets of a session daemon that is stopped",
    script: async (world) => {
      await world.start("demo", { channel: SMALL_PACKETS });
      const application = await world.application();
      await world.flushMetadata("demo");
      await application.emit(PRODUCED);
      await world.settle();
      await world.sessiond.child.stop();
    },
    check: assertBeginning,
  },
  {
    name: "relayd stopped and started between two sessions records both",
    events: 30,
    script: async (world) => {
      const application = await world.application();
      await world.start("before");
      await application.emit(10);
      await world.finish("before");
      await world.restartRelay();
      await world.start("after");
      await application.emit(20);
      await world.finish("after");
    },
  },
  {
    name: "relayd stopped in mid-session leaves whole packets",
    script: async (world) => {
      const application = await world.application();
      await world.start("demo", { channel: SMALL_PACKETS });
      await world.flushMetadata("demo");
      await application.emit(PRODUCED);
      await world.settle();
      await world.restartRelay();
      await application.emit(PRODUCED);
      await world.sessiond.tryLttng("destroy", "demo");
      await world.start("after");
      await application.emit(10);
      await world.finish("after");
    },
    check: (outcome) => {
      const read = countEvents(outcome);
      assert(read > 10 && read <= PRODUCED + 10, `Events read: ${read}`);
    },
  },
];

/** Checks that the events read are the first ones, without a gap. */
function assertBeginning(outcome: Outcome): void {
  const events = outcome.traces.flatMap((trace) => trace.events);
  const read = events.length;
  assert(read > 50 && read <= PRODUCED, `Events read: ${read}`);
  events.forEach((event, at) =>
    assert(event.includes(`intfield = ${at}, `), event)
  );
}

await testScenarios(SCENARIOS);
