/** What a sender can be told: where to, how patiently, and what to do. */

import type { WaitOptions } from "./bounded.ts";

/** Ports of a relay daemon that was not told otherwise. */
export const CONTROL_PORT = 5342;
export const DATA_PORT = 5343;

/** Which relay daemon to stream to, and how patiently. */
export interface RelayClientOptions {
  /** Name or IP address; an IPv6 address without brackets. */
  readonly hostname: string;
  /** @default {5342} */
  readonly controlPort?: number;
  /** @default {5343} */
  readonly dataPort?: number;
  /** Gives up connecting; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long each connection may take to be made, milliseconds.
   *
   * @default {10000}
   */
  readonly connectTimeoutMs?: number;
  /**
   * How long a reply on the control connection may take, milliseconds.
   *
   * @default {10000}
   */
  readonly replyTimeoutMs?: number;
  /**
   * How long the data connection may take no byte, milliseconds.
   *
   * @default {60000}
   */
  readonly stallTimeoutMs?: number;
  /**
   * Most indexes that wait for their reply. With 1, as consumers do, a packet
   * is sent when the one before is acknowledged; more hide the round trip.
   *
   * @default {1}
   */
  readonly indexWindow?: number;
  /**
   * Most bytes of packets that wait for the data connection; more are refused.
   *
   * @default {67108864}
   */
  readonly dataQueueBytes?: number;
  /**
   * Announces an older LTTng 2.x than ours, 1 to 15.
   *
   * @default {15}
   */
  readonly announceMinor?: number;
}

/** A new trace chunk. */
export interface ChunkOptions {
  /** By default one more than the last, from 0. */
  readonly id?: bigint;
  /** Now, if unset. */
  readonly creationTime?: Date;
  /** Directory name to use instead of one made from times and id. */
  readonly overrideName?: string;
}

/** How to leave the current trace chunk. */
export interface RotateOptions extends WaitOptions {
  /**
   * Whether the streams go to a new chunk, or to none: then no packet may
   * follow.
   *
   * @default {true}
   */
  readonly newChunk?: boolean;
  /**
   * What becomes of the old chunk, one of `CloseCommand`.
   *
   * @default {0} Moved to the archives.
   */
  readonly closeCommand?: number;
}
