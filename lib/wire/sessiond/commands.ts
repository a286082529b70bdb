/**
 * The requests of a client and the replies of a session daemon, LTTng 2.12.9
 * to 2.15 (`src/common/sessiond-comm/sessiond-comm.h` upstream): one table for
 * each minor version.
 */

import * as limits from "../../base/limits.ts";
import {
  constant,
  entriesToEnd,
  nested,
  padding,
  sized,
  sizeOf,
} from "../compose.ts";
import {
  i32,
  i64,
  lengthOf,
  lengthOf16,
  lengthOf64,
  u32,
  u64,
} from "../little_endian.ts";
import {
  bool8,
  cstring,
  type Field,
  type Fields,
  list,
  type Struct,
  struct,
  text,
  u8,
} from "../struct.ts";
import { sessionDelivery } from "./delivery.ts";
import {
  channelLayout,
  contextBlock,
  eventBlock,
  fieldBlock,
} from "./recording.ts";
import {
  destroyReply,
  inclusionSet,
  rotationInfo,
  rotationSchedules,
  snapshotOutput,
} from "./session_state.ts";
import {
  descriptorLayout,
  domainBlock,
  sessionBlock,
  sessionListLayout,
  uri,
} from "./session.ts";
import type { SessiondMinor } from "./version.ts";

// ---- Numbers --------------------------------------------------------------------

/** Each command's number until 2.13, and since 2.14. */
const NUMBERS = {
  ADD_CONTEXT: [0, 1],
  DISABLE_CHANNEL: [2, 2],
  DISABLE_EVENT: [3, 3],
  LIST_SYSCALLS: [4, 4],
  ENABLE_CHANNEL: [5, 5],
  ENABLE_EVENT: [6, 6],
  DESTROY_SESSION: [9, 7],
  LIST_CHANNELS: [10, 8],
  LIST_DOMAINS: [11, 9],
  LIST_EVENTS: [12, 10],
  LIST_SESSIONS: [13, 11],
  LIST_TRACEPOINTS: [14, 12],
  REGISTER_CONSUMER: [15, 13],
  START_TRACE: [16, 14],
  STOP_TRACE: [17, 15],
  LIST_TRACEPOINT_FIELDS: [18, 16],
  SET_CONSUMER_URI: [21, 19],
  DATA_PENDING: [24, 20],
  SNAPSHOT_ADD_OUTPUT: [25, 21],
  SNAPSHOT_DEL_OUTPUT: [26, 22],
  SNAPSHOT_LIST_OUTPUT: [27, 23],
  SNAPSHOT_RECORD: [28, 24],
  SAVE_SESSION: [31, 25],
  TRACKER_ADD_INCLUDE_VALUE: [32, 26],
  TRACKER_REMOVE_INCLUDE_VALUE: [33, 27],
  TRACKER_GET_POLICY: [34, 28],
  TRACKER_SET_POLICY: [35, 29],
  TRACKER_GET_INCLUSION_SET: [36, 30],
  SET_SESSION_SHM_PATH: [40, 31],
  REGENERATE_METADATA: [41, 32],
  REGENERATE_STATEDUMP: [42, 33],
  ROTATE_SESSION: [45, 36],
  ROTATION_GET_INFO: [46, 37],
  ROTATION_SET_SCHEDULE: [47, 38],
  LIST_ROTATION_SCHEDULES: [48, 39],
  CREATE_SESSION_EXT: [49, 40],
  CLEAR_SESSION: [50, 41],
  // This project's own, far from what stock ones may come to have.
  SESSION_DELIVERY: [100_000, 100_000],
} as const;

/** The name of a command. */
export type SessiondCommandName = keyof typeof NUMBERS;

/**
 * Commands that stock session daemons refuse; 2.13.5 to 2.13.8 that log
 * everything even abort. They are for those that give {@linkcode OWN_MARK}.
 */
export const OWN_COMMANDS: readonly SessiondCommandName[] = [
  "SESSION_DELIVERY",
];

/** The number of a command at `minor`. */
export function sessiondCommandNumber(
  name: SessiondCommandName,
  minor: SessiondMinor,
): number {
  return NUMBERS[name][minor >= 14 ? 1 : 0];
}

// ---- Framing --------------------------------------------------------------------

/** What precedes every reply. */
export interface ReplyHeader {
  /** The number of the command that is answered. */
  command: number;
  /** An LTTng error code; 10 is success. */
  code: number;
  /** Bytes of the reply's own header, then of what follows. */
  headerSize: number;
  dataSize: number;
  /** {@linkcode OWN_MARK} of a session daemon that has {@linkcode OWN_COMMANDS}. */
  mark?: number | undefined;
}

