/** One channel: an instance of tracefs, the workers that read it, and the streams they fill. */

import { ChannelEvents } from "./channel_events.ts";
import {
  completeOptions,
  packetCountFor,
  pausesFor,
} from "./channel_options.ts";
import {
  ContextError,
  needsStack,
  needsThreads,
  planContext,
} from "./contexts.ts";
import type { ReaderStatistics } from "./cpu_reader.ts";
import { type EventChange, EventRules } from "./event_rules.ts";
import { Instance } from "./instance.ts";
import type {
  KernelChannel,
  KernelChannelOptions,
  KernelEventRule,
  KernelStreamStatistics,
} from "./kernel_tracer.ts";
import type { CatalogEvent, TracefsEvent } from "./naming.ts";
import { lostEvents, type RingCounters } from "./loss.ts";
import { FORK_EVENTS, OBSERVED_EVENTS } from "./observers.ts";
import type { StackIds } from "./page.ts";
import { planEvent, type PlannedField } from "./plan.ts";
import { ReaderLink, type ReaderPacket } from "./reader_link.ts";
import type { ReaderSetup } from "./reader_messages.ts";
import type { RecordingHost } from "./recording_host.ts";
import type { StreamWriter } from "./stream_writer.ts";
import { KernelTracingError } from "./tracefs.ts";

/** Large pages cost a reader a third of small ones, for each event. */
const PAGE_SIZE = 64 * 1024;

/** One worker reads so many processors: more would not keep up. */
const CPUS_PER_WORKER = 8;

/** The least real-time priority: it is enough, and all others come before it. */
const READER_PRIORITY = 1;

/** A channel of a `Recording`, from which the daemon gets it. */
export class Channel implements KernelChannel {
  readonly name: string;
  readonly #host: RecordingHost;
  readonly #options: Required<KernelChannelOptions>;
  readonly #streamClassId: number;
  readonly #instance: Instance;
  readonly #rules: EventRules;
  readonly #context: PlannedField[] = [];
  readonly #events: ChannelEvents;
  readonly #links: ReaderLink[] = [];
  readonly #writers = new Map<number, StreamWriter>();
  readonly #statistics = new Map<number, ReaderStatistics>();
  /** What ring buffers that are read on demand last said. */
  readonly #counters = new Map<number, RingCounters>();
  /** Events that were made for this channel. */
  readonly #probes = new Set<CatalogEvent>();
  /** Whether the workers run. */
  #isPrepared = false;
  #isClosed = false;

