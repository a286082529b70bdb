/** What a sender knows of one stream, its packets and its session. */

import type { SessionId, StreamId } from "../base/ids.ts";
import { type CreateSession, TraceFormat } from "../wire/relay.ts";

/** Name of every metadata stream. */
export const METADATA = "metadata";

/** A stream to add to a session. */
export interface StreamOptions {
  /** `CHANNEL_INSTANCE`, such as `ch0_0`; `metadata` for the metadata. */
  readonly name: string;
  /** Directory below the session's, such as `ust/uid/0/64-bit`. */
  readonly pathname: string;
  /**
   * Bytes after which another file begins, 0 for a single one.
   *
   * @default {0n}
   */
  readonly tracefileSize?: bigint;
  /**
   * How many files there are before the oldest is overwritten, 0 for no bound.
   * lttng-relayd 2.13 ends at the second file when it is 0 and
   * `tracefileSize` is not.
   *
   * @default {0n}
   */
  readonly tracefileCount?: bigint;
}

/** A session to create. */
export interface SessionOptions {
  /** Without `/`, and not beginning with a dot. */
  readonly name: string;
  /** Name of this machine; without the permission to ask, `localhost`. */
  readonly hostname?: string;
  /**
   * Period of live beacons, microseconds; 0 for a session that is not live.
   *
   * @default {0}
   */
  readonly liveTimer?: number;
  /**
   * A snapshot: packets without indexes, nothing for viewers.
   *
   * @default {false}
   */
  readonly snapshot?: boolean;
  /** Directory to use instead of one made from name and time. */
  readonly basePath?: string;
  /** The name ends in `-YYYYMMDD-HHMMSS` already. */
  readonly nameContainsCreationTime?: boolean;
  /** 16 bytes, the same for all consumers of one session daemon. */
  readonly sessiondUuid?: Uint8Array;
  /** The session's id in that session daemon. */
  readonly sessiondSessionId?: bigint;
  /** Now, if unset. */
  readonly creationTime?: Date;
  /** A trace chunk that another consumer of the session created. */
  readonly currentChunkId?: bigint;
  /** One of `TraceFormat`: 1 for CTF 1.8, 2 for CTF 2. */
  readonly traceFormat?: number;
}

/** A session as the relay daemon knows it. */
export interface RelaySession {
  readonly id: SessionId;
  /** Its directory below the relay daemon's output directory. */
  readonly outputPath: string;
  readonly isSnapshot: boolean;
}

/** A stream that a relay daemon accepted. */
export interface RelayStream {
  /** The relay daemon's handle. */
  readonly id: StreamId;
  readonly name: string;
  /** Directory below the session's. */
  readonly pathname: string;
  /** Whether it carries the metadata of its trace. */
  readonly isMetadata: boolean;
  /** Sequence number of the last packet; all ones if there was none. */
  readonly lastSequenceNumber: bigint;
}

/** The client's own view of a stream. */
export class OpenStream implements RelayStream {
  /** Sequence number on the wire of the next packet. */
  nextSequenceNumber = 0n;
  /** Packet sequence number that the stream's next packet will have. */
  nextPacketSequenceNumber = 0n;
  /** Set once CLOSE_STREAM was asked for. */
  isClosed = false;
  /** Packets whose data or index is not handed over yet. */
  readonly sending = new Set<Promise<void>>();

  constructor(
    readonly id: StreamId,
    readonly name: string,
    readonly pathname: string,
    /** The trace chunk it is in, or goes to; unset before 2.11. */
    public chunkId: bigint | undefined,
  ) {}

  get isMetadata(): boolean {
    return this.name === METADATA;
  }

  /** What rotates together: the stream's name without its instance. */
  get channel(): string {
    return `${this.pathname}/${this.name.replace(/_\d+$/, "")}`;
  }

  get lastSequenceNumber(): bigint {
    return BigInt.asUintN(64, this.nextSequenceNumber - 1n);
  }
}

/** CREATE_SESSION as its options ask; the wire drops what a minor lacks. */
export function sessionRequest(options: SessionOptions): CreateSession {
  const uuid = options.sessiondUuid ??
    crypto.getRandomValues(new Uint8Array(16));
  const createdAt = options.creationTime ?? new Date();
  return {
    sessionName: options.name,
    hostname: options.hostname ?? ownHostname(),
    basePath: options.basePath ?? "",
    liveTimer: options.liveTimer ?? 0,
    snapshot: options.snapshot === true ? 1 : 0,
    nameContainsCreationTime: options.nameContainsCreationTime ?? false,
    sessiondUuid: uuid,
    sessiondSessionId: options.sessiondSessionId ?? 0n,
    creationTime: secondsSince1970(createdAt),
    currentChunkId: options.currentChunkId,
    traceFormat: options.traceFormat ?? TraceFormat.CTF1_8,
  };
}

/**
 * Where peers before 2.11 put their streams: they name the whole directory in
 * each ADD_STREAM, as `/HOST/SESSION-DATETIME/PATH`.
 */
export function legacyOutputPath(request: CreateSession): string {
  const { hostname, sessionName, basePath, creationTime } = request;
  if (basePath !== "") return `${hostname}/${basePath}`;
  if (request.nameContainsCreationTime) return `${hostname}/${sessionName}`;
  return `${hostname}/${sessionName}-${localDateTime(creationTime)}`;
}

/** Whole seconds, as chunks and sessions carry them. */
export function secondsSince1970(time: Date): bigint {
  return BigInt(Math.floor(time.getTime() / 1000));
}

/** `YYYYMMDD-HHMMSS` in the local time zone. */
function localDateTime(seconds: bigint): string {
  const time = new Date(Number(seconds) * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${date.map(two).join("")}-${clock.map(two).join("")}`;
}

function ownHostname(): string {
  // Asking first: without a permission, Deno would prompt a person.
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "hostname",
  });
  return state === "granted" ? Deno.hostname() : "localhost";
}
