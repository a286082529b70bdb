import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { StreamSink, TraceSink } from "../../lib/ctf/sink.ts";
import { TraceReader } from "../../lib/ctf/read/trace_reader.ts";
import { ContextError } from "../../lib/kernel/contexts.ts";
import { FilterError } from "../../lib/kernel/filter.ts";
import { KernelTracingError } from "../../lib/kernel/tracefs.ts";
import { TracefsTracer } from "../../lib/kernel/tracefs_tracer.ts";
import { readTrace } from "../support/babeltrace.ts";
import { sleep, waitFor } from "../support/process.ts";
import { isOnPath } from "../support/stock.ts";
import { MemorySink } from "../tracer/memory_sink.ts";
import { makeLoad } from "./support/load.ts";
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

tracefsTest("babeltrace2 and lttng view agree on a recording", async () => {
  await withTrace(async (path, sink) => {
    const report = await recordOne(
      sink,
      { recording: { statedump: true } },
      async ({ recording, channel }) => {
        for (const name of ["procname", "pid", "tid", "prio", "vtid"]) {
          channel.addContext(name);
        }
        for (const pattern of ["sched_*", "irq_*", "timer_*", "block_*"]) {
          await channel.enable({ kind: "tracepoint", pattern });
        }
        await channel.enable({ kind: "syscall", pattern: "*" });
        await recording.start();
        await makeLoad(1);
        await recording.stop();
      },
    );
    assertEquals(report.errors, []);
    assertEquals([report.refused, report.notUnderstood], [0, 0]);
    const { stock, ours } = await readWithBoth(path);
    assertEquals(ours.length, stock.length);
    for (const [index, line] of stock.entries()) {
      assertEquals(ours[index], line);
    }
    const state = stock.filter((line) => line.includes(" lttng_statedump_"));
    assert(state.length > 10);
    assertEquals(stock.length, report.events + state.length);
    // What analyses look for.
    const text = stock.join("\n");
    for (
      const pattern of [
        /sched_switch: \{ cpu_id = \d+ \}, \{ procname = "[^"]+", pid = \d+, tid = \d+, prio = -?\d+, vtid = \d+ \}, \{ prev_comm = "[^"]+", prev_tid = \d+, prev_prio = -?\d+, prev_state = \d+, next_comm = "/,
        /sched_process_fork: .*vtids = \[ \[0\] = \d+ \], child_pid = \d+/,
        /syscall_entry_openat: .*\{ dfd = -100, filename = 0x[0-9A-F]+, flags = /,
        /syscall_exit_openat: .*\{ ret = -2 \}/,
        /irq_softirq_entry: .*\{ vec = \d+ \}/,
        /timer_hrtimer_expire_entry: .*\{ hrtimer = 0x/,
      ]
    ) assert(pattern.test(text), String(pattern));
  });
  assertEquals(instancesOf(), []);
}, BABELTRACE);

tracefsTest(
  "a recording has exactly the events that were produced",
  async () => {
    await withTrace(async (path, sink) => {
      const report = await recordOne(sink, {}, async (one) => {
        await enableReads(one);
        await makeReads(READS);
        await one.recording.stop();
      });
      assertEquals([report.events, report.discarded], [READS, 0]);
      const reading = await readTrace(path);
      assertEquals([reading.code, reading.events.length], [0, READS]);
      assertEquals([reading.discardedEvents, reading.discardedPackets], [0, 0]);
    });
  },
  BABELTRACE,
);

/** Takes packets only once it is told to. */
class ClosedSink implements TraceSink {
  readonly #sink: TraceSink;
  readonly #opened: Promise<void>;

  constructor(sink: TraceSink, opened: Promise<void>) {
    this.#sink = sink;
    this.#opened = opened;
  }

  writeMetadata(bytes: Uint8Array): Promise<void> {
    return this.#sink.writeMetadata(bytes);
  }

  async openStream(name: string): Promise<StreamSink> {
    const stream = await this.#sink.openStream(name);
    return {
      writePacket: async (content, info) => {
        await this.#opened;
        await stream.writePacket(content, info);
      },
      close: () => stream.close(),
    };
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

for (const overwrite of [false, true]) {
  const mode = overwrite ? "overwrite" : "discard";
  tracefsTest(
    `recorded and discarded are what was produced, ${mode} mode`,
    async () => {
      await withTrace(async (path, sink) => {
        const opened = Promise.withResolvers<void>();
        const report = await recordOne(
          new ClosedSink(sink, opened.promise),
          {
            channel: {
              subBufferSize: 4096,
              subBufferCount: 16,
              overwrite,
              waitingBytes: 0,
            },
          },
          async (one) => {
            await enableReads(one);
            await makeReads(READS);
            opened.resolve();
            // Room again: what comes now is recorded.
            await sleep(200);
            await makeReads(100);
            await one.recording.stop();
          },
        );
        assertEquals(report.errors, []);
        assert(report.discarded > 0);
        assertEquals(report.events + report.discarded, READS + 100);
        const reading = await readTrace(path);
        assertEquals(reading.events.length, report.events);
        assertEquals(reading.discardedEvents, report.discarded);
        assertEquals(reading.discardedPackets, 0);
      });
    },
    BABELTRACE,
  );
}

tracefsTest("two recordings at once have all events each", async () => {
  await withTrace(async (path, sink) => {
    const other = new MemorySink();
    await recordOne(other, {}, async (second) => {
      await enableReads(second);
      const report = await recordOne(sink, {}, async (first) => {
        await enableReads(first);
        assertEquals(instancesOf().length, 2);
        await makeReads(READS);
      });
      assertEquals([report.events, report.discarded], [READS, 0]);
      await second.recording.stop();
      const statistics = await second.recording.statistics();
      assertEquals([statistics.events, statistics.discarded], [READS, 0]);
    });
    assertEquals((await readTrace(path)).events.length, READS);
  });
}, BABELTRACE);

tracefsTest(
  "two channels of a recording have streams and events of their own",
  async () => {
    const sink = new MemorySink();
    const report = await recordOne(sink, {}, async ({ recording, channel }) => {
      const second = recording.addChannel({ name: "other" });
      await channel.enable({
        kind: "syscall",
        pattern: "read",
        phase: "entry",
      });
      await second.enable({ kind: "syscall", pattern: "read", phase: "exit" });
      await recording.start();
      await makeReads(1_000);
      await recording.stop();
    });
    assert(report.events >= 2_000);
    const names = new Set(
      sink.packets.map(({ stream }) => stream.replace(/_\d+$/, "")),
    );
    assertEquals([...names].sort(), ["channel0", "other"]);
    const classes = new Map(
      sink.packets.map(({ stream, info }) => [
        stream.replace(/_\d+$/, ""),
        info.streamClassId,
      ]),
    );
    assertEquals([classes.get("channel0"), classes.get("other")], [0n, 1n]);
  },
);

/** Descriptors that this process has open. */
function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return "";
    }
  }).filter((link) => link.includes("/tracing/"));
}

tracefsTest(
  "ten starts and stops keep all events, and leave nothing behind",
  async () => {
    await withTrace(async (path, sink) => {
      const report = await recordOne(sink, {}, async (one) => {
        await enableReads(one);
        for (let cycle = 0; cycle < 10; cycle++) {
          await one.recording.start();
          await makeReads(1_000);
          await one.recording.stop();
          // Not recorded: nobody started it again.
          await makeReads(500);
        }
      });
      assertEquals([report.events, report.discarded], [10_000, 0]);
      assertEquals((await readTrace(path)).events.length, 10_000);
    });
    assertEquals(instancesOf(), []);
    assertEquals(descriptors(), []);
  },
  BABELTRACE,
);

tracefsTest("ten recordings leave no instance and no descriptor", async () => {
  for (let cycle = 0; cycle < 10; cycle++) {
    const report = await recordOne(new MemorySink(), {}, async (one) => {
      await enableReads(one);
      await makeReads(100);
    });
    assertEquals([report.events, report.errors], [100, []]);
  }
  assertEquals(instancesOf(), []);
  assertEquals(descriptors(), []);
});

tracefsTest(
  "events can be enabled and disabled while it is recorded",
  async () => {
    const sink = new MemorySink();
    await recordOne(sink, {}, async ({ recording, channel }) => {
      await recording.start();
      assertEquals(
        await channel.enable({ kind: "syscall", pattern: "getppid" }),
        ["syscall_entry_getppid", "syscall_exit_getppid"],
      );
      assert(
        sink.metadata.includes('name = "syscall_entry_getppid"') === false,
      );
      await enableReads({ recording, channel });
      await makeReads(1_000);
      await recording.flush();
      const before = (await recording.statistics()).events;
      assert(before >= 1_000);
      assert(sink.metadata.includes('name = "syscall_entry_getppid"'));
      channel.disable({ kind: "syscall", pattern: "read" });
      await makeReads(1_000);
      await recording.stop();
      const after = (await recording.statistics()).events;
      assert(after - before < 1_000, `${after - before} events more`);
    });
  },
);

tracefsTest(
  "events are handed over every switch timer, and not before",
  async () => {
    const sink = new MemorySink();
    await recordOne(
      sink,
      { channel: { switchTimerMs: 50 } },
      async (one) => {
        await enableReads(one);
        await makeReads(10);
        await waitFor("a packet", () => sink.packets.length > 0);
      },
    );
    const idle = new MemorySink();
    await recordOne(idle, {}, async (one) => {
      await enableReads(one);
      await makeReads(10);
      await sleep(300);
      assertEquals(idle.packets.length, 0);
      await one.recording.flush();
      assert(idle.packets.length > 0);
    });
  },
);

tracefsTest("only tracked processes are recorded", async () => {
  const sink = new MemorySink();
  const report = await recordOne(sink, {}, async (one) => {
    one.recording.track([Deno.pid]);
    await enableReads(one);
    // Children of a tracked process are tracked too.
    await makeReads(700);
    one.recording.track([1]);
    await makeReads(5_000);
    one.recording.track(undefined);
    await makeReads(300);
  });
  assertEquals(report.events, 1_000);
});

tracefsTest("track() refuses a process that is not there", async () => {
  await recordOne(new MemorySink(), {}, ({ recording }) => {
    assertThrows(
      () => recording.track([2 ** 22 + 1]),
      KernelTracingError,
      "Cannot track process 4194305: there is none",
    );
    return Promise.resolve();
  });
});

tracefsTest(
  "a text that a program writes becomes an event of LTTng's logger",
  async () => {
    await withTrace(async (path, sink) => {
      await recordOne(sink, {}, async ({ recording, channel }) => {
        await channel.enable({ kind: "tracepoint", pattern: "lttng_logger" });
        await recording.start();
        const marker = `${new TracefsTracer().path}/trace_marker`;
        await Deno.writeTextFile(marker, "hello from a test");
        await recording.stop();
      });
      const { events } = await readTrace(path);
      assertEquals(events.length, 1);
      assert(events[0]!.includes('msg = "hello from a test'), events[0]);
    });
  },
  BABELTRACE,
);

tracefsTest("times are those of the wall clock", async () => {
  await withTrace(async (path, sink) => {
    let before = 0;
    let after = 0;
    await recordOne(sink, {}, async ({ recording, channel }) => {
      await channel.enable({ kind: "tracepoint", pattern: "lttng_logger" });
      await recording.start();
      const marker = `${new TracefsTracer().path}/trace_marker`;
      before = Date.now();
      Deno.writeTextFileSync(marker, "now");
      after = Date.now();
      await recording.stop();
    });
    using reader = await TraceReader.open(path);
    const [event] = [...reader.messages()];
    assert(event?.kind === "event");
    const time = Number(event.timestamp / 1_000_000n);
    // Date is cut to milliseconds.
    assert(
      time >= before - 1 && time <= after + 1,
      `${before} ${time} ${after}`,
    );
  });
});

tracefsTest("the state dump tells of this process and its files", async () => {
  await withTrace(async (path, sink) => {
    using _file = Deno.openSync("/etc/hostname");
    await recordOne(
      sink,
      { recording: { statedump: true } },
      async ({ recording, channel }) => {
        await channel.enable({ kind: "tracepoint", pattern: "sched_switch" });
        await recording.start();
        await recording.dumpState();
      },
    );
    const { stock } = await readWithBoth(path);
    const text = stock.filter((line) => line.includes("lttng_statedump_"));
    const count = (part: string) =>
      text.filter((line) => line.includes(part)).length;
    assertEquals(count("lttng_statedump_start"), 2);
    assertEquals(count("lttng_statedump_end"), 2);
    assert(count(`process_state: { cpu_id = 0 }, { tid = ${Deno.pid}, `) === 2);
    assert(count('fmode = 0x1, filename = "/etc/hostname"') >= 2);
    for (
      const name of ["pid_ns", "user_ns", "mnt_ns", "block_device", "interrupt"]
    ) assert(count(name) > 0, name);
  });
}, BABELTRACE);

tracefsTest("call stacks are recorded with events", async () => {
  await withTrace(async (path, sink) => {
    const report = await recordOne(sink, {}, async (one) => {
      one.channel.addContext("callstack-kernel");
      one.channel.addContext("callstack-user");
      await enableReads(one);
      await makeReads(1_000);
    });
    assertEquals([report.events, report.notUnderstood], [1_000, 0]);
    const { events } = await readTrace(path);
    assertEquals(events.length, 1_000);
    const stacks = events.filter((event) =>
      /callstack_kernel = \[ \[0\] = 0xFFFF/.test(event) &&
      /callstack_user = \[ \[0\] = 0x[0-9A-F]+/.test(event)
    );
    // An interrupt may come between an event and its stacks, or a page's end.
    assert(stacks.length > 900, `${stacks.length} stacks: ${events[0]}`);
  });
}, BABELTRACE);

tracefsTest(
  "what the sink refuses is counted, and recording goes on",
  async () => {
    const sink = new MemorySink();
    let packets = 0;
    sink.before = (operation) => {
      if (operation.startsWith("packet") && packets++ === 0) {
        throw new Error("no room");
      }
    };
    const report = await recordOne(
      sink,
      { channel: { subBufferSize: 4096 } },
      async (one) => {
        await enableReads(one);
        await makeReads(5_000);
        await one.recording.stop();
      },
    );
    assert(report.refused > 0);
    assertEquals(report.events + report.refused, 5_000);
    assertEquals(report.errors.map(String), ["Error: no room"]);
  },
);

tracefsTest(
  "stop() and close() return in time where the sink hangs",
  async () => {
    const sink = new MemorySink();
    const never = new Promise<void>(() => {});
    sink.before = (operation) =>
      operation.startsWith("packet") ? never : undefined;
    const report = await recordOne(
      sink,
      { recording: { timeoutMs: 300 } },
      async (one) => {
        await enableReads(one);
        await makeReads(5_000);
        await assertRejects(
          () => one.recording.stop(),
          Error,
          "Cannot stop the recording: timed out after 300 ms",
        );
      },
    );
    // Nothing is lost without a word.
    assertEquals([report.events, report.undelivered], [0, 5_000]);
    assert(
      report.errors.map(String).includes(
        "Error: 5000 events were recorded that the sink never took",
      ),
    );
    assertEquals(instancesOf(), []);
    assertEquals(descriptors(), []);
  },
);

tracefsTest("enable() says what the kernel does not have", async () => {
  await recordOne(new MemorySink(), {}, async ({ recording, channel }) => {
    await assertRejects(
      () => channel.enable({ kind: "tracepoint", pattern: "no_such_event" }),
      KernelTracingError,
      'Cannot enable "no_such_event": this kernel has no such tracepoint',
    );
    await assertRejects(
      () =>
        channel.enable({
          kind: "tracepoint",
          pattern: "sched_switch",
          filter: { kind: "integer", number: 1n },
        }),
      FilterError,
      "Cannot filter sched:sched_switch in the kernel",
    );
    assertThrows(
      () => channel.disable({ kind: "syscall", pattern: "read" }),
      KernelTracingError,
      'Cannot disable "read": no syscall was enabled under this name',
    );
    assertThrows(() => channel.addContext("perf:x"), ContextError);
    assertThrows(
      () => recording.addChannel({ name: "channel0" }),
      RangeError,
      "there is one of this name",
    );
    await recording.start();
    assertThrows(
      () => recording.addChannel({ name: "late" }),
      Error,
      "Cannot make channel late: the recording has begun",
    );
    assertThrows(
      () => channel.addContext("tid"),
      ContextError,
      "its recording has begun",
    );
  });
});

tracefsTest(
  "KernelRecording.regenerateMetadata() replaces the clock's offset, and nothing else",
  async () => {
    const sink = new MemorySink();
    let offset = 1_000n;
    const recording = {
      environment: { trace_name: "regenerated" },
      clockOffset: () => offset,
    };
    await recordOne(sink, { recording }, async (one) => {
      await enableReads(one);
      await makeReads(10);
      await one.recording.flush();
      const before = sink.metadata;
      assert(before.includes("offset = 1000;"), before);
      offset = 2_000n;
      await one.recording.regenerateMetadata();
      assertEquals(
        sink.metadata,
        before.replace("offset = 1000;", "offset = 2000;"),
      );
      // The state dump declares its events only now.
      await one.recording.dumpState();
      assert(sink.metadata.startsWith(before.replace("1000;", "2000;")));
      assert(sink.metadata.includes("lttng_statedump_start"));
    });
    assertEquals(sink.log.filter((one) => one === "new metadata").length, 1);
  },
);

tracefsTest(
  "KernelRecording.regenerateMetadata() refuses a sink that only appends",
  async () => {
    await withTrace(async (_path, sink) => {
      await recordOne(sink, {}, async ({ recording }) => {
        await recording.start();
        await assertRejects(() => recording.regenerateMetadata(), TypeError);
      });
    });
  },
);

tracefsTest(
  "TracefsTracer lists events under LTTng's names, with their fields",
  () => {
    const tracer = new TracefsTracer();
    const tracepoints = tracer.list("tracepoint").map(({ name }) => name);
    const syscalls = tracer.list("syscall").map(({ name }) => name);
    assert(tracepoints.includes("sched_switch"));
    assert(tracepoints.includes("irq_softirq_entry"));
    assert(!tracepoints.some((name) => name.startsWith("sys_enter")));
    assert(syscalls.includes("openat"));
    assertEquals(new Set(syscalls).size, syscalls.length);
    assertEquals(
      tracer.fields("sched_switch").map(({ name }) => name),
      [
        ...["prev_comm", "prev_tid", "prev_prio", "prev_state"],
        ...["next_comm", "next_tid", "next_prio"],
      ],
    );
    assertEquals(
      tracer.fields("openat").map(({ name }) => name),
      ["dfd", "filename", "flags", "mode"],
    );
    assertThrows(() => tracer.fields("no_such"), KernelTracingError, "no such");
  },
);
