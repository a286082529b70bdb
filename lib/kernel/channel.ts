/** One channel: an instance of tracefs, the workers that read it, and the streams they fill. */

import { KERNEL_WAITING_BYTES } from "../base/limits.ts";
import { struct } from "../ctf/declare.ts";
import { printEventClass, printStreamClass } from "../ctf/metadata.ts";
import { PACKET_SIZE_UNIT } from "../ctf/packet.ts";
import { ContextError, needsThreads, planContext } from "./contexts.ts";
import type { ReaderStatistics } from "./cpu_reader.ts";
import { type EventChange, EventRules } from "./event_rules.ts";
import { Instance } from "./instance.ts";
import type {
  KernelChannel,
  KernelChannelOptions,
  KernelEventRule,
} from "./kernel_tracer.ts";
import type { CatalogEvent, TracefsEvent } from "./naming.ts";
import { FORK_EVENTS, observationOf, OBSERVED_EVENTS } from "./observers.ts";
import { payloadOf, planEvent, type PlannedField } from "./plan.ts";
import { ReaderLink, type ReaderPacket } from "./reader_link.ts";
import type {
  ReaderEvent,
  ReaderPauses,
  ReaderSetup,
} from "./reader_messages.ts";
import type { RecordingHost } from "./recording_host.ts";
import type { StreamWriter } from "./stream_writer.ts";
import { KernelTracingError } from "./tracefs.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a channel is without options. */
const SUB_BUFFER_SIZE = MIB;
const SUB_BUFFER_COUNT = 8;

/** Large pages cost a reader a third of small ones, for each event. */
const PAGE_SIZE = 64 * KIB;

/** One worker reads so many processors: more would not keep up. */
const CPUS_PER_WORKER = 8;

/** The least real-time priority: it is enough, and all others come before it. */
const READER_PRIORITY = 1;

/** Pauses of a reader, milliseconds. */
const PAUSE_INITIAL = 20;
const PAUSE_LEAST = 2;
const PAUSE_GREATEST = 100;
/** What a busy processor puts into its ring buffer in a millisecond, bytes. */
const PEAK_BYTES = 60_000;
/** A ring buffer holds what comes in so many pauses. */
const PAUSES_PER_RING = 3;

/** Numbers of event classes that fit their field. */
const EVENT_CLASSES_MAXIMUM = 65_535;

/** A channel of a `Recording`, from which the daemon gets it. */
export class Channel implements KernelChannel {
  readonly name: string;
  readonly #host: RecordingHost;
  readonly #options: Required<KernelChannelOptions>;
  readonly #streamClassId: number;
  readonly #instance: Instance;
  readonly #rules: EventRules;
  readonly #context: PlannedField[] = [];
  /** Numbers of the event classes, by LTTng's names. */
  readonly #classes = new Map<string, number>();
  /** What the workers were told of, by tracefs's number. */
  readonly #readerEvents = new Map<number, ReaderEvent>();
  readonly #links: ReaderLink[] = [];
  readonly #writers = new Map<number, StreamWriter>();
  readonly #statistics = new Map<number, ReaderStatistics>();
  /** Events that the workers do not know yet. */
  readonly #untold = new Set<number>();
  /** Events that were made for this channel. */
  readonly #probes = new Set<CatalogEvent>();
  /** Whether the metadata has the stream class. */
  #isDeclared = false;
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
    this.#options = complete(options);
    this.#streamClassId = streamClassId;
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
      for (const { event } of changes) this.#declare(event);
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
      if (!isWanted && event.kind === "probe") this.#removeProbe(event);
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
    if (!this.#classes.has(lttngName)) return;
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
    if (this.#context.some((field) => field.name === name)) {
      throw new ContextError(
        `Cannot add context "${name}" to channel ${this.name}: it has it`,
      );
    }
    this.#context.push(planContext(name, this.#host.hostname));
    this.#enableHidden();
  }

  /** Restricts recording to threads; an empty list: all. */
  track(tids: readonly number[]): void {
    this.#instance.track(tids);
  }

