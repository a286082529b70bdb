/** Recordings that tests make, and what the readers find in them. */

import { DirectorySink } from "../../../lib/ctf/directory_sink.ts";
import type { TraceSink } from "../../../lib/ctf/sink.ts";
import { TracefsTracer } from "../../../lib/kernel/tracefs_tracer.ts";
import type { FilterExpression } from "../../../lib/kernel/filter.ts";
import type {
  KernelChannel,
  KernelChannelOptions,
  KernelRecording,
  KernelRecordingOptions,
  KernelReport,
} from "../../../lib/kernel/kernel_tracer.ts";
import { run } from "../../support/process.ts";

/** A recording with one channel. */
export interface OneChannel {
  readonly recording: KernelRecording;
  readonly channel: KernelChannel;
}

/** What {@linkcode recordOne} may be told. */
export interface RecordOneOptions {
  readonly channel?: Partial<KernelChannelOptions>;
  readonly recording?: Partial<KernelRecordingOptions>;
}

/** Makes a recording with one channel; `act` enables, starts and loads. */
export async function recordOne(
  sink: TraceSink,
  options: RecordOneOptions,
  act: (one: OneChannel) => Promise<void>,
): Promise<KernelReport> {
  const recording = new TracefsTracer().record({
    sink,
    name: "test",
    statedump: false,
    ...options.recording,
  });
  try {
    const channel = recording.addChannel({
      name: "channel0",
      subBufferSize: 64 * 1024,
      subBufferCount: 64,
      ...options.channel,
    });
    await act({ recording, channel });
  } finally {
    await recording.close();
  }
  return await recording.close();
}

/** Runs `act` with the path of a trace that does not exist yet. */
export async function withTrace(
  act: (path: string, sink: DirectorySink) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/kernel`;
    await act(path, new DirectorySink(path));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What each read asks for: what no other program does, nor another test run. */
const BYTES = 10_007 + Deno.pid % 50_000;

/** Reads that ask for so many bytes. */
const COUNT: FilterExpression = {
  kind: "binary",
  operator: "==",
  left: {
    kind: "path",
    root: "payload",
    elements: [{ name: "count", index: undefined }],
  },
  right: { kind: "integer", number: BigInt(BYTES) },
};

/** Has the reads of {@linkcode makeReads} recorded, and nothing else. */
export async function enableReads(
  { recording, channel }: OneChannel,
): Promise<void> {
  await channel.enable({
    kind: "syscall",
    pattern: "read",
    phase: "entry",
    filter: COUNT,
  });
  await recording.start();
}

/**
 * Makes exactly `count` reads, which no other program does, on one processor
 * where that is said; gives the process id.
 */
export async function makeReads(count: number, cpu?: number): Promise<number> {
  const pin = cpu === undefined ? [] : ["taskset", "--cpu-list", `${cpu}`];
  const [program, ...args] = [
    ...pin,
    ...["dd", "if=/dev/zero", "of=/dev/null", `bs=${BYTES}`, `count=${count}`],
  ];
  const child = new Deno.Command(program!, { args, stderr: "null" }).spawn();
  const { success } = await child.status;
  if (!success) throw new Error("dd failed");
  return child.pid;
}

/** What babeltrace2 and `lttng view` print of a trace, told to do the same. */
export async function readWithBoth(
  path: string,
): Promise<{ stock: string[]; ours: string[] }> {
  const cli = new URL("../../../cli.ts", import.meta.url).pathname;
  const options = ["--clock-cycles", "--no-delta", path];
  const deno = [Deno.execPath(), "run", "-A", cli, "view"];
  const stock = await run({ command: ["babeltrace2", ...options] });
  const ours = await run({ command: [...deno, ...options] });
  if (stock.code !== 0 || ours.code !== 0) {
    throw new Error(`${stock.stderr}\n${ours.stderr}`);
  }
  return { stock: linesOf(stock.stdout), ours: linesOf(ours.stdout) };
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
