/** A recording of the kernel: channels, metadata, and their common beginning and end. */

import { settledWithin } from "../base/deadline.ts";
import { errorText } from "../base/errors.ts";
import { printPreamble } from "../ctf/metadata.ts";
import { parseUuid } from "../ctf/metadata_packet.ts";
import { MetadataQueue } from "../ctf/metadata_queue.ts";
import type { TraceSink } from "../ctf/sink.ts";
import { Channel } from "./channel.ts";
import {
  kernelClock,
  kernelEnvironment,
  measuredOffset,
  thisMachine,
} from "./environment.ts";
import { Instance } from "./instance.ts";
import type {
  KernelChannel,
  KernelChannelOptions,
  KernelRecording,
  KernelRecordingOptions,
  KernelReport,
  KernelStatistics,
} from "./kernel_tracer.ts";
import type { EventCatalog } from "./naming.ts";
import { Probes } from "./probes.ts";
import type { RecordingHost } from "./recording_host.ts";
import { StateDump } from "./statedump.ts";
import { StreamWriter } from "./stream_writer.ts";
import { LITTLE_ENDIAN, type Tracefs } from "./tracefs.ts";
import { threadsOf } from "./track.ts";

/** How long a sink may take without another word, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Errors that a report keeps. */
const ERRORS_MAXIMUM = 8;

/** A recording through tracefs. */
export class Recording implements KernelRecording {
  readonly #options: KernelRecordingOptions;
  readonly #timeout: number;
  readonly #sink: TraceSink;
  readonly #host: RecordingHost;
  /** What the metadata begins with, by the clocks as they are now. */
  readonly #preamble: () => string;
  readonly #channels: Channel[] = [];
  readonly #errors: unknown[] = [];
  #streamClasses = 0;
  #stateDump: StateDump | undefined;
  #tracked: readonly number[] | undefined;
  #isStarted = false;
  /** Whether it was ever started. */
  #hasStarted = false;
  #report: Promise<KernelReport> | undefined;

  constructor(
    tracefs: Tracefs,
    catalog: EventCatalog,
    options: KernelRecordingOptions,
  ) {
    this.#options = options;
    this.#timeout = options.timeoutMs ?? TIMEOUT_MS;
    this.#sink = options.sink;
    const uuid = options.uuid ?? crypto.randomUUID();
    const bytes = parseUuid(uuid);
    const byteOrder = LITTLE_ENDIAN ? "le" : "be";
    const metadata = new MetadataQueue(options.sink, bytes, byteOrder);
    const machine = thisMachine();
    const environment = {
      ...kernelEnvironment(machine, options.name, new Date()),
      ...options.environment,
    };
    const { clockOffset = measuredOffset } = options;
    this.#preamble = () =>
      printPreamble({
        uuid,
        byteOrder,
        environment,
        clock: kernelClock(machine, clockOffset()),
      });
    metadata.append(this.#preamble());
    this.#host = {
      name: options.name,
      hostname: machine.hostname,
      uuid: bytes,
      tracefs,
      catalog,
      metadata,
      probes: new Probes(tracefs),
      writer: (name) =>
        new StreamWriter(
          name,
          options.sink,
          metadata,
          (error) => this.#addError(error),
        ),
      warn: (text) => options.warn?.(text),
    };
    for (const name of Instance.removeStale(tracefs)) {
      this.#host.warn(`Removed ring buffers of a process that ended: ${name}`);
    }
    for (const name of Probes.removeStale(tracefs)) {
      this.#host.warn(`Removed a probe of a process that ended: ${name}`);
    }
  }

