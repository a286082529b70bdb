/** When the files of one stream change from one trace chunk to the next. */

import type { Chunk } from "./chunk.ts";

/**
 * A rotation that ROTATE_STREAMS registered on a stream. Data and indexes
 * come over different connections, so each part finishes on its own: first
 * the index file, which sets the pivot, then the data file.
 */
export interface PendingRotation {
  /** Where the stream goes; unset: to no chunk at all. */
  readonly nextChunk: Chunk | undefined;
  /** Packet sequence number of the first packet of the next chunk. */
  readonly atPacket: bigint;
  /** Set once the index part is done: the last packet of the old chunk. */
  pivot?: bigint;
}

/** How far a stream has come. Sequence numbers are -1 before the first. */
export interface RotationProgress {
  /** Packet sequence number of the last indexed packet. */
  readonly receivedPacket: bigint | undefined;
  /** Network sequence number of the last packet with data and index. */
  readonly indexSequence: bigint;
  /** Network sequence number of the last packet with data. */
  readonly dataSequence: bigint;
}

/**
 * Whether the old chunk has all its indexes: the next packet is at the
 * rotation's position or, where packets were overwritten, past it.
 */
export function indexPartDone(
  rotation: PendingRotation,
  progress: RotationProgress,
): boolean {
  const next = progress.receivedPacket === undefined
    ? 0n
    : progress.receivedPacket + 1n;
  return next >= rotation.atPacket;
}

/** Whether the old chunk has all its data too. */
export function dataPartDone(
  rotation: PendingRotation,
  progress: RotationProgress,
): boolean {
  return rotation.pivot !== undefined &&
    progress.dataSequence >= rotation.pivot;
}