  /** Opens the streams in the sink; metadata comes after them. */
  async open(): Promise<void> {
    if (this.#isPrepared) return;
    this.#declareStreamClass();
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
    await this.#tellEvents([...this.#readerEvents.values()]);
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

  /** Reads the rest, and waits until the sink has it. */
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
    if (!this.#isClosed) await this.#ask("statistics");
    const sum = {
      events: 0,
      discarded: 0,
      refused: 0,
      notUnderstood: 0,
      packets: 0,
    };
    for (const statistics of this.#statistics.values()) {
      sum.discarded += statistics.discarded;
      sum.notUnderstood += statistics.unknown + statistics.malformed;
    }
    for (const writer of this.#writers.values()) {
      sum.events += writer.events;
      sum.packets += writer.packets;
      sum.refused += writer.refused;
    }
    return sum;
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

  /** Gives an event its class, and the metadata of it. */
  #declare(event: CatalogEvent): void {
    if (this.#classes.has(event.lttngName)) return;
    const classId = this.#classes.size;
    if (classId >= EVENT_CLASSES_MAXIMUM) {
      throw new KernelTracingError(
        `Cannot enable ${event.lttngName}: channel ${this.name} has ` +
          `${EVENT_CLASSES_MAXIMUM} events`,
      );
    }
    const { format, plan } = this.#plan(event);
    this.#classes.set(event.lttngName, classId);
    const observation = observationOf(format);
    const { id, size } = plan;
    this.#readerEvents.set(id, {
      id,
      size,
      plan,
      classId,
      ...(observation === undefined ? {} : { observation }),
    });
    this.#untold.add(id);
    if (this.#isDeclared) {
      this.#printEvent(event.lttngName, classId, plan.fields);
    }
  }

  #declareStreamClass(): void {
    if (this.#isDeclared) return;
    this.#isDeclared = true;
    const context = this.#context.length === 0
      ? undefined
      : payloadOf(this.#context);
    this.#host.metadata.append(
      printStreamClass(this.#streamClassId, "large", context),
    );
    for (const { plan, classId } of this.#readerEvents.values()) {
      if (plan === undefined || classId === undefined) continue;
      this.#printEvent(plan.name, classId, plan.fields);
    }
  }

  #printEvent(
    name: string,
    classId: number,
    fields: readonly PlannedField[],
  ): void {
    const payload = fields.length === 0 ? struct({}) : payloadOf(fields);
    this.#host.metadata.append(
      printEventClass({ name, payload }, classId, this.#streamClassId),
    );
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
      const observation = observationOf(format);
      if (observation === undefined) continue;
      const known = this.#readerEvents.get(format.id);
      if (known === undefined) {
        const { id, size } = observation;
        this.#readerEvents.set(id, { id, size, observation });
        this.#untold.add(id);
      }
      this.#instance.enable(place);
    }
  }

  #needsForks(): boolean {
    return this.#rules.isEnabled({
      system: "sched",
      name: "sched_process_fork",
    });
  }

  async #tellEvents(
    events: readonly ReaderEvent[] = [...this.#untold]
      .map((id) => this.#readerEvents.get(id)!),
  ): Promise<void> {
    this.#untold.clear();
    if (events.length === 0) return;
    await Promise.all(
      this.#links.map((link) => link.request({ kind: "events", events })),
    );
  }

  #setupFor(cpus: readonly number[]): ReaderSetup {
    const { subBufferSize, subBufferCount, overwrite } = this.#options;
    const { switchTimerMs, readTimerMs, waitingBytes } = this.#options;
    const instance = this.#instance;
    return {
      cpus: cpus.map((cpu) => ({
        cpu,
        pipe: instance.cpuFile(cpu, "trace_pipe_raw"),
        stats: instance.cpuFile(cpu, "stats"),
      })),
      layout: instance.layout,
      overwrite,
      packetSize: subBufferSize,
      packetCount: Math.max(
        subBufferCount,
        Math.floor(waitingBytes / instance.cpus.length / subBufferSize),
      ),
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

/** A load may begin at once: the longest pause must not fill a ring buffer. */
function pausesFor(ringSize: number, readTimerMs: number): ReaderPauses {
  const fill = Math.floor(ringSize / PEAK_BYTES / PAUSES_PER_RING);
  const greatest = Math.max(
    Math.min(readTimerMs, PAUSE_GREATEST, fill),
    PAUSE_LEAST,
  );
  return {
    initial: Math.min(PAUSE_INITIAL, greatest),
    least: PAUSE_LEAST,
    greatest,
  };
}

/** Counts of one channel. */
export interface ChannelStatistics {
  readonly events: number;
  readonly discarded: number;
  readonly refused: number;
  readonly notUnderstood: number;
  readonly packets: number;
}

function complete(
  options: KernelChannelOptions,
): Required<KernelChannelOptions> {
  const result: Required<KernelChannelOptions> = {
    name: options.name,
    subBufferSize: options.subBufferSize ?? SUB_BUFFER_SIZE,
    subBufferCount: options.subBufferCount ?? SUB_BUFFER_COUNT,
    overwrite: options.overwrite ?? false,
    switchTimerMs: options.switchTimerMs ?? 0,
    waitingBytes: options.waitingBytes ?? KERNEL_WAITING_BYTES,
    readTimerMs: options.readTimerMs ?? PAUSE_GREATEST,
  };
  const { subBufferSize: size, subBufferCount: count } = result;
  if (!Number.isInteger(size) || size < 1 || size % PACKET_SIZE_UNIT !== 0) {
    throw new RangeError(
      `Cannot make channel ${options.name}: its sub-buffers have ${size} ` +
        `bytes, not a multiple of ${PACKET_SIZE_UNIT}`,
    );
  }
  if (!Number.isInteger(count) || count < 2) {
    throw new RangeError(
      `Cannot make channel ${options.name}: it has ${count} sub-buffers, ` +
        `at least 2 needed`,
    );
  }
  return result;
}
