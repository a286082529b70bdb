/** Channels that are read on demand: what snapshots are taken of. */

import { assert, assertEquals } from "@std/assert";
import { parseRingCounters, type RingCounters } from "../../lib/kernel/loss.ts";
import { Tracefs } from "../../lib/kernel/tracefs.ts";
import { readTrace } from "../support/babeltrace.ts";
import { isOnPath } from "../support/stock.ts";
import { MemorySink } from "../tracer/memory_sink.ts";
import {
  enableReads,
  makeReads,
  readWithBoth,
  recordOne,
  withTrace,
} from "./support/recordings.ts";
import { instancesOf, tracefsTest } from "./support/tracefs.ts";

const BABELTRACE = {
  skip: isOnPath("babeltrace2") ? undefined : "Not installed: babeltrace2",
};
const READS = 50_000;
/** A ring buffer that {@linkcode READS} reads overwrite many times. */
const SMALL = { subBufferSize: 4096, subBufferCount: 16, readOnDemand: true };

/** The counters of all processors of the only instance, as tracefs has them. */
function tracefsCounters(): Pick<RingCounters, "entries" | "overrun" | "read"> {
  const path = `${Tracefs.open().path}/instances/${instancesOf()[0]}/per_cpu`;
  const sum = { entries: 0, overrun: 0, read: 0 };
  for (const { name } of Deno.readDirSync(path)) {
    const text = Deno.readTextFileSync(`${path}/${name}/stats`);
    const counters = parseRingCounters(text);
    sum.entries += counters.entries;
    sum.overrun += counters.overrun + counters.commitOverrun;
    sum.read += counters.read;
  }
  return sum;
}

tracefsTest(
  "a channel that is read on demand is read by flush() alone",
  async () => {
    const sink = new MemorySink();
    const channel = { readOnDemand: true, switchTimerMs: 1, readTimerMs: 1 };
    const report = await recordOne(sink, { channel }, async (one) => {
      const { recording } = one;
      await enableReads(one);
      await makeReads(READS);
      await recording.stop();
      const before = await recording.statistics();
      assertEquals([before.events, before.kept], [0, READS]);
      assertEquals(sink.packets.length, 0);
      await recording.flush();
      const after = await recording.statistics();
      assertEquals([after.events, after.kept], [READS, 0]);
      await recording.start();
      await makeReads(1_000);
    });
    // The end reads nothing: what nobody asked for is no loss.
    const { events, kept, undelivered, errors } = report;
    assertEquals([events, kept, undelivered, errors], [READS, 1_000, 0, []]);
    assertEquals(instancesOf(), []);
  },
);

tracefsTest(
  "events that were read, overwritten and kept are what was produced",
  async () => {
    await withTrace(async (path, sink) => {
      const channel = { ...SMALL, overwrite: true };
      const report = await recordOne(sink, { channel }, async (one) => {
        const { recording } = one;
        await enableReads(one);
        for (let round = 1; round <= 3; round++) {
          await makeReads(READS);
          const { entries, overrun, read } = tracefsCounters();
          const { events, discarded, kept } = await recording.statistics();
          assertEquals([events, discarded, kept], [read, overrun, entries]);
          assertEquals(events + discarded + kept, round * READS);
          assert(overrun > 0 && entries > 0);
          await recording.flush();
          const after = await recording.statistics();
          assertEquals(
            [after.events, after.discarded, after.kept],
            [read + entries, overrun, 0],
          );
        }
      });
      assertEquals([report.refused, report.notUnderstood], [0, 0]);
      const reading = await readTrace(path);
      assertEquals(reading.events.length, report.events);
      // A flight recorder lost nothing: it overwrote. Its packets have gaps.
      assertEquals(reading.discardedEvents, 0, reading.errors);
      assert(reading.discardedPackets > 0, reading.errors);
    });
  },
  BABELTRACE,
);

tracefsTest(
  "the oldest events are kept in discard mode, until they are read",
  async () => {
    await withTrace(async (path, sink) => {
      const channel = { ...SMALL, overwrite: false };
      const report = await recordOne(sink, { channel }, async (one) => {
        const { recording } = one;
        await enableReads(one);
        await makeReads(READS);
        const before = await recording.statistics();
        assert(before.kept > 0 && before.discarded > 0);
        assertEquals(before.kept + before.discarded, READS);
        await recording.flush();
        await makeReads(100);
        await recording.flush();
      });
      assertEquals(report.events + report.discarded, READS + 100);
      const reading = await readTrace(path);
      assertEquals(reading.events.length, report.events);
      assertEquals(reading.discardedEvents, report.discarded, reading.errors);
    });
  },
  BABELTRACE,
);

tracefsTest(
  "a flush has every event from before it, while there are ever more",
  async () => {
    const sink = new MemorySink();
    const channel = {
      readOnDemand: true,
      overwrite: true,
      subBufferCount: 256,
    };
    await recordOne(sink, { channel }, async (one) => {
      const { recording } = one;
      await enableReads(one);
      let isOver = false;
      const load = makeReads(2_000_000).finally(() => isOver = true);
      for (let flush = 0; flush < 5; flush++) {
        const { entries, overrun, read } = tracefsCounters();
        await recording.flush();
        const { events, discarded } = await recording.statistics();
        assert(events + discarded >= read + entries + overrun);
      }
      assert(!isOver, "the load was too short to test anything");
      await load;
      await recording.flush();
      const { events, discarded, kept } = await recording.statistics();
      assertEquals([events + discarded, kept], [2_000_000, 0]);
    });
  },
);

tracefsTest(
  "programs that ended before a snapshot have their names in it",
  async () => {
    await withTrace(async (path, sink) => {
      const channel = { readOnDemand: true, overwrite: true };
      await recordOne(sink, { channel }, async (one) => {
        for (const name of ["procname", "pid", "tid"]) {
          one.channel.addContext(name);
        }
        await enableReads(one);
        // Between processors, pages are read in their order, not events.
        const pid = await makeReads(500, 0);
        await one.recording.flush();
        assertEquals(await lookUp(pid), false);
      });
      const { stock } = await readWithBoth(path);
      const names = new Set(
        stock.map((line) => /procname = "([^"]*)"/.exec(line)?.[1]),
      );
      assertEquals([stock.length, [...names]], [500, ["dd"]]);
    });
  },
  BABELTRACE,
);

/** Whether there is such a process. */
async function lookUp(pid: number): Promise<boolean> {
  try {
    await Deno.stat(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

tracefsTest("a hundred flushes open nothing that stays open", async () => {
  const sink = new MemorySink();
  const channel = { readOnDemand: true, overwrite: true };
  await recordOne(sink, { channel }, async (one) => {
    await enableReads(one);
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    await one.recording.flush();
    const before = open();
    for (let flush = 0; flush < 100; flush++) {
      await makeReads(10);
      await one.recording.flush();
    }
    assertEquals(open(), before);
    assertEquals((await one.recording.statistics()).events, 1_000);
  });
});
