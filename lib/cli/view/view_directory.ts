/** `lttng view PATH`: a trace that is stored on this machine, or being recorded there. */

import { DirectoryFollower } from "../../ctf/read/directory_follower.ts";
import type { TimeRange } from "../../ctf/read/event_source.ts";
import type {
  ErrorListener,
  StreamClass,
  StreamInfo,
  TraceClass,
} from "../../ctf/read/model.ts";
import { TraceReader } from "../../ctf/read/trace_reader.ts";
import { resolveTimeBound, type TimeBound } from "../../ctf/text/time_bound.ts";
import { OptionError } from "../options/options.ts";
import { isAbsolutePath } from "../options/paths.ts";
import { Progress } from "./progress.ts";
import { systemReason } from "../options/surroundings.ts";
import type { ViewSettings } from "./view_options.ts";
import { type ViewNames, ViewOutput } from "./view_output.ts";

/** Pause between two looks at a directory that is followed, milliseconds. */
const FOLLOW_INTERVAL = 250;
/** Messages between two looks at the clock. */
const PROGRESS_MESSAGES = 50_000;

/**
 * Writes what is stored below `path`.
 *
 * @throws {TraceReadError} Where there is no trace.
 */
export async function viewDirectory(
  path: string,
  settings: ViewSettings,
  onError: ErrorListener,
): Promise<void> {
  const root = absolute(path);
  checkDirectory(path);
  using reader = await TraceReader.open(root, { onError });
  const range = rangeOf(settings, () => firstTime(reader));
  const numbers = streamNumbers(reader.streams);
  const names: ViewNames = {
    traceName: traceNames(reader.traces, root),
    streamName: ({ path }) => relative(path, root),
    streamNumber: (stream) => numbers.get(stream),
  };
  const output = new ViewOutput(settings, names, range);
  const { bytes } = reader;
  using progress = new Progress();
  let count = 0;
  for (const source of reader.sources(range)) {
    if (!output.add(source)) break;
    if (++count % PROGRESS_MESSAGES > 0) continue;
    progress.show(() => progressText(reader.readBytes, bytes, count));
  }
  output.end();
}

function progressText(read: number, bytes: number, count: number): string {
  const share = Math.floor(read / bytes * 100);
  return `${share} %, ${(count / 1e6).toFixed(1)} million messages`;
}

/** Writes what is stored below `path`, and what is yet to come, until it is told to stop. */
export async function followDirectory(
  path: string,
  settings: ViewSettings,
  onError: ErrorListener,
  signal: AbortSignal,
): Promise<void> {
  const root = absolute(path);
  checkDirectory(path);
  const now = BigInt(Date.now()) * 1_000_000n;
  const range = rangeOf(settings, () => now);
  const names: ViewNames = {
    traceName: (trace) => nameOf(trace, relative(trace.path, root)),
    streamName: ({ path }) => relative(path, root),
    streamNumber: () => undefined,
  };
  const output = new ViewOutput(settings, names, range);
  using follower = new DirectoryFollower(root, { range, onError });
  for (
    let isWanted = settings.limit > 0;
    isWanted && !follower.isEnded && !signal.aborted;
  ) {
    follower.scan();
    for (const source of follower.ready()) {
      isWanted = output.add(source);
      if (!isWanted) break;
    }
    output.flush();
    if (isWanted) await pause(FOLLOW_INTERVAL, signal);
  }
  output.end();
}

/** Returns early where it is told to stop. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** The times that are asked for; `first` is a time of the day that is meant. */
export function rangeOf(
  { begin, end, gmt }: ViewSettings,
  first: () => bigint,
): TimeRange {
  let day: bigint | undefined;
  function resolve(bound: TimeBound): bigint {
    if (typeof bound === "bigint") return bound;
    return resolveTimeBound(bound, day ??= first(), gmt);
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

/** @throws {OptionError} Where `path` cannot be a directory of traces. */
function checkDirectory(path: string): void {
  try {
    if (Deno.statSync(path).isDirectory) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new OptionError(`No such path: ${path}`);
    }
    throw new OptionError(`Cannot read ${path}: ${systemReason(error)}`);
  }
  throw new OptionError(
    `Not a directory: ${path}: name the directory of a trace`,
  );
}

/**
 * babeltrace2's names of traces: the host, and where it was found; of a trace
 * whose parts are in several places, such as archives, the host alone.
 */
function traceNames(
  traces: readonly TraceClass[],
  root: string,
): (trace: TraceClass) => string {
  const parts = Map.groupBy(traces, ({ uuid }) => uuid);
  return (trace) => {
    const { uuid, path } = trace;
    const isWhole = uuid === undefined || parts.get(uuid)?.length === 1;
    return nameOf(trace, isWhole ? relative(path, root) : "");
  };
}

function nameOf(trace: TraceClass, place: string): string {
  const host = trace.environment.get("hostname");
  const names = [...typeof host === "string" ? [host] : [], place];
  return names.filter((name) => name !== "").join("/");
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
