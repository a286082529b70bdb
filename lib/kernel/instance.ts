/** One tracefs instance: a set of ring buffers of its own, from making it to removing it. */

import type { PageLayout } from "./format.ts";
import {
  instanceName,
  isStale,
  ourselves,
  type OwnerLookup,
  procOwners,
} from "./instance_name.ts";
import { parseRingCounters, type RingCounters } from "./loss.ts";
import type { TracefsEvent } from "./naming.ts";
import {
  exists,
  explain,
  KernelTracingError,
  readFile,
  readFileAtOnce,
  readLayout,
  type Tracefs,
  writeFile,
} from "./tracefs.ts";

/** How the ring buffers of an instance are to be. */
export interface InstanceOptions {
  /** For people: session and channel. */
  readonly purpose: string;
  /** Bytes of each processor's ring buffer. */
  readonly ringSize: number;
  /** Whether new events overwrite old ones that nobody read. */
  readonly overwrite: boolean;
  /** Bytes of a page, where the kernel has a choice. */
  readonly pageSize?: number;
}

/** What programs wrote; it is there always, and has neither filter nor switch. */
const LOGGER = "events/ftrace/print";

/** How many of our instances were made so far. */
let made = 0;

/** How often a busy instance is tried to be removed, and the pause between. */
const REMOVE_TRIES = 20;
const REMOVE_PAUSE_MS = 10;

/** A page that is a larger share of its ring buffer would leave it few. */
const PAGES_PER_RING = 8;

/**
 * Bytes that are recorded of each text that a system call is given; the most
 * that Linux 6.19 takes. Earlier kernels record no text.
 */
const ARGUMENT_TEXT_SIZE = 165;

/** In a filter: text in a program's memory, since Linux 5.18. */
const USER_TEXT = ".ustring";

/** An instance that is there, with tracing off until {@linkcode start}. */
export class Instance {
  readonly name: string;
  readonly path: string;
  /** How its pages are laid out. */
  readonly layout: PageLayout;
  /** Bytes of each processor's ring buffer, as the kernel made it. */
  readonly ringSize: number;
  /**
   * Held open for writing: when it closes, however this process ends, the
   * kernel turns tracing off and gives the memory back.
   */
  readonly #guard: Deno.FsFile;
  /** Events that have a filter. */
  readonly #filtered = new Set<string>();

  private constructor(
    name: string,
    path: string,
    guard: Deno.FsFile,
  ) {
    this.name = name;
    this.path = path;
    this.#guard = guard;
    this.layout = readLayout(path);
    this.ringSize = Number.parseInt(this.#read("buffer_size_kb")) * 1024;
  }

  /**
   * Makes an instance, traced by `CLOCK_MONOTONIC`.
   *
   * @throws {KernelTracingError} where the kernel refuses it.
   */
  static create(tracefs: Tracefs, options: InstanceOptions): Instance {
    const name = instanceName(ourselves(), made++, options.purpose);
    const path = `${tracefs.path}/instances/${name}`;
    try {
      Deno.mkdirSync(path);
    } catch (error) {
      throw new KernelTracingError(explain(error, path), { cause: error });
    }
    let guard: Deno.FsFile | undefined;
    try {
      writeFile(`${path}/tracing_on`, "0");
      // Before all else: from here on nothing of it outlives this process.
      writeFile(`${path}/options/disable_on_free`, "1");
      guard = Deno.openSync(`${path}/free_buffer`, { write: true });
      configure(path, options);
      return new Instance(name, path, guard);
    } catch (error) {
      guard?.close();
      try {
        Deno.removeSync(path);
      } catch {
        // The failure that led here is the one to report.
      }
      throw error;
    }
  }

  /** Removes the instances of ours whose process is gone; returns their names. */
  static removeStale(
    tracefs: Tracefs,
    lookup: OwnerLookup = procOwners,
  ): string[] {
    const removed: string[] = [];
    for (const { name } of Deno.readDirSync(`${tracefs.path}/instances`)) {
      if (!isStale(name, lookup)) continue;
      const path = `${tracefs.path}/instances/${name}`;
      try {
        writeFile(`${path}/tracing_on`, "0");
        writeFile(`${path}/events/enable`, "0");
        Deno.removeSync(path);
        removed.push(name);
      } catch {
        // Another process does the same, or still reads from it.
      }
    }
    return removed;
  }

  /** Numbers of the processors that have a ring buffer. */
  get cpus(): number[] {
    const cpus: number[] = [];
    for (const { name } of Deno.readDirSync(`${this.path}/per_cpu`)) {
      const cpu = /^cpu(\d+)$/.exec(name)?.[1];
      if (cpu !== undefined) cpus.push(Number(cpu));
    }
    return cpus.sort((left, right) => left - right);
  }

  /** Path of a file of one processor: `trace_pipe_raw`, `stats`. */
  cpuFile(cpu: number, file: string): string {
    return `${this.path}/per_cpu/cpu${cpu}/${file}`;
  }

  /** The counters of one processor's ring buffer. */
  counters(cpu: number): RingCounters {
    return parseRingCounters(readFileAtOnce(this.cpuFile(cpu, "stats")));
  }

  /** Turns tracing on or off. */
  set isTracing(on: boolean) {
    this.#write("tracing_on", on ? "1" : "0");
  }

  /** Whether tracing is on; others can turn it off too. */
  get isTracing(): boolean {
    return this.#read("tracing_on").trim() === "1";
  }

  /**
   * Has an event recorded where `filter`, in tracefs's language, is true.
   *
   * @throws {KernelTracingError} where the kernel takes the filter for wrong.
   */
  enable({ system, name }: TracefsEvent, filter?: string): void {
    const event = `events/${system}/${name}`;
    if (filter !== undefined) {
      this.#filter(event, filter);
      this.#filtered.add(event);
    } else if (this.#filtered.delete(event)) {
      this.#filter(event, "0");
    }
    if (event === LOGGER) return this.#copyMarkers(true);
    this.#write(`${event}/enable`, "1");
  }

  /** Has an event no longer recorded. */
  disable({ system, name }: TracefsEvent): void {
    const event = `events/${system}/${name}`;
    if (event === LOGGER) return this.#copyMarkers(false);
    this.#write(`${event}/enable`, "0");
  }

  /** Whether what programs write to the one `trace_marker` comes here too. */
  #copyMarkers(on: boolean): void {
    this.#write("options/copy_trace_marker", on ? "1" : "0");
  }

