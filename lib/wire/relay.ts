/**
 * The control and data messages between a session daemon or consumer and a
 * relay daemon, ports 5342 and 5343, LTTng 2.1 to 2.15
 * (`src/common/sessiond-comm/relayd.h` upstream).
 */

import { ALL_ONES } from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import { form, type Message, message, only } from "./message.ts";
import {
  bool8,
  cstring,
  type Decoded,
  lengthOf,
  list,
  optional,
  raw,
  type Struct,
  struct,
  tail,
  text,
  u32,
  u64,
  u8,
  WireError,
} from "./struct.ts";

/** Before every control command. `dataSize` counts what follows it. */
export const commandHeader = struct("control header", {
  circuitId: u64,
  dataSize: u64,
  command: u32,
  commandVersion: u32,
});

/**
 * Before every packet on the data connection. `paddingSize` zero bytes are to
 * be added to the file; they do not travel.
 */
export const dataHeader = struct("data header", {
  circuitId: u64,
  streamId: u64,
  netSequenceNumber: u64,
  dataSize: u32,
  paddingSize: u32,
});

// ---- Requests ---------------------------------------------------------------

const version = struct("VERSION", { major: u32, minor: u32 });

const nothing = struct("empty payload", {});

/** Trace formats of CREATE_SESSION since 2.15. */
export const TraceFormat = { CTF1_8: 1, CTF2: 2 } as const;

/** Stands for peers before 2.11, which have no session daemon UUID. */
const NO_UUID = new Uint8Array(16);

const createSession2_1 = struct("CREATE_SESSION", {});

const createSession2_4 = struct("CREATE_SESSION", {
  sessionName: text(limits.SESSION_NAME_BYTES),
  hostname: text(limits.OLD_HOSTNAME_BYTES),
  liveTimer: u32,
  snapshot: u32,
});

const createSessionFixed = {
  sessionNameLength: lengthOf("sessionName"),
  hostnameLength: lengthOf("hostname"),
  basePathLength: lengthOf("basePath"),
  liveTimer: u32,
  snapshot: u8,
  nameContainsCreationTime: bool8,
  sessiondUuid: raw(16),
  sessiondSessionId: u64,
  creationTime: u64,
  currentChunkId: optional(u64, 0n),
};

const createSessionNames = {
  sessionName: cstring({ max: limits.SESSION_NAME_BYTES }),
  hostname: cstring({ max: limits.HOSTNAME_BYTES }),
  basePath: cstring({ max: limits.PATH_BYTES, empty: 1 }),
};

const createSession2_11 = struct("CREATE_SESSION", {
  ...createSessionFixed,
  ...createSessionNames,
});

const createSession2_15 = struct("CREATE_SESSION", {
  ...createSessionFixed,
  traceFormat: u32,
  ...createSessionNames,
});

/**
 * A new session. `liveTimer` in microseconds, 0 for none; `creationTime` in
 * seconds since 1970; names are empty before 2.4.
 */
export type CreateSession = Decoded<typeof createSession2_15>;

const noChunks = {
  basePath: "",
  nameContainsCreationTime: false,
  sessiondUuid: NO_UUID,
  sessiondSessionId: 0n,
  creationTime: 0n,
  currentChunkId: undefined,
  traceFormat: TraceFormat.CTF1_8,
};

const addStream2_1 = struct("ADD_STREAM", {
  channelName: text(limits.CHANNEL_NAME_BYTES),
  pathname: text(limits.PATH_BYTES),
});

const addStream2_2 = struct("ADD_STREAM", {
  channelName: text(limits.CHANNEL_NAME_BYTES),
  pathname: text(limits.PATH_BYTES),
  tracefileSize: u64,
  tracefileCount: u64,
});

const addStream2_11 = struct("ADD_STREAM", {
  channelNameLength: lengthOf("channelName"),
  pathnameLength: lengthOf("pathname"),
  tracefileSize: u64,
  tracefileCount: u64,
  traceChunkId: u64,
  channelName: cstring({ max: limits.CHANNEL_NAME_BYTES }),
  pathname: cstring({ max: limits.PATH_BYTES }),
});

/** A new stream. `tracefileSize` in bytes, 0 for one file without a bound. */
export type AddStream = Decoded<typeof addStream2_11>;

const sendMetadata = struct("SEND_METADATA", {
  streamId: u64,
  paddingSize: u32,
  metadata: tail,
});

const streamPosition = { streamId: u64, lastNetSequenceNumber: u64 };
const closeStream = struct("CLOSE_STREAM", streamPosition);
const dataPending = struct("DATA_PENDING", streamPosition);

const quiescentControl = struct("QUIESCENT_CONTROL", { streamId: u64 });
const beginDataPending = struct("BEGIN_DATA_PENDING", { sessionId: u64 });
const endDataPending = struct("END_DATA_PENDING", { sessionId: u64 });