  addChannel(options: KernelChannelOptions): KernelChannel {
    this.#checkOpen();
    if (this.#hasStarted) {
      throw new Error(
        `Cannot make channel ${options.name}: the recording has begun`,
      );
    }
    if (this.#channels.some(({ name }) => name === options.name)) {
      throw new RangeError(
        `Cannot make channel ${options.name}: there is one of this name`,
      );
    }
    const channel = new Channel(this.#host, options, this.#streamClasses);
    this.#streamClasses++;
    this.#channels.push(channel);
    if (this.#tracked !== undefined) channel.track(threadsOf(this.#tracked));
    return channel;
  }

  async start(): Promise<void> {
    this.#checkOpen();
    if (this.#isStarted) return;
    this.#hasStarted = true;
    // A relay daemon wants streams announced before metadata and packets.
    for (const channel of this.#channels) await channel.open();
    const dump = this.#options.statedump === false
      ? undefined
      : await this.#openStateDump();
    await this.#host.metadata.flush();
    for (const channel of this.#channels) await channel.prepare();
    for (const channel of this.#channels) await channel.start();
    this.#isStarted = true;
    // After tracing began: what changes meanwhile is in the trace.
    if (dump === undefined) return;
    await this.#attempt(() =>
      this.#bounded("record the system's state", dump.dump())
    );
  }

  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    for (const channel of this.#channels) channel.halt();
    await this.#bounded("stop the recording", this.#drain());
  }

  async flush(timeoutMs: number = this.#timeout): Promise<void> {
    this.#checkOpen();
    await this.#bounded("flush the recording", this.#flush(), timeoutMs);
  }

  track(pids: readonly number[] | undefined): void {
    this.#checkOpen();
    this.#tracked = pids;
    const tids = threadsOf(pids ?? []);
    for (const channel of this.#channels) channel.track(tids);
  }

  async dumpState(): Promise<void> {
    this.#checkOpen();
    const dump = await this.#openStateDump();
    await this.#bounded("record the system's state", dump.dump());
  }

  async regenerateMetadata(): Promise<void> {
    this.#checkOpen();
    const { metadata } = this.#host;
    await this.#bounded(
      "write the metadata anew",
      metadata.regenerate(this.#preamble()),
    );
  }

  async statistics(): Promise<KernelStatistics> {
    const sum = {
      events: 0,
      discarded: 0,
      refused: 0,
      kept: 0,
      notUnderstood: 0,
      packets: 0,
    };
    for (const channel of this.#channels) {
      const one = await channel.statistics();
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) {
        sum[key] += one[key];
      }
    }
    return sum;
  }

  close(): Promise<KernelReport> {
    this.#report ??= this.#close();
    return this.#report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.drain()));
    await this.#stateDump?.drain();
    await this.#host.metadata.flush();
  }

  async #flush(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.flush()));
    // It may have begun before the flush, with nothing handed over yet.
    await this.#stateDump?.idle();
  }

  async #openStateDump(): Promise<StateDump> {
    if (this.#stateDump === undefined) {
      this.#stateDump = new StateDump(this.#host, this.#streamClasses++);
      await this.#stateDump.open();
    }
    return this.#stateDump;
  }

  async #close(): Promise<KernelReport> {
    await this.#attempt(() => this.stop());
    await this.#attempt(() => this.#bounded("close the trace", this.#end()));
    let counts = {
      events: 0,
      discarded: 0,
      refused: 0,
      kept: 0,
      notUnderstood: 0,
      packets: 0,
    };
    let undelivered = 0;
    await this.#attempt(async () => {
      counts = { ...counts, ...await this.statistics() };
      undelivered = await this.#undelivered();
    });
    for (const channel of this.#channels) {
      await this.#attempt(() => channel.remove());
    }
    return { ...counts, undelivered, errors: this.#errors.slice() };
  }

  async #undelivered(): Promise<number> {
    let count = 0;
    for (const channel of this.#channels) count += await channel.undelivered();
    if (count > 0) {
      this.#addError(
        new Error(`${count} events were recorded that the sink never took`),
      );
    }
    return count;
  }

  async #end(): Promise<void> {
    for (const channel of this.#channels) await channel.closeStreams();
    await this.#stateDump?.close();
    await this.#sink.close();
  }

  async #bounded(
    what: string,
    work: Promise<void>,
    timeoutMs: number = this.#timeout,
  ): Promise<void> {
    if (await settledWithin(work, timeoutMs)) return;
    work.catch(() => {});
    throw new Error(
      `Cannot ${what}: timed out after ${timeoutMs} ms waiting for its sink`,
    );
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#addError(error);
    }
  }

  #addError(error: unknown): void {
    if (this.#errors.length < ERRORS_MAXIMUM) this.#errors.push(error);
    this.#options.warn?.(errorText(error));
  }

  #checkOpen(): void {
    if (this.#report !== undefined) {
      throw new Error(`Recording ${this.#options.name} is closed`);
    }
  }
}
