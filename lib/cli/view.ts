/** `lttng view`: prints a trace that is stored on this machine. */

import {
  type EventClass,
  type LossRecord,
  type StreamClass,
  type StreamInfo,
  type TraceClass,
  TraceReadError,
} from "../ctf/read/model.ts";
import type { EventSource } from "../ctf/read/event_source.ts";
import { TraceReader } from "../ctf/read/trace_reader.ts";
import { TextBuffer } from "../ctf/text/buffer.ts";
import { JsonPrinter } from "../ctf/text/json.ts";
import { namePattern } from "../ctf/text/pattern.ts";
import { type TextOptions, TextPrinter } from "../ctf/text/printer.ts";
import { Summary } from "../ctf/text/summary.ts";
import { TimePrinter } from "../ctf/text/time.ts";
import { resolveTimeBound, type TimeBound } from "../ctf/text/time_bound.ts";
import { writeErrorLine } from "./background.ts";
import { formatHelp } from "./help.ts";
import { isAbsolutePath } from "./paths.ts";
import { systemReason } from "./surroundings.ts";
import { parseView, VIEW_OPTIONS, type ViewSettings } from "./view_options.ts";

/** A time range, both ends included, in nanoseconds since 1970. */
interface Range {
  readonly begin?: bigint;
  readonly end?: bigint;
}

/** Nobody reads the output any more: the reader has seen enough. */
class OutputClosedError extends Error {}

/**
 * Runs `lttng view` with what follows on the command line; returns its exit
 * status: 1 where something could not be read.
 *
 * @throws {OptionError} When the command line makes no sense.
 */
export async function runView(args: readonly string[]): Promise<number> {
  const settings = parseView(args);
  try {
    if (settings === "help") {
      writeOutput(new TextEncoder().encode(viewHelp()));
      return 0;
    }
    return await view(settings);
  } catch (error) {
    if (error instanceof OutputClosedError) return 0;
    if (!(error instanceof TraceReadError)) throw error;
    writeErrorLine(`Error: ${error.message}`);
    return 1;
  }
}

/** The text of `lttng view --help`. */
export function viewHelp(): string {
  return formatHelp({
    usage: "lttng view [OPTION]... PATH",
    purpose: "Prints the trace in the directory PATH, or all traces below " +
      "it, in order of time: as text like babeltrace2's, as JSON or as a " +
      "summary.",
    options: VIEW_OPTIONS,
    environment: [],
    notes: [],
  });
}

async function view(settings: ViewSettings): Promise<number> {
  const root = absolute(settings.path);
  const problem = pathProblem(settings.path);
  if (problem !== undefined) {
    writeErrorLine(`Error: ${problem}`);
    return 1;
  }
  let status = 0;
  using reader = await TraceReader.open(root, {
    onError: (error) => {
      writeErrorLine(`Error: ${error.message}`);
      status = 1;
    },
  });
  const range = rangeOf(reader, settings);
  const sources = selected(reader.sources(range), settings);
  function traceName(trace: TraceClass): string {
    return nameOf(trace, root);
  }
  const numbers = streamNumbers(reader.streams);
  const options = {
    ...settings,
    traceName,
    streamNumber: (stream: StreamInfo) => numbers.get(stream),
    warn: writeErrorLine,
  };
  if (settings.form === "summary") {
    writeSummary(sources, options, root);
  } else {
    print(sources, settings.form, options, range);
  }
  return status;
}

/** Writes events to standard output, and losses to standard error. */
function print(
  sources: Iterable<EventSource>,
  form: "text" | "json",
  options: TextOptions,
  range: Range,
): void {
  const out = new TextBuffer();
  const text = new TextPrinter(out, options);
  const printer = form === "json" ? new JsonPrinter(out, options) : text;
  for (const source of sources) {
    if (source.loss === undefined) {
      printer.eventAt(source);
      if (out.isFull) writeOutput(out.take());
    } else {
      const loss = clip(source.loss, range);
      if (loss !== undefined) writeErrorLine(text.loss(loss));
    }
  }
  writeOutput(out.take());
}