  /**
   * Has events recorded only while one of these threads runs, and those that
   * they start; an empty list: always.
   */
  track(tids: readonly number[]): void {
    this.#write("options/event-fork", tids.length > 0 ? "1" : "0");
    // One write each: a write that is too long is cut.
    writeFile(`${this.path}/set_event_pid`, "");
    for (const tid of tids) {
      try {
        writeFile(`${this.path}/set_event_pid`, `${tid}\n`, { append: true });
      } catch {
        // The thread has ended.
      }
    }
  }

  /** Has call stacks recorded after each event. */
  recordStacks(stacks: { readonly kernel: boolean; readonly user: boolean }) {
    this.#write("options/stacktrace", stacks.kernel ? "1" : "0");
    this.#write("options/userstacktrace", stacks.user ? "1" : "0");
  }

  /** Turns tracing off and removes the instance. Its pipes must be closed. */
  async remove(): Promise<void> {
    try {
      this.#write("tracing_on", "0");
      this.#write("events/enable", "0");
    } catch {
      // It is gone, or about to be: removing it will tell.
    }
    this.#guard.close();
    for (let tries = 1;; tries++) {
      try {
        return Deno.removeSync(this.path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return;
        if (tries === REMOVE_TRIES) {
          throw new KernelTracingError(explain(error, this.path), {
            cause: error,
          });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, REMOVE_PAUSE_MS));
    }
  }

  #filter(event: string, filter: string): void {
    if (!exists(`${this.path}/${event}/filter`)) {
      throw new KernelTracingError(
        `Cannot filter ${event.slice("events/".length)}: it has no filter`,
      );
    }
    try {
      this.#write(`${event}/filter`, filter);
    } catch (error) {
      // What the kernel found wrong stands in the file itself.
      const answer = this.#read(`${event}/filter`).trim();
      const hint = filter.includes(USER_TEXT)
        ? ": text that a system call is given is compared since Linux 5.18"
        : "";
      throw new KernelTracingError(
        `Cannot filter ${event.slice("events/".length)}: the kernel does not ` +
          `take ${JSON.stringify(filter)}: ${
            answer.replaceAll("\n", " ")
          }${hint}`,
        { cause: error },
      );
    }
  }

  #read(file: string): string {
    return readFile(`${this.path}/${file}`);
  }

  #write(file: string, text: string): void {
    writeFile(`${this.path}/${file}`, text);
  }
}

function configure(path: string, options: InstanceOptions): void {
  writeFile(`${path}/trace_clock`, "mono");
  const { ringSize, pageSize } = options;
  const pages = `${path}/buffer_subbuf_size_kb`;
  if (pageSize !== undefined && exists(pages)) {
    const size = Math.min(pageSize, Math.floor(ringSize / PAGES_PER_RING));
    writeFile(pages, String(Math.max(Math.floor(size / 1024), 4)));
  }
  writeFile(`${path}/buffer_size_kb`, String(Math.ceil(ringSize / 1024)));
  writeFile(`${path}/options/overwrite`, options.overwrite ? "1" : "0");
  const text = `${path}/syscall_user_buf_size`;
  if (exists(text)) writeFile(text, String(ARGUMENT_TEXT_SIZE));
}
