/** Branded numbers: an id from the wire becomes one of these in one place only. */

/** "Unset" wherever the protocol has a 64-bit number. */
export const ALL_ONES = 0xFFFF_FFFF_FFFF_FFFFn;

/** A relay daemon's stream handle: from 1, never reused. */
export type StreamId = bigint & { readonly __brand: "StreamId" };
/** A relay daemon's session id: from 1. */
export type SessionId = bigint & { readonly __brand: "SessionId" };
/** A trace chunk's id, chosen by the session daemon: from 0. */
export type ChunkId = bigint & { readonly __brand: "ChunkId" };
/** The minor version of the 2.x relay protocol that two peers agreed on. */
export type Minor = number & { readonly __brand: "Minor" };

/** Takes a stream handle off the wire. */
export function streamId(value: bigint): StreamId {
  return value as StreamId;
}
/** Takes a relay session id off the wire. */
export function sessionId(value: bigint): SessionId {
  return value as SessionId;
}
/** Takes a trace chunk id off the wire. */
export function chunkId(value: bigint): ChunkId {
  return value as ChunkId;
}

/** The newest minor that this project speaks: LTTng 2.15. */
export const NEWEST_MINOR = 15 as Minor;
/** The major that all of LTTng 2.x speaks. */
export const MAJOR = 2;

/** The minor that both peers speak: the smaller of the two. */
export function agreedMinor(ours: number, theirs: number): Minor {
  return Math.min(ours, theirs) as Minor;
}
