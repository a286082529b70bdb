/** Whether the kernel analyses of Trace Compass would accept a recording of this machine. */

import { assert, assertEquals } from "@std/assert";
import { metadataText } from "../../lib/ctf/read/metadata_text.ts";
import {
  type EventRecord,
  type PlainValue,
  toObject,
} from "../../lib/ctf/read/model.ts";
import { TraceReader } from "../../lib/ctf/read/trace_reader.ts";
import type { EventCatalog } from "../../lib/kernel/naming.ts";
import { Tracefs } from "../../lib/kernel/tracefs.ts";
import { EVENT_NEEDS, kindsOf } from "./support/analyses.ts";
import { makeLoad } from "./support/load.ts";
import { recordOne, withTrace } from "./support/recordings.ts";
import { tracefsTest } from "./support/tracefs.ts";

const CONTEXTS = ["tid", "pid", "procname"];

/** A recording, and what is needed to judge it. */
interface Recorded {
  readonly catalog: EventCatalog;
  readonly metadata: string;
  readonly reader: TraceReader;
  readonly events: readonly EventRecord[];
  /** Milliseconds since 1970, before and after. */
  readonly began: number;
  readonly ended: number;
}

/** Records what analyses need, and system calls, of a second of work. */
async function withRecording(
  act: (recorded: Recorded) => Promise<void>,
): Promise<void> {
  const catalog = Tracefs.open().catalog();
  await withTrace(async (path, sink) => {
    const began = Date.now();
    const report = await recordOne(
      sink,
      {
        channel: { subBufferSize: 256 * 1024 },
        recording: { statedump: true },
      },
      async ({ recording, channel }) => {
        for (const name of CONTEXTS) channel.addContext(name);
        for (const { event } of EVENT_NEEDS) {
          if (catalog.get(event)?.kind !== "tracepoint") continue;
          await channel.enable({ kind: "tracepoint", pattern: event });
        }
        await channel.enable({ kind: "syscall", pattern: "*" });
        await recording.start();
        await makeLoad(1);
        await recording.stop();
      },
    );
    const ended = Date.now();
    assertEquals([report.errors, report.discarded], [[], 0]);
    const bytes = await Deno.readFile(`${path}/metadata`);
    const reader = await TraceReader.open(path);
    const events: EventRecord[] = [];
    for (const message of reader.messages()) {
      if (message.kind !== "event") throw new Error("Something was lost");
      events.push(message);
    }
    const metadata = metadataText("metadata", bytes).replace(/\s+/g, " ");
    await act({ catalog, metadata, reader, events, began, ended });
  });
}

/** The environment: the trace type, and the names of events, hang on it. */
const ENVIRONMENT:
  readonly (readonly [name: string, value: string | bigint])[] = [
    // What makes it a kernel trace of LTTng's.
    ["domain", "kernel"],
    // What chooses the names: those of 2.9 and later.
    ["tracer_name", "lttng-modules"],
    ["tracer_major", 2n],
    ["tracer_minor", 13n],
    ["tracer_patchlevel", 0n],
    ["sysname", "Linux"],
    ["hostname", Deno.hostname()],
    ["kernel_release", Deno.osRelease()],
    ["trace_buffering_scheme", "global"],
    // What says who really recorded.
    ["tracer_impl", "lttng-stream"],
    ["tracer_backend", "ftrace"],
  ];

/** Text that metadata has, any white space in it as one space. */
const METADATA: readonly (readonly [need: string, text: string])[] = [
  ["its first line tells what it is", "/* CTF 1.8 */"],
  [
    "the packet header has magic, UUID and stream",
    "packet.header := struct { uint32_t magic; uint8_t uuid[16]; " +
    "uint32_t stream_id;",
  ],
  [
    "the packet context has times, sizes, losses and the processor",
    "struct packet_context { uint64_clock_t timestamp_begin; " +
    "uint64_clock_t timestamp_end; uint64_t content_size; " +
    "uint64_t packet_size; uint64_t packet_seq_num; " +
    "uint64_t events_discarded; uint32_t cpu_id; }",
  ],
  [
    "the event header is the large one, which is read fast",
    "struct event_header_large { " +
    "enum : uint16_t { compact = 0 ... 65534, extended = 65535 } id; " +
    "variant <id> { struct { uint32_clock_t timestamp; } compact; " +
    "struct { uint32_t id; uint64_clock_t timestamp; } extended; } v; " +
    "} align(8);",
  ],
  [
    "streams use this header and this context",
    "event.header := struct event_header_large; " +
    "packet.context := struct packet_context;",
  ],
  [
    "contexts have an underscore before their names",
    "base = 10; } _tid; ",
  ],
];

/** Payload, by name. */
function payloadOf(event: EventRecord): { [name: string]: PlainValue } {
  return toObject(event.class.payload!, event.payload!);
}

/** The context `tid`; `undefined` in the state dump. */
function tidOf(event: EventRecord): number | undefined {
  const context = event.stream.class.eventContext;
  if (context === undefined) return undefined;
  return Number(toObject(context, event.streamContext!)["tid"]);
}

function cpuOf(event: EventRecord): number {
  const context = event.stream.class.packetContext!;
  return Number(toObject(context, event.packetContext!)["cpu_id"]);
}

function namedEvents(recorded: Recorded, name: string): EventRecord[] {
  return recorded.events.filter((event) => event.class.name === name);
}

/** The context is the thread that ran until then. */
function checkRunningThreads(recorded: Recorded): void {
  const switches = namedEvents(recorded, "sched_switch");
  for (const event of switches) {
    assertEquals(tidOf(event), payloadOf(event)["prev_tid"]);
  }
  assert(switches.length > 100, `${switches.length} switches`);
}