/**
 * What this project's session daemon puts where no client looks: far above any
 * process id, which older session daemons had there.
 */
export const OWN_MARK = 0x7453_6E44;

const replyStart = { command: u32, code: u32 };
const replySizes = { headerSize: u32, dataSize: u32 };
/** The process id that older requests named in their domain. */
const pid = padding(u32.size);
/** The same place, which stock session daemons leave 0 since 2.13. */
const mark: Field<number | undefined> = {
  kind: "u32, ignored by stock clients",
  size: u32.size,
  read: u32.read,
  write: (t, value) => u32.write(t, value ?? 0),
};
/** File descriptors that come after the data, which nothing here takes. */
const fdCount = constant(u32, 0);

/** The reply header of session daemons of `minor`. */
export function replyHeader(minor: SessiondMinor): Struct<ReplyHeader> {
  switch (minor) {
    case 12:
      return struct("reply header", { ...replyStart, pid, ...replySizes });
    case 13:
      return struct("reply header", {
        ...replyStart,
        mark,
        ...replySizes,
        fdCount,
      });
    case 14:
      return struct("reply header", {
        ...replyStart,
        pid,
        ...replySizes,
        fdCount,
      });
    case 15:
      return struct("reply header", { ...replyStart, ...replySizes, fdCount });
  }
}

const sessionName = text(limits.SESSION_NAME_BYTES);
const named = {
  session: sessionName,
  sessionRest: padding(sessionBlock.size - sessionName.size),
};
const nameless = { session: padding(sessionBlock.size) };
const domained = { domain: nested(domainBlock) };
const domainless = { domain: padding(domainBlock.size) };

/** Which session, all its domains. */
const session = { ...named, ...domainless };
/** Which domain of which session. */
const sessionDomain = { ...named, ...domained };
/** Which tracer. */
const domain = { ...nameless, ...domained };
/** No session that exists yet. */
const nobody = { ...nameless, ...domainless };

const channelName = text(limits.SYMBOL_NAME_BYTES);

/** What requests say of their own, in the union that all of them have. */
const union = {
  channel: { channelLength: lengthOf("channel") },
  event: { channelName, eventLength: lengthOf("event") },
  context: { channelName, contextLength: lengthOf("context") },
  channelName: { channelName },
  path: { path: text(limits.PATH_BYTES) },
  uris: { uriCount: lengthOf("uris") },
  snapshotOutput: { output: nested(snapshotOutput) },
  snapshotRecord: {
    /** What the C client calls "wait": ignored. */
    wait: constant(u32, 0),
    output: nested(snapshotOutput),
  },
  save: {
    sessionToSave: sessionName,
    url: text(limits.PATH_BYTES),
    overwrite: bool8,
    omitName: bool8,
    omitOutput: bool8,
  },
  trackerValue: {
    attribute: i32,
    valueType: i32,
    number: i64,
    nameLength: lengthOf("name"),
  },
  tracker: { attribute: i32 },
  trackerPolicy: { attribute: i32, policy: i32 },
  /** The last session of this name that was destroyed is meant. */
  delivery: { hasEnded: bool8 },
  rotation: { rotationId: u64 },
  schedule: { type: u8, set: bool8, value: u64 },
  create: {
    homeDirectoryLength: lengthOf16("homeDirectory"),
    descriptorLength: lengthOf64("descriptor"),
  },
  none: {},
} as const;

const UNION_ALIGNMENT = 8;

/** The union is as large as its largest member, aligned as C does. */
const UNION_BYTES = Math.ceil(
  Math.max(...Object.values(union).map((fields) => sizeOf(fields))) /
    UNION_ALIGNMENT,
) * UNION_ALIGNMENT;

/** How many file descriptors follow the request; 2.12 does not say. */
function fdCountField(minor: SessiondMinor): Field<number> {
  if (minor >= 13) return u32;
  return { kind: "absent", size: 0, read: () => 0, write: () => {} };
}

// ---- The command table ------------------------------------------------------------

/** A reply without anything after its code. */
const nothing = struct("reply", {});

/** A list whose length is the reply's own header. */
function counted<T>(entry: Struct<T>) {
  return struct(`${entry.name} list`, {
    count: lengthOf("entries"),
    entries: list(entry),
  });
}

function all<T>(entry: Struct<T>) {
  return struct(`${entry.name} list`, { entries: entriesToEnd(entry) });
}

/** Bytes of a list's length, which is the reply's own header. */
const COUNT = u32.size;

