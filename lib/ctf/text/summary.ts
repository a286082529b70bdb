/** What a trace holds, in numbers: streams, events by name, loss, and a histogram over time. */

import type { Moment } from "../read/clock.ts";
import type { EventSource } from "../read/event_source.ts";
import type { LossRecord, StreamInfo } from "../read/model.ts";

/** Names of events that are listed. */
const EVENT_NAMES = 40;
/** Bars of the histogram at most. */
const BARS = 20;
/** Width of the longest bar, in columns. */
const BAR_COLUMNS = 40;
/** Eighths of a column, from one to all. */
const EIGHTHS = "▏▎▍▌▋▊▉█";
/** Slots in which events are counted before their time span is known. */
const SLOTS = 2 * BARS;
const SECOND = 1_000_000_000;

/** What is counted of one stream. */
interface StreamCounts {
  events: number;
  lostEvents: bigint;
  lostPackets: bigint;
  /** Whether some loss has no number. */
  unknown: boolean;
}

/** Counts messages, in memory that does not grow with their number. */
export class Summary {
  readonly #streams = new Map<StreamInfo, StreamCounts>();
  readonly #names = new Map<string, number>();
  readonly #histogram = new Histogram();
  #events = 0;
  #first: Moment | undefined;
  readonly #last: Moment = { seconds: 0, nanoseconds: 0 };

  /** Counts the message that `source` stands at; they come in order of time. */
  add(source: EventSource): void {
    const counts = this.#countsOf(source.stream);
    if (source.loss) return addLoss(counts, source.loss);
    counts.events++;
    this.#events++;
    const { name } = source.event.class;
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    if (source.stream.class.clock === undefined) return;
    const { seconds, nanoseconds } = source;
    this.#first ??= { seconds, nanoseconds };
    this.#last.seconds = seconds;
    this.#last.nanoseconds = nanoseconds;
    this.#histogram.add(this.#span());
  }

  /** Nanoseconds from the first event to the last. */
  #span(): number {
    if (this.#first === undefined) return 0;
    return (this.#last.seconds - this.#first.seconds) * SECOND +
      this.#last.nanoseconds - this.#first.nanoseconds;
  }

  /** The summary as lines; `timeText` writes a time. */
  lines(
    streamName: (stream: StreamInfo) => string,
    timeText: (time: Moment) => string,
  ): string[] {
    const seconds = this.#span() / SECOND;
    const lines = [];
    if (this.#first !== undefined) {
      lines.push(
        `From ${timeText(this.#first)} to ${timeText(this.#last)}: ` +
          `${seconds.toFixed(6)} s`,
      );
    }
    lines.push(
      `Events: ${this.#events}${rateText(this.#events, seconds)}`,
      `Loss: ${lossText(total([...this.#streams.values()]))}`,
      "",
      "Streams:",
      ...table(
        [...this.#streams].map(([stream, counts]) => [
          streamName(stream),
          `${counts.events} events`,
          lossText(counts),
        ]),
      ),
      "",
      "Events by name:",
      ...this.#nameLines(seconds),
    );
    if (seconds > 0) {
      lines.push("", "Events over time:", ...this.#histogram.lines());
    }
    return lines;
  }

  #nameLines(seconds: number): string[] {
    const sorted = [...this.#names].sort(([, a], [, b]) => b - a);
    const lines = table(
      sorted.slice(0, EVENT_NAMES).map(([name, count]) => [
        name,
        String(count),
        `${(count / this.#events * 100).toFixed(1)} %`,
        seconds > 0 ? `${Math.round(count / seconds)}/s` : "",
      ]),
    );
    const more = sorted.length - EVENT_NAMES;
    return more > 0 ? [...lines, `  and ${more} more names`] : lines;
  }

  #countsOf(stream: StreamInfo): StreamCounts {
    let counts = this.#streams.get(stream);
    if (counts === undefined) {
      counts = { events: 0, lostEvents: 0n, lostPackets: 0n, unknown: false };
      this.#streams.set(stream, counts);
    }
    return counts;
  }
}

/** Counts over a time span that grows: where it is too short, it doubles. */
class Histogram {
  readonly #slots = new Float64Array(SLOTS);
  /** Nanoseconds of one slot. */
  #width = 1;
  #used = 0;

  add(time: number): void {
    while (time >= this.#width * SLOTS) this.#double();
    const slot = Math.floor(time / this.#width);
    this.#slots[slot]!++;
    this.#used = Math.max(this.#used, slot + 1);
  }

  lines(): string[] {
    const perBar = Math.ceil(this.#used / BARS);
    const bars: number[] = [];
    for (let slot = 0; slot < this.#used; slot += perBar) {
      const end = Math.min(slot + perBar, this.#used);
      bars.push(this.#slots.slice(slot, end).reduce((sum, n) => sum + n, 0));
    }
    const most = Math.max(...bars);
    return table(bars.map((count, index) => [
      `+${(index * perBar * this.#width / 1e9).toFixed(6)} s`,
      String(count),
      bar(count / most),
    ]));
  }

  #double(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const from = 2 * slot;
      this.#slots[slot] = (this.#slots[from] ?? 0) +
        (this.#slots[from + 1] ?? 0);
    }
    this.#used = Math.ceil(this.#used / 2);
    this.#width *= 2;
  }
}

function addLoss(counts: StreamCounts, loss: LossRecord): void {
  if (loss.count === undefined) counts.unknown = true;
  else if (loss.kind === "lost_packets") counts.lostPackets += loss.count;
  else counts.lostEvents += loss.count;
}

function total(all: readonly StreamCounts[]): StreamCounts {
  const sum = { events: 0, lostEvents: 0n, lostPackets: 0n, unknown: false };
  for (const { events, lostEvents, lostPackets, unknown } of all) {
    sum.events += events;
    sum.lostEvents += lostEvents;
    sum.lostPackets += lostPackets;
    sum.unknown ||= unknown;
  }
  return sum;
}

function lossText(counts: StreamCounts): string {
  const parts = [];
  if (counts.lostEvents > 0n) parts.push(`${counts.lostEvents} events`);
  if (counts.lostPackets > 0n) parts.push(`${counts.lostPackets} packets`);
  if (counts.unknown) parts.push("an unknown number more");
  return parts.length === 0 ? "none lost" : `${parts.join(", ")} lost`;
}

function rateText(count: number, seconds: number): string {
  return seconds > 0 ? ` (${Math.round(count / seconds)}/s)` : "";
}

function bar(share: number): string {
  const eighths = Math.round(share * BAR_COLUMNS * 8);
  const rest = eighths % 8;
  return "█".repeat(Math.floor(eighths / 8)) +
    (rest === 0 ? "" : EIGHTHS.charAt(rest - 1));
}

/** Columns: the first and the last to the left, those between to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    "  " +
    row.map((cell, column) =>
      column > 0 && column < columns - 1
        ? cell.padStart(widths[column]!)
        : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  );
}
