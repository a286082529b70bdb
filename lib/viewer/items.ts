/** What a viewer gets of the sessions that it follows. */

import type { SessionEntry } from "../wire/live.ts";

/**
 * A session of a relay daemon. What the user calls one session has an entry
 * for each consumer daemon that traces for it, all with equal names.
 * `liveTimer` is in microseconds, 0 where the session is not live; `clients`
 * and `streams` are how many there were when it was listed.
 */
export type LiveSession = Readonly<SessionEntry>;

/** A trace: streams that share one metadata stream. Compare by identity. */
export interface LiveTrace {
  /** Unique in its session. */
  readonly id: bigint;
  readonly session: LiveSession;
}

/** A stream of a followed session. Compare by identity. */
export interface LiveStream {
  /** The relay daemon's handle. */
  readonly id: bigint;
  readonly session: LiveSession;
  readonly trace: LiveTrace;
  readonly isMetadata: boolean;
  /** Directory of the stream below the session's: `ust/uid/0/64-bit`. */
  readonly pathname: string;
  /** Channel and number of the stream: `channel0_1`. */
  readonly channelName: string;
}

/** What the relay daemon's index says of a packet. */
export interface LivePacketIndex {
  /** Where the packet is in its data file, bytes. */
  readonly offset: bigint;
  /** Packet size with its padding, in bits. */
  readonly packetSize: bigint;
  /** Packet size without its padding, in bits. */
  readonly contentSize: bigint;
  /** Clock value at the packet's beginning. */
  readonly timestampBegin: bigint;
  /** Clock value at the packet's end. */
  readonly timestampEnd: bigint;
  /** Events discarded in the stream up to this packet's end (a running total). */
  readonly eventsDiscarded: bigint;
  /** Id of the CTF stream class, which LTTng calls the channel. */
  readonly streamClassId: bigint;
}

/** Why there is no more of a stream or session. */
export type EndReason =
  /** It is over: everything was received. */
  | "hang-up"
  /** The relay daemon does not know it any more; something may be missing. */
  | "error";

/** Why an indexed packet was not received. */
export type PacketLossReason =
  /** The relay daemon does not have its bytes any more. */
  | "unavailable"
  /** It is larger than a viewer takes: `LIVE_PACKET_BYTES`. */
  | "too-large"
  /** Its index contradicts itself. */
  | "bad-index";

/**
 * One thing that happened, in the order of these rules:
 *
 * - `session` comes before everything of the session, `session-ended` last and
 *   once, after each of its streams has ended.
 * - `stream` comes before everything of the stream, and `stream-ended` last.
 *   Those of metadata come before those of their trace's other streams that
 *   were announced together.
 * - `metadata` holds whole units: joined, the items of a stream are its
 *   metadata file. All that the relay daemon had of it when it told of a
 *   packet comes before that packet; no packet comes before any metadata,
 *   unless its trace has none.
 * - `packet` and `packet-lost` of one stream come in the order of recording,
 *   each once. Streams take turns, one packet each; nothing orders packets of
 *   different streams.
 * - `inactive`: what follows in that stream is not before `timestampEnd`, which
 *   only grows. Streams that the relay daemon published before it said so have
 *   been announced.
 * - `idle`: for the moment there is no more, in any stream. Comes once, until
 *   there is something again.
 *
 * For a merge by time, a stream that has not ended is thus in one of three
 * states: its next packet is here; it is inactive up to a time, at least the
 * end of its last packet; nothing is known beyond that yet, and something will
 * come. A stream that is announced later may have older events than what other
 * streams have brought already.
 *
 * Times are in cycles of the trace's clock; bytes belong to whoever gets them.
 */
export type LiveItem =
  | { readonly kind: "session"; readonly session: LiveSession }
  | { readonly kind: "stream"; readonly stream: LiveStream }
  | {
    readonly kind: "metadata";
    /** The metadata stream of the trace. */
    readonly stream: LiveStream;
    readonly bytes: Uint8Array;
  }
  | {
    readonly kind: "packet";
    readonly stream: LiveStream;
    readonly index: LivePacketIndex;
    /** `packetSize / 8` bytes, the padding included. */
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | {
    readonly kind: "packet-lost";
    readonly stream: LiveStream;
    readonly index: LivePacketIndex;
    readonly reason: PacketLossReason;
  }
  | {
    readonly kind: "inactive";
    readonly stream: LiveStream;
    readonly timestampEnd: bigint;
    /** Unset where the relay daemon does not know it yet. */
    readonly streamClassId: bigint | undefined;
  }
  | {
    readonly kind: "stream-ended";
    readonly stream: LiveStream;
    readonly reason: EndReason;
  }
  | {
    readonly kind: "session-ended";
    readonly session: LiveSession;
    readonly reason: EndReason;
  }
  | { readonly kind: "idle" };