const sendIndex1_0 = struct("SEND_INDEX", {
  relayStreamId: u64,
  netSequenceNumber: u64,
  packetSize: u64,
  contentSize: u64,
  timestampBegin: u64,
  timestampEnd: u64,
  eventsDiscarded: u64,
  streamId: u64,
});
const sendIndex1_1 = struct("SEND_INDEX", {
  relayStreamId: u64,
  netSequenceNumber: u64,
  packetSize: u64,
  contentSize: u64,
  timestampBegin: u64,
  timestampEnd: u64,
  eventsDiscarded: u64,
  streamId: u64,
  streamInstanceId: u64,
  packetSequenceNumber: u64,
});

/**
 * What a packet holds: sizes in bits, times in cycles of the trace's clock.
 * `packetSize` 0 makes it a live beacon: nothing happened until `timestampEnd`.
 */
export type SendIndex = Decoded<typeof sendIndex1_1>;

const resetMetadata = struct("RESET_METADATA", { streamId: u64, version: u64 });

/** Where one stream goes to another trace chunk. */
export const rotatePosition = struct("rotation position", {
  streamId: u64,
  rotateAtSequenceNumber: u64,
});

function rotateStreams(padding: number) {
  return struct("ROTATE_STREAMS", {
    streamCount: lengthOf("positions"),
    newChunkId: optional(u64, 0n, padding),
    positions: list(rotatePosition),
  });
}

/** By the padding that the peer's compiler put before the chunk id, bytes. */
const rotateLayouts = [rotateStreams(0), rotateStreams(3), rotateStreams(7)];

/** Streams that go to another trace chunk, or to none. */
export type RotateStreams = Decoded<ReturnType<typeof rotateStreams>>;

/** Which padding it has can be told from the length of the payload alone. */
const rotateMessage: Message<RotateStreams> = {
  name: "ROTATE_STREAMS",
  layouts: rotateLayouts as Struct<unknown>[],
  decode(bytes) {
    if (bytes.length < 4) return rotateLayouts[0]!.decode(bytes);
    const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const fixed = bytes.length - count * rotatePosition.size;
    const layout = rotateLayouts.find((layout) => layout.size === fixed);
    if (layout === undefined) {
      throw new WireError(
        "ROTATE_STREAMS.streamCount",
        `${count} streams do not make ${bytes.length} bytes`,
      );
    }
    return layout.decode(bytes);
  },
  /** As a 64-bit peer sends it. */
  encode: (value) => rotateLayouts[2]!.encode(value),
};

const createTraceChunk = struct("CREATE_TRACE_CHUNK", {
  chunkId: u64,
  creationTimestamp: u64,
  overrideNameLength: lengthOf("overrideName"),
  overrideName: cstring({ max: limits.PATH_COMPONENT_BYTES, empty: 0 }),
});

/** What becomes of a closed chunk. */
export const CloseCommand = {
  MOVE_TO_COMPLETED: 0,
  NO_OPERATION: 1,
  DELETE: 2,
} as const;

const closeTraceChunk = struct("CLOSE_TRACE_CHUNK", {
  chunkId: u64,
  closeTimestamp: u64,
  closeCommand: optional(u32, 0),
});

const traceChunkExists = struct("TRACE_CHUNK_EXISTS", { chunkId: u64 });
const getConfiguration = struct("GET_CONFIGURATION", { queryFlags: u64 });

// ---- Replies ----------------------------------------------------------------

const genericReply = struct("reply", { code: u32 });
const versionReply = struct("VERSION reply", { major: u32, minor: u32 });
const sessionReply2_1 = struct("CREATE_SESSION reply", {
  sessionId: u64,
  code: u32,
});
const sessionReply2_11 = struct("CREATE_SESSION reply", {
  sessionId: u64,
  code: u32,
  outputPathLength: lengthOf("outputPath"),
  outputPath: cstring({ max: limits.PATH_BYTES, empty: 0 }),
});
type SessionReply = Decoded<typeof sessionReply2_11>;
const streamReply = struct("ADD_STREAM reply", { streamId: u64, code: u32 });
const chunkClosedReply = struct("CLOSE_TRACE_CHUNK reply", {
  code: u32,
  pathLength: lengthOf("path"),
  path: cstring({ max: limits.PATH_BYTES, empty: 0 }),
});
const chunkExistsReply = struct("TRACE_CHUNK_EXISTS reply", {
  code: u32,
  exists: bool8,
});
const configurationReply = struct("GET_CONFIGURATION reply", {
  code: u32,
  flags: u64,
});

/** GET_CONFIGURATION reply: `lttng clear` is allowed. */
export const CONFIGURATION_CLEAR_ALLOWED = 1n;

// ---- The command table --------------------------------------------------------

/** One control command. */
export interface Command<Request, Reply> {
  /** Its number on the wire. */
  readonly number: number;
  /** The minor version that brought it. */
  readonly since: number;
  /** Whether CREATE_SESSION must have come before it. */
  readonly needsSession: boolean;
  /** The least minor of the session, for commands that C refuses below it. */
  readonly leastMinor?: number;
  readonly request: Message<Request>;
  /** Unset: the command has no reply. */
  readonly reply?: Message<Reply>;
  /** The reply that says `code` and nothing else. */
  readonly failure?: (code: number) => Reply;
  /** Most payload bytes. */
  readonly payloadLimit: number;
}

