/** A program that records the kernel until it is killed; prints a line once it does. */

import type { StreamSink, TraceSink } from "../../../lib/ctf/sink.ts";
import { TracefsTracer } from "../../../lib/kernel/tracefs_tracer.ts";

const nothing: TraceSink = {
  writeMetadata: () => Promise.resolve(),
  openStream: () =>
    Promise.resolve<StreamSink>({
      writePacket: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }),
  close: () => Promise.resolve(),
};

const recording = new TracefsTracer().record({
  sink: nothing,
  name: "endless",
});
const channel = recording.addChannel({ name: "channel0" });
await channel.enable({ kind: "tracepoint", pattern: "sched_*" });
await channel.enable({ kind: "syscall", pattern: "*" });
await recording.start();
console.log("recording");
