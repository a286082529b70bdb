/** Reads the ring buffers of several processors in turn: what runs in a worker. */

import { errorText } from "../base/errors.ts";
import { setEnginePriority, setRealTimePriority } from "../os/scheduling.ts";
import { SystemClocks } from "../os/clock.ts";
import {
  CpuReader,
  type EventTable,
  type FinishedPacket,
} from "./cpu_reader.ts";
import { parseRingCounters } from "./loss.ts";
import { makeObserver } from "./observers.ts";
import { lookUpThread } from "./proc_thread.ts";
import { RawPipe } from "./raw_pipe.ts";
import type {
  ReaderCpu,
  ReaderEvent,
  ReaderReply,
  ReaderRequest,
  ReaderSetup,
} from "./reader_messages.ts";
import { ThreadTable } from "./threads.ts";
import { readFileAtOnce } from "./tracefs.ts";
import { compileWriter } from "./transcode.ts";
import { warmUp } from "./warm_up.ts";

/** How the group answers: the second argument is transferred. */
export type Post = (reply: ReaderReply, transfer: ArrayBuffer[]) => void;

/** Fuller than this when it is read, a ring buffer is read more often. */
const BUSY_SHARE = 0.25;
/** Emptier than this, less often. */
const IDLE_SHARE = 0.02;

/** How long readers run on made-up pages before the first start. */
const WARM_UP_MS = 150;

/** How often a page that cannot be had is asked for again, and the pause between. */
const BUSY_TRIES = 100;
const BUSY_PAUSE_MS = 2;

/** A reader and the packets of it that wait for the sink. */
interface Slot {
  readonly reader: CpuReader;
  readonly free: ArrayBuffer[];
  waiting: number;
}

/** Handles requests, and reads while it is started. */
export class ReaderGroup {
  readonly #post: Post;
  readonly #events: EventTable = [];
  readonly #slots = new Map<number, Slot>();
  readonly #threads = new ThreadTable(lookUpThread);
  readonly #clocks = new SystemClocks();
  #setup: ReaderSetup | undefined;
  #pause = 0;
  #flushed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStarted = false;
  /** Resolved when a packet was taken. */
  #room = Promise.withResolvers<void>();

  constructor(post: Post) {
    this.#post = post;
  }

  /** Takes one request; the answer comes through `post`. */
  async handle(request: ReaderRequest): Promise<void> {
    if (request.kind === "taken") return this.#take(request);
    try {
      await this.#perform(request);
      this.#done(request.id);
    } catch (error) {
      this.#done(request.id, errorText(error));
    }
  }

