/** What a tracer and its reader workers tell each other: plain data only. */

import type { PacketInfo } from "../ctf/sink.ts";
import type { ReaderStatistics } from "./cpu_reader.ts";
import type { PageLayout } from "./format.ts";
import type { Observation } from "./observers.ts";
import type { StackIds } from "./page.ts";
import type { EventPlan, PlannedField } from "./plan.ts";

/** An event of a stream class: hidden where it has no number in it. */
export interface ReaderEvent {
  readonly id: number;
  readonly size: number;
  readonly plan?: EventPlan;
  /** The event's number in the stream class. */
  readonly classId?: number;
  readonly observation?: Observation;
}

/** One processor's ring buffer. */
export interface ReaderCpu {
  readonly cpu: number;
  /** Path of its `trace_pipe_raw`. */
  readonly pipe: string;
  /** Path of its `stats`. */
  readonly stats: string;
}

/** How long a reader rests, milliseconds. */
export interface ReaderPauses {
  /** At first. */
  readonly initial: number;
  readonly least: number;
  readonly greatest: number;
}

/** Everything that a worker needs to begin. */
export interface ReaderSetup {
  readonly cpus: readonly ReaderCpu[];
  readonly layout: PageLayout;
  readonly overwrite: boolean;
  /** Whether it reads when it is told to flush, and at no other time. */
  readonly readOnDemand: boolean;
  /** Bytes of a packet, a multiple of 4096. */
  readonly packetSize: number;
  /** Packets of one processor that may wait for the sink. */
  readonly packetCount: number;
  readonly uuid: Uint8Array;
  readonly streamClassId: number;
  readonly context: readonly PlannedField[];
  /** Set where call stacks are recorded with events. */
  readonly stacks?: StackIds;
  /** Bytes of one processor's ring buffer. */
  readonly ringSize: number;
  readonly pauses: ReaderPauses;
  /** Hands over packets that are not full, milliseconds; unset: never. */
  readonly flushInterval?: number;
  /** Real-time priority, 1 to 99; unset: an ordinary thread. */
  readonly priority?: number;
}

/** To a worker. Each with an `id` is answered by one `done`. */
export type ReaderRequest =
  | { readonly kind: "setup"; readonly id: number; readonly setup: ReaderSetup }
  | {
    readonly kind: "events";
    readonly id: number;
    readonly events: readonly ReaderEvent[];
  }
  /** Reads on, from now. */
  | { readonly kind: "start"; readonly id: number }
  /** Reads what there is, and hands it over. */
  | { readonly kind: "flush"; readonly id: number }
  /** Reads all that is left, unless on demand, hands it over, and rests. */
  | { readonly kind: "stop"; readonly id: number }
  | { readonly kind: "statistics"; readonly id: number }
  /** Closes everything. */
  | { readonly kind: "close"; readonly id: number }
  /** A packet was taken: its buffer can be used again. */
  | {
    readonly kind: "taken";
    readonly cpu: number;
    readonly buffer: ArrayBuffer;
  };

/** From a worker. */
export type ReaderReply =
  | {
    readonly kind: "packet";
    readonly cpu: number;
    /** Transferred; the packet is its first `size` bytes. */
    readonly buffer: ArrayBuffer;
    readonly size: number;
    readonly info: PacketInfo;
    readonly events: number;
  }
  | {
    readonly kind: "done";
    readonly id: number;
    readonly statistics: readonly CpuStatistics[];
    /** What went wrong; unset: nothing did. */
    readonly error?: string;
  }
  /** Something that is worth a line in the log. */
  | { readonly kind: "warning"; readonly text: string };

/** The counts of one processor's reader. */
export interface CpuStatistics {
  readonly cpu: number;
  readonly statistics: ReaderStatistics;
}
