/** What a scenario leaves, and how that of two relay daemons is compared. */

import type { Reading } from "../support/babeltrace.ts";

/** What is left when a scenario has run against one relay daemon. */
export interface Outcome {
  /** The file tree, normalised; see `describeTree`. */
  readonly tree: readonly string[];
  /** Every trace by normalised directory, as babeltrace2 reads it. */
  readonly traces: readonly TraceReading[];
  /** What the script noted with `World.note`. */
  readonly notes: readonly string[];
}

/** What babeltrace2 reads from one trace of an outcome. */
export interface TraceReading extends Reading {
  readonly directory: string;
}

/** Events that babeltrace2 reads from all traces of an outcome. */
export function countEvents(outcome: Outcome): number {
  return outcome.traces.reduce((sum, trace) => sum + trace.events.length, 0);
}

/** Events that the tracer says it discarded, in all traces of an outcome. */
export function countDiscarded(outcome: Outcome): number {
  return outcome.traces.reduce((sum, trace) => sum + trace.discardedEvents, 0);
}

/**
 * How much of two outcomes is compared. All compare file names, permissions and
 * metadata; the less is left to chance, the more is compared.
 *
 * - `packets`: every event in its trace, file sizes, packets by index file;
 * - `chunks`: every event in its trace: chance decides where packets end;
 * - `events`: every event: a timer decides where chunks end;
 * - `files`: nothing more: chance decides which events are discarded.
 */
export type Comparison = "packets" | "chunks" | "events" | "files";

/** Fails, printing what differs, unless two outcomes are the same. */
export function assertSameOutcome(
  stock: Outcome,
  ours: Outcome,
  comparison: Comparison = "packets",
): void {
  const byChunk = comparison === "packets" || comparison === "chunks";
  const files = (outcome: Outcome) =>
    byChunk ? outcome.tree : withoutChunkNumbers(outcome.tree);
  const events = (outcome: Outcome) => {
    if (comparison === "files") return [];
    return outcome.traces.flatMap((trace) =>
      byChunk ? describeReading(trace) : trace.events
    );
  };
  const differences = [
    ...differingLines("files", files(stock), files(ours)),
    ...differingLines("traces", events(stock), events(ours)),
    ...differingLines("notes", stock.notes, ours.notes),
  ];
  if (differences.length > 0) {
    throw new Error(
      `Our relay daemon left something else:\n${differences.join("\n")}`,
    );
  }
}

/** The names of a tree, each once, with the same number for each chunk. */
function withoutChunkNumbers(tree: readonly string[]): string[] {
  const lines = tree.map((line) => line.replace(/START-(END-)?\d+/, "CHUNK"));
  return [...new Set(lines)];
}

/** A reading as lines, so that a difference is shown where it is. */
function describeReading(trace: TraceReading): string[] {
  return [
    `${trace.directory} exit code ${trace.code}`,
    `${trace.directory} discarded events ${trace.discardedEvents}, ` +
    `packets ${trace.discardedPackets}`,
    ...trace.events.map((event, at) => `${trace.directory} ${at}: ${event}`),
  ];
}

const SHOWN_DIFFERENCES = 12;

/** Lines of only one side, `-` those of stock and `+` those of ours. */
function differingLines(
  what: string,
  stock: readonly string[],
  ours: readonly string[],
): string[] {
  const lines = [
    ...shown("-", without(stock, ours)),
    ...shown("+", without(ours, stock)),
  ];
  return lines.length === 0 ? [] : [`${what} (- stock, + ours):`, ...lines];
}

function shown(sign: string, lines: readonly string[]): string[] {
  const hidden = lines.length - SHOWN_DIFFERENCES;
  return [
    ...lines.slice(0, SHOWN_DIFFERENCES).map((line) => `  ${sign} ${line}`),
    ...(hidden > 0 ? [`  ${sign} … and ${hidden} more`] : []),
  ];
}

/** The lines of `lines` without those of `others`, as often as they occur. */
function without(
  lines: readonly string[],
  others: readonly string[],
): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