  async #perform(
    request: Exclude<ReaderRequest, { kind: "taken" }>,
  ): Promise<void> {
    switch (request.kind) {
      case "setup":
        return this.#begin(request.setup);
      case "events":
        for (const event of request.events) this.#addEvent(event);
        if (!this.#isStarted) {
          const { layout } = this.#setup!;
          this.#threads.rehearse(() =>
            warmUp(this.#events, layout, WARM_UP_MS)
          );
        }
        return;
      case "start":
        return this.#start();
      case "flush":
        return await this.#flush();
      case "stop":
        return await this.#stop();
      case "statistics":
        return;
      case "close":
        return this.#close();
    }
  }

  #done(id: number, error?: string): void {
    const statistics = [...this.#slots].map(([cpu, { reader }]) => ({
      cpu,
      statistics: reader.statistics,
    }));
    this.#post({
      kind: "done",
      id,
      statistics,
      ...(error === undefined ? {} : { error }),
    }, []);
  }

  #begin(setup: ReaderSetup): void {
    this.#setup = setup;
    this.#pause = setup.pauses.initial;
    if (setup.priority !== undefined) this.#prioritize(setup.priority);
    for (const cpu of setup.cpus) this.#open(cpu, setup);
  }

  /** A reader that others keep from running loses events. */
  #prioritize(priority: number): void {
    try {
      setRealTimePriority(priority);
      setEnginePriority(priority);
    } catch (error) {
      this.#post({
        kind: "warning",
        text: `Kernel events are read without real-time priority, and may be ` +
          `lost under load: ${errorText(error)}`,
      }, []);
    }
  }

  #open({ cpu, pipe, stats }: ReaderCpu, setup: ReaderSetup): void {
    const slot: Partial<Slot> & { waiting: number; free: ArrayBuffer[] } = {
      waiting: 0,
      free: [],
    };
    const reader = new CpuReader({
      cpu,
      layout: setup.layout,
      source: new RawPipe(pipe),
      counters: () => parseRingCounters(readFileAtOnce(stats)),
      overwrite: setup.overwrite,
      readOnDemand: setup.readOnDemand,
      packets: {
        size: setup.packetSize,
        byteOrder: setup.layout.littleEndian ? "le" : "be",
        uuid: setup.uuid,
        streamClassId: setup.streamClassId,
        streamInstanceId: cpu,
        eventHeader: "large",
      },
      events: this.#events,
      threads: this.#threads,
      ...(setup.stacks === undefined ? {} : { stacks: setup.stacks }),
      hasRoom: () => slot.waiting < setup.packetCount,
      emit: (packet) => this.#emit(slot, packet),
    });
    this.#slots.set(cpu, Object.assign(slot, { reader }));
  }

  #addEvent({ id, size, plan, classId, observation }: ReaderEvent): void {
    const setup = this.#setup!;
    const { layout, context } = setup;
    const options = {
      littleEndian: layout.littleEndian,
      context,
      threads: this.#threads,
    };
    this.#events[id] = {
      size,
      ...(plan === undefined || classId === undefined ? {} : {
        event: { id: classId, write: compileWriter(plan, options) },
      }),
      ...(observation === undefined
        ? {}
        : { observe: makeObserver(observation, layout) }),
    };
  }

  #emit(
    slot: { free: ArrayBuffer[]; waiting: number },
    packet: FinishedPacket,
  ) {
    const { cpu, content, info, events } = packet;
    const last = slot.free.at(-1);
    const buffer = last !== undefined && last.byteLength >= content.length
      ? slot.free.pop()!
      : new ArrayBuffer(Math.max(content.length, this.#bufferSize));
    new Uint8Array(buffer).set(content);
    slot.waiting++;
    const size = content.length;
    this.#post({ kind: "packet", cpu, buffer, size, info, events }, [buffer]);
  }

  #take({ cpu, buffer }: Extract<ReaderRequest, { kind: "taken" }>): void {
    const slot = this.#slots.get(cpu);
    if (slot === undefined) return;
    slot.waiting--;
    // On demand, the next packet may be days away.
    if (!this.#setup!.readOnDemand) slot.free.push(buffer);
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }

  get #bufferSize(): number {
    const { readOnDemand, packetSize } = this.#setup!;
    return readOnDemand ? 0 : packetSize;
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#flushed = performance.now();
    if (!this.#setup!.readOnDemand) this.#rest();
  }

  #rest(): void {
    if (!this.#isStarted) return;
    this.#timer = setTimeout(() => this.#round(), this.#pause);
  }

  #round(): void {
    let share = 0;
    const { ringSize, flushInterval } = this.#setup!;
    const now = this.#clocks.monotonic();
    const isDue = flushInterval !== undefined &&
      performance.now() - this.#flushed >= flushInterval;
    for (const [cpu, { reader }] of this.#slots) {
      try {
        const { bytes } = reader.drain(isDue ? now : undefined);
        share = Math.max(share, bytes / ringSize);
        if (isDue) reader.flush(now);
      } catch (error) {
        this.#giveUp(cpu, error);
      }
    }
    this.#threads.sweep();
    if (isDue) this.#flushed = performance.now();
    this.#adapt(share);
    this.#rest();
  }

  #adapt(share: number): void {
    const { least, greatest } = this.#setup!.pauses;
    if (share > BUSY_SHARE) this.#pause = Math.max(this.#pause / 2, least);
    if (share < IDLE_SHARE) this.#pause = Math.min(this.#pause * 2, greatest);
  }

  /** A processor that went away, for instance. */
  #giveUp(cpu: number, error: unknown): void {
    this.#slots.get(cpu)?.reader.close();
    this.#slots.delete(cpu);
    this.#post({
      kind: "warning",
      text: `Cannot read the events of processor ${cpu} any more: ` +
        errorText(error),
    }, []);
  }

  /** All that was recorded before this call. */
  async #flush(): Promise<void> {
    const now = this.#clocks.monotonic();
    const { readOnDemand } = this.#setup!;
    if (readOnDemand) this.#doubtThreads();
    await this.#drainInOrder(now);
    for (const { reader } of this.#slots.values()) reader.flush(now);
    if (readOnDemand) this.#threads.sweep();
  }

  /** What is known of threads is of before the events that were lost. */
  #doubtThreads(): void {
    const slots = [...this.#slots.values()];
    if (slots.some(({ reader }) => reader.hasNewLoss)) this.#threads.doubt();
  }

  /** A page at a time of the processor that is behind, for the threads' sake. */
  async #drainInOrder(until: number): Promise<void> {
    const left = new Set(this.#slots.keys());
    const timeOf = (cpu: number) => this.#slots.get(cpu)?.reader.readTo ?? 0;
    while (left.size > 0) {
      const cpu = [...left].reduce((first, other) =>
        timeOf(other) < timeOf(first) ? other : first
      );
      const reader = this.#slots.get(cpu)?.reader;
      try {
        const isDone = reader === undefined ||
          await this.#drainAll(reader, until, 1);
        if (isDone) left.delete(cpu);
      } catch (error) {
        this.#giveUp(cpu, error);
      }
    }
  }

  /**
   * Reads all there is until then; gives up on a page that cannot be had for
   * long. Says whether there is no more.
   */
  async #drainAll(
    reader: CpuReader,
    until: number,
    pages = Infinity,
  ): Promise<boolean> {
    for (let tries = 0; tries < BUSY_TRIES;) {
      const { isBlocked, isBusy, isDone } = reader.drain(until, pages);
      if (isBlocked) {
        await this.#room.promise;
        continue;
      }
      if (!isDone && !isBusy) return false;
      // While it is traced there may be one more. Where there must be none, or
      // all that is left are events that a filter took back, the counters say.
      if (isDone && this.#isStarted || reader.left === 0) return true;
      tries++;
      await pause(BUSY_PAUSE_MS);
    }
    return true;
  }

  async #stop(): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    if (this.#setup?.readOnDemand) return;
    for (const [cpu, { reader }] of this.#slots) {
      await this.#drainAll(reader, Infinity);
      reader.finish();
      this.#checkLeft(cpu, reader);
    }
  }

  #checkLeft(cpu: number, { left }: CpuReader): void {
    if (left === 0) return;
    this.#post({
      kind: "warning",
      text: `${left} events of processor ${cpu} could not be read`,
    }, []);
  }

  #close(): void {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    for (const { reader } of this.#slots.values()) reader.close();
    this.#clocks[Symbol.dispose]();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
