/**
 * The messages between a live viewer and a relay daemon, port 5344, LTTng 2.4
 * to 2.15 (`src/bin/lttng-relayd/lttng-viewer-abi.h` upstream).
 */

import * as limits from "../base/limits.ts";
import { form, type Message, message, only } from "./message.ts";
import {
  bool32,
  type Decoded,
  lengthOf,
  lengthOf64,
  list,
  paddedText,
  sizedBytes,
  sizedText,
  struct,
  u32,
  u64,
} from "./struct.ts";

/** Before every viewer command. `dataSize` counts what follows it. */
export const viewerHeader = struct("viewer header", {
  dataSize: u64,
  command: u32,
  commandVersion: u32,
});

/** What a viewer is, in CONNECT. */
export const ViewerType = { COMMAND: 1, NOTIFICATION: 2 } as const;

/** Where an attached viewer starts. */
export const Seek = { BEGINNING: 1, LAST: 2 } as const;

/** Status of a CREATE_SESSION reply to a viewer. */
export const CreateViewerSessionStatus = { OK: 1, ERROR: 2 } as const;

/** Status of an ATTACH_SESSION reply. */
export const AttachStatus = {
  OK: 1,
  ALREADY_ATTACHED: 2,
  UNKNOWN: 3,
  NOT_LIVE: 4,
  SEEK_ERROR: 5,
  NO_SESSION: 6,
} as const;

/** Status of a GET_NEW_STREAMS reply. */
export const NewStreamsStatus = {
  OK: 1,
  NO_NEW: 2,
  ERROR: 3,
  HANG_UP: 4,
} as const;

/** Status of a DETACH_SESSION reply. */
export const DetachStatus = { OK: 1, UNKNOWN: 2, ERROR: 3 } as const;

/** Status of a GET_NEXT_INDEX reply. */
export const NextIndexStatus = {
  OK: 1,
  RETRY: 2,
  HANG_UP: 3,
  ERROR: 4,
  INACTIVE: 5,
  END_OF_FILE: 6,
} as const;

/** Bits in the flags of a GET_NEXT_INDEX reply. */
export const NextIndexFlag = { NEW_METADATA: 1, NEW_STREAM: 2 } as const;

/** Status of a GET_PACKET reply. */
export const PacketStatus = {
  OK: 1,
  RETRY: 2,
  ERROR: 3,
  END_OF_FILE: 4,
} as const;

/** Status of a GET_METADATA reply. */
export const MetadataStatus = { OK: 1, NO_NEW: 2, ERROR: 3 } as const;

/** Trace formats as viewers see them: not CREATE_SESSION's numbers. */
export const ViewerTraceFormat = { CTF1_8: 0, CTF2: 1 } as const;

// ---- Requests ---------------------------------------------------------------

const connectFields = {
  /** All ones, or anything, in a request; from 1 in a reply. */
  viewerSessionId: u64,
  major: u32,
  minor: u32,
  /** A {@linkcode ViewerType} in a request, 0 in a reply. */
  type: u32,
};
const connect = struct("CONNECT", connectFields);

const nothing = struct("empty payload", {});

const attachSession = struct("ATTACH_SESSION", {
  sessionId: u64,
  /** Always 0. */
  offset: u64,
  seek: u32,
});

const getNextIndex = struct("GET_NEXT_INDEX", { streamId: u64 });

/** `offset` and `length` in bytes of the data file that the last index told. */
const getPacket = struct("GET_PACKET", {
  streamId: u64,
  offset: u64,
  length: u32,
});

const getMetadata = struct("GET_METADATA", { streamId: u64 });
const getNewStreams = struct("GET_NEW_STREAMS", { sessionId: u64 });
const detachSession = struct("DETACH_SESSION", { sessionId: u64 });

// ---- Replies ----------------------------------------------------------------

const connectReply = struct("CONNECT reply", connectFields);

/** A session in LIST_SESSIONS for viewers before 2.15. */
export const sessionEntry2_4 = struct("session entry", {
  id: u64,
  liveTimer: u32,
  clients: u32,
  streams: u32,
  hostname: paddedText(limits.OLD_HOSTNAME_BYTES),
  sessionName: paddedText(limits.SESSION_NAME_BYTES),
});

/** A session in LIST_SESSIONS for viewers since 2.15. */
export const sessionEntry2_15 = struct("session entry", {
  id: u64,
  liveTimer: u32,
  clients: u32,
  streams: u32,
  hostnameLength: lengthOf("hostname"),
  sessionNameLength: lengthOf("sessionName"),
  traceFormat: u32,
  hostname: sizedText(limits.HOSTNAME_BYTES),
  sessionName: sizedText(limits.SESSION_NAME_BYTES),
});

/**
 * A session that a viewer may attach to. `liveTimer` in microseconds, 0 where
 * it is not live; `clients` is the number of attached viewers.
 */
