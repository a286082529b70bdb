/** Our side of the kernel benchmark: records until its input ends, and prints what it took. */

import { DirectorySink } from "../lib/ctf/directory_sink.ts";
import { TracefsTracer } from "../lib/kernel/tracefs_tracer.ts";
import { processorTime } from "./processor_time.ts";

const [directory, ringMib = "8", events = ""] = Deno.args;

const recording = new TracefsTracer().record({
  sink: new DirectorySink(directory!),
  name: "bench",
  statedump: false,
  warn: console.error,
});
const channel = recording.addChannel({
  name: "channel0",
  subBufferCount: Number(ringMib),
});
for (const name of events.split(",")) {
  if (name === "syscalls") {
    await channel.enable({ kind: "syscall", pattern: "*" });
  } else await channel.enable({ kind: "tracepoint", pattern: name });
}
await recording.start();
const before = processorTime([Deno.pid]);
console.log("recording");
for await (const _ of Deno.stdin.readable);
await recording.stop();
const nanoseconds = processorTime([Deno.pid]) - before;
const { events: recorded, discarded } = await recording.close();
console.log(JSON.stringify({ recorded, lost: discarded, nanoseconds }));
