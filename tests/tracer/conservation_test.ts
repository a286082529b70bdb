import { assert, assertEquals } from "@std/assert";
import { DirectorySink } from "../../lib/ctf/directory_sink.ts";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import type { StreamSink, TraceSink } from "../../lib/ctf/sink.ts";
import { string, u32 } from "../../lib/ctf/declare.ts";
import { Tracer } from "../../lib/tracer/tracer.ts";
import {
  discardedIn,
  readTrace,
  withTraceDirectory,
} from "../ctf/recording.ts";
import { Random, testSeed } from "../ctf/random.ts";
import { stockTest } from "../support/stock.ts";

const NEEDS = { programs: ["babeltrace2"] };

const tick = defineEvent("demo:tick", { n: u32, text: string });

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A directory that takes its time for each packet, and may refuse it. */
class SlowSink implements TraceSink {
  readonly #inner: DirectorySink;
  readonly #delay: () => Promise<void>;

  constructor(path: string, delay: () => Promise<void>) {
    this.#inner = new DirectorySink(path);
    this.#delay = delay;
  }

  writeMetadata(bytes: Uint8Array): Promise<void> {
    return this.#inner.writeMetadata(bytes);
  }

  async openStream(name: string): Promise<StreamSink> {
    const inner = await this.#inner.openStream(name);
    return {
      writePacket: async (content, info) => {
        await this.#delay();
        await inner.writePacket(content, info);
      },
      close: () => inner.close(),
    };
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Records in bursts, more than the sink can take, and counts its own calls. */
async function recordBursts(tracer: Tracer): Promise<number> {
  let recorded = 0;
  for (let burst = 0; burst < 60; burst++) {
    for (let one = 0; one < 200; one++) {
      const stream = tracer.stream(recorded % 2);
      stream.record(tick, { n: recorded, text: `burst ${burst}` });
      recorded++;
    }
    await sleep(1);
  }
  return recorded;
}

stockTest(
  "Tracer conserves: events read and events discarded are the events recorded, with a slow sink",
  NEEDS,
  () =>
    withTraceDirectory(async (directory) => {
      const tracer = new Tracer({
        sink: new SlowSink(directory, () => sleep(3)),
        subBufferSize: 4096,
        subBufferCount: 2,
        streams: 2,
      });
      const recorded = await recordBursts(tracer);
      const report = await tracer.stop();
      assertEquals(report.errors, []);
      assertEquals(report.events + report.discarded, recorded);
      assert(report.discarded > 0, "The sink was not slow enough");
      assert(report.packets > 20, "Too few packets to tell");

      const { events, warnings } = await readTrace(directory);
      assertEquals(events.length, report.events);
      assertEquals(discardedIn(warnings), report.discarded);
    }),
);

stockTest(
  "Tracer conserves where its sink refuses packets at random",
  NEEDS,
  () =>
    withTraceDirectory(async (directory) => {
      const seed = testSeed();
      console.log(`LTTNG_TEST_SEED=${seed}`);
      const random = new Random(seed);
      let refused = 0;
      let mayRefuse = true;
      const sink = new SlowSink(directory, async () => {
        await sleep(1);
        if (!mayRefuse || !random.chance(0.3)) return;
        refused++;
        throw new Error("refused");
      });
      const tracer = new Tracer({
        sink,
        subBufferSize: 4096,
        subBufferCount: 3,
        streams: 2,
      });
      const recorded = await recordBursts(tracer);
      mayRefuse = false;
      const report = await tracer.stop();
      assert(refused > 0, "Nothing was refused");
      assertEquals(report.errorCount, refused);
      assertEquals(report.events + report.discarded, recorded);
      const { events, warnings } = await readTrace(directory);
      assertEquals(events.length, report.events);
      assertEquals(discardedIn(warnings), report.discarded);
    }),
);

stockTest(
  "babeltrace2 counts losses that came before the first event that was stored",
  NEEDS,
  () =>
    withTraceDirectory(async (directory) => {
      const tracer = new Tracer({
        sink: new DirectorySink(directory),
        subBufferSize: 4096,
      });
      tracer.record(tick, { n: 0, text: "x".repeat(5000) });
      tracer.record(tick, { n: 1, text: "" });
      const report = await tracer.stop();
      assertEquals([report.events, report.discarded], [1, 1]);
      const { events, warnings } = await readTrace(directory);
      assertEquals([events.length, discardedIn(warnings)], [1, 1]);
    }),
);