interface Row<Request, Reply> {
  since: number;
  request: Message<Request>;
  reply?: Message<Reply>;
  failure?: (code: number) => Reply;
  needsSession?: boolean;
  leastMinor?: number;
  payloadLimit?: number;
}

function command<Request, Reply = never>(
  number: number,
  row: Row<Request, Reply>,
): Command<Request, Reply> {
  return {
    number,
    needsSession: true,
    payloadLimit: limits.SMALL_CONTROL_PAYLOAD_BYTES,
    ...row,
  };
}

/** A command that is answered with a code alone. */
function plain<Request extends object>(
  number: number,
  since: number,
  request: Struct<Request>,
  row: Partial<Row<Request, { code: number }>> = {},
): Command<Request, { code: number }> {
  return command(number, {
    since,
    request: only(request),
    reply: only(genericReply),
    failure: (code) => ({ code }),
    ...row,
  });
}

/**
 * Every control command that exists. Numbers 4, 12, 14 and 15 are reserved
 * upstream and were never used.
 */
export const commands = {
  ADD_STREAM: command(1, {
    since: 1,
    request: message<AddStream>("ADD_STREAM", [
      form(1, addStream2_1, {
        tracefileSize: 0n,
        tracefileCount: 0n,
        traceChunkId: ALL_ONES,
      }),
      form(2, addStream2_2, { traceChunkId: ALL_ONES }),
      form(11, addStream2_11, {}),
    ]),
    reply: only(streamReply),
    failure: (code) => ({ streamId: ALL_ONES, code }),
  }),
  CREATE_SESSION: command(2, {
    since: 1,
    needsSession: false,
    request: message<CreateSession>("CREATE_SESSION", [
      form(1, createSession2_1, {
        ...noChunks,
        sessionName: "",
        hostname: "",
        liveTimer: 0,
        snapshot: 0,
      }),
      form(4, createSession2_4, noChunks),
      form(11, createSession2_11, { traceFormat: TraceFormat.CTF1_8 }),
      form(15, createSession2_15, {}),
    ]),
    reply: message<SessionReply>("CREATE_SESSION reply", [
      form(1, sessionReply2_1, { outputPath: "" }),
      form(11, sessionReply2_11, {}),
    ]),
    failure: (code) => ({ sessionId: 0n, code, outputPath: "" }),
  }),
  START_DATA: plain(3, 1, nothing, { needsSession: false }),
  VERSION: command(5, {
    since: 1,
    needsSession: false,
    request: only(version),
    reply: only(versionReply),
  }),
  SEND_METADATA: command(6, {
    since: 1,
    request: only(sendMetadata),
    payloadLimit: limits.CONTROL_PAYLOAD_BYTES,
  }),
  CLOSE_STREAM: plain(7, 1, closeStream),
  DATA_PENDING: plain(8, 1, dataPending),
  QUIESCENT_CONTROL: plain(9, 1, quiescentControl),
  BEGIN_DATA_PENDING: plain(10, 1, beginDataPending),
  END_DATA_PENDING: plain(11, 1, endDataPending),
  SEND_INDEX: plain(13, 4, sendIndex1_1, {
    request: message<SendIndex>("SEND_INDEX", [
      form(1, sendIndex1_0, {
        streamInstanceId: ALL_ONES,
        packetSequenceNumber: ALL_ONES,
      }),
      form(8, sendIndex1_1, {}),
    ]),
  }),
  STREAMS_SENT: plain(16, 4, nothing),
  RESET_METADATA: plain(17, 8, resetMetadata),
  ROTATE_STREAMS: command(18, {
    since: 11,
    leastMinor: 11,
    request: rotateMessage,
    reply: only(genericReply),
    failure: (code) => ({ code }),
  }),
  CREATE_TRACE_CHUNK: plain(19, 11, createTraceChunk, { leastMinor: 11 }),
  CLOSE_TRACE_CHUNK: command(20, {
    since: 11,
    leastMinor: 11,
    request: only(closeTraceChunk),
    reply: only(chunkClosedReply),
    failure: (code) => ({ code, path: "" }),
  }),
  TRACE_CHUNK_EXISTS: command(21, {
    since: 11,
    leastMinor: 11,
    request: only(traceChunkExists),
    reply: only(chunkExistsReply),
    failure: (code) => ({ code, exists: false }),
  }),
  GET_CONFIGURATION: command(22, {
    since: 12,
    needsSession: false,
    request: only(getConfiguration),
    reply: only(configurationReply),
    failure: (code) => ({ code, flags: 0n }),
  }),
} as const;

/** The name of a control command. */
export type CommandName = keyof typeof commands;
/** What a command asks. */
export type RequestOf<N extends CommandName> = typeof commands[N] extends
  Command<infer Request, infer _> ? Request : never;
/** What a command is answered with; `never` for SEND_METADATA. */
export type ReplyOf<N extends CommandName> = typeof commands[N] extends
  Command<infer _, infer Reply> ? Reply : never;

/** The command names by number. */
export const commandNames: ReadonlyMap<number, CommandName> = new Map(
  (Object.keys(commands) as CommandName[])
    .map((name) => [commands[name].number, name]),
);
