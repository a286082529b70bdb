/** Reads traces back with babeltrace2, as text without times and process ids. */

import { run } from "./process.ts";

/** What babeltrace2 read from one directory. */
export interface Reading {
  /** Its exit code: 0 when everything could be read. */
  readonly code: number;
  /** One normalised line for each event, in order of time. */
  readonly events: readonly string[];
  /** Events that the tracer says it discarded. */
  readonly discardedEvents: number;
  /** Packets that the tracer says were lost. */
  readonly discardedPackets: number;
  /** Its standard error, as printed. */
  readonly errors: string;
}

/** Reads one trace, or all traces below a directory, with babeltrace2. */
export async function readTrace(directory: string): Promise<Reading> {
  const result = await run({
    command: [
      "babeltrace2",
      "--clock-cycles",
      "--no-delta",
      "--fields=trace:hostname,trace:domain,trace:procname",
      directory,
    ],
  });
  return {
    code: result.code,
    events: result.stdout.split("\n").filter((line) => line !== "")
      .map(normaliseEvent),
    discardedEvents: sumOf(result.stderr, /discarded (\d+) events?/g),
    discardedPackets: sumOf(result.stderr, /discarded (\d+) packets?/g),
    errors: result.stderr,
  };
}

/** An event's line without its time and its processor. */
export function normaliseEvent(line: string): string {
  return line
    .replace(/^\[\d+\] /, "")
    .replace(/\bcpu_id = \d+/g, "cpu_id = CPU")
    .replace(/\b(v?[pt]id) = \d+/g, "$1 = ID");
}

function sumOf(text: string, pattern: RegExp): number {
  let sum = 0;
  for (const match of text.matchAll(pattern)) sum += Number(match[1]);
  return sum;
}
