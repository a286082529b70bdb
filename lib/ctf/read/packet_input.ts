/** What an event source takes its packets from. */

import type { PacketCursor } from "./bits.ts";
import type { StreamInfo } from "./model.ts";
import type { PacketStart } from "./trace_decoder.ts";

/** A packet whose header and context have been read. */
export interface OpenPacket {
  readonly start: PacketStart;
  readonly stream: StreamInfo;
  /** Where it comes from: names it in errors. */
  readonly path: string;
  /** Its first byte there. */
  readonly offset: number;
  /** Bits of it that are there. */
  readonly room: number;
  /** Bits that it should have. */
  readonly wantedRoom: number;
}

/** The packets of one stream, one after the other; parts of them in memory. */
export interface PacketInput {
  /** The stream, which may lie in several files: of its first packet. */
  readonly stream: StreamInfo;
  /** Whether there will be no more packets than there are. */
  readonly isEnded: boolean;
  /** Nanoseconds since 1970 before which no packet begins that is yet to come. */
  readonly knownUntil: bigint | undefined;

  /**
   * Goes to the next packet: reads its beginning, with `cursor` left at its
   * first event. Nothing where there is none, or none yet.
   *
   * @throws {TraceReadError} where it is damaged; the next call goes on after it.
   */
  next(cursor: PacketCursor): OpenPacket | undefined;

  /**
   * Brings in more of the packet, with what the cursor is at near the front;
   * the cursor's position changes with it. Returns by how many bits the packet
   * begins before `cursor.bytes`, or nothing where there is no more of it.
   */
  more(cursor: PacketCursor): number | undefined;
}