function writeSummary(
  sources: Iterable<EventSource>,
  options: TextOptions,
  root: string,
): void {
  const summary = new Summary();
  for (const source of sources) summary.add(source);
  const times = new TimePrinter({ ...options, date: true }, writeErrorLine);
  const lines = summary.lines(
    ({ path }) => relative(path, root),
    (time) => {
      const out = new TextBuffer();
      times.print(time, out);
      return new TextDecoder().decode(out.take());
    },
  );
  writeOutput(new TextEncoder().encode(lines.join("\n") + "\n"));
}

/** Of `sources`, those at messages that `settings` ask for. */
function selected(
  sources: Iterable<EventSource>,
  { event, limit }: ViewSettings,
): Iterable<EventSource> {
  const wanted = event === undefined ? sources : named(sources, event);
  return limit === Infinity ? wanted : limited(wanted, limit);
}

function* named(
  sources: Iterable<EventSource>,
  pattern: string,
): Generator<EventSource, void, undefined> {
  const isWanted = classFilter(pattern);
  for (const source of sources) {
    if (source.loss || isWanted(source.event.class)) yield source;
  }
}

function* limited(
  sources: Iterable<EventSource>,
  limit: number,
): Generator<EventSource, void, undefined> {
  let left = limit;
  if (left === 0) return;
  for (const source of sources) {
    yield source;
    if (source.loss === undefined && --left === 0) return;
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

function rangeOf(reader: TraceReader, settings: ViewSettings): Range {
  const { begin, end, gmt } = settings;
  let first: bigint | undefined;
  function resolve(bound: TimeBound): bigint {
    if (typeof bound === "bigint") return bound;
    first ??= firstTime(reader);
    return resolveTimeBound(bound, first, gmt);
  }
  return {
    ...(begin === undefined ? {} : { begin: resolve(begin) }),
    ...(end === undefined ? {} : { end: resolve(end) }),
  };
}

function firstTime(reader: TraceReader): bigint {
  for (const message of reader.messages()) return message.timestamp;
  return 0n;
}

/**
 * The part of a loss within `range`, if there is one: how much was lost in a
 * part of the time nobody knows.
 */
function clip(loss: LossRecord, range: Range): LossRecord | undefined {
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

/** babeltrace2 numbers the streams of a class that have no number. */
function streamNumbers(
  streams: readonly StreamInfo[],
): ReadonlyMap<StreamInfo, number> {
  const numbers = new Map<StreamInfo, number>();
  const next = new Map<StreamClass, number>();
  for (const stream of streams) {
    const number = next.get(stream.class) ?? 0;
    numbers.set(stream, number);
    next.set(stream.class, number + 1);
  }
  return numbers;
}

/** Why `path` cannot be read as a directory of traces. */
function pathProblem(path: string): string | undefined {
  try {
    return Deno.statSync(path).isDirectory
      ? undefined
      : `Not a directory: ${path}: name the directory of a trace`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `No such path: ${path}`;
    return `Cannot read ${path}: ${systemReason(error)}`;
  }
}

/** babeltrace2's name of a trace: its host, and where it was found. */
function nameOf(trace: TraceClass, root: string): string {
  const host = trace.environment.get("hostname");
  const place = relative(trace.path, root);
  if (typeof host !== "string") return place;
  return place === "" ? host : `${host}/${place}`;
}

function relative(path: string, root: string): string {
  if (path === root) return "";
  const start = root.endsWith("/") ? root : `${root}/`;
  return path.startsWith(start) ? path.slice(start.length) : path;
}

/** `path` from the root, without `.`, `..` and doubled slashes. */
function absolute(path: string): string {
  const { os } = Deno.build;
  if (os === "windows") return path;
  const whole = isAbsolutePath(path, os) ? path : `${Deno.cwd()}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** @throws {OutputClosedError} When nobody reads it. */
function writeOutput(bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new OutputClosedError();
    throw error;
  }
}
