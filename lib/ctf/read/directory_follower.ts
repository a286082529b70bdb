/** Reads traces below a directory while they are being recorded. */

import { asReadError, DataFile } from "./data_file.ts";
import { EventSource, type TimeRange } from "./event_source.ts";
import { FileInput } from "./file_input.ts";
import { GrowingMerge } from "./growing_merge.ts";
import type { ErrorListener } from "./model.ts";
import { compareFiles, streamKey } from "./stream_key.ts";
import type { TraceDecoder } from "./trace_decoder.ts";
import { dataFileNames, findTraces, openTrace } from "./trace_files.ts";

/** How a directory is followed. */
export interface FollowOptions {
  /** Is told of what is damaged; reading goes on with what is not. */
  readonly onError: ErrorListener;
  /** Messages that are wanted; after its end nothing is followed any more. */
  readonly range?: TimeRange;
  /** Milliseconds, for a clock of one's own. Default: `performance.now()`. */
  readonly now?: () => number;
}

/** How much of each stream is in memory, in bytes. */
const WINDOW = 256 * 1024;
/** A stream that got nothing for so long is not waited for, in milliseconds. */
const SILENCE = 2000;
/** Metadata or a file that cannot be read may be so because it is not whole. */
const ATTEMPTS = 3;

/** A trace's metadata, and how often its present state was tried to be read. */
interface Metadata {
  state: string;
  attempts: number;
  decoder: TraceDecoder | undefined;
}

/** A data file, and the directory that it was found in. */
interface KnownFile {
  readonly directory: string;
  file: DataFile | undefined;
  /** Its size when it was looked at last. */
  size: number;
  attempts: number;
}

/** A stream, and when it last got something. */
interface Stream {
  readonly input: FileInput;
  grownAt: number;
}

/**
 * Follows all traces below a directory, those of later trace chunks too. Of
 * each stream it holds one file open, so that a file is read to its end even
 * when a rotation renames it or a clear removes it.
 */
export class DirectoryFollower implements Disposable {
  readonly #path: string;
  readonly #options: FollowOptions;
  readonly #now: () => number;
  readonly #merge = new GrowingMerge();
  readonly #metadata = new Map<string, Metadata>();
  readonly #files = new Map<string, KnownFile>();
  readonly #streams = new Map<string, Stream>();
  readonly #streamOf = new Map<EventSource, Stream>();

  constructor(path: string, options: FollowOptions) {
    this.#path = path;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Whether everything in the range has been handed out. */
  get isEnded(): boolean {
    return this.#streams.size > 0 && this.#merge.isEnded;
  }

  /** Looks at what there is now. */
  scan(): void {
    // What data there is first: the metadata read after it then covers it.
    for (const known of this.#files.values()) this.#measure(known);
    const added = this.#traces().flatMap((directory) => {
      const decoder = this.#readMetadata(directory);
      return decoder ? this.#openFiles(directory, decoder) : [];
    });
    for (const file of added.sort(compareFiles)) this.#add(file);
  }

  /** The sources that stand at messages whose turn it is now. */
  ready(): Generator<EventSource, void, undefined> {
    const before = this.#now() - SILENCE;
    return this.#merge.ready((source) =>
      this.#streamOf.get(source)!.grownAt < before
    );
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#files.values()) file?.[Symbol.dispose]();
    this.#files.clear();
  }

  #traces(): string[] {
    try {
      return findTraces(this.#path);
    } catch {
      // Not there yet, or not any more.
      return [];
    }
  }

  /** What was there at the last look is to be read now. */
  #measure(known: KnownFile): void {
    const { file } = known;
    if (!file || file.isClosed) return;
    const { fullSize } = file;
    file.limit = known.size;
    if (fullSize === known.size) return;
    known.size = fullSize;
    this.#streams.get(streamKey(file))!.grownAt = this.#now();
  }

  #readMetadata(directory: string): TraceDecoder | undefined {
    const known = this.#metadata.get(directory) ??
      { state: "", attempts: 0, decoder: undefined };
    this.#metadata.set(directory, known);
    const state = stateOf(`${directory}/metadata`);
    if (state === "") return known.decoder;
    if (state !== known.state) known.attempts = 0;
    else if (known.attempts === 0 || known.attempts >= ATTEMPTS) {
      return known.decoder;
    }
    known.state = state;
    try {
      known.decoder = openTrace(directory);
      known.attempts = 0;
      this.#useDecoder(directory, known.decoder);
    } catch (error) {
      if (++known.attempts === ATTEMPTS) {
        this.#options.onError(asReadError(error, directory, undefined));
      }
    }
    return known.decoder;
  }

  #useDecoder(directory: string, decoder: TraceDecoder): void {
    for (const { file, directory: itsOwn } of this.#files.values()) {
      if (file && itsOwn === directory) file.decoder = decoder;
    }
  }

  /** Opens those that are new. */
  #openFiles(directory: string, decoder: TraceDecoder): DataFile[] {
    const added: DataFile[] = [];
    for (const name of namesIn(directory)) {
      const path = `${directory}/${name}`;
      const key = identityOf(path);
      if (key === undefined) continue;
      const known = this.#files.get(key) ??
        { directory, file: undefined, size: 0, attempts: 0 };
      this.#files.set(key, known);
      if (known.file || known.attempts >= ATTEMPTS) continue;
      known.file = this.#open(path, decoder, known);
      if (known.file) added.push(known.file);
    }
    return added;
  }

  #open(
    path: string,
    decoder: TraceDecoder,
    known: KnownFile,
  ): DataFile | undefined {
    let handle: Deno.FsFile | undefined;
    let file: DataFile | undefined;
    try {
      handle = Deno.openSync(path);
      file = DataFile.open(path, decoder, handle);
      if (file) known.size = file.fullSize;
    } catch (error) {
      if (++known.attempts === ATTEMPTS) {
        this.#options.onError(asReadError(error, path, undefined));
      }
    } finally {
      if (!file) handle?.close();
    }
    return file;
  }

  #add(file: DataFile): void {
    // Nothing of it before the next look: its metadata may be on its way.
    file.limit = 0;
    const key = streamKey(file);
    const known = this.#streams.get(key);
    if (known) {
      known.input.files.push(file);
      known.grownAt = this.#now();
      return;
    }
    const input = new FileInput([file], WINDOW, false);
    const stream = { input, grownAt: this.#now() };
    const { range = {}, onError } = this.#options;
    const source = new EventSource(input, this.#streams.size, range, onError);
    this.#streams.set(key, stream);
    this.#streamOf.set(source, stream);
    this.#merge.add(source);
  }
}

function namesIn(directory: string): string[] {
  try {
    return dataFileNames(directory);
  } catch {
    // Renamed or removed since it was found.
    return [];
  }
}

/** Changes whenever a file does; empty where there is nothing. */
function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtime } = Deno.statSync(path);
    return size === 0 ? "" : [dev, ino, size, mtime?.getTime()].join(" ");
  } catch {
    // Renamed or removed since it was found.
    return "";
  }
}

/** The same for a file under any name; nothing where it is empty or gone. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino, size, birthtime } = Deno.statSync(path);
    if (size === 0) return undefined;
    // Numbers of removed files are used again.
    return ino === null ? path : `${dev} ${ino} ${birthtime?.getTime()}`;
  } catch {
    return undefined;
  }
}
