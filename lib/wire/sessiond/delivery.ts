/**
 * What became of a session's trace, as SESSION_DELIVERY tells it: a command of
 * this project's session daemon that stock ones do not have.
 */

import { PATH_BYTES, SYMBOL_NAME_BYTES } from "../../base/limits.ts";
import { lengthOf, u64 } from "../little_endian.ts";
import { bool8, list, sizedText, struct, u8 } from "../struct.ts";

/** How it is with the output of a session. */
export const OutputState = {
  /** The session has none, or is one of snapshots. */
  NONE: 0,
  /** Not opened: nothing was recorded. */
  IDLE: 1,
  /** Being opened for the first time. */
  OPENING: 2,
  READY: 3,
  /** It cannot be opened, and is tried again. */
  FAILED: 4,
  /** It worked, and does so no more. */
  LOST: 5,
} as const;

/** Most bytes of `CHANNEL_INSTANCE`. */
const STREAM_NAME_BYTES = SYMBOL_NAME_BYTES + 16;
/** Most bytes of the reason why an output does not work. */
export const FAILURE_BYTES = 1_024;

/** What became of the events and packets of one stream. */
export const streamDelivery = struct("stream delivery", {
  nameLength: lengthOf("name"),
  /** Events in packets that the output has taken. */
  recordedEvents: u64,
  /** Events that no packet has, or that were in packets given up. */
  discardedEvents: u64,
  /** Events in the tracer's buffers, or in packets that wait. */
  pendingEvents: u64,
  /** Packets that newer ones replaced before they were read. */
  overwrittenPackets: u64,
  /** Packets that no output took, or that one took with it. */
  givenUpPackets: u64,
  /** On their way to the output. */
  waitingPackets: u64,
  waitingBytes: u64,
  /** Sent, and not confirmed to be stored. */
  unconfirmedPackets: u64,
  unconfirmedBytes: u64,
  name: sizedText(STREAM_NAME_BYTES),
});

/** What became of the trace of one session. */
export const sessionDelivery = struct("session delivery", {
  /** One of {@linkcode OutputState}. */
  outputState: u8,
  /** The tracer's buffers held more when its time to be emptied was up. */
  hasMore: bool8,
  urlLength: lengthOf("url"),
  failureLength: lengthOf("failure"),
  streamCount: lengthOf("streams"),
  /** Where the trace goes; empty: nowhere. */
  url: sizedText(2 * PATH_BYTES),
  /** Why the output does not work; empty where it does. */
  failure: sizedText(FAILURE_BYTES),
  streams: list(streamDelivery),
});
