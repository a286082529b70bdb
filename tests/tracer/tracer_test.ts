import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import { sequence, string, u32, u8 } from "../../lib/ctf/declare.ts";
import type { TraceClock } from "../../lib/tracer/clock.ts";
import { Tracer, type TracerOptions } from "../../lib/tracer/tracer.ts";
import { Gate, MemorySink } from "./memory_sink.ts";

const PURE = { permissions: "none" } as const;

const tick = defineEvent("demo:tick", { n: u32 });
const blob = defineEvent("demo:blob", { bytes: sequence(u8) });

function steppingClock(): TraceClock {
  let ticks = 0;
  return {
    name: "monotonic",
    frequency: 1_000_000_000n,
    offset: 0n,
    now: () => ticks += 10,
  };
}

function smallTracer(
  sink: MemorySink,
  options: Partial<TracerOptions> = {},
): Tracer {
  return new Tracer({
    sink,
    subBufferSize: 4096,
    subBufferCount: 2,
    clock: steppingClock(),
    ...options,
  });
}

/** Events of `tick` that fit one sub-buffer: 18 bytes the first, then 10. */
const TICKS_A_PACKET = 1 + Math.floor((4096 - 84 - 18) / 10);

Deno.test(
  "Tracer opens streams, then writes metadata, then packets, then closes",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink, { streams: 2, channel: "ch0" });
    tracer.record(tick, { n: 1 });
    tracer.stream(1).record(tick, { n: 2 });
    assertEquals(sink.log, []);
    const report = await tracer.stop();
    assertEquals(report, {
      events: 2,
      discarded: 0,
      packets: 2,
      errors: [],
      errorCount: 0,
    });
    assertEquals(sink.log, [
      "open ch0_0",
      "open ch0_1",
      "metadata",
      "packet ch0_0",
      "packet ch0_1",
      "close ch0_0",
      "close ch0_1",
      "close",
    ]);
    assertEquals(sink.packets[1]!.info.streamInstanceId, 1n);
  },
);

Deno.test(
  "Tracer without events leaves metadata and empty streams",
  PURE,
  async () => {
    const sink = new MemorySink();
    const report = await smallTracer(sink).stop();
    assertEquals(report.packets, 0);
    assertEquals(sink.log, [
      "open channel0_0",
      "metadata",
      "close channel0_0",
      "close",
    ]);
    assertEquals(sink.metadata.startsWith("/* CTF 1.8 */"), true);
  },
);

Deno.test(
  "Tracer appends a late event class before the packet that needs it",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    await tracer.flush();
    assertEquals(sink.metadata.includes("demo:blob"), false);
    tracer.record(blob, { bytes: [] });
    tracer.record(tick, { n: 2 });
    await tracer.stop();
    assertEquals(sink.log.slice(1, 5), [
      "metadata",
      "packet channel0_0",
      "metadata",
      "packet channel0_0",
    ]);
    assertEquals(sink.metadata.match(/name = "demo:tick"/g)?.length, 1);
    assertEquals(sink.metadata.match(/name = "demo:blob"/g)?.length, 1);
  },
);

Deno.test(
  "Tracer.record() discards and counts while no sub-buffer is free",
  PURE,
  async () => {
    const sink = new MemorySink();
    const gate = new Gate();
    sink.before = (operation) =>
      operation.startsWith("packet") ? gate.passed : undefined;
    const tracer = smallTracer(sink);
    const results: boolean[] = [];
    for (let n = 0; n < 2 * TICKS_A_PACKET + 50; n++) {
      results.push(tracer.record(tick, { n }));
    }
    assertEquals(results.filter((stored) => stored).length, 2 * TICKS_A_PACKET);
    assertEquals(results.indexOf(false), 2 * TICKS_A_PACKET);
    assertEquals(tracer.statistics.discarded, 50);

    gate.open();
    await tracer.flush();
    assertEquals(tracer.record(tick, { n: 0 }), true);
    const report = await tracer.stop();
    assertEquals(report.events, 2 * TICKS_A_PACKET + 1);
    assertEquals(report.discarded, 50);
    const totals = sink.packets.map(({ info }) => info.eventsDiscarded);
    assertEquals(totals.at(-1), 50n);
    // What was discarded before a packet ended is told by that packet at last.
    assert(totals.every((total, index) => total >= (totals[index - 1] ?? 0n)));
    assertEquals(
      sink.packets.map(({ info }) => info.packetSequenceNumber),
      totals.map((_, index) => BigInt(index)),
    );
  },
);