/** What does not come back, or only in another program. */
const ENDLESS = ["exit", "exit_group", "rt_sigreturn"];

/** A thread ends one system call before it begins another. */
function checkSystemCalls({ events }: Recorded): void {
  const calls = new Map<number, string>();
  let pairs = 0;
  for (const event of events) {
    const match = /^syscall_(entry|exit)_(.*)$/.exec(event.class.name);
    if (match === null) continue;
    const [, phase, name] = match;
    const tid = tidOf(event)!;
    const call = calls.get(tid);
    const place = `${event.class.name} of ${tid} at ${event.cycles}`;
    if (phase === "entry") {
      assert(call === undefined || ENDLESS.includes(call), place);
      calls.set(tid, name!);
    } else {
      // None: it began before the recording, or in the parent. Who executes a
      // program takes the number of its process's first thread.
      const isKnown = call === undefined || call === name ||
        name!.startsWith("execve");
      assert(isKnown, `${place}, not ${call}`);
      if (call !== undefined) pairs++;
      calls.delete(tid);
    }
  }
  assert(pairs > 1_000, `${pairs} system calls`);
}

function checkStateDump(recorded: Recorded): void {
  const ours = namedEvents(recorded, "lttng_statedump_process_state")
    .map(payloadOf).filter(({ pid }) => pid === Deno.pid);
  assert(ours.some(({ tid }) => tid === Deno.pid));
  for (const { name, ppid, status } of ours) {
    assertEquals(ppid, Deno.ppid);
    assert(typeof name === "string" && name !== "");
    // Trace Compass knows these.
    assert([0, 1, 2, 3, 4, 5, 6, 7].includes(Number(status)));
  }
  const [start] = namedEvents(recorded, "lttng_statedump_start");
  const [end] = namedEvents(recorded, "lttng_statedump_end");
  assert(start !== undefined && end !== undefined);
}

/** Requests are for disks that the state dump names. */
function checkDisks(recorded: Recorded): void {
  const known = new Set(
    namedEvents(recorded, "lttng_statedump_block_device").map((event) =>
      payloadOf(event)["dev"]
    ),
  );
  for (const event of recorded.events) {
    if (!event.class.name.startsWith("block_rq_")) continue;
    const { dev, rwbs } = payloadOf(event);
    // 0: a command to the device itself, not to a disk.
    assert(dev === 0 || known.has(dev!), `${event.class.name} of ${dev}`);
    // Write, discard, read, flush, a flush before: or nothing of these.
    assert((Number(rwbs) & ~0x7EF) === 0, `rwbs ${rwbs}`);
  }
}

function checkTimes({ events, began, ended }: Recorded): void {
  // The kernel's clock is slewed, and milliseconds are rounded.
  const first = BigInt(began - 1_000) * 1_000_000n;
  const last = BigInt(ended + 1_000) * 1_000_000n;
  const times = new Map<string, bigint>();
  for (const event of events) {
    const { timestamp, stream, class: { name } } = event;
    assert(first < timestamp && timestamp < last, `${name} at ${timestamp}`);
    assert(timestamp >= (times.get(stream.path) ?? 0n), name);
    // The stream is its processor's.
    assertEquals(BigInt(cpuOf(event)), stream.instanceId);
    times.set(stream.path, timestamp);
  }
}

tracefsTest(
  "Trace Compass's kernel analyses find what they need in a recording",
  async (context) => {
    await withRecording(async (recorded) => {
      const { reader, catalog, metadata, events } = recorded;
      const [trace] = reader.traces;
      const classes = new Map(
        [...trace!.streams.values()].flatMap((stream) =>
          [...stream.events.values()].map((each) => [each.name, each] as const)
        ),
      );
      const seen = Map.groupBy(events, (event) => event.class.name);

      for (const [name, value] of ENVIRONMENT) {
        await context.step(`environment: ${name} is ${value}`, () => {
          assertEquals(trace!.environment.get(name), value);
        });
      }
      for (const [need, text] of METADATA) {
        await context.step(`metadata: ${need}`, () => {
          assert(metadata.includes(text), text);
        });
      }
      await context.step("clock: one boot's clocks are one host's", () => {
        const clock = trace!.clocks.get("monotonic")!;
        const bootId = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id");
        assertEquals(clock.uuid, bootId.trim());
        assertEquals(clock.frequency, 1_000_000_000n);
      });
      await context.step("contexts: ids are integers, the name is text", () => {
        const stream = [...trace!.streams.values()].find(({ eventContext }) =>
          eventContext !== undefined
        )!;
        assertEquals(kindsOf(stream.eventContext!, CONTEXTS), {
          tid: "i32",
          pid: "i32",
          procname: "char[16]",
        });
      });
      for (const { analyses, event, fields, occurs } of EVENT_NEEDS) {
        const isMade = event.startsWith("lttng_statedump_");
        await context.step({
          name: `${event}: ${analyses}`,
          // A kernel without the tracepoint gives LTTng none either.
          ignore: !isMade && catalog.get(event) === undefined,
          fn: () => {
            const names = Object.keys(fields);
            const kinds = kindsOf(classes.get(event)!.payload!, names);
            assertEquals(Object.entries(kinds), Object.entries(fields));
            if (occurs) assert(seen.has(event), "The load has it");
          },
        });
      }
      const steps: Readonly<Record<string, (recorded: Recorded) => void>> = {
        "times: all within the recording, in order in each stream": checkTimes,
        "threads: the context is the one that ran": checkRunningThreads,
        "system calls: each entry has its exit": checkSystemCalls,
        "state dump: this process and its threads": checkStateDump,
        "disks: requests are for disks with a name": checkDisks,
      };
      for (const [name, check] of Object.entries(steps)) {
        await context.step(name, () => check(recorded));
      }
    });
  },
);
