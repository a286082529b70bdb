/** A tracer that makes real CTF packets of events that a test has it record. */

import { string, u32 } from "../../../lib/ctf/declare.ts";
import { defineEvent } from "../../../lib/ctf/event_class.ts";
import {
  printEventClass,
  printPreamble,
  printStreamClass,
} from "../../../lib/ctf/metadata.ts";
import { parseUuid } from "../../../lib/ctf/metadata_packet.ts";
import { MetadataQueue } from "../../../lib/ctf/metadata_queue.ts";
import { type PreparedEvent, prepareEvent } from "../../../lib/ctf/packet.ts";
import { TracerStream } from "../../../lib/tracer/stream.ts";
import {
  type InstrumentationField,
  type InstrumentationPoint,
  type StreamStatistics,
  type Tracer,
  TracerError,
  type Tracing,
  type TracingChannel,
  type TracingChannelAttributes,
  type TracingOptions,
  type TracingRule,
} from "../../../lib/session/tracer.ts";

/** The one event that there is: its pattern is recorded, nothing else. */
export const TICK = "fake_tick";
const tick = defineEvent(TICK, { n: u32, text: string });

/** Streams of a channel: one a processor. */
const STREAMS = 2;
/** Contexts that this tracer has. */
const CONTEXTS = ["pid", "procname", "tid", "prio"];

/** A tracer whose events a test makes. */
export class FakeTracer implements Tracer {
  unavailable: string | undefined;
  /** Recordings by the names of their sessions. */
  readonly recordings = new Map<string, FakeTracing>();
  /** What is refused as if the tracer could not: a rule's pattern. */
  readonly unknownEvents = new Set(["no_such_event"]);
  /** Least size of a recording's metadata: classes are made up to it. */
  metadataBytes = 0;

  tracepoints(): readonly InstrumentationPoint[] {
    return [{ name: TICK }, { name: "fake_empty" }];
  }

  syscalls(): readonly InstrumentationPoint[] {
    return [{ name: "openat", is64Bit: true }];
  }

  fields(tracepoint: string): readonly InstrumentationField[] {
    return tracepoint === TICK
      ? [{ name: "n", type: "integer" }, { name: "text", type: "string" }]
      : [];
  }

  open(options: TracingOptions): FakeTracing {
    const tracing = new FakeTracing(this, options);
    this.recordings.set(options.session, tracing);
    return tracing;
  }
}

/** The recording of one session. */
export class FakeTracing implements Tracing {
  readonly #tracer: FakeTracer;
  readonly #options: TracingOptions;
  readonly #uuid = crypto.randomUUID();
  readonly channels: FakeChannel[] = [];
  pids: readonly number[] | undefined;
  isActive = false;
  isClosed = false;
  /** How often the state of the system was asked for. */
  stateDumps = 0;
  /** When its clock was 0, nanoseconds since 1970. */
  clockOffset = 0n;
  /** All metadata that was written. */
  readonly metadata: Uint8Array[] = [];
  readonly #metadata: MetadataQueue;
  #isAnnounced = false;
  #lastTime = 0;

  constructor(tracer: FakeTracer, options: TracingOptions) {
    this.#tracer = tracer;
    this.#options = options;
    const { sink } = options;
    this.#metadata = new MetadataQueue(
      {
        writeMetadata: (bytes) => {
          this.metadata.push(bytes);
          return sink.writeMetadata(bytes);
        },
        replaceMetadata: (bytes) => sink.replaceMetadata!(bytes),
        openStream: (name) => sink.openStream(name),
        close: () => sink.close(),
      },
      this.uuid,
      "le",
    );
  }

  addChannel(attributes: TracingChannelAttributes): FakeChannel {
    const channel = new FakeChannel(
      this,
      this.#tracer,
      attributes,
      this.channels.length,
    );
    this.channels.push(channel);
    return channel;
  }

  async start(): Promise<void> {
    if (!this.#isAnnounced) await this.#announce();
    this.isActive = true;
  }

  async stop(): Promise<void> {
    this.isActive = false;
    await this.flush();
    // Losses that no packet tells of yet.
    await this.flush();
  }

  async flush(): Promise<void> {
    for (const channel of this.channels) await channel.flush();
  }

  trackProcesses(pids: readonly number[] | undefined): Promise<void> {
    this.pids = pids;
    return Promise.resolve();
  }

  dumpState(): Promise<void> {
    this.stateDumps++;
    return Promise.resolve();
  }

  async regenerateMetadata(): Promise<void> {
    await this.#metadata.regenerate(this.#preamble());
  }

  now(): bigint {
    return BigInt(this.time());
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const channel of this.channels) channel.abandon();
    return Promise.resolve();
  }

  /** Has `count` events happen, each in the next stream. */
  produce(count: number, text = "x"): void {
    for (const channel of this.channels) channel.produce(count, text);
  }

  /** Adds to the metadata. */
  async addMetadata(text: string): Promise<void> {
    this.#metadata.append(text);
    await this.#metadata.flush();
  }

  /** Nanoseconds that never go back. */
  time(): number {
    this.#lastTime = Math.max(
      this.#lastTime + 1,
      Math.floor(performance.now() * 1e6),
    );
    return this.#lastTime;
  }

  /** What all streams of a channel need. */
  get uuid(): Uint8Array {
    return parseUuid(this.#uuid);
  }

  openStream(name: string) {
    return this.#options.sink.openStream(name);
  }

  async #announce(): Promise<void> {
    this.#isAnnounced = true;
    for (const channel of this.channels) await channel.open();
    this.#metadata.append(this.#preamble());
    for (const { streamClassId } of this.channels) {
      this.#metadata.append(
        printStreamClass(streamClassId, "large") +
          printEventClass(tick, 0, streamClassId),
      );
    }
    this.#metadata.append(this.#moreClasses());
    await this.#metadata.flush();
  }

  /** Classes without events, as a kernel has thousands of. */
  #moreClasses(): string {
    let text = "";
    for (let id = 1; text.length < this.#tracer.metadataBytes; id++) {
      text += printEventClass({ ...tick, name: `fake_${id}` }, id, 0);
    }
    return text;
  }

  #preamble(): string {
    return printPreamble({
      uuid: this.#uuid,
      byteOrder: "le",
      environment: { domain: "kernel", hostname: "target" },
      clock: {
        name: "monotonic",
        frequency: 1_000_000_000n,
        offset: this.clockOffset,
      },
    });
  }
}

