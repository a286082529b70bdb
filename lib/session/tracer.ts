/**
 * What a session daemon asks of a tracer: the door through which a kernel
 * tracer comes in, and through which a test can send another.
 */

import type { TraceSink } from "../ctf/sink.ts";
import type { Node } from "../control/filter/parser.ts";
import type { ErrorSymbol } from "./errors.ts";

/** Something that a tracer cannot do; the code tells the client which. */
export class TracerError extends Error {
  override name = "TracerError";

  constructor(
    readonly symbol: ErrorSymbol,
    /** What was wrong and what to do: one line. */
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An event that can be recorded. */
export interface InstrumentationPoint {
  /** `sched_switch`; of a system call its own name, `openat`. */
  readonly name: string;
  /** Whether there is a system call of this name in 32- and 64-bit programs. */
  readonly is32Bit?: boolean;
  readonly is64Bit?: boolean;
}

/** A field of an event, for lists. */
export interface InstrumentationField {
  readonly name: string;
  readonly type: "integer" | "enum" | "float" | "string" | "other";
}

/** Records events, for any number of sessions at once. */
export interface Tracer {
  /** Why nothing can be traced, in one line; `undefined` where it can. */
  readonly unavailable: string | undefined;
  /**
   * Tracepoints under LTTng's names.
   *
   * @throws {TracerError} Where they cannot be listed.
   */
  tracepoints(): readonly InstrumentationPoint[];
  /** System calls. */
  syscalls(): readonly InstrumentationPoint[];
  /** The fields of a tracepoint. */
  fields(tracepoint: string): readonly InstrumentationField[];
  /**
   * Begins the recording of one session; nothing is recorded yet.
   *
   * @throws {TracerError} Where the tracer refuses.
   */
  open(options: TracingOptions): Tracing;
}

/** Whose recording it is and where it goes. */
export interface TracingOptions {
  /** Name of the session. */
  readonly session: string;
  /** Takes the trace. What it refuses is lost, and counted by the tracer. */
  readonly sink: TraceSink;
  /** Takes what goes wrong without ending the recording: one line. */
  readonly warn: (line: string) => void;
  /** How long the tracer may wait for the sink, milliseconds. */
  readonly timeoutMs: number;
}

/** The recording of one session. */
export interface Tracing {
  /**
   * Makes a channel with ring buffers of its own.
   *
   * @throws {TracerError} Where the tracer refuses.
   */
  addChannel(attributes: TracingChannelAttributes): TracingChannel;
  /**
   * Begins, or goes on, to record.
   *
   * @throws {TracerError} Where the tracer refuses.
   */
  start(): Promise<void>;
  /** Records no more, and resolves when all there is was given to the sink. */
  stop(): Promise<void>;
  /**
   * Gives to the sink what was recorded before the call, though packets are not
   * full: packets that follow begin no earlier. The sink may take `timeoutMs`,
   * where that is said.
   */
  flush(timeoutMs?: number): Promise<void>;
  /** Records only these processes; `undefined`: all, none listed: nobody. */
  trackProcesses(pids: readonly number[] | undefined): Promise<void>;
  /** Records the state of the system once more. */
  dumpState(): Promise<void>;
  /**
   * Compares its clock with the time of day once more, and has the sink put
   * all metadata anew in place of the old.
   */
  regenerateMetadata(): Promise<void>;
  /** The clock of its packets now; unset where it cannot tell. */
  now?(): bigint;
  /** Counts up to now, which may need asking. */
  refreshStatistics?(): Promise<void>;
  /** Removes the ring buffers. Never rejects. */
  close(): Promise<void>;
}

/** How a channel keeps its events. */
export interface TracingChannelAttributes {
  readonly name: string;
  /** Bytes. */
  readonly subBufferSize: number;
  readonly subBufferCount: number;
  /** Whether new events replace old ones that nobody read. */
  readonly overwrite: boolean;
  /** Whether it is read at a flush only, and costs nothing until then. */
  readonly readOnDemand: boolean;
  /** Microseconds; 0 for never. */
  readonly switchTimer: number;
  /** Microseconds; 0 for never. */
  readonly readTimer: number;
}

/** Which events: names of the first two kinds may hold `*`. */
export type TracingRule =
  & {
    readonly pattern: string;
    /** As a tree, which a tracer makes its own of. */
    readonly filter: Node | undefined;
  }
  & (
    | { readonly kind: "tracepoint" | "syscall" }
    | {
      /** A place in the kernel; of a function, its entry and its return. */
      readonly kind: "probe" | "function";
      /** Empty where the address says where. */
      readonly symbol: string;
      readonly offset: bigint;
      readonly address: bigint;
    }
    | {
      readonly kind: "userspace probe";
      readonly path: string;
      /** A function; else empty. */
      readonly functionName: string;
      /** An SDT probe; else empty. */
      readonly provider: string;
      readonly probe: string;
    }
  );

/** What became of the events of one stream. */
export interface StreamStatistics {
  /** `CHANNEL_INSTANCE`. */
  readonly name: string;
  /** Events in packets that the sink has taken. */
  readonly recorded: number;
  /** Events lost: the ring buffer was full, or the sink refused them. */
  readonly discarded: number;
  /** Packets that newer ones replaced before they were read. */
  readonly lostPackets: number;
  /** Events neither taken nor refused by the sink; unset: it cannot tell. */
  readonly pending?: number;
}

/** One channel of a recording. */
export interface TracingChannel {
  /** Number of its stream class in the metadata. */
  readonly streamClassId: number;
  /**
   * Has events recorded from now on.
   *
   * @throws {TracerError} Where there are none such, or no such filter.
   */
  enable(rule: TracingRule): Promise<void>;
  /** Takes back a rule that {@linkcode enable} took. */
  disable(rule: TracingRule): Promise<void>;
  /** Whether its rules are in force. */
  setEnabled(isEnabled: boolean): Promise<void>;
  /**
   * Has a context recorded with every event: LTTng's name of it.
   *
   * @throws {TracerError} Where it cannot be had.
   */
  addContext(name: string): void;
  /** Counts of each stream, as of the last refresh. */
  statistics(): readonly StreamStatistics[];
}