  constructor(
    host: RecordingHost,
    options: KernelChannelOptions,
    streamClassId: number,
  ) {
    this.#host = host;
    this.name = options.name;
    this.#options = completeOptions(options);
    this.#streamClassId = streamClassId;
    this.#events = new ChannelEvents(
      options.name,
      streamClassId,
      host.metadata,
    );
    const { subBufferSize, subBufferCount, overwrite } = this.#options;
    this.#rules = new EventRules(host.catalog, (event) => this.#plan(event));
    this.#instance = Instance.create(host.tracefs, {
      purpose: `${host.name}-${options.name}`,
      ringSize: subBufferSize * subBufferCount,
      overwrite,
      pageSize: PAGE_SIZE,
    });
  }

  async enable(rule: KernelEventRule): Promise<readonly string[]> {
    const changes = this.#addRule(rule);
    try {
      for (const { event } of changes) {
        const { format, plan } = this.#plan(event);
        this.#events.add(event, format, plan);
      }
      if (this.#isPrepared) await this.#tellEvents();
      for (const { event, filter } of changes) {
        this.#instance.enable(event, filter);
      }
      this.#enableHidden();
      if (this.#isPrepared) await this.#tellEvents();
    } catch (error) {
      this.disable(rule);
      throw error;
    }
    return changes.map(({ event }) => event.lttngName).sort();
  }

  disable(rule: Pick<KernelEventRule, "kind" | "pattern">): void {
    for (const { event, filter, isWanted } of this.#rules.remove(rule)) {
      if (isWanted) this.#instance.enable(event, filter);
      else this.#instance.disable(event);
      // The kernel empties ring buffers where a probe is removed.
      const { readOnDemand } = this.#options;
      if (isWanted || event.kind !== "probe" || readOnDemand) continue;
      this.#removeProbe(event);
    }
    this.#enableHidden();
  }

  #addRule(rule: KernelEventRule): EventChange[] {
    if (rule.kind === "tracepoint" || rule.kind === "syscall") {
      return this.#rules.add(rule);
    }
    const events = this.#host.probes.add(rule.pattern, rule);
    try {
      for (const event of events) this.#checkNew(event);
      const changes = this.#rules.add(rule, events);
      for (const event of events) this.#probes.add(event);
      return changes;
    } catch (error) {
      for (const event of events) this.#host.probes.remove(event);
      throw error;
    }
  }

  #checkNew({ lttngName }: CatalogEvent): void {
    if (!this.#events.has(lttngName)) return;
    throw new KernelTracingError(
      `Cannot enable ${lttngName}: channel ${this.name} has, or had, an ` +
        `event of this name`,
    );
  }

  #removeProbe(event: CatalogEvent): void {
    this.#probes.delete(event);
    this.#host.probes.remove(event);
  }

  addContext(name: string): void {
    if (this.#isPrepared) {
      throw new ContextError(
        `Cannot add context "${name}" to channel ${this.name}: ` +
          `its recording has begun`,
      );
    }
    const { longSize } = this.#instance.layout;
    const planned = planContext(name, this.#host.hostname, longSize);
    if (this.#context.some((field) => field.name === planned.name)) {
      throw new ContextError(
        `Cannot add context "${name}" to channel ${this.name}: it has it`,
      );
    }
    this.#context.push(planned);
    this.#instance.recordStacks(this.#stacks);
    this.#enableHidden();
  }

  get #stacks(): { kernel: boolean; user: boolean } {
    return {
      kernel: needsStack(this.#context, "kernel"),
      user: needsStack(this.#context, "user"),
    };
  }

  /** Numbers of the records of call stacks; one without its event is hidden. */
  #stackIds(): StackIds | undefined {
    const { kernel, user } = this.#stacks;
    if (!kernel && !user) return undefined;
    const idOf = (name: string) =>
      this.#host.tracefs.format({ system: "ftrace", name }).id;
    const ids = {
      ...(kernel ? { kernel: idOf("kernel_stack") } : {}),
      ...(user ? { user: idOf("user_stack") } : {}),
    };
    for (const id of Object.values(ids)) {
      this.#events.addSilent(id);
    }
    return ids;
  }

  /** Restricts recording to threads; an empty list: all. */
  track(tids: readonly number[]): void {
    this.#instance.track(tids);
  }

  /** Opens the streams in the sink; metadata comes after them. */
  async open(): Promise<void> {
    if (this.#isPrepared) return;
    this.#events.declare(this.#context);
    for (const cpu of this.#instance.cpus) {
      await this.#writerOf(cpu).open();
    }
  }

  /** Starts the workers, which have nothing to read yet. */
  async prepare(): Promise<void> {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    const { cpus } = this.#instance;
    for (let at = 0; at < cpus.length; at += CPUS_PER_WORKER) {
      const link = new ReaderLink({
        packet: (packet) => this.#write(link, packet),
        warning: (text) => this.#host.warn(text),
      });
      this.#links.push(link);
      const part = cpus.slice(at, at + CPUS_PER_WORKER);
      await link.request({ kind: "setup", setup: this.#setupFor(part) });
    }
    await this.#tellEvents();
  }

  /** Turns tracing on, and reading. */
  async start(): Promise<void> {
    this.#instance.isTracing = true;
    await this.#ask("start");
  }

  /** Turns tracing off; what is in the ring buffers stays there. */
  halt(): void {
    if (!this.#isClosed) this.#instance.isTracing = false;
  }

  /** Reads the rest, unless on demand, and waits until the sink has it. */
  async drain(): Promise<void> {
    await this.#ask("stop");
    await this.#drainWriters();
  }

  /** Hands over what there is, and waits until the sink has it. */
  async flush(): Promise<void> {
    await this.#ask("flush");
    await this.#drainWriters();
  }

  /** Counts of all processors together. */
  async statistics(): Promise<ChannelStatistics> {
    const sum = {
      events: 0,
      discarded: 0,
      refused: 0,
      kept: 0,
      notUnderstood: 0,
      packets: 0,
    };
    for (const stream of await this.streamStatistics()) {
      sum.events += stream.events;
      sum.discarded += stream.discarded;
      sum.refused += stream.refused;
      sum.kept += stream.kept;
    }
    for (const statistics of this.#statistics.values()) {
      sum.notUnderstood += statistics.unknown + statistics.malformed;
    }
    for (const writer of this.#writers.values()) sum.packets += writer.packets;
    return sum;
  }

  async streamStatistics(): Promise<KernelStreamStatistics[]> {
    if (!this.#isClosed) {
      await this.#ask("statistics");
      if (this.#options.readOnDemand) this.#count();
    }
    return [...this.#writers].map(([cpu, writer]) => ({
      name: `${this.name}_${cpu}`,
      events: writer.events,
      discarded: this.#discardedOf(cpu),
      refused: writer.refused,
      kept: this.#counters.get(cpu)?.entries ?? 0,
      pending: this.#pending(cpu, writer),
    }));
  }

  /** Events of one processor that are on their way to the sink. */
  #pending(cpu: number, { events, refused }: StreamWriter): number {
    // Nothing that a closed channel did not deliver can come any more.
    if (this.#isClosed) return 0;
    const read = this.#statistics.get(cpu)?.events ?? 0;
    const packed = Math.max(0, read - events - refused);
    if (this.#options.readOnDemand) return packed;
    return packed + this.#instance.counters(cpu).entries;
  }

  /** What nobody reads yet is known to the kernel alone. */
  #count(): void {
    for (const cpu of this.#instance.cpus) {
      this.#counters.set(cpu, this.#instance.counters(cpu));
    }
  }

  #discardedOf(cpu: number): number {
    const statistics = this.#statistics.get(cpu);
    const counters = this.#counters.get(cpu);
    const read = statistics?.discarded ?? 0;
    if (counters === undefined) return read;
    return Math.max(read, lostEvents(counters) + (statistics?.tooLarge ?? 0));
  }

  /** Events that were recorded and are still neither taken nor refused. */
  async undelivered(): Promise<number> {
    await this.#ask("statistics");
    let count = 0;
    for (const { events } of this.#statistics.values()) count += events;
    for (const { events, refused } of this.#writers.values()) {
      count -= events + refused;
    }
    // What is read on demand was not asked for.
    if (this.#options.readOnDemand) return count;
    for (const cpu of this.#instance.cpus) {
      count += this.#instance.counters(cpu).entries;
    }
    return count;
  }

  /** Closes the streams in the sink. */
  async closeStreams(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.close();
  }

  /** Ends the workers and removes the instance. */
  async remove(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#ask("close");
    } finally {
      for (const link of this.#links) link.terminate();
      await this.#instance.remove();
      for (const event of this.#probes) this.#removeProbe(event);
    }
  }

  #plan(event: CatalogEvent) {
    const format = this.#host.tracefs.format(event);
    return { format, plan: planEvent(event, format, this.#instance.layout) };
  }

  /** Enables, and reads without recording them, events that tell of threads. */
  #enableHidden(): void {
    const needed = needsThreads(this.#context)
      ? OBSERVED_EVENTS
      : this.#needsForks()
      ? FORK_EVENTS
      : [];
    for (const name of needed) {
      const [system, event] = name.split(":") as [string, string];
      const place: TracefsEvent = { system, name: event };
      if (this.#rules.isEnabled(place)) continue;
      if (!this.#host.tracefs.has(`events/${system}/${event}`)) continue;
      const format = this.#host.tracefs.format(place);
      this.#events.addHidden(format);
      this.#instance.enable(place);
    }
  }

  #needsForks(): boolean {
    return this.#rules.isEnabled({
      system: "sched",
      name: "sched_process_fork",
    });
  }

  async #tellEvents(): Promise<void> {
    const events = this.#events.takeUntold();
    if (events.length === 0) return;
    await Promise.all(
      this.#links.map((link) => link.request({ kind: "events", events })),
    );
  }

  #setupFor(cpus: readonly number[]): ReaderSetup {
    const { subBufferSize, overwrite, readOnDemand } = this.#options;
    const { switchTimerMs, readTimerMs } = this.#options;
    const instance = this.#instance;
    const stacks = this.#stackIds();
    return {
      ...(stacks === undefined ? {} : { stacks }),
      cpus: cpus.map((cpu) => ({
        cpu,
        pipe: instance.cpuFile(cpu, "trace_pipe_raw"),
        stats: instance.cpuFile(cpu, "stats"),
      })),
      layout: instance.layout,
      overwrite,
      readOnDemand,
      packetSize: subBufferSize,
      packetCount: packetCountFor(this.#options, instance.cpus.length),
      uuid: this.#host.uuid,
      streamClassId: this.#streamClassId,
      context: this.#context,
      ringSize: instance.ringSize,
      pauses: pausesFor(instance.ringSize, readTimerMs),
      priority: READER_PRIORITY,
      ...(switchTimerMs > 0 ? { flushInterval: switchTimerMs } : {}),
    };
  }

  #writerOf(cpu: number): StreamWriter {
    let writer = this.#writers.get(cpu);
    if (writer === undefined) {
      writer = this.#host.writer(`${this.name}_${cpu}`);
      this.#writers.set(cpu, writer);
    }
    return writer;
  }

  async #write(link: ReaderLink, packet: ReaderPacket): Promise<void> {
    const { buffer, size, info, events } = packet;
    const content = new Uint8Array(buffer, 0, size);
    await this.#writerOf(packet.cpu).write({ content, info, events });
    link.taken(packet);
  }

  async #ask(
    kind: "start" | "flush" | "stop" | "statistics" | "close",
  ): Promise<void> {
    const answers = await Promise.all(
      this.#links.map((link) => link.request({ kind })),
    );
    for (const { cpu, statistics } of answers.flat()) {
      this.#statistics.set(cpu, statistics);
    }
  }

  async #drainWriters(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.drain();
  }
}

/** Counts of one channel. */
export interface ChannelStatistics {
  readonly events: number;
  readonly discarded: number;
  readonly refused: number;
  readonly kept: number;
  readonly notUnderstood: number;
  readonly packets: number;
}
