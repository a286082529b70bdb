/** The kernel tracer of this project, as the tracer of a session daemon. */

import { errorText } from "../base/errors.ts";
import type { FieldType } from "../ctf/types.ts";
import type { KernelTracer } from "../kernel/kernel_tracer.ts";
import { SystemClocks } from "../os/clock.ts";
import { coded } from "./kernel_errors.ts";
import { KernelChannelTracing } from "./kernel_channel.ts";
import type {
  InstrumentationField,
  InstrumentationPoint,
  Tracer,
  Tracing,
  TracingChannel,
  TracingChannelAttributes,
  TracingOptions,
} from "./tracer.ts";

/** Traces this machine's kernel. */
export class KernelSessionTracer implements Tracer {
  readonly #tracer: KernelTracer;
  #isKnownGood = false;

  constructor(tracer: KernelTracer) {
    this.#tracer = tracer;
  }

  get unavailable(): string | undefined {
    if (this.#isKnownGood) return undefined;
    try {
      this.#tracer.list("tracepoint");
      this.#isKnownGood = true;
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }

  tracepoints(): readonly InstrumentationPoint[] {
    return coded("KERN_LIST_FAIL", () => this.#tracer.list("tracepoint"));
  }

  syscalls(): readonly InstrumentationPoint[] {
    const calls = coded("KERN_LIST_FAIL", () => this.#tracer.list("syscall"));
    return calls.map(({ name }) => ({ name, is64Bit: true }));
  }

  fields(tracepoint: string): readonly InstrumentationField[] {
    const fields = coded(
      "KERN_LIST_FAIL",
      () => this.#tracer.fields(tracepoint),
    );
    return fields.map(({ name, type }) => ({ name, type: fieldType(type) }));
  }

  open(options: TracingOptions): Tracing {
    return coded(
      "KERN_SESS_FAIL",
      () => new KernelTracing(this.#tracer, options),
    );
  }
}

function fieldType({ kind }: FieldType): InstrumentationField["type"] {
  switch (kind) {
    case "integer":
    case "boolean":
      return "integer";
    case "enumeration":
      return "enum";
    case "float":
    case "string":
      return kind;
    default:
      return "other";
  }
}

/** One session's recording of the kernel. */
class KernelTracing implements Tracing {
  readonly #recording: ReturnType<KernelTracer["record"]>;
  readonly #channels: KernelChannelTracing[] = [];
  readonly #warn: (line: string) => void;
  #clocks: SystemClocks | undefined = new SystemClocks();
  /** Lines that were said: each refused packet would say its own again. */
  readonly #said = new Set<string>();
  /** The last state dump: one at a time. */
  #dumping: Promise<void> = Promise.resolve();

  constructor(tracer: KernelTracer, options: TracingOptions) {
    this.#warn = options.warn;
    this.#recording = tracer.record({
      name: options.session,
      sink: options.sink,
      timeoutMs: options.timeoutMs,
      // Asked for after the start, which must not wait for the sink.
      statedump: false,
      warn: (text) => this.#say(text),
    });
  }

  addChannel(attributes: TracingChannelAttributes): TracingChannel {
    const { name, subBufferSize, subBufferCount } = attributes;
    const { overwrite, readOnDemand } = attributes;
    const channel = coded("KERN_CHAN_FAIL", () =>
      this.#recording.addChannel({
        ...{ name, subBufferSize, subBufferCount, overwrite, readOnDemand },
        switchTimerMs: Math.ceil(attributes.switchTimer / 1_000),
        ...(attributes.readTimer > 0
          ? { readTimerMs: Math.ceil(attributes.readTimer / 1_000) }
          : {}),
      }));
    const streamClassId = this.#channels.length;
    const tracing = new KernelChannelTracing(
      channel,
      streamClassId,
      attributes,
    );
    this.#channels.push(tracing);
    return tracing;
  }

  async start(): Promise<void> {
    await this.#recording.start();
    this.dumpState().catch((error) => this.#say(errorText(error)));
  }

  async stop(): Promise<void> {
    // Together: a dump that a slow sink keeps must not keep tracing on.
    await Promise.all([this.#recording.stop(), this.#dumping]);
  }

  flush(timeoutMs?: number): Promise<void> {
    return this.#recording.flush(timeoutMs);
  }

  async trackProcesses(pids: readonly number[] | undefined): Promise<void> {
    const isNobody = pids?.length === 0;
    if (!isNobody) {
      coded("INVALID", () => this.#recording.track(pids));
    }
    for (const channel of this.#channels) await channel.setTracked(!isNobody);
  }

  dumpState(): Promise<void> {
    const dumping = this.#dumping.then(() => this.#recording.dumpState());
    this.#dumping = dumping.catch(() => {});
    return dumping;
  }

  regenerateMetadata(): Promise<void> {
    return this.#recording.regenerateMetadata();
  }

  now(): bigint {
    return BigInt(this.#clocks?.monotonic() ?? 0);
  }

  async refreshStatistics(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.refresh()));
  }

  async close(): Promise<void> {
    await this.#recording.close();
    this.#clocks?.[Symbol.dispose]();
    this.#clocks = undefined;
  }

  #say(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#warn(text);
  }
}