/** Declares commands as session daemons of `minor` take them. */
function commandsAt(minor: SessiondMinor) {
  /** Declares one: whom it is about, its part of the union, the rest. */
  function command<W extends Fields, A extends Fields, P extends Fields, R>(
    name: SessiondCommandName,
    [whom, args, payload]: [W, A, P],
    reply: Struct<R>,
    replyHeaderSize = 0,
  ) {
    const number = sessiondCommandNumber(name, minor);
    const request = struct(name, {
      command: constant(u32, number),
      ...whom,
      ...args,
      argumentsRest: padding(UNION_BYTES - sizeOf(args)),
      ...payload,
    });
    return {
      name,
      /** Its number on the wire. */
      number,
      /** Everything that the client sends, but for file descriptors. */
      request,
      /** The reply's own header and what follows it, as one. */
      reply,
      /** Bytes of `reply` that its header size counts. */
      replyHeaderSize,
    };
  }
  /** What ends every request without file descriptors. */
  const end = { fdCount: constant(fdCountField(minor), 0) };
  return { minor, command, end };
}

/** What the groups of commands are declared with. */
type At = ReturnType<typeof commandsAt>;

/** Whole sessions: made, listed, moved, saved, destroyed. */
function sessionCommands({ minor, command, end }: At) {
  const descriptor = descriptorLayout(minor);
  return {
    CREATE_SESSION_EXT: command("CREATE_SESSION_EXT", [nobody, union.create, {
      ...end,
      /** Where the session daemon is to choose the output; else empty. */
      homeDirectory: cstring({ max: limits.PATH_BYTES, empty: 0 }),
      descriptor: sized(descriptor),
    }], descriptor),
    DESTROY_SESSION: command(
      "DESTROY_SESSION",
      [session, union.none, end],
      destroyReply,
      i32.size,
    ),
    LIST_SESSIONS: command(
      "LIST_SESSIONS",
      [nobody, union.none, end],
      sessionListLayout(minor),
    ),
    REGISTER_CONSUMER: command(
      "REGISTER_CONSUMER",
      [sessionDomain, union.path, end],
      nothing,
    ),
    SAVE_SESSION: command("SAVE_SESSION", [nobody, union.save, end], nothing),
    SET_CONSUMER_URI: command("SET_CONSUMER_URI", [sessionDomain, union.uris, {
      ...end,
      uris: list(uri),
    }], nothing),
    SET_SESSION_SHM_PATH: command(
      "SET_SESSION_SHM_PATH",
      [session, union.path, end],
      nothing,
    ),
  };
}

/** Recording, and what has been recorded. */
function stateCommands({ command, end }: At) {
  return {
    START_TRACE: command("START_TRACE", [session, union.none, end], nothing),
    STOP_TRACE: command("STOP_TRACE", [session, union.none, end], nothing),
    DATA_PENDING: command(
      "DATA_PENDING",
      [session, union.none, end],
      struct("DATA_PENDING reply", { pending: bool8 }),
    ),
    SESSION_DELIVERY: command(
      "SESSION_DELIVERY",
      [session, union.delivery, end],
      sessionDelivery,
    ),
    CLEAR_SESSION: command(
      "CLEAR_SESSION",
      [session, union.none, end],
      nothing,
    ),
    REGENERATE_METADATA: command(
      "REGENERATE_METADATA",
      [session, union.none, end],
      nothing,
    ),
    REGENERATE_STATEDUMP: command(
      "REGENERATE_STATEDUMP",
      [session, union.none, end],
      nothing,
    ),
    ROTATE_SESSION: command(
      "ROTATE_SESSION",
      [session, union.none, end],
      struct("ROTATE_SESSION reply", { rotationId: u64 }),
    ),
    ROTATION_GET_INFO: command(
      "ROTATION_GET_INFO",
      [session, union.rotation, end],
      rotationInfo,
    ),
    ROTATION_SET_SCHEDULE: command(
      "ROTATION_SET_SCHEDULE",
      [session, union.schedule, end],
      nothing,
    ),
    LIST_ROTATION_SCHEDULES: command(
      "LIST_ROTATION_SCHEDULES",
      [session, union.none, end],
      rotationSchedules,
    ),
  };
}