/** One channel. */
export class FakeChannel implements TracingChannel {
  readonly #streams: TracerStream[];
  readonly rules: TracingRule[] = [];
  readonly contexts: string[] = [];
  readonly #tracer: FakeTracer;
  readonly #tracing: FakeTracing;
  #isEnabled = true;
  #next = 0;
  /** Events that happened while they were to be recorded. */
  produced = 0;

  constructor(
    tracing: FakeTracing,
    tracer: FakeTracer,
    readonly attributes: TracingChannelAttributes,
    readonly streamClassId: number,
  ) {
    this.#tracer = tracer;
    this.#tracing = tracing;
    const prepared: PreparedEvent = prepareEvent(tick, 0, "le");
    const host = {
      now: () => tracing.time(),
      prepare: () => prepared,
      opened: Promise.resolve(),
      flushMetadata: () => Promise.resolve(),
      openStream: (name: string) => tracing.openStream(name),
      report: () => {},
    };
    this.#streams = Array.from(
      { length: STREAMS },
      (_, index) =>
        new TracerStream(
          host,
          `${attributes.name}_${index}`,
          attributes.subBufferCount,
          {
            size: attributes.subBufferSize,
            byteOrder: "le",
            uuid: tracing.uuid,
            streamClassId,
            streamInstanceId: index,
            eventHeader: "large",
          },
        ),
    );
  }

  async open(): Promise<void> {
    for (const stream of this.#streams) await stream.open();
  }

  enable(rule: TracingRule): Promise<void> {
    if (this.#tracer.unknownEvents.has(rule.pattern)) {
      throw new TracerError(
        "KERN_ENABLE_FAIL",
        `There is no event ${rule.pattern}: see lttng list --kernel`,
      );
    }
    this.rules.push(rule);
    return Promise.resolve();
  }

  disable(rule: TracingRule): Promise<void> {
    const index = this.rules.findIndex((one) =>
      one.kind === rule.kind && one.pattern === rule.pattern &&
      one.filter === rule.filter
    );
    if (index < 0) throw new Error(`Rule ${rule.pattern} is not enabled`);
    this.rules.splice(index, 1);
    return Promise.resolve();
  }

  setEnabled(isEnabled: boolean): Promise<void> {
    this.#isEnabled = isEnabled;
    return Promise.resolve();
  }

  addContext(name: string): void {
    if (!CONTEXTS.includes(name)) {
      throw new TracerError(
        "KERN_CONTEXT_UNAVAILABLE",
        `There is no context ${name}`,
      );
    }
    this.contexts.push(name);
  }

  statistics(): readonly StreamStatistics[] {
    return this.#streams.map(({ name, statistics }) => ({
      name,
      recorded: statistics.events,
      discarded: statistics.discarded,
      lostPackets: 0,
    }));
  }

  produce(count: number, text: string): void {
    const isWanted = this.#tracing.isActive && this.#isEnabled &&
      this.rules.some(({ kind, pattern }) =>
        kind === "tracepoint" && (pattern === "*" || pattern === TICK)
      );
    if (!isWanted) return;
    for (let n = 0; n < count; n++) {
      const stream = this.#streams[this.#next++ % STREAMS]!;
      stream.record(tick, { n: this.produced++, text });
    }
  }

  async flush(): Promise<void> {
    for (const stream of this.#streams) stream.handOver();
    await Promise.all(this.#streams.map((stream) => stream.drain()));
  }

  abandon(): void {
    for (const stream of this.#streams) stream.abandon();
  }
}