Deno.test(
  "Tracer.stop() tells the last losses in an empty packet",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    for (let n = 0; n < 3 * TICKS_A_PACKET; n++) tracer.record(tick, { n });
    const report = await tracer.stop();
    assertEquals(report.discarded, TICKS_A_PACKET);
    const last = sink.packets.at(-1)!;
    assertEquals(last.info.eventsDiscarded, BigInt(TICKS_A_PACKET));
    assertEquals(last.info.contentSize, 84n * 8n);
  },
);

Deno.test(
  "Tracer.record() discards an event larger than a sub-buffer and fills on",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    const large = { bytes: new Uint8Array(5000) };
    assertEquals(tracer.record(blob, large), false);
    assertEquals(tracer.record(tick, { n: 1 }), true);
    assertEquals(tracer.record(blob, large), false);
    assertEquals(tracer.record(tick, { n: 2 }), true);
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded], [2, 2]);
    // An empty packet first: readers tell losses from a difference.
    assertEquals(sink.packets.map(({ info }) => info.eventsDiscarded), [
      0n,
      2n,
    ]);
  },
);

Deno.test(
  "Tracer.record() throws for a value that does not fit and counts nothing",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    assertThrows(
      () => tracer.record(tick, { n: -1 }),
      RangeError,
      'Cannot record event "demo:tick": field "n" is -1',
    );
    const text = defineEvent("demo:text", { text: string, n: u32 });
    tracer.record(tick, { n: 1 });
    // Too long for the rest of the sub-buffer: the error comes from the next.
    tracer.record(blob, { bytes: new Uint8Array(3900) });
    assertThrows(
      () => tracer.record(text, { text: "x".repeat(2000), n: -1 }),
      RangeError,
    );
    tracer.record(tick, { n: 2 });
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded, report.packets], [3, 0, 1]);
  },
);

Deno.test(
  "Tracer counts the events of a packet that its sink refused, and goes on",
  PURE,
  async () => {
    const sink = new MemorySink();
    let refusals = 2;
    sink.before = (operation) => {
      if (operation.startsWith("packet") && refusals-- > 0) {
        throw new Error("the disk is full");
      }
    };
    const tracer = smallTracer(sink);
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < 10; n++) tracer.record(tick, { n });
      await tracer.flush();
    }
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded, report.packets], [
      20,
      20,
      3,
    ]);
    assertEquals(report.errorCount, 2);
    assertEquals(String(report.errors[0]), "Error: the disk is full");
    assertEquals(sink.packets.map(({ info }) => info.eventsDiscarded), [
      0n,
      20n,
      20n,
    ]);
  },
);

Deno.test(
  "Tracer tells refused packets of the end in an empty packet",
  PURE,
  async () => {
    const sink = new MemorySink();
    let refusals = 1;
    sink.before = (operation) => {
      if (operation.startsWith("packet") && refusals-- > 0) {
        throw new Error(
          "no",
        );
      }
    };
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded, report.packets], [0, 1, 2]);
    assertEquals(sink.packets.map(({ info }) => info.eventsDiscarded), [
      0n,
      1n,
    ]);
  },
);

Deno.test(
  "Tracer writes no packet whose metadata the sink refused, and tries again",
  PURE,
  async () => {
    const sink = new MemorySink();
    let refusals = 3;
    sink.before = (operation) => {
      if (operation === "metadata" && refusals-- > 0) {
        throw new Error("not yet");
      }
    };
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    await tracer.flush();
    tracer.record(tick, { n: 2 });
    await tracer.flush();
    tracer.record(tick, { n: 3 });
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded], [1, 2]);
    assertEquals(report.errorCount, 3);
    assertEquals(
      sink.log.indexOf("metadata") < sink.log.indexOf("packet channel0_0"),
      true,
    );
    assertEquals(sink.metadata.match(/CTF 1\.8/g)?.length, 1);
  },
);

