/** What the metadata of one trace says, whichever language it is written in. */

import type { ByteOrder } from "../types.ts";
import type { ClockClass, StructClass } from "./model.ts";

/** An event class. */
export interface EventBlock {
  readonly id: bigint;
  readonly streamId: bigint;
  /** Empty where it has none. */
  readonly name: string;
  readonly logLevel: number | undefined;
  readonly emfUri: string | undefined;
  readonly context: StructClass | undefined;
  readonly payload: StructClass | undefined;
}

/** A stream class. */
export interface StreamBlock {
  readonly id: bigint;
  /** Name of its clock; without one it follows from the integers it has. */
  readonly clock: string | undefined;
  readonly eventHeader: StructClass | undefined;
  readonly packetContext: StructClass | undefined;
  readonly eventContext: StructClass | undefined;
}

/** Everything that metadata says. */
export interface TraceBlocks {
  /** Of the trace as a whole; CTF 2 has none. */
  readonly byteOrder: ByteOrder | undefined;
  /** What packet headers have, if they have one. */
  readonly uuid: string | undefined;
  /** What identifies the trace in CTF 2. */
  readonly uid?: string | undefined;
  readonly packetHeader: StructClass | undefined;
  readonly environment: ReadonlyMap<string, string | bigint>;
  /** By name, or in CTF 2 by id. */
  readonly clocks: ReadonlyMap<string, ClockClass>;
  readonly streams: ReadonlyMap<bigint, StreamBlock>;
  readonly events: readonly EventBlock[];
}
