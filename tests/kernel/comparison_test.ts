/** All that is made of a large recording is compared with tracefs's own text of it. */

import { assert, assertEquals } from "@std/assert";
import { DirectorySink } from "../../lib/ctf/directory_sink.ts";
import {
  printEventClass,
  printPreamble,
  printStreamClass,
} from "../../lib/ctf/metadata.ts";
import { packMetadata, parseUuid } from "../../lib/ctf/metadata_packet.ts";
import type {
  EventRecord,
  StructClass,
  Value,
} from "../../lib/ctf/read/model.ts";
import { TraceReader } from "../../lib/ctf/read/trace_reader.ts";
import { CpuReader, type EventTable } from "../../lib/kernel/cpu_reader.ts";
import type { EventFormat } from "../../lib/kernel/format.ts";
import { Instance } from "../../lib/kernel/instance.ts";
import { payloadOf, planEvent } from "../../lib/kernel/plan.ts";
import { RawPipe } from "../../lib/kernel/raw_pipe.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { readFile, Tracefs, writeFile } from "../../lib/kernel/tracefs.ts";
import { compileWriter } from "../../lib/kernel/transcode.ts";
import { compareEvent } from "./support/compare.ts";
import type { Decoded } from "./support/decode.ts";
import { makeLoad } from "./support/load.ts";
import { readTrace } from "./support/trace_text.ts";
import { instancesOf, tracefsTest } from "./support/tracefs.ts";

const PATTERNS = [
  ...["sched_*", "irq_*", "timer_*", "task_*", "signal_*", "workqueue_*"],
  ...["block_*", "kmem_*", "power_*", "ext4_*", "skb_*", "sock_*", "mm_*"],
];
const UUID = "5b2ec1c5-1f7a-4f0e-8f0e-1c2f4a5d6e7f";
const EVENTS_LEAST = 100_000;
const KINDS_LEAST = 50;

/** Everything of one recording: events by their processors. */
interface Recorded {
  readonly formats: ReadonlyMap<string, EventFormat>;
  readonly text: string;
  readonly events: number;
}

/** Records into `directory`, and keeps tracefs's own text of it. */
async function record(directory: string): Promise<Recorded> {
  const tracefs = Tracefs.open();
  const catalog = tracefs.catalog();
  const instance = Instance.create(tracefs, {
    purpose: "comparison",
    ringSize: 48 * 1024 * 1024,
    overwrite: false,
    pageSize: 65536,
  });
  try {
    const chosen = [
      ...PATTERNS.flatMap((pattern) => catalog.tracepoints(pattern)),
      ...catalog.syscalls("*"),
    ];
    const threads = new ThreadTable(() => undefined);
    const options = { littleEndian: true, context: [], threads };
    const table: EventTable = [];
    const formats = new Map<string, EventFormat>();
    let metadata = printPreamble({
      uuid: UUID,
      byteOrder: "le",
      environment: { domain: "kernel" },
      clock: { name: "monotonic", frequency: 1_000_000_000n, offset: 0n },
    }) + printStreamClass(0, "large");
    chosen.forEach((event, classId) => {
      const format = tracefs.format(event);
      const plan = planEvent(event, format, instance.layout);
      formats.set(plan.name, format);
      table[plan.id] = {
        size: plan.size,
        event: { id: classId, write: compileWriter(plan, options) },
      };
      const payload = payloadOf(plan.fields);
      metadata += printEventClass({ name: plan.name, payload }, classId, 0);
      instance.enable(event);
    });
    instance.isTracing = true;
    await makeLoad(1);
    instance.isTracing = false;
    // Before the pages are read: reading takes them away.
    writeFile(`${instance.path}/options/fields`, "1");
    const text = readFile(`${instance.path}/trace`);
    const sink = new DirectorySink(directory);
    await sink.writeMetadata(packMetadata(metadata, parseUuid(UUID), "le"));
    let events = 0;
    for (const cpu of instance.cpus) {
      const { entries } = instance.counters(cpu);
      const stream = await sink.openStream(`channel0_${cpu}`);
      const written: Promise<void>[] = [];
      let last = Promise.resolve();
      const reader = new CpuReader({
        cpu,
        layout: instance.layout,
        source: new RawPipe(instance.cpuFile(cpu, "trace_pipe_raw")),
        counters: () => instance.counters(cpu),
        overwrite: false,
        packets: {
          size: 1024 * 1024,
          byteOrder: "le",
          uuid: parseUuid(UUID),
          streamClassId: 0,
          streamInstanceId: cpu,
          eventHeader: "large",
        },
        events: table,
        threads,
        hasRoom: () => true,
        emit: ({ content, info }) => {
          const copy = content.slice();
          last = last.then(() => stream.writePacket(copy, info));
          written.push(last);
        },
      });
      reader.drain(Infinity);
      reader.finish();
      reader.close();
      await Promise.all(written);
      const { statistics } = reader;
      assertEquals(
        [statistics.unknown, statistics.malformed, statistics.malformedPages],
        [0, 0, 0],
      );
      // Conservation: what was in the ring buffer is in the trace.
      assertEquals(statistics.events, entries);
      assertEquals(instance.counters(cpu).read, entries);
      events += entries;
    }
    await sink.close();
    return { formats, text, events };
  } finally {
    await instance.remove();
  }
}

/** A value of the reader as the comparison takes it. */
function asDecoded(value: Value): Decoded {
  if (typeof value === "number" || typeof value === "bigint") {
    return BigInt(value);
  }
  if (typeof value === "string") return value;
  return [];
}

function valuesOf(event: EventRecord): Map<string, Decoded> {
  const { members } = event.class.payload as StructClass;
  return new Map(members.map(({ name }, index) => [
    name,
    asDecoded(event.payload![index]!),
  ]));
}

tracefsTest(
  "every field of 100 000 events of 50 kinds is what tracefs shows",
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      const { formats, text, events } = await record(`${directory}/kernel`);
      const expected = readTrace(text, [...formats.values()]);
      assertEquals(expected.length, events);
      assert(events >= EVENTS_LEAST, `${events} events`);
      const byCpu = Map.groupBy(expected, ({ cpu }) => cpu);
      const next = new Map<number, number>();
      const kinds = new Set<string>();
      let compared = 0;
      let read = 0;
      using reader = await TraceReader.open(`${directory}/kernel`);
      for (const event of reader.messages()) {
        if (event.kind !== "event") throw new Error("Something was lost");
        const cpu = Number(event.stream.instanceId);
        const at = next.get(cpu) ?? 0;
        next.set(cpu, at + 1);
        const line = byCpu.get(cpu)![at]!;
        assertEquals(
          Math.round(Number(event.cycles) / 1e3),
          line.microseconds,
          `${event.class.name}, event ${at} of processor ${cpu}`,
        );
        compared += compareEvent(
          formats.get(event.class.name!)!,
          valuesOf(event),
          line,
        );
        kinds.add(event.class.name!);
        read++;
      }
      assertEquals(read, events);
      assert(kinds.size >= KINDS_LEAST, `${kinds.size} kinds`);
      assert(compared >= 2 * events, `${compared} fields`);
      console.log(`${events} events, ${kinds.size} kinds, ${compared} fields`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
    assertEquals(instancesOf(), []);
  },
);
