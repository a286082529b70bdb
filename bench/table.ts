/** Prints the results of the benchmark as tables in Markdown. */

import type { Result, Sample } from "./relay.ts";
import { IDLE_ROW } from "./rows.ts";

/** Gives the middle of some numbers, or undefined if there are none. */
export function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 0 && upper !== undefined && lower !== undefined
    ? (upper + lower) / 2
    : upper;
}

/** Writes a number with three digits that count. */
function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The cells of one measure: stock, ours, and ours divided by stock. */
function cells(
  result: Result,
  measure: (sample: Sample) => number | undefined,
): string[] {
  const middle = (samples: readonly Sample[]) =>
    median(samples.map(measure).filter((value) => value !== undefined));
  const stock = middle(result.stock);
  const ours = middle(result.ours);
  const ratio = stock === undefined || ours === undefined
    ? "–"
    : (ours / stock).toFixed(2);
  return [figure(stock), figure(ours), ratio];
}

/** Prints rows of cells with columns of equal width; the first row is the head. */
export function printTable(lines: readonly string[][]): void {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  const print = (line: readonly string[]) =>
    console.log(`| ${line.join(" | ")} |`);
  lines.forEach((line, index) => {
    print(
      line.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
      ),
    );
    if (index === 0) {
      print(
        widths.map((width, column) =>
          column === 0 ? "-".repeat(width) : "-".repeat(width - 1) + ":"
        ),
      );
    }
  });
}

/**
 * Prints throughput and processor time of all rows, the round trips of
 * SEND_INDEX, and what idle sessions cost.
 *
 * @param results Samples by row
 */
export function printTables(results: readonly Result[]): void {
  const sides = ["stock", "ours", "ratio"];
  const head = (name: string) => [`${name} ${sides[0]}`, ...sides.slice(1)];
  console.log();
  printTable([
    ["Row", ...head("MB/s"), ...head("CPU s/GiB")],
    ...results.map((result) => [
      result.row.title,
      ...cells(result, (sample) => sample.megabytesPerSecond),
      ...cells(result, (sample) => sample.secondsPerGib),
    ]),
  ]);
  console.log();
  printTable([
    ["SEND_INDEX to its reply, µs", ...head("p50"), ...head("p99")],
    ...results.map((result) => [
      result.row.title,
      ...cells(result, (sample) => sample.report.index_p50_us),
      ...cells(result, (sample) => sample.report.index_p99_us),
    ]),
  ]);
  for (const result of results.filter(({ row }) => row.name === IDLE_ROW)) {
    console.log();
    printTable([
      [`${result.row.load.sessions} idle sessions`, ...sides],
      [
        "Session set-up, sessions/s",
        ...cells(result, (sample) => sample.setupsPerSecond),
      ],
      [
        "Memory, KiB/session",
        ...cells(result, (sample) => sample.bytesPerSession / 1024),
      ],
    ]);
  }
  const samples = results.flatMap(({ stock, ours }) => [...stock, ...ours]);
  const used = new Set(samples.map(({ report }) => report.congestion));
  const busiest = Math.max(
    ...samples.map(({ report }) => report.cpu_seconds / report.seconds),
  );
  console.log(
    `\nRatio: ours divided by stock; above 1 is better for MB/s and sessions/s, ` +
      `below 1 for all others. Congestion control of the load: ` +
      `${[...used].join(", ")}. The load generator used at most ` +
      `${(busiest * 100).toFixed(0)} % of one processor.`,
  );
}
