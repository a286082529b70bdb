/** The tracer: records declared events of a TypeScript program as CTF 1.8. */

import type { EventClass } from "../ctf/event_class.ts";
import {
  type Environment,
  type EventHeaderKind,
  printEventClass,
  printPreamble,
  printStreamClass,
} from "../ctf/metadata.ts";
import { parseUuid } from "../ctf/metadata_packet.ts";
import { type PreparedEvent, prepareEvent } from "../ctf/packet.ts";
import type { TraceSink } from "../ctf/sink.ts";
import type { ByteOrder, FieldDeclarations, ValuesOf } from "../ctf/types.ts";
import { monotonicClock, type TraceClock } from "./clock.ts";
import { settledWithin } from "../base/deadline.ts";
import { traceEnvironment } from "./environment.ts";
import { MetadataQueue } from "../ctf/metadata_queue.ts";
import { type TracerStatistics, TracerStream } from "./stream.ts";

/** How a {@linkcode Tracer} records, and where to. */
export interface TracerOptions {
  /** Takes the trace: a {@linkcode DirectorySink}, a relay daemon's client. */
  sink: TraceSink;
  /** Bytes in a sub-buffer, a multiple of 4096. Default 64 KiB. */
  subBufferSize?: number;
  /** Sub-buffers a stream. At least 2, default 4. */
  subBufferCount?: number;
  /** Streams that are there from the beginning. Default 1. */
  streams?: number;
  /** Name of the channel: its streams are `NAME_0`, `NAME_1`. Default `channel0`. */
  channel?: string;
  /** Name of the trace, in its environment. Default `auto`. */
  name?: string;
  /** Default: the host's own, where `--allow-sys=hostname` is given. */
  hostname?: string;
  /** More of the environment that readers can show. */
  environment?: Environment;
  /** Default little-endian. */
  byteOrder?: ByteOrder;
  /** Default `large`. */
  eventHeader?: EventHeaderKind;
  /** UUID of the trace. Default: a random one. */
  uuid?: string;
  /** Default {@linkcode monotonicClock}. */
  clock?: TraceClock;
  /**
   * Milliseconds after which a sub-buffer that is not full is handed over
   * too, for who watches live. Default: never before {@linkcode Tracer.stop}.
   */
  flushIntervalMs?: number;
  /** Milliseconds that a stop waits for the sink. Default 10,000. */
  stopTimeoutMs?: number;
}

/** What {@linkcode Tracer.stop} reports. */
export interface TracerReport extends TracerStatistics {
  /** What the sink threw: the first {@linkcode MAX_ERRORS} of it. */
  readonly errors: readonly unknown[];
  /** How often the sink threw. */
  readonly errorCount: number;
}

/** Errors of the sink that a tracer keeps. */
export const MAX_ERRORS = 8;

const STREAM_CLASS_ID = 0;

/**
 * Records events into sub-buffers and hands full ones to a sink.
 *
 * ```ts
 * import { defineEvent, DirectorySink, string, Tracer, u16 } from "@lttng/stream";
 *
 * const request = defineEvent("http:request", { path: string, status: u16 });
 *
 * const directory = `${await Deno.makeTempDir()}/trace`;
 * const tracer = new Tracer({ sink: new DirectorySink(directory) });
 * tracer.record(request, { path: "/", status: 200 });
 * const { events, discarded } = await tracer.stop();
 * console.log(`${events} events, ${discarded} discarded`);
 * ```
 *
 * `record()` never waits. Sub-buffers are handed over between two turns of
 * the event loop: a loop that records without ever awaiting fills them all.
 * Every event is either in `events` or in `discarded` of the report.
 */
