/** Reads a stored trace back with babeltrace2 and counts what it holds. */

import type { Report } from "./generator.ts";
import { type Load, storedPackets } from "./rows.ts";

/** The longest that babeltrace2 may read, in milliseconds. */
const LIMIT_MS = 120_000;

/**
 * Finds the directory of one loaded session.
 *
 * The generator calls its sessions `load…` (those that warm the daemon up have
 * another name); below the host's directory the daemon adds the date to that.
 */
function findTrace(output: string): string {
  const host = `${output}/bench`;
  const names = [...Deno.readDirSync(host)]
    .map((entry) => entry.name)
    .filter((name) => name.startsWith("load"))
    .sort();
  const name = names.at(-1);
  if (name === undefined) throw new Error(`There is no trace in ${host}`);
  return `${host}/${name}`;
}

/**
 * Checks that one stored trace holds every event that was sent.
 *
 * @param output The relay daemon's output directory
 * @param load What was sent
 * @param report What the generator says it sent
 * @returns Undefined if babeltrace2 is not installed, else the events read
 * @throws {Error} If the trace does not read, or events are missing
 */
export async function verifyTrace(
  output: string,
  load: Load,
  report: Report,
): Promise<number | undefined> {
  const trace = findTrace(output);
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command("babeltrace2", {
      args: [trace, "-c", "sink.utils.counter", "-p", "step=+0"],
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const text = new TextDecoder().decode(result.stdout);
  const complaint = new TextDecoder().decode(result.stderr).trim();
  if (!result.success) throw new Error(`babeltrace2 fails: ${complaint}`);
  const count = (kind: string) =>
    Number(text.match(new RegExp(`(\\d+) ${kind} messages?`))?.[1]);
  const expected = storedPackets(load, report.packets_per_session) *
    report.events_per_packet;
  const events = count("Event");
  if (events !== expected || count("Discarded packet") !== 0) {
    throw new Error(
      `The stored trace is not what was sent: ${events} events read, ` +
        `${expected} expected (${trace})`,
    );
  }
  return events;
}
