/** What is asked and told of rotations and snapshots. */

import type { RotationState } from "./names.ts";
import type { ArchiveLocation } from "./session_types.ts";

/** A rotation, as far as it has come. */
export interface Rotation {
  readonly id: bigint;
  readonly state: RotationState;
  /** Where the archive is, once the state is `completed`. */
  readonly location: ArchiveLocation | undefined;
}

/** What makes a session rotate by itself. */
export interface RotationSchedules {
  /** Microseconds between two rotations. */
  readonly periodic: number | undefined;
  /** Bytes after which it rotates. */
  readonly size: number | undefined;
}

/** The name of a schedule. */
export type ScheduleName = keyof RotationSchedules;

/** Where snapshots go, as its session daemon lists it. */
export interface SnapshotOutput {
  readonly id: number;
  readonly name: string;
  /** Bytes of one snapshot; unset without a bound. */
  readonly maximumSize: number | undefined;
  /** An absolute path, or `tcp4://ADDRESS:PORT/`. */
  readonly controlUrl: string;
  /** Of a relay daemon alone. */
  readonly dataUrl: string;
}

/** Where snapshots are to go; what is not told is the session daemon's choice. */
export interface SnapshotDestination {
  readonly name?: string | undefined;
  /** Bytes of one snapshot. */
  readonly maximumSize?: number | undefined;
  /** The only URL, or that of the control connection. */
  readonly url?: string | undefined;
  readonly dataUrl?: string | undefined;
}
