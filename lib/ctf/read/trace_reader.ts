/** Reads all traces below a directory as one sequence of messages, in order of time. */

import { asReadError, DataFile } from "./data_file.ts";
import { EventSource, type TimeRange } from "./event_source.ts";
import { FileInput } from "./file_input.ts";
import { Merge } from "./merge.ts";
import {
  type ErrorListener,
  type Message,
  type StreamInfo,
  type TraceClass,
  TraceReadError,
} from "./model.ts";
import { compareFiles, streamKey } from "./stream_key.ts";
import type { TraceDecoder } from "./trace_decoder.ts";
import { dataFileNames, findTraces, openTrace } from "./trace_files.ts";

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
  #inputs: readonly FileInput[] = [];
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
      let decoder: TraceDecoder;
      try {
        decoder = openTrace(directory);
      } catch (error) {
        onError(error as TraceReadError);
        continue;
      }
      decoders.push(decoder);
      for (const name of dataFileNames(directory)) {
        try {
          const file = DataFile.open(`${directory}/${name}`, decoder);
          if (file) files.push(file);
        } catch (error) {
          onError(asReadError(error, `${directory}/${name}`, undefined));
        }
      }
    }
    return new TraceReader(decoders, files, onError, options.memory ?? MEMORY);
  }

  /** Bytes of all data files. */
  get bytes(): number {
    return this.#streams.flatMap(({ files }) => files)
      .reduce((sum, file) => sum + file.size, 0);
  }

  /** Bytes that the last reading has come by. */
  get readBytes(): number {
    return this.#inputs.reduce((sum, input) => sum + input.readBytes, 0);
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
    this.#inputs = this.#streams.map(({ files }) =>
      new FileInput(files, windowSize)
    );
    for (const [order, input] of this.#inputs.entries()) {
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

function groupFiles(files: readonly DataFile[]): Stream[] {
  const groups = new Map<string, Stream>();
  for (const file of files) {
    const { decoder: { trace }, start: { stream }, path } = file;
    const key = streamKey(file);
    const group = groups.get(key) ?? {
      files: [],
      order: [trace.uuid ?? "", stream.class.id, path],
    };
    group.files.push(file);
    groups.set(key, group);
  }
  for (const { files } of groups.values()) files.sort(compareFiles);
  return [...groups.values()].sort((a, b) =>
    compare(a.order[0], b.order[0]) || compare(a.order[1], b.order[1]) ||
    compare(a.order[2], b.order[2])
  );
}

function compare<Value extends string | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
