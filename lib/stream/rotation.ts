/** Moves streams to another trace chunk and closes the one they leave. */

import { CloseCommand } from "../wire/relay.ts";
import type { Deadline } from "./bounded.ts";
import type { ControlChannel } from "./control_channel.ts";
import { type OpenStream, secondsSince1970 } from "./relay_stream.ts";

/** Pause after the first question whether the chunk is gone; it doubles. */
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 500;

/** What a closed trace chunk left. */
export interface ClosedChunk {
  /** Where the relay daemon says it is, below its output directory. */
  readonly path: string;
  /**
   * The relay daemon is done with it: archived or deleted. `false` when time
   * ran out before.
   */
  readonly finished: boolean;
}

/** Closes a chunk; `closeCommand` is one of `CloseCommand`. */
export async function closeChunk(
  control: ControlChannel,
  chunkId: bigint,
  closeCommand: number | undefined,
): Promise<string> {
  const { path } = await control.request("CLOSE_TRACE_CHUNK", {
    chunkId,
    closeTimestamp: secondsSince1970(new Date()),
    // 2.11 relay daemons do not know "no operation": saying nothing means it.
    closeCommand: closeCommand === CloseCommand.NO_OPERATION
      ? undefined
      : closeCommand,
  });
  return path;
}

/**
 * Registers the rotation of every stream, to `newChunkId` or to none: one
 * command a channel, data first, metadata last, as a session daemon does.
 */
export async function rotateStreams(
  control: ControlChannel,
  streams: Iterable<OpenStream>,
  newChunkId: bigint | undefined,
): Promise<void> {
  const channels = Map.groupBy(streams, (stream) => stream.channel);
  const isMetadata = (group: OpenStream[]) => group[0]?.isMetadata === true;
  const groups = [...channels.values()];
  const dataFirst = [
    ...groups.filter((group) => !isMetadata(group)),
    ...groups.filter(isMetadata),
  ];
  // All at once, so that no other command gets between them: a stream that is
  // closed meanwhile would be unknown.
  await Promise.all(dataFirst.map((group) =>
    control.request("ROTATE_STREAMS", {
      newChunkId,
      positions: group.map((stream) => ({
        streamId: stream.id,
        rotateAtSequenceNumber: stream.isMetadata
          ? 0n
          : stream.nextPacketSequenceNumber,
      })),
    })
  ));
}

/** Waits until the relay daemon is done with a chunk; `false` at the deadline. */
export async function chunkIsGone(
  control: ControlChannel,
  chunkId: bigint,
  deadline: Deadline,
): Promise<boolean> {
  let exists = true;
  async function ask(): Promise<void> {
    ({ exists } = await control.request("TRACE_CHUNK_EXISTS", { chunkId }));
  }
  for (
    let pause = FIRST_PAUSE_MS;;
    pause = Math.min(2 * pause, LAST_PAUSE_MS)
  ) {
    if (!(await deadline.reaches(ask()))) return false;
    if (!exists) return true;
    if (!(await deadline.sleep(pause))) return false;
  }
}
