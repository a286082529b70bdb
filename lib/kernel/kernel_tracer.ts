/** What a session daemon asks of a kernel tracer: the door of this folder, which a test can replace. */

import type { Environment } from "../ctf/metadata.ts";
import type { TraceSink } from "../ctf/sink.ts";
import type { FieldType } from "../ctf/types.ts";
import type { FilterExpression } from "./filter.ts";
import type { ProbeDefinition } from "./probes.ts";

/** Records events of the kernel. */
export interface KernelTracer {
  /**
   * Events that can be recorded, under LTTng's names, in their order.
   *
   * @throws {KernelTracingError} where the kernel cannot be traced, saying why
   * and what helps.
   */
  list(kind: KernelListingKind): KernelEventDescription[];
  /**
   * The fields of one of them.
   *
   * @throws {KernelTracingError} where there is no such event.
   */
  fields(name: string): KernelFieldDescription[];
  /**
   * Begins a recording, with nothing recorded yet.
   *
   * @throws {KernelTracingError} where the kernel cannot be traced.
   */
  record(options: KernelRecordingOptions): KernelRecording;
}

/** What {@linkcode KernelTracer.list} lists. */
export type KernelListingKind = "tracepoint" | "syscall";

/** An event that can be recorded. */
export interface KernelEventDescription {
  /** `sched_switch`; of a system call its own name, `openat`. */
  readonly name: string;
  readonly kind: KernelListingKind;
}

/** A field of an event. */
export interface KernelFieldDescription {
  readonly name: string;
  readonly type: FieldType;
}

/** Where a recording goes, and what it says of itself. */
export interface KernelRecordingOptions {
  /** Takes the trace; closed with the recording. */
  readonly sink: TraceSink;
  /** Name of the session. */
  readonly name: string;
  /** Added to the environment of the trace, or in place of what it says. */
  readonly environment?: Environment;
  /** UUID of the trace. Default: a random one. */
  readonly uuid?: string;
  /**
   * When the trace's clock was 0, in nanoseconds since 1970; asked again for
   * metadata that is written anew. Default: the system's clocks are compared.
   */
  readonly clockOffset?: () => bigint;
  /** Whether the state of the system is recorded at each start. Default: yes. */
  readonly statedump?: boolean;
  /** Takes what goes wrong without stopping the recording. */
  readonly warn?: (text: string) => void;
  /**
   * Milliseconds that stop, flush and close wait for the sink.
   *
   * @default {10000}
   */
  readonly timeoutMs?: number;
}

/** A trace of the kernel, for one session. */
export interface KernelRecording extends AsyncDisposable {
  /**
   * Makes a channel, with ring buffers of its own. Only before the first start,
   * as in LTTng.
   *
   * @throws {KernelTracingError} where the kernel refuses it.
   * @throws {RangeError} where an option cannot be.
   */
  addChannel(options: KernelChannelOptions): KernelChannel;
  /** Begins, or goes on, to record. */
  start(): Promise<void>;
  /**
   * Records no more, and hands all that was recorded to the sink.
   *
   * @throws {Error} where the sink takes longer than `timeoutMs`.
   */
  stop(): Promise<void>;
  /**
   * Hands to the sink what is recorded, though packets are not full: all events
   * from before the call. This is what reads channels that are read on demand.
   *
   * @throws {Error} where the sink takes longer than `timeoutMs`, the
   * recording's by default.
   */
  flush(timeoutMs?: number): Promise<void>;
  /**
   * Records only what these processes do, and the threads and processes that
   * they start from now on; `undefined`: all of them.
   */
  track(pids: readonly number[] | undefined): void;
  /** Records the state of the system once more. */
  dumpState(): Promise<void>;
  /**
   * Compares the clocks once more, and has the sink put all metadata anew in
   * place of the old.
   *
   * @throws {Error} where the sink cannot, or takes longer than `timeoutMs`.
   */
  regenerateMetadata(): Promise<void>;
  /** What became of the events so far. */
  statistics(): Promise<KernelStatistics>;
  /**
   * Stops, closes the sink and removes the ring buffers. Never rejects: what
   * went wrong is in the report.
   */
  close(): Promise<KernelReport>;
}

