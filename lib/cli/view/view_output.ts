/** What `lttng view` writes: events and losses as text, as JSON, or a summary. */

import type { EventSource, TimeRange } from "../../ctf/read/event_source.ts";
import type {
  EventClass,
  LossRecord,
  StreamInfo,
  TraceClass,
} from "../../ctf/read/model.ts";
import { TextBuffer } from "../../ctf/text/buffer.ts";
import { JsonPrinter } from "../../ctf/text/json.ts";
import { namePattern } from "../../ctf/text/pattern.ts";
import { TextPrinter } from "../../ctf/text/printer.ts";
import { COLORED, PLAIN } from "../../ctf/text/style.ts";
import { Summary } from "../../ctf/text/summary.ts";
import { TimePrinter } from "../../ctf/text/time.ts";
import { writeErrorLine } from "../daemon/background.ts";
import type { ViewSettings } from "./view_options.ts";

/** Nobody reads the output any more: the reader has seen enough. */
export class OutputClosedError extends Error {}

/** What traces and streams are called. */
export interface ViewNames {
  traceName(trace: TraceClass): string;
  streamName(stream: StreamInfo): string;
  /** The number of a stream that does not say its own. */
  streamNumber(stream: StreamInfo): number | undefined;
}

/** Takes messages in order of time, and writes what is asked for. */
export class ViewOutput {
  readonly #range: TimeRange;
  readonly #names: ViewNames;
  readonly #isWanted: (eventClass: EventClass) => boolean;
  readonly #out = new TextBuffer();
  readonly #text: TextPrinter;
  readonly #printer: { eventAt(source: EventSource): boolean };
  readonly #summary: Summary | undefined;
  readonly #times: TimePrinter;
  #left: number;

  constructor(settings: ViewSettings, names: ViewNames, range: TimeRange) {
    const { form, event, limit, color } = settings;
    const options = {
      ...settings,
      ...names,
      colors: color ? COLORED : PLAIN,
      warn: writeErrorLine,
    };
    this.#range = range;
    this.#names = names;
    this.#left = limit;
    this.#isWanted = event === undefined ? () => true : classFilter(event);
    this.#text = new TextPrinter(this.#out, options);
    this.#printer = form === "json"
      ? new JsonPrinter(this.#out, options)
      : this.#text;
    this.#summary = form === "summary" ? new Summary() : undefined;
    this.#times = new TimePrinter({ ...options, date: true }, writeErrorLine);
  }

  /**
   * Takes the message that `source` stands at; returns whether more are wanted.
   *
   * @throws {OutputClosedError} When nobody reads them.
   */
  add(source: EventSource): boolean {
    if (this.#left === 0) return false;
    if (source.loss) this.#addLoss(source, source.loss);
    else if (this.#isWanted(source.event.class)) {
      if (this.#summary) this.#summary.add(source);
      else if (!this.#printer.eventAt(source)) return true;
      if (this.#out.isFull) this.flush();
      this.#left--;
    }
    return this.#left > 0;
  }

  #addLoss(source: EventSource, loss: LossRecord): void {
    if (this.#summary) return this.#summary.add(source);
    const clipped = clip(loss, this.#range);
    if (clipped !== undefined) writeErrorLine(this.#text.loss(clipped));
  }

  /** Writes what has been taken. */
  flush(): void {
    if (this.#out.length > 0) writeOutput(this.#out.take());
  }

  /** Writes the rest. */
  end(): void {
    if (this.#summary) this.#writeSummary(this.#summary);
    this.flush();
  }

  #writeSummary(summary: Summary): void {
    const lines = summary.lines(this.#names.streamName, (time) => {
      const out = new TextBuffer();
      this.#times.print(time, out);
      return new TextDecoder().decode(out.take());
    });
    this.#out.text(lines.join("\n") + "\n");
  }
}

function classFilter(pattern: string): (eventClass: EventClass) => boolean {
  const matches = namePattern(pattern);
  const known = new Map<EventClass, boolean>();
  return (eventClass) => {
    let wanted = known.get(eventClass);
    if (wanted === undefined) {
      wanted = matches(eventClass.name);
      known.set(eventClass, wanted);
    }
    return wanted;
  };
}

/**
 * The part of a loss within `range`, if there is one: how much was lost in a
 * part of the time nobody knows.
 */
function clip(loss: LossRecord, range: TimeRange): LossRecord | undefined {
  const { begin, end } = loss;
  if (begin === undefined || end === undefined) return loss;
  const from = range.begin ?? begin;
  const to = range.end ?? end;
  if (end < from || begin > to) return undefined;
  if (begin >= from && end <= to) return loss;
  const { count: _count, ...rest } = loss;
  return {
    ...rest,
    begin: begin < from ? from : begin,
    end: end > to ? to : end,
  };
}

/** @throws {OutputClosedError} When nobody reads it. */
export function writeOutput(bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new OutputClosedError();
    throw error;
  }
}