export class Tracer implements AsyncDisposable {
  readonly #sink: TraceSink;
  readonly #options: Required<
    Pick<
      TracerOptions,
      | "subBufferSize"
      | "subBufferCount"
      | "channel"
      | "byteOrder"
      | "eventHeader"
      | "stopTimeoutMs"
    >
  >;
  readonly #uuid: Uint8Array;
  readonly #clock: TraceClock;
  readonly #metadata: MetadataQueue;
  readonly #prepared = new Map<unknown, PreparedEvent>();
  readonly #streams: TracerStream[] = [];
  readonly #opened: Promise<void>;
  readonly #errors: unknown[] = [];
  #errorCount = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #report: Promise<TracerReport> | undefined;

  /**
   * Starts at once; the sink is called from the next turn on.
   *
   * @throws {RangeError} where an option cannot be.
   */
  constructor(options: TracerOptions) {
    this.#sink = options.sink;
    this.#options = {
      subBufferSize: options.subBufferSize ?? 64 * 1024,
      subBufferCount: options.subBufferCount ?? 4,
      channel: options.channel ?? "channel0",
      byteOrder: options.byteOrder ?? "le",
      eventHeader: options.eventHeader ?? "large",
      stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
    };
    const uuid = options.uuid ?? crypto.randomUUID();
    const { byteOrder, eventHeader } = this.#options;
    this.#uuid = parseUuid(uuid);
    this.#clock = options.clock ?? monotonicClock();
    this.#metadata = new MetadataQueue(this.#sink, this.#uuid, byteOrder);
    const environment = traceEnvironment({
      name: options.name ?? "auto",
      hostname: options.hostname,
      more: options.environment ?? {},
    }, new Date());
    this.#metadata.append(
      printPreamble({ uuid, byteOrder, environment, clock: this.#clock }) +
        printStreamClass(STREAM_CLASS_ID, eventHeader),
    );
    this.#checkCounts(options);
    const count = options.streams ?? 1;
    for (let index = 0; index < count; index++) this.stream(index);
    this.#opened = this.#open(this.#streams.slice());
    if (options.flushIntervalMs !== undefined) {
      const timer = setInterval(
        () => this.#handOver(),
        options.flushIntervalMs,
      );
      // A program that ends without stop() must be able to end.
      Deno.unrefTimer(timer);
      this.#timer = timer;
    }
  }

  /** What became of the events so far, in all streams. */
  get statistics(): TracerStatistics {
    const sum = { events: 0, discarded: 0, packets: 0 };
    for (const { statistics } of this.#streams) {
      sum.events += statistics.events;
      sum.discarded += statistics.discarded;
      sum.packets += statistics.packets;
    }
    return sum;
  }

  /**
   * Records one event in stream 0: see {@linkcode TracerStream.record}.
   *
   * @throws {RangeError | TypeError} where a value does not fit its field.
   */
  record<Fields extends FieldDeclarations>(
    event: EventClass<Fields>,
    values: ValuesOf<Fields>,
  ): boolean {
    return this.#streams[0]!.record(event, values);
  }

  /**
   * The stream of number `index`; the next number after the last makes one
   * more. Each has sub-buffers of its own.
   *
   * @throws {RangeError} where numbers are left out.
   */
  stream(index: number): TracerStream {
    const known = this.#streams[index];
    if (known) return known;
    if (index !== this.#streams.length) {
      throw new RangeError(
        `Cannot make stream ${index}: the next one is ${this.#streams.length}`,
      );
    }
    if (this.#report) {
      throw new Error(`Cannot make stream ${index}: the tracer was stopped`);
    }
    const stream = this.#makeStream(index);
    this.#streams.push(stream);
    return stream;
  }