Deno.test(
  "Tracer opens a stream again that its sink refused at first",
  PURE,
  async () => {
    const sink = new MemorySink();
    let refusals = 1;
    sink.before = (operation) => {
      if (operation.startsWith("open") && refusals-- > 0) throw new Error("no");
    };
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    const report = await tracer.stop();
    assertEquals([report.events, report.errorCount], [1, 1]);
  },
);

Deno.test("Tracer keeps only the first errors of its sink", PURE, async () => {
  const sink = new MemorySink();
  sink.before = () => {
    throw new Error("always");
  };
  const tracer = smallTracer(sink);
  for (let n = 0; n < 20; n++) {
    tracer.record(tick, { n });
    await tracer.flush();
  }
  const report = await tracer.stop();
  assertEquals([report.events, report.discarded, report.packets], [0, 20, 0]);
  assertEquals(report.errors.length, 8);
  assert(report.errorCount >= 20);
});

Deno.test(
  "Tracer.stop() returns in time where its sink hangs, and counts what is lost",
  PURE,
  async () => {
    for (const hanging of ["open", "metadata", "packet", "close"]) {
      const sink = new MemorySink();
      sink.before = (operation) =>
        operation.startsWith(hanging) ? new Promise(() => {}) : undefined;
      const tracer = smallTracer(sink, { stopTimeoutMs: 30 });
      let recorded = 0;
      for (; recorded < TICKS_A_PACKET + 5; recorded++) {
        tracer.record(tick, { n: recorded });
      }
      const started = performance.now();
      const report = await tracer.stop();
      assert(performance.now() - started < 2000);
      assertEquals(report.events + report.discarded, recorded);
      assertEquals(report.discarded, hanging === "close" ? 0 : recorded);
      assertMatch(String(report.errors[0]), /Timed out after 30 ms waiting/);
    }
  },
);

Deno.test(
  "Tracer.flush() rejects in time where its sink hangs, and gives nothing up",
  PURE,
  async () => {
    const sink = new MemorySink();
    const gate = new Gate();
    sink.before = (operation) =>
      operation.startsWith("packet") ? gate.passed : undefined;
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    await assertRejects(() => tracer.flush(20), Error, "timed out after 20 ms");
    gate.open();
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded], [1, 0]);
  },
);

Deno.test(
  "Tracer ignores what is recorded once it is stopped",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    const stopping = tracer.stop();
    assertEquals(tracer.record(tick, { n: 2 }), false);
    assertEquals((await stopping).events, 1);
    assertEquals(await tracer.stop(), await stopping);
    assertThrows(() => tracer.stream(1), Error, "stopped");
  },
);

Deno.test("Tracer stops at the end of its scope", PURE, async () => {
  const sink = new MemorySink();
  {
    await using tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
  }
  assertEquals(sink.packets.length, 1);
  assertEquals(sink.log.at(-1), "close");
});

Deno.test(
  "Tracer hands over sub-buffers that are not full every flush interval",
  PURE,
  async () => {
    const sink = new MemorySink();
    const arrived = new Gate();
    sink.before = (operation) => {
      if (operation.startsWith("packet")) arrived.open();
    };
    const tracer = smallTracer(sink, { flushIntervalMs: 5 });
    // The tracer's timer lets the program end; this one keeps it up.
    const keep = setTimeout(() => {}, 5000);
    tracer.record(tick, { n: 1 });
    await arrived.passed;
    clearTimeout(keep);
    assertEquals((await tracer.stop()).packets, 1);
  },
);

Deno.test(
  "Tracer writes times that never go back, whatever its clock does",
  PURE,
  async () => {
    const sink = new MemorySink();
    const times = [100, 50, 200.5, NaN, 150, -5, 300];
    let index = 0;
    const clock = {
      ...steppingClock(),
      now: () => times[Math.min(index++, times.length - 1)]!,
    };
    const tracer = smallTracer(sink, { clock });
    for (let n = 0; n < times.length; n++) tracer.record(tick, { n });
    await tracer.stop();
    const { content, info } = sink.packets[0]!;
    const view = new DataView(content.buffer);
    const read = [view.getBigUint64(84 + 6, true)];
    for (let at = 84 + 18; at < content.length; at += 10) {
      read.push(BigInt(view.getUint32(at + 2, true)));
    }
    assertEquals(read, [100n, 100n, 200n, 200n, 200n, 200n, 300n]);
    assertEquals([info.timestampBegin, info.timestampEnd], [100n, 300n]);
  },
);

