/** Records a trace into a temporary directory and has babeltrace2 read it. */

import { DirectorySink } from "../../lib/ctf/directory_sink.ts";
import type { TraceClock } from "../../lib/tracer/clock.ts";
import {
  Tracer,
  type TracerOptions,
  type TracerReport,
} from "../../lib/tracer/tracer.ts";
import { run } from "../support/process.ts";

/** A clock that goes on by `step` ticks each time it is read. */
export function steppingClock(step = 1000, start = 0): TraceClock {
  let ticks = start;
  return {
    name: "monotonic",
    frequency: 1_000_000_000n,
    offset: 1_700_000_000_000_000_000n,
    now: () => ticks += step,
  };
}

/** Makes a temporary directory for `use`, and removes it. */
export async function withTraceDirectory(
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "ctf-trace-" });
  try {
    await use(`${parent}/trace`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/** Records what `write` records, and stops. */
export async function recordTo(
  directory: string,
  options: Omit<TracerOptions, "sink">,
  write: (tracer: Tracer) => void | Promise<void>,
): Promise<TracerReport> {
  const tracer = new Tracer({
    sink: new DirectorySink(directory),
    hostname: "here",
    ...options,
  });
  await write(tracer);
  return await tracer.stop();
}

/** One event as babeltrace2 read it. */
export interface ReadEvent {
  readonly time: bigint;
  /** Log level by name. */
  readonly level: string;
  readonly name: string;
  readonly stream: number;
  /** The payload as it is printed. */
  readonly payload: string;
}

/** What babeltrace2 read, and what it said beside the events. */
export interface ReadTrace {
  readonly events: ReadEvent[];
  readonly warnings: string;
}

const LINE =
  /^\[(\d+)\] (\S+) \((\d+)\) (.*): \{ cpu_id = (\d+) \}, (\{.*\})$/s;

/** Reads a trace with babeltrace2; fails where that fails. */
export async function readTrace(directory: string): Promise<ReadTrace> {
  const { code, stdout, stderr } = await run({
    command: [
      "babeltrace2",
      "--clock-cycles",
      "--no-delta",
      "--fields=loglevel",
      directory,
    ],
  });
  if (code !== 0) throw new Error(`babeltrace2 ended with ${code}: ${stderr}`);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { events: lines.map(parseLine), warnings: stderr };
}

function parseLine(line: string): ReadEvent {
  const match = LINE.exec(line);
  if (!match) throw new Error(`Cannot read line of babeltrace2: ${line}`);
  return {
    time: BigInt(match[1]!),
    level: match[2]!,
    name: match[4]!,
    stream: Number(match[5]),
    payload: match[6]!,
  };
}

/** The sum of the discarded events that babeltrace2 warns of. */
export function discardedIn(warnings: string): number {
  let sum = 0;
  for (const match of warnings.matchAll(/discarded (\d+) events?/g)) {
    sum += Number(match[1]);
  }
  return sum;
}