export type SessionEntry = Decoded<typeof sessionEntry2_15>;

const sessionList2_4 = struct("LIST_SESSIONS reply", {
  sessionCount: lengthOf("sessions"),
  sessions: list(sessionEntry2_4),
});
const sessionList2_15 = struct("LIST_SESSIONS reply", {
  sessionCount: lengthOf("sessions"),
  sessions: list(sessionEntry2_15),
});

/** What LIST_SESSIONS is answered with. */
export type SessionList = Decoded<typeof sessionList2_15>;

const sessionList2_15Message = message<SessionList>("LIST_SESSIONS reply", [
  form(15, sessionList2_15, {}),
]);

/** Before 2.15 a viewer takes every session for CTF 1.8. */
const sessionListMessage: Message<SessionList> = {
  name: "LIST_SESSIONS reply",
  layouts: [...only(sessionList2_4).layouts, ...sessionList2_15Message.layouts],
  since: [4, 15],
  decode(bytes, minor) {
    if (minor >= 15) return sessionList2_15Message.decode(bytes, minor);
    const { sessions } = sessionList2_4.decode(bytes);
    const traceFormat = ViewerTraceFormat.CTF1_8;
    return { sessions: sessions.map((entry) => ({ ...entry, traceFormat })) };
  },
  encode: (value, minor) =>
    minor >= 15
      ? sessionList2_15Message.encode(value, minor)
      : sessionList2_4.encode(value),
};

/** A stream that a viewer may read. */
export const streamEntry = struct("stream entry", {
  id: u64,
  /** The same for all streams of one trace. */
  traceId: u64,
  isMetadata: bool32,
  pathname: paddedText(limits.PATH_BYTES),
  channelName: paddedText(limits.SESSION_NAME_BYTES),
});

const createSessionReply = struct("CREATE_SESSION reply", { status: u32 });

const streamList = {
  status: u32,
  streamCount: lengthOf("streams"),
  /** Empty unless the status is OK. */
  streams: list(streamEntry),
};
const attachReply = struct("ATTACH_SESSION reply", streamList);
const newStreamsReply = struct("GET_NEW_STREAMS reply", streamList);

/**
 * Where the next packet is: `offset` in bytes, sizes in bits, times in cycles
 * of the trace's clock. All 0 unless the status is OK or, for `timestampEnd`
 * and `streamId` alone, INACTIVE.
 */
const nextIndexReply = struct("GET_NEXT_INDEX reply", {
  offset: u64,
  packetSize: u64,
  contentSize: u64,
  timestampBegin: u64,
  timestampEnd: u64,
  eventsDiscarded: u64,
  streamId: u64,
  status: u32,
  flags: u32,
});

const packetReply = struct("GET_PACKET reply", {
  status: u32,
  length: lengthOf("packet"),
  flags: u32,
  packet: sizedBytes(limits.PACKET_BYTES),
});

const metadataReply = struct("GET_METADATA reply", {
  length: lengthOf64("metadata"),
  status: u32,
  metadata: sizedBytes(limits.PACKET_BYTES),
});

const detachReply = struct("DETACH_SESSION reply", { status: u32 });

// ---- The command table --------------------------------------------------------

/** One viewer command. */
export interface ViewerCommand<Request, Reply> {
  /** Its number on the wire. */
  readonly number: number;
  /** The minor version that brought it. */
  readonly since: number;
  readonly request: Message<Request>;
  readonly reply: Message<Reply>;
}

function command<Request, Reply>(
  number: number,
  since: number,
  request: Message<Request>,
  reply: Message<Reply>,
): ViewerCommand<Request, Reply> {
  return { number, since, request, reply };
}

/** Every viewer command that exists. */
export const viewerCommands = {
  CONNECT: command(1, 4, only(connect), only(connectReply)),
  LIST_SESSIONS: command(2, 4, only(nothing), sessionListMessage),
  ATTACH_SESSION: command(3, 4, only(attachSession), only(attachReply)),
  GET_NEXT_INDEX: command(4, 4, only(getNextIndex), only(nextIndexReply)),
  GET_PACKET: command(5, 4, only(getPacket), only(packetReply)),
  GET_METADATA: command(6, 4, only(getMetadata), only(metadataReply)),
  GET_NEW_STREAMS: command(7, 4, only(getNewStreams), only(newStreamsReply)),
  CREATE_SESSION: command(8, 4, only(nothing), only(createSessionReply)),
  DETACH_SESSION: command(9, 8, only(detachSession), only(detachReply)),
} as const;

/** The name of a viewer command. */
export type ViewerCommandName = keyof typeof viewerCommands;

/** The viewer command names by number. */
export const viewerCommandNames: ReadonlyMap<number, ViewerCommandName> =
  new Map(
    (Object.keys(viewerCommands) as ViewerCommandName[])
      .map((name) => [viewerCommands[name].number, name]),
  );