Deno.test("Tracer says in its metadata where it ran", PURE, async () => {
  const sink = new MemorySink();
  await smallTracer(sink, {
    hostname: "lab-7",
    name: 'my "trace"',
    environment: { product: "gateway", revision: 3 },
    uuid: "09753c37-9d7a-45a7-923a-a07e72a3b001",
  }).stop();
  for (
    const text of [
      'domain = "typescript";',
      'trace_name = "my \\"trace\\"";',
      'hostname = "lab-7";',
      'product = "gateway";',
      "revision = 3;",
      'uuid = "09753c37-9d7a-45a7-923a-a07e72a3b001";',
    ]
  ) {
    assertStringIncludes(sink.metadata, text);
  }
  assertMatch(
    sink.metadata,
    /trace_creation_datetime = "\d{8}T\d{6}[+-]\d{4}";/,
  );
});

Deno.test("Tracer refuses options that cannot be", PURE, () => {
  const refused: [Partial<TracerOptions>, string][] = [
    [{ subBufferSize: 5000 }, "its size is 5000 bytes"],
    [{ subBufferCount: 1 }, "1 sub-buffers a stream"],
    [{ streams: 0 }, "0 streams"],
    [{ uuid: "x" }, "Cannot read a UUID"],
    [{ environment: { "a b": 1 } }, 'environment name "a b"'],
  ];
  for (const [options, text] of refused) {
    assertThrows(
      () => smallTracer(new MemorySink(), options),
      RangeError,
      text,
    );
  }
});

Deno.test(
  "Tracer.stream() makes the next stream and no other",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    assertThrows(() => tracer.stream(2), RangeError, "the next one is 1");
    assertEquals(tracer.stream(1), tracer.stream(1));
    tracer.stream(1).record(tick, { n: 1 });
    await tracer.stop();
    assertEquals(sink.packets[0]!.stream, "channel0_1");
  },
);

Deno.test(
  "Tracer keeps its sub-buffers, however many events are too large for one",
  PURE,
  async () => {
    const sink = new MemorySink();
    const tracer = smallTracer(sink);
    const large = { bytes: new Uint8Array(5000) };
    tracer.record(tick, { n: 0 });
    for (let count = 0; count < 5; count++) tracer.record(blob, large);
    for (let n = 1; n < 2 * TICKS_A_PACKET; n++) {
      assertEquals(tracer.record(tick, { n }), true);
    }
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded], [2 * TICKS_A_PACKET, 5]);
  },
);

Deno.test(
  "Tracer tells its losses again where the packet that told them was refused",
  PURE,
  async () => {
    const sink = new MemorySink();
    let refusals = 1;
    sink.before = (operation) => {
      if (operation.startsWith("packet") && refusals-- > 0) {
        throw new Error("no");
      }
    };
    const tracer = smallTracer(sink);
    tracer.record(blob, { bytes: new Uint8Array(5000) });
    await tracer.flush();
    assertEquals(sink.packets.length, 0);
    const report = await tracer.stop();
    assertEquals([report.events, report.discarded], [0, 1]);
    assertEquals(sink.packets.at(-1)?.info.eventsDiscarded, 1n);
  },
);

Deno.test(
  "Tracer loses no event class that is declared while metadata is written",
  PURE,
  async () => {
    const sink = new MemorySink();
    const gate = new Gate();
    const writing = new Gate();
    sink.before = (operation) => {
      if (operation !== "metadata") return;
      writing.open();
      return gate.passed;
    };
    const tracer = smallTracer(sink);
    tracer.record(tick, { n: 1 });
    await writing.passed;
    tracer.record(blob, { bytes: [1] });
    gate.open();
    const report = await tracer.stop();
    assertEquals([report.events, report.errors], [2, []]);
    assertEquals(sink.metadata.match(/name = "demo:tick"/g)?.length, 1);
    assertEquals(sink.metadata.match(/name = "demo:blob"/g)?.length, 1);
  },
);