/** How a channel's events are kept, in LTTng's terms. */
export interface KernelChannelOptions {
  /** Its streams are `NAME_0`, `NAME_1`, one a processor. */
  readonly name: string;
  /** Bytes in a sub-buffer, which is the most of a packet. Default 1 MiB. */
  readonly subBufferSize?: number;
  /** Sub-buffers of each processor. Default 8. */
  readonly subBufferCount?: number;
  /** Whether new events take the place of old ones that nobody read. */
  readonly overwrite?: boolean;
  /**
   * A flight recorder: read at {@linkcode KernelRecording.flush} alone, not
   * while it records, nor at its end. What is not read stays in the ring
   * buffers, within `overwrite`; timers do nothing. Events that were
   * overwritten are in the statistics, and a gap in the packets' sequence
   * numbers, but not in the packets' count of discarded events.
   */
  readonly readOnDemand?: boolean;
  /** Milliseconds after which packets that are not full are handed over. */
  readonly switchTimerMs?: number;
  /**
   * Bytes of packets that may wait for the sink, of all processors together;
   * of each, its sub-buffers may always. Beyond it is left in the ring buffers.
   * Default 128 MiB; where it is read on demand, 8 MiB and no more than that.
   */
  readonly waitingBytes?: number;
  /** Most milliseconds between two looks for full pages. Default 100. */
  readonly readTimerMs?: number;
}

/** Which events: names may hold `*`. */
export type KernelEventRule =
  | {
    readonly kind: "tracepoint";
    readonly pattern: string;
    /** Patterns of names that are left out. */
    readonly exclusions?: readonly string[];
    readonly filter?: FilterExpression;
  }
  | {
    readonly kind: "syscall";
    readonly pattern: string;
    /** Default `both`. */
    readonly phase?: "entry" | "exit" | "both";
    readonly filter?: FilterExpression;
  }
  /** An event that is made: its name is the pattern, and stands for itself. */
  | ProbeDefinition & {
    readonly pattern: string;
    readonly filter?: FilterExpression;
  };

/** One channel of a recording. */
export interface KernelChannel {
  readonly name: string;
  /**
   * Has events recorded; returns their names.
   *
   * @throws {KernelTracingError} where there is none such.
   * @throws {FilterError} where the kernel cannot filter like that.
   */
  enable(rule: KernelEventRule): Promise<readonly string[]>;
  /**
   * Takes back the rules with this kind and pattern.
   *
   * @throws {KernelTracingError} where there is none.
   */
  disable(rule: Pick<KernelEventRule, "kind" | "pattern">): void;
  /**
   * Has a context recorded with every event: LTTng's name of it.
   *
   * @throws {ContextError} where it cannot be had, or recording has begun.
   */
  addContext(name: string): void;
  /** What became of the events of each of its streams so far. */
  streamStatistics(): Promise<readonly KernelStreamStatistics[]>;
}

/** Counts of one stream of a channel. */
export interface KernelStreamStatistics {
  /** `CHANNEL_PROCESSOR`. */
  readonly name: string;
  /** Events in packets that the sink has taken. */
  readonly events: number;
  /** Events lost by its ring buffer. */
  readonly discarded: number;
  /** Events in packets that the sink refused. */
  readonly refused: number;
  /** Events that are in its ring buffer, to be read on demand. */
  readonly kept: number;
  /** Events on their way: neither kept, nor taken or refused yet. */
  readonly pending: number;
}

/** Counts of a recording. */
export interface KernelStatistics {
  /** Events in packets that the sink has taken. */
  readonly events: number;
  /** Events lost by the ring buffers: they were too small, or read too late. */
  readonly discarded: number;
  /** Events in packets that the sink refused. */
  readonly refused: number;
  /** Events that are in ring buffers, to be read on demand. */
  readonly kept: number;
  /** Records that could not be understood: of unknown events, or damaged. */
  readonly notUnderstood: number;
  /** Packets that the sink has taken. */
  readonly packets: number;
}

/** What closing a recording reports. */
export interface KernelReport extends KernelStatistics {
  /** Events that were recorded, but the sink took too long to take them. */
  readonly undelivered: number;
  /** What went wrong: the first few of it. */
  readonly errors: readonly unknown[];
}
