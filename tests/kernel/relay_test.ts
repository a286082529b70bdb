import { assertEquals } from "@std/assert";
import { RelaySink } from "../../lib/stream/relay_sink.ts";
import { readTrace } from "../support/babeltrace.ts";
import { type RelayKind, startRelay } from "../support/relay_process.ts";
import { stockMissing } from "../support/stock.ts";
import { enableReads, makeReads, recordOne } from "./support/recordings.ts";
import { tracefsTest } from "./support/tracefs.ts";

const READS = 20_000;

async function recordTo(kind: RelayKind): Promise<void> {
  await using relay = await startRelay(kind);
  const sink = await RelaySink.open({
    hostname: relay.hostname,
    controlPort: relay.ports.control,
    dataPort: relay.ports.data,
    session: { name: "kernel-test", hostname: "target" },
    pathname: "kernel",
  });
  const report = await recordOne(
    sink,
    { channel: { switchTimerMs: 20 } },
    async (one) => {
      await enableReads(one);
      await makeReads(READS);
    },
  );
  assertEquals([report.events, report.discarded, report.errors], [
    READS,
    0,
    [],
  ]);
  const reading = await readTrace(`${relay.output}/${sink.outputPath}/kernel`);
  assertEquals([reading.code, reading.events.length], [0, READS]);
  assertEquals([reading.discardedEvents, reading.discardedPackets], [0, 0]);
}

for (const kind of ["ours", "stock"] as const) {
  const programs = ["babeltrace2", ...kind === "stock" ? ["lttng-relayd"] : []];
  tracefsTest(
    `a recording is streamed to ${
      kind === "ours" ? "our" : "the stock"
    } relay daemon`,
    () => recordTo(kind),
    { skip: stockMissing(...programs) },
  );
}
