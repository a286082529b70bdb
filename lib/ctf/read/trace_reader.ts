/** Reads all traces below a directory as one sequence of messages, in order of time. */

import { errorText } from "../../base/errors.ts";
import { asReadError, type DataFile, openDataFile } from "./data_file.ts";
import { EventSource, type TimeRange } from "./event_source.ts";
import { FileInput } from "./file_input.ts";
import { Merge } from "./merge.ts";
import { metadataText } from "./metadata_text.ts";
import {
  type ErrorListener,
  type Message,
  type StreamInfo,
  type TraceClass,
  TraceReadError,
} from "./model.ts";
import { TraceDecoder } from "./trace_decoder.ts";
import { parseTsdl } from "./tsdl.ts";

/** How a trace is opened. */
export interface TraceReaderOptions {
  /**
   * Is told of what is damaged, and reading goes on with what is not. Without
   * it the first damage is thrown: after all messages that come before it in
   * its own stream, but not in others.
   */
  readonly onError?: ErrorListener;
  /**
   * How much of all streams' packets may be in memory, in bytes; of each
   * stream it is at least 4096, and what its longest event needs. Default:
   * 64 MiB.
   */
  readonly memory?: number;
}

/** Directories nested deeper are not searched: links may lead round. */
const MAX_DEPTH = 32;

/** What all streams together may have in memory, in bytes, and one of them. */
const MEMORY = 64 * 2 ** 20;
const STREAM_MEMORY = 2 ** 20;

/** A stream that may lie in several files, of several archives too. */
interface Stream {
  readonly files: DataFile[];
  readonly order: readonly [uuid: string, id: bigint, path: string];
}

/**
 * Everything recorded below one directory. It holds no file open, and of each
 * stream a part of one packet in memory while {@linkcode messages} goes on.
 */
export class TraceReader {
  /** The traces, in the order of their paths. */
  readonly traces: readonly TraceClass[];
  /** One for each data file. */
  readonly streams: readonly StreamInfo[];
  readonly #streams: readonly Stream[];
  readonly #onError: ErrorListener;
  readonly #memory: number;

  private constructor(
    decoders: readonly TraceDecoder[],
    files: readonly DataFile[],
    onError: ErrorListener,
    memory: number,
  ) {
    this.traces = decoders.map(({ trace }) => trace);
    this.streams = files.map(({ stream }) => stream);
    this.#streams = groupFiles(files);
    this.#onError = onError;
    this.#memory = memory;
  }

  /**
   * Opens the trace in `path`, or all traces below it.
   *
   * @throws {TraceReadError} where there is none, or one is damaged and
   * nobody listens.
   */
  // deno-lint-ignore require-await
  static async open(
    path: string,
    options: TraceReaderOptions = {},
  ): Promise<TraceReader> {
    const onError = options.onError ?? raise;
    const directories = findTraces(path);
    if (directories.length === 0) {
      throw new TraceReadError(path, undefined, "no trace is there or below");
    }
    const decoders: TraceDecoder[] = [];
    const files: DataFile[] = [];
    for (const directory of directories) {
      const decoder = openTrace(directory, onError);
      if (!decoder) continue;
      decoders.push(decoder);
      for (const name of dataFileNames(directory)) {
        try {
          const file = openDataFile(`${directory}/${name}`, decoder);
          if (file) files.push(file);
        } catch (error) {
          onError(asReadError(error, `${directory}/${name}`, undefined));
        }
      }
    }
    return new TraceReader(decoders, files, onError, options.memory ?? MEMORY);
  }

  /**
   * All messages whose time is in `range`, both ends included, in order of
   * time. It can be called again, and starts anew then.
   */
  *messages(range: TimeRange = {}): Generator<Message, void, undefined> {
    for (const source of this.sources(range)) {
      const message = source.loss ?? source.take(() => source.record());
      if (message) yield message;
    }
  }

  /**
   * The same as sources that stand at each message in turn, for readers to
   * which values are too slow: an event is left out unless it is taken.
   */
  *sources(range: TimeRange = {}): Generator<EventSource, void, undefined> {
    const merge = this.#merge(range);
    for (let source = merge.head; source; source = merge.head) {
      yield source;
      if (source.advance()) merge.moveHead();
      else merge.removeHead();
    }
  }

  #merge(range: TimeRange): Merge {
    const windowSize = Math.min(
      STREAM_MEMORY,
      this.#memory / this.#streams.length,
    );
    const merge = new Merge();
    for (const [order, { files }] of this.#streams.entries()) {
      const input = new FileInput(files, windowSize);
      if (range.begin !== undefined) input.seek(range.begin);
      const source = new EventSource(input, order, range, this.#onError);
      if (source.advance()) merge.add(source);
    }
    return merge;
  }

  /** Nothing is held open; here so that a reader can be used like one that does. */
  close(): void {}

  [Symbol.dispose](): void {
    this.close();
  }
}

function raise(error: TraceReadError): never {
  throw error;
}

/** Directories with a metadata file; a trace is not searched for others. */
function findTraces(path: string, depth = 0): string[] {
  const root = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (isFile(`${root}/metadata`)) return [root];
  if (depth >= MAX_DEPTH) return [];
  let names: string[];
  try {
    names = [...Deno.readDirSync(root)]
      .filter((entry) => entry.isDirectory || entry.isSymlink)
      .map((entry) => entry.name).sort();
  } catch (error) {
    if (depth > 0) return [];
    throw new TraceReadError(root, undefined, errorText(error), {
      cause: error,
    });
  }
  return names.flatMap((name) => findTraces(`${root}/${name}`, depth + 1));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function openTrace(
  directory: string,
  onError: ErrorListener,
): TraceDecoder | undefined {
  const path = `${directory}/metadata`;
  try {
    const text = metadataText(path, Deno.readFileSync(path));
    return new TraceDecoder(directory, parseTsdl(text));
  } catch (error) {
    onError(asReadError(error, path, undefined));
    return undefined;
  }
}

/** As babeltrace2: all files that are not hidden. */
function dataFileNames(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .filter(({ name }) => name !== "metadata" && !name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => isFile(`${directory}/${name}`))
    .sort();
}

/** Files of one stream are read as one: trace files and archives go on. */
function groupFiles(files: readonly DataFile[]): Stream[] {
  const groups = new Map<string, Stream>();
  for (const file of files) {
    const { trace } = file.decoder;
    const { instanceId, stream } = file.start;
    const key = instanceId === undefined
      ? file.path
      : `${trace.uuid ?? trace.path} ${stream.class.id} ${instanceId}`;
    const group = groups.get(key) ?? {
      files: [],
      order: [trace.uuid ?? "", stream.class.id, file.path],
    };
    group.files.push(file);
    groups.set(key, group);
  }
  for (const { files } of groups.values()) {
    files.sort((a, b) => compare(beginOf(a), beginOf(b)));
  }
  return [...groups.values()].sort((a, b) =>
    compare(a.order[0], b.order[0]) || compare(a.order[1], b.order[1]) ||
    compare(a.order[2], b.order[2])
  );
}

function beginOf({ start }: DataFile): bigint {
  return start.timestampBegin ?? 0n;
}

function compare<Value extends string | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
