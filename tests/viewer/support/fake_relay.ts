/** What a relay daemon answers a viewer, reply by reply, as a test lays it out. */

import {
  AttachStatus,
  CreateViewerSessionStatus,
  DetachStatus,
  MetadataStatus,
  NewStreamsStatus,
  NextIndexStatus,
  PacketStatus,
  type SessionEntry,
  type streamEntry,
  type ViewerCommandName,
} from "../../../lib/wire/live.ts";
import type { Decoded } from "../../../lib/wire/struct.ts";
import type { ReplyOf, RequestOf } from "../../../lib/viewer/reply.ts";

export type StreamEntry = Decoded<typeof streamEntry>;
export type Index = ReplyOf<"GET_NEXT_INDEX">;

/** A live session `demo` of host `target`. */
export function session(
  id: bigint,
  changes: Partial<SessionEntry> = {},
): SessionEntry {
  return {
    id,
    liveTimer: 1_000_000,
    clients: 0,
    streams: 0,
    hostname: "target",
    sessionName: "demo",
    traceFormat: 0,
    ...changes,
  };
}

/** A data stream of trace 1. */
export function stream(
  id: bigint,
  changes: Partial<StreamEntry> = {},
): StreamEntry {
  return {
    id,
    traceId: 1n,
    isMetadata: false,
    pathname: "ust/uid/0/64-bit",
    channelName: `ch_${id}`,
    ...changes,
  };
}

/** The metadata stream of trace 1. */
export function metadataStream(
  id: bigint,
  changes: Partial<StreamEntry> = {},
): StreamEntry {
  return stream(id, { isMetadata: true, channelName: "metadata", ...changes });
}

const NOTHING: Index = {
  offset: 0n,
  packetSize: 0n,
  contentSize: 0n,
  timestampBegin: 0n,
  timestampEnd: 0n,
  eventsDiscarded: 0n,
  streamId: 0n,
  status: NextIndexStatus.RETRY,
  flags: 0,
};

/** A reply that tells of no packet. */
export function status(
  status: number,
  changes: Partial<Index> = {},
): Index {
  return { ...NOTHING, status, ...changes };
}

/** An index of a packet of 8 bytes, from `begin` to 10 cycles later. */
export function index(begin: bigint, changes: Partial<Index> = {}): Index {
  return {
    ...NOTHING,
    offset: begin,
    packetSize: 64n,
    contentSize: 64n,
    timestampBegin: begin,
    timestampEnd: begin + 10n,
    status: NextIndexStatus.OK,
    ...changes,
  };
}

/** A reply that nothing happened until `timestampEnd`. */
export function inactive(timestampEnd: bigint, streamId = 0n): Index {
  return status(NextIndexStatus.INACTIVE, { timestampEnd, streamId });
}

/** A reply that brings metadata. */
export function metadata(text: string): ReplyOf<"GET_METADATA"> {
  return {
    status: MetadataStatus.OK,
    metadata: new TextEncoder().encode(text),
  };
}

type Asked = {
  [N in ViewerCommandName]: { name: N; request: RequestOf<N> };
}[ViewerCommandName];

/** Replies that wait to be given, and how often what was asked. */
export class FakeRelay {
  minor = 13;
  sessions: SessionEntry[] = [session(5n)];
  readonly asked: Asked[] = [];
  /** By session; OK without streams where there is none. */
  readonly attach = new Map<bigint, ReplyOf<"ATTACH_SESSION">>();
  /** By session, one after the other; then OK without streams. */
  readonly newStreams = new Map<bigint, ReplyOf<"GET_NEW_STREAMS">[]>();
  /** By stream, one after the other; then RETRY. */
  readonly indexes = new Map<bigint, Index[]>();
  /** By stream, one after the other; then NO_NEW. */
  readonly metadata = new Map<bigint, ReplyOf<"GET_METADATA">[]>();
  /** One after the other; then OK with what is at that place. */
  readonly packets: ReplyOf<"GET_PACKET">[] = [];
  createStatus: number = CreateViewerSessionStatus.OK;

  /** How often a command was asked. */
  count(name: ViewerCommandName): number {
    return this.asked.filter((command) => command.name === name).length;
  }

  /** The streams of which the next index was asked, in order. */
  get indexesAsked(): bigint[] {
    return this.asked.flatMap((command) =>
      command.name === "GET_NEXT_INDEX" ? [command.request.streamId] : []
    );
  }

  /** Adds replies to the end of a queue. */
  then<T>(queues: Map<bigint, T[]>, id: bigint, ...replies: T[]): void {
    queues.set(id, [...queues.get(id) ?? [], ...replies]);
  }

  /** The reply to a command. */
  answer(name: ViewerCommandName, request: object): object {
    const asked = { name, request } as unknown as Asked;
    this.asked.push(asked);
    switch (asked.name) {
      case "CONNECT":
        return { viewerSessionId: 1n, major: 2, minor: this.minor, type: 0 };
      case "CREATE_SESSION":
        return { status: this.createStatus };
      case "LIST_SESSIONS":
        return { sessions: this.sessions };
      case "ATTACH_SESSION":
        return this.attach.get(asked.request.sessionId) ??
          { status: AttachStatus.OK, streams: [] };
      case "DETACH_SESSION":
        return { status: DetachStatus.OK };
      case "GET_NEW_STREAMS":
        return this.newStreams.get(asked.request.sessionId)?.shift() ??
          { status: NewStreamsStatus.OK, streams: [] };
      case "GET_NEXT_INDEX":
        return this.indexes.get(asked.request.streamId)?.shift() ?? NOTHING;
      case "GET_METADATA":
        return this.metadata.get(asked.request.streamId)?.shift() ??
          { status: MetadataStatus.NO_NEW, metadata: new Uint8Array() };
      case "GET_PACKET":
        return this.packets.shift() ?? packetAt(asked.request);
    }
  }
}

/** Byte `n` of a data file is `n`. */
function packetAt(
  { offset, length }: RequestOf<"GET_PACKET">,
): ReplyOf<"GET_PACKET"> {
  const packet = Uint8Array.from(
    { length },
    (_, i) => Number((offset + BigInt(i)) & 0xFFn),
  );
  return { status: PacketStatus.OK, flags: 0, packet };
}