  /**
   * Hands over every sub-buffer that holds something, and waits until the
   * sink has taken or refused it.
   *
   * @throws {Error} where the sink takes longer than `timeoutMs`; nothing is
   * given up.
   */
  async flush(timeoutMs: number = this.#options.stopTimeoutMs): Promise<void> {
    this.#handOver();
    if (!await settledWithin(this.#drain(), timeoutMs)) {
      throw new Error(
        `Cannot flush the trace: timed out after ${timeoutMs} ms ` +
          `waiting for its sink`,
      );
    }
  }

  /**
   * Hands everything over, closes the sink and reports. Waits at most
   * `stopTimeoutMs` for the sink to take what there is, and as long for it to
   * close; what it has not taken then is counted as discarded. Never rejects:
   * what the sink threw is in the report. Later calls return the same report.
   */
  stop(): Promise<TracerReport> {
    this.#report ??= this.#stop();
    return this.#report;
  }

  /** Stops the tracer: call {@linkcode stop} before for its report. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #checkCounts(options: TracerOptions): void {
    const count = this.#options.subBufferCount;
    if (!Number.isInteger(count) || count < 2) {
      throw new RangeError(
        `Cannot make a tracer: it has ${count} sub-buffers a stream, ` +
          `at least 2 needed`,
      );
    }
    const streams = options.streams ?? 1;
    if (!Number.isInteger(streams) || streams < 1) {
      throw new RangeError(
        `Cannot make a tracer: it has ${streams} streams, at least 1 needed`,
      );
    }
  }

  #makeStream(index: number): TracerStream {
    const tracer = this.#hostOf();
    const { channel, subBufferCount, subBufferSize, byteOrder, eventHeader } =
      this.#options;
    return new TracerStream(tracer, `${channel}_${index}`, subBufferCount, {
      size: subBufferSize,
      byteOrder,
      uuid: this.#uuid,
      streamClassId: STREAM_CLASS_ID,
      streamInstanceId: index,
      eventHeader,
    });
  }

  #hostOf(): ConstructorParameters<typeof TracerStream>[0] {
    const opened = () => this.#opened;
    return {
      now: () => this.#clock.now(),
      prepare: (event) => this.#prepare(event),
      get opened() {
        return opened();
      },
      flushMetadata: () => this.#metadata.flush(),
      openStream: (name) => this.#sink.openStream(name),
      report: (error) => this.#reportError(error),
    };
  }

  #prepare(event: EventClass): PreparedEvent {
    const known = this.#prepared.get(event);
    if (known) return known;
    const id = this.#prepared.size;
    const prepared = prepareEvent(event, id, this.#options.byteOrder);
    this.#prepared.set(event, prepared);
    this.#metadata.append(printEventClass(event, id, STREAM_CLASS_ID));
    return prepared;
  }

  /** A relay daemon wants streams announced before metadata and packets. */
  async #open(streams: readonly TracerStream[]): Promise<void> {
    // The constructor returns first.
    await Promise.resolve();
    try {
      for (const stream of streams) await stream.open();
      await this.#metadata.flush();
    } catch (error) {
      // Tried again with the first packet.
      this.#reportError(error);
    }
  }

  #handOver(): void {
    for (const stream of this.#streams) stream.handOver();
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.drain()));
  }

  async #stop(): Promise<TracerReport> {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    const timeout = this.#options.stopTimeoutMs;
    if (!await settledWithin(this.#finish(), timeout)) {
      let packets = 0;
      for (const stream of this.#streams) packets += stream.abandon();
      this.#reportError(
        new Error(
          `Timed out after ${timeout} ms waiting for the sink: ` +
            `${packets} packets were not written`,
        ),
      );
    }
    if (!await settledWithin(this.#close(), timeout)) {
      this.#reportError(
        new Error(
          `Timed out after ${timeout} ms waiting for the sink to close`,
        ),
      );
    }
    return {
      ...this.statistics,
      errors: this.#errors.slice(),
      errorCount: this.#errorCount,
    };
  }

  async #finish(): Promise<void> {
    const finishing = this.#streams.map((stream) => stream.finish());
    await this.#opened;
    await Promise.all(finishing);
    await this.#attempt(() => this.#metadata.flush());
  }

  async #close(): Promise<void> {
    for (const stream of this.#streams) {
      await this.#attempt(() => stream.close());
    }
    await this.#attempt(() => this.#sink.close());
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#reportError(error);
    }
  }

  #reportError(error: unknown): void {
    this.#errorCount++;
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(error);
  }
}