/** What is recorded, and how. */
function recordingCommands({ minor, command, end }: At) {
  const event = { event: sized(eventBlock) };
  return {
    ADD_CONTEXT: command("ADD_CONTEXT", [sessionDomain, union.context, {
      ...end,
      context: sized(contextBlock),
    }], nothing),
    DISABLE_CHANNEL: command(
      "DISABLE_CHANNEL",
      [sessionDomain, union.channelName, end],
      nothing,
    ),
    DISABLE_EVENT: command("DISABLE_EVENT", [sessionDomain, union.event, {
      ...end,
      ...event,
    }], nothing),
    ENABLE_CHANNEL: command("ENABLE_CHANNEL", [sessionDomain, union.channel, {
      ...end,
      channel: sized(channelLayout(minor)),
    }], nothing),
    ENABLE_EVENT: command("ENABLE_EVENT", [sessionDomain, union.event, {
      /** 1 for a userspace probe, whose opened program follows. */
      fdCount: fdCountField(minor),
      ...event,
    }], nothing),
  };
}

/** What is recorded, and what could be. */
function listCommands({ minor, command, end }: At) {
  const events = counted(eventBlock);
  return {
    LIST_CHANNELS: command(
      "LIST_CHANNELS",
      [sessionDomain, union.none, end],
      counted(channelLayout(minor)),
      COUNT,
    ),
    LIST_DOMAINS: command(
      "LIST_DOMAINS",
      [session, union.none, end],
      all(domainBlock),
    ),
    LIST_EVENTS: command(
      "LIST_EVENTS",
      [sessionDomain, union.channelName, end],
      events,
      COUNT,
    ),
    LIST_SYSCALLS: command(
      "LIST_SYSCALLS",
      [domain, union.none, end],
      events,
      COUNT,
    ),
    LIST_TRACEPOINTS: command(
      "LIST_TRACEPOINTS",
      [domain, union.none, end],
      events,
      COUNT,
    ),
    LIST_TRACEPOINT_FIELDS: command(
      "LIST_TRACEPOINT_FIELDS",
      [domain, union.none, end],
      counted(fieldBlock),
      COUNT,
    ),
  };
}

/** Where snapshots go, and that one is taken. */
function snapshotCommands({ command, end }: At) {
  return {
    SNAPSHOT_ADD_OUTPUT: command(
      "SNAPSHOT_ADD_OUTPUT",
      [session, union.snapshotOutput, end],
      struct("SNAPSHOT_ADD_OUTPUT reply", { id: u32 }),
    ),
    SNAPSHOT_DEL_OUTPUT: command(
      "SNAPSHOT_DEL_OUTPUT",
      [session, union.snapshotOutput, end],
      nothing,
    ),
    SNAPSHOT_LIST_OUTPUT: command(
      "SNAPSHOT_LIST_OUTPUT",
      [session, union.none, end],
      all(snapshotOutput),
    ),
    SNAPSHOT_RECORD: command(
      "SNAPSHOT_RECORD",
      [session, union.snapshotRecord, end],
      nothing,
    ),
  };
}

/** Which processes are traced. */
function trackerCommands({ command, end }: At) {
  const name = cstring({ max: limits.LOGIN_NAME_BYTES, empty: 0 });
  const trackerValue = { ...end, name };
  return {
    TRACKER_ADD_INCLUDE_VALUE: command(
      "TRACKER_ADD_INCLUDE_VALUE",
      [sessionDomain, union.trackerValue, trackerValue],
      nothing,
    ),
    TRACKER_REMOVE_INCLUDE_VALUE: command(
      "TRACKER_REMOVE_INCLUDE_VALUE",
      [sessionDomain, union.trackerValue, trackerValue],
      nothing,
    ),
    TRACKER_GET_POLICY: command(
      "TRACKER_GET_POLICY",
      [sessionDomain, union.tracker, end],
      struct("TRACKER_GET_POLICY reply", { policy: u32 }),
    ),
    TRACKER_SET_POLICY: command(
      "TRACKER_SET_POLICY",
      [sessionDomain, union.trackerPolicy, end],
      nothing,
    ),
    TRACKER_GET_INCLUSION_SET: command(
      "TRACKER_GET_INCLUSION_SET",
      [sessionDomain, union.tracker, end],
      inclusionSet,
    ),
  };
}

/** The commands as session daemons of `minor` take them. */
export function sessiondCommands(minor: SessiondMinor) {
  const at = commandsAt(minor);
  return {
    ...sessionCommands(at),
    ...stateCommands(at),
    ...recordingCommands(at),
    ...listCommands(at),
    ...snapshotCommands(at),
    ...trackerCommands(at),
  };
}

/** The commands of one minor version. */
export type SessiondCommands = ReturnType<typeof sessiondCommands>;

/** What a command asks. */
export type SessiondRequest<N extends SessiondCommandName> =
  SessiondCommands[N]["request"] extends Struct<infer T> ? T : never;

/** What a command is answered with. */
export type SessiondReply<N extends SessiondCommandName> =
  SessiondCommands[N]["reply"] extends Struct<infer T> ? T : never;
