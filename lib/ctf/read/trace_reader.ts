/** Reads all traces below a directory as one sequence of messages, in order of time. */

import { errorText } from "../../base/errors.ts";
import { asReadError, DataFile, type PacketPlace } from "./data_file.ts";
import { EventSource, type TimeRange } from "./event_source.ts";
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
}

/** Directories nested deeper are not searched: links may lead round. */
const MAX_DEPTH = 32;

/** A stream that may lie in several files, of several archives too. */
interface Stream {
  readonly places: PacketPlace[];
  readonly order: readonly [uuid: string, id: bigint, path: string];
}

/**
 * Everything recorded below one directory. It holds no file open, and of each
 * stream one packet in memory while {@linkcode messages} goes on.
 */
export class TraceReader {
  /** The traces, in the order of their paths. */
  readonly traces: readonly TraceClass[];
  /** One for each data file. */
  readonly streams: readonly StreamInfo[];
  readonly #streams: readonly Stream[];
  readonly #infos: ReadonlyMap<DataFile, StreamInfo>;
  readonly #onError: ErrorListener;

  private constructor(
    decoders: readonly TraceDecoder[],
    files: readonly DataFile[],
    onError: ErrorListener,
  ) {
    this.traces = decoders.map(({ trace }) => trace);
    const infos = new Map(files.map((file) => [file, describe(file)]));
    this.#infos = infos;
    this.streams = [...infos.values()];
    this.#streams = groupFiles(files);
    this.#onError = onError;
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
        const file = DataFile.open(`${directory}/${name}`, decoder, onError);
        if (file) files.push(file);
      }
    }
    return new TraceReader(decoders, files, onError);
  }

  /**
   * All messages whose time is in `range`, both ends included, in order of
   * time. It can be called again, and starts anew then.
   */
  *messages(range: TimeRange = {}): Generator<Message, void, undefined> {
    const heap = new MessageHeap();
    for (const [order, { places }] of this.#streams.entries()) {
      const source = new EventSource(places, this.#infos, range, this.#onError);
      const message = source.next();
      if (message) heap.push({ message, source, order });
    }
    for (let head = heap.head; head; head = heap.head) {
      const { message } = head;
      yield message;
      const next = head.source.next();
      if (next) heap.replaceHead(next);
      else heap.removeHead();
    }
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

function describe(file: DataFile): StreamInfo {
  const { instanceId, stream } = file.start;
  return {
    path: file.path,
    trace: file.decoder.trace,
    class: stream.class,
    ...(instanceId === undefined ? {} : { instanceId }),
  };
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
      places: [],
      order: [trace.uuid ?? "", stream.class.id, file.path],
    };
    for (const place of file.packets) group.places.push(place);
    groups.set(key, group);
  }
  const streams = [...groups.values()].filter(({ places }) =>
    places.length > 0
  );
  for (const { places } of streams) {
    places.sort((a, b) => compare(a.begin ?? 0n, b.begin ?? 0n));
  }
  return streams.sort((a, b) =>
    compare(a.order[0], b.order[0]) || compare(a.order[1], b.order[1]) ||
    compare(a.order[2], b.order[2])
  );
}

function compare<Value extends string | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface HeapNode {
  message: Message;
  readonly source: EventSource;
  /** Decides between messages of the same time. */
  readonly order: number;
}

/** The next message of each stream, the earliest at the head. */
class MessageHeap {
  readonly #nodes: HeapNode[] = [];

  get head(): HeapNode | undefined {
    return this.#nodes[0];
  }

  push(node: HeapNode): void {
    const nodes = this.#nodes;
    let at = nodes.length;
    nodes.push(node);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(node, nodes[parent]!)) break;
      nodes[at] = nodes[parent]!;
      at = parent;
    }
    nodes[at] = node;
  }

  replaceHead(message: Message): void {
    const node = this.#nodes[0]!;
    node.message = message;
    this.#sink(node);
  }

  removeHead(): void {
    const last = this.#nodes.pop()!;
    if (this.#nodes.length > 0) this.#sink(last);
  }

  /** Puts `node` where it belongs, from the head on. */
  #sink(node: HeapNode): void {
    const nodes = this.#nodes;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= nodes.length) break;
      if (
        child + 1 < nodes.length && isBefore(nodes[child + 1]!, nodes[child]!)
      ) child++;
      if (!isBefore(nodes[child]!, node)) break;
      nodes[at] = nodes[child]!;
      at = child;
    }
    nodes[at] = node;
  }
}

function isBefore(a: HeapNode, b: HeapNode): boolean {
  const difference = a.message.timestamp - b.message.timestamp;
  return difference < 0n || difference === 0n && a.order < b.order;
}
