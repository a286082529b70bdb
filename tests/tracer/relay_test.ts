import { assertEquals } from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import type { TraceSink } from "../../lib/ctf/sink.ts";
import { string, u32 } from "../../lib/ctf/declare.ts";
import { RelaySink } from "../../lib/stream/relay_sink.ts";
import { Tracer } from "../../lib/tracer/tracer.ts";
import { readTrace } from "../ctf/recording.ts";
import { type RelayKind, startRelay } from "../support/relay_process.ts";
import { stockTest } from "../support/stock.ts";

const STREAM_PATH = "typescript/pid/1";
const EVENTS = 5000;

const tick = defineEvent("demo:tick", { n: u32, text: string });
const late = defineEvent("demo:late", { n: u32 });

async function traceTo(kind: RelayKind): Promise<void> {
  await using relay = await startRelay(kind);
  const sink = await RelaySink.open({
    hostname: relay.hostname,
    controlPort: relay.ports.control,
    dataPort: relay.ports.data,
    session: { name: "demo", hostname: "target" },
    pathname: STREAM_PATH,
  });
  const traceSink: TraceSink = sink;
  const tracer = new Tracer({
    sink: traceSink,
    streams: 2,
    subBufferSize: 4096,
    subBufferCount: 16,
  });
  for (let n = 0; n < EVENTS; n++) {
    tracer.stream(n % 2).record(tick, { n, text: `event ${n}` });
    if (n % 500 === 0) await tracer.flush();
  }
  // A third stream and another class, when all else is published.
  tracer.stream(2).record(late, { n: EVENTS });
  const report = await tracer.stop();
  assertEquals(report.errors, []);
  assertEquals([report.events, report.discarded], [EVENTS + 1, 0]);

  const { events, warnings } = await readTrace(
    `${relay.output}/${sink.outputPath}/${STREAM_PATH}`,
  );
  assertEquals(warnings, "");
  assertEquals(
    events.map(({ payload }) => payload),
    Array.from(
      { length: EVENTS + 1 },
      (_, n) =>
        n < EVENTS ? `{ n = ${n}, text = "event ${n}" }` : `{ n = ${n} }`,
    ),
  );
}

stockTest(
  "Tracer streams a trace through our relay daemon that babeltrace2 reads",
  { programs: ["babeltrace2"] },
  () => traceTo("ours"),
);

stockTest(
  "Tracer streams a trace through the stock relay daemon that babeltrace2 reads",
  { programs: ["babeltrace2", "lttng-relayd"] },
  () => traceTo("stock"),
);
