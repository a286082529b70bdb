/**
 * What becomes of a session's trace, as it travels between a client and a
 * session daemon: archives, rotations, snapshots, process trackers
 * (`src/common/{location,rotation,snapshot,tracker}.c` upstream).
 */

import * as limits from "../../base/limits.ts";
import { filled, padding, restOrAbsent, tagged } from "../compose.ts";
import { i32, i64, i8, lengthOf, u16, u32, u64 } from "../little_endian.ts";
import {
  cstring,
  type Decoded,
  list,
  optional,
  type Struct,
  struct,
  text,
  WireError,
} from "../struct.ts";

// ---- Archives -------------------------------------------------------------------

/** Where a trace archive is. */
export const LocationType = { LOCAL: 1, RELAY: 2 } as const;

/** Where a trace archive is; what its type lacks is empty or 0. */
export interface ArchiveLocation {
  /** A {@linkcode LocationType}. */
  type: number;
  /** Absolute, or below the relay daemon's own directory. */
  path: string;
  hostname: string;
  /** 0 for TCP. */
  protocol: number;
  controlPort: number;
  dataPort: number;
}

const notRelay = { hostname: "", protocol: 0, controlPort: 0, dataPort: 0 };

const path = cstring({ max: limits.PATH_BYTES });

const relayLocation = struct("archive location", {
  type: i8,
  hostnameLength: lengthOf("hostname"),
  protocol: i8,
  controlPort: u16,
  dataPort: u16,
  pathLength: lengthOf("path"),
  hostname: cstring({ max: limits.HOSTNAME_BYTES }),
  path,
});
const localStart = { type: i8, pathLength: lengthOf("path") };
const localLocation = struct("archive location", {
  ...localStart,
  /** Whatever the session daemon had on its stack. */
  rest: padding(relayLocation.size - struct("", localStart).size),
  path,
});

const local: Struct<ArchiveLocation> = filled(localLocation, notRelay);

/** Where a trace archive is, in the reply to DESTROY_SESSION. */
export const archiveLocation = tagged<{ type: number }, ArchiveLocation>(
  "archive location",
  struct("archive location", { type: i8 }),
  ({ type }) => {
    if (type === LocationType.LOCAL) return local;
    if (type === LocationType.RELAY) return relayLocation;
    throw new WireError("archive location.type", `${type} is unknown`);
  },
);

/** How far a rotation has come. */
export const RotationState = {
  NO_ROTATION: 0,
  ONGOING: 1,
  COMPLETED: 2,
  EXPIRED: 3,
  ERROR: -1,
} as const;

/** The reply to DESTROY_SESSION: the state is its header. */
export const destroyReply = struct("DESTROY_SESSION reply", {
  rotationState: i32,
  location: restOrAbsent(archiveLocation),
});

// ---- Rotations ------------------------------------------------------------------

const infoHead = { rotationState: i32, type: i8 };
const relayInfo = struct("ROTATION_GET_INFO reply", {
  ...infoHead,
  hostname: text(limits.HOSTNAME_BYTES),
  protocol: i8,
  controlPort: u16,
  dataPort: u16,
  path: text(limits.PATH_BYTES),
});
const infoHeadBytes = struct("", infoHead).size;
const localInfo = struct("ROTATION_GET_INFO reply", {
  ...infoHead,
  path: text(limits.PATH_BYTES),
  rest: padding(relayInfo.size - infoHeadBytes - limits.PATH_BYTES),
});
const otherInfo = struct("ROTATION_GET_INFO reply", {
  ...infoHead,
  rest: padding(relayInfo.size - infoHeadBytes),
});

/** How far a rotation has come; the location tells something once COMPLETED. */
export interface RotationInfo extends ArchiveLocation {
  /** A {@linkcode RotationState}. */
  rotationState: number;
}

const infoLocal: Struct<RotationInfo> = filled(localInfo, notRelay);
const infoOther: Struct<RotationInfo> = filled(otherInfo, {
  ...notRelay,
  path: "",
});

/** The reply to ROTATION_GET_INFO. */
export const rotationInfo = tagged<
  { rotationState: number; type: number },
  RotationInfo
>(
  "ROTATION_GET_INFO reply",
  struct("ROTATION_GET_INFO reply", infoHead),
  ({ rotationState, type }) => {
    if (rotationState !== RotationState.COMPLETED) return infoOther;
    if (type === LocationType.LOCAL) return infoLocal;
    if (type === LocationType.RELAY) return relayInfo;
    throw new WireError("ROTATION_GET_INFO reply.type", `${type} is unknown`);
  },
);

/** What makes a session rotate by itself. */
export const ScheduleType = { SIZE: 0, PERIODIC: 1 } as const;

/** The reply to LIST_ROTATION_SCHEDULES. */
export const rotationSchedules = struct("LIST_ROTATION_SCHEDULES reply", {
  /** Microseconds. */
  periodic: optional(u64, 0n),
  /** Bytes. */
  size: optional(u64, 0n),
});

// ---- Snapshots ------------------------------------------------------------------

/** "No bound" in requests; lists say 0. */
export const SNAPSHOT_SIZE_UNSET = 0xFFFF_FFFF_FFFF_FFFFn;

/** Where snapshots go. */
export const snapshotOutput = struct("snapshot output", {
  /** 0 where the session daemon is to choose. */
  id: u32,
  /** Bytes of one snapshot. */
  maximumSize: u64,
  name: text(limits.SESSION_NAME_BYTES),
  /** The only URL, unless control and data are apart. */
  controlUrl: text(limits.PATH_BYTES),
  dataUrl: text(limits.PATH_BYTES),
});

/** Where snapshots go. */
export type SnapshotOutputBlock = Decoded<typeof snapshotOutput>;

// ---- Process attribute trackers ---------------------------------------------------

/** What a tracker looks at. */
export const ProcessAttribute = {
  PID: 0,
  VPID: 1,
  UID: 2,
  VUID: 3,
  GID: 4,
  VGID: 5,
} as const;

/** Which processes are traced. */
export const TrackingPolicy = {
  INCLUDE_ALL: 0,
  EXCLUDE_ALL: 1,
  INCLUDE_SET: 2,
} as const;

/** What a value of an inclusion set is. */
export const ProcessValueType = {
  PID: 0,
  UID: 1,
  USER_NAME: 2,
  GID: 3,
  GROUP_NAME: 4,
} as const;

/** A value of an inclusion set: a number, or a name where the type says so. */
export interface ProcessValue {
  /** A {@linkcode ProcessValueType}. */
  type: number;
  number: bigint;
  name: string;
}

const numberValue: Struct<ProcessValue> = filled(
  struct("process attribute value", { type: i32, number: i64 }),
  { name: "" },
);
const nameValue: Struct<ProcessValue> = filled(
  struct("process attribute value", {
    type: i32,
    nameLength: lengthOf("name"),
    rest: padding(4),
    name: cstring({ max: limits.LOGIN_NAME_BYTES }),
  }),
  { number: 0n },
);

/** Whether values of this type are names. */
export function isNameType(type: number): boolean {
  return type === ProcessValueType.USER_NAME ||
    type === ProcessValueType.GROUP_NAME;
}

const processValue: Struct<ProcessValue> = tagged<
  { type: number },
  ProcessValue
>(
  "process attribute value",
  struct("process attribute value", { type: i32 }),
  ({ type }) => isNameType(type) ? nameValue : numberValue,
);

/** The reply to TRACKER_GET_INCLUSION_SET. */
export const inclusionSet = struct("TRACKER_GET_INCLUSION_SET reply", {
  count: lengthOf("values"),
  values: list(processValue),
});
