/** Reads traces back with babeltrace2, as text without times and process ids. */

import { run } from "./process.ts";

/** Begins the names of what our session daemon says of the system's state. */
const STATE_DUMP = "lttng_statedump_";

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

/** How many events a trace has that is too large to be kept as text. */
export interface EventCounts {
  /** But for those of the state dump, which the kernel's tracer does not count. */
  readonly events: number;
  /** That the trace says were discarded. */
  readonly told: number;
}

/** Counts the events of all traces below a directory; 0 where it cannot be read. */
export async function countEvents(directory: string): Promise<EventCounts> {
  const script = `babeltrace2 "$0" | grep --count --invert-match ${STATE_DUMP}`;
  const { stdout, stderr } = await run({
    command: ["sh", "-c", script, directory],
  });
  const told = sumOf(stderr, /discarded (\d+) events?/g);
  return { events: Number(stdout), told };
}

/** What metadata declares. */
export interface DeclaredClasses {
  /** Event classes as text, without their numbers, by their names. */
  readonly classes: ReadonlyMap<string, string>;
}

/** Reads the metadata of a session's kernel trace. @throws {Error} It is cut. */
export async function readMetadata(
  directory: string,
): Promise<DeclaredClasses> {
  const { code, stdout, stderr } = await run({
    command: ["babeltrace2", "-o", "ctf-metadata", `${directory}/kernel`],
  });
  if (code !== 0) throw new Error(stderr);
  const classes = new Map<string, string>();
  const event =
    /^event \{\n\tname = "([^"]+)";\n\tid = \d+;\n([\s\S]*?)^\};$/gm;
  for (const [, name = "", text = ""] of stdout.matchAll(event)) {
    classes.set(name, text);
  }
  return { classes };
}
