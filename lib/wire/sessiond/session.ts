/**
 * Sessions as they travel between a client and a session daemon: list entries,
 * destinations, descriptors (`lttng/session.h`, `session-descriptor.c`).
 */

import * as limits from "../../base/limits.ts";
import {
  constant,
  filled,
  lengthOf8,
  nested,
  padding,
  tagged,
} from "../compose.ts";
import { bool32, lengthOf, u16, u32, u64 } from "../little_endian.ts";
import {
  bool8,
  complain,
  cstring,
  type Decoded,
  type Field,
  list,
  type Struct,
  struct,
  text,
  u8,
} from "../struct.ts";
import type { SessiondMinor } from "./version.ts";

// ---- Session blocks -----------------------------------------------------------

/** A session as LIST_SESSIONS tells it; requests fill in the name alone. */
export const sessionBlock = struct("session", {
  name: text(limits.SESSION_NAME_BYTES),
  /** Where its trace goes, for a person; empty where nowhere. */
  path: text(limits.PATH_BYTES),
  beforeEnabled: padding(1),
  /** It is recording. */
  enabled: bool32,
  snapshotMode: bool32,
  /** Microseconds; 0 where the session is not live. */
  liveTimerInterval: u32,
  beforePointer: padding(4),
  pointer: padding(8),
});

const creation = {
  /** Seconds since 1970. */
  creationTime: u64,
  creationTimeSet: bool8,
};
const extension2_12 = struct("session extension", creation);
const extension2_14 = struct("session extension", {
  ...creation,
  /** Where its buffers are; empty for the default. */
  shmPath: text(limits.PATH_BYTES),
});
const extension2_15 = struct("session extension", {
  ...creation,
  shmPath: text(limits.PATH_BYTES),
  traceFormat: u8,
});

/** Trace formats of session daemons since 2.15. */
export const SessiondTraceFormat = { CTF1_8: 0, CTF2: 1 } as const;

/** What LIST_SESSIONS adds to a session block. */
export type SessionExtension = Decoded<typeof extension2_15>;

function extensionLayout(minor: SessiondMinor): Struct<SessionExtension> {
  const traceFormat = SessiondTraceFormat.CTF1_8;
  if (minor >= 15) return extension2_15;
  if (minor === 14) return filled(extension2_14, { traceFormat });
  return filled(extension2_12, { shmPath: "", traceFormat });
}

/** A session with everything that LIST_SESSIONS tells of it. */
export type SessionEntry = Decoded<typeof sessionBlock> & SessionExtension;

/** All session blocks, then all extensions, up to the end. */
function sessionEntries(minor: SessiondMinor): Field<SessionEntry[]> {
  const extension = nested(extensionLayout(minor));
  const block = nested(sessionBlock);
  const each = block.size + extension.size;
  return {
    kind: "session blocks, then as many session extensions",
    size: 0,
    read(s) {
      const left = s.bytes.length - s.offset;
      if (left % each !== 0) complain(`${left} bytes % ${each} is not 0`);
      const count = left / each;
      const blocks = Array.from({ length: count }, () => block.read(s));
      return blocks.map((session) => ({ ...session, ...extension.read(s) }));
    },
    write(t, values) {
      for (const value of values) block.write(t, value);
      for (const value of values) extension.write(t, value);
    },
    measure: (values) => values.length * each,
  };
}

/** The reply to LIST_SESSIONS, newest session first. */
export function sessionListLayout(
  minor: SessiondMinor,
): Struct<{ sessions: SessionEntry[] }> {
  return struct("LIST_SESSIONS reply", { sessions: sessionEntries(minor) });
}

// ---- Domains ------------------------------------------------------------------

/** Which tracer. */
export const DomainType = {
  NONE: 0,
  KERNEL: 1,
  UST: 2,
  JUL: 3,
  LOG4J: 4,
  PYTHON: 5,
  /** Since 2.14. */
  LOG4J2: 6,
} as const;

/** Whom a ring buffer belongs to. */
export const BufferType = { PER_PID: 0, PER_UID: 1, GLOBAL: 2 } as const;

/** Room for attributes that no domain has (`LTTNG_DOMAIN_PADDING2`). */
const DOMAIN_ATTRIBUTES_BYTES = 256 + 32;

/** A domain, in requests and in LIST_DOMAINS. */
export const domainBlock = struct("domain", {
  type: u32,
  bufferType: u32,
  reserved: padding(12),
  attributes: padding(DOMAIN_ATTRIBUTES_BYTES),
});

// ---- Destinations ---------------------------------------------------------------

/** What a destination of {@linkcode uri} is. */
export const DestinationType = { IPV4: 1, IPV6: 2, PATH: 3 } as const;

/** Which of a relay daemon's connections; 0 for a path. */
export const StreamType = { CONTROL: 0, DATA: 1 } as const;

/** How a destination is reached; 0 for a path. */
export const UriProtocol = { NONE: 0, TCP: 1 } as const;

/** One destination (`struct lttng_uri`). */
export const uri = struct("URI", {
  destinationType: u32,
  uriType: constant(u32, 0),
  streamType: u32,
  protocol: u32,
  /** 0 for a path. */
  port: u16,
  /** Below the relay daemon's own directory, without the first `/`. */
  subdirectory: text(limits.PATH_BYTES),
  /** An address without brackets, or an absolute path. */
  destination: text(limits.PATH_BYTES),
});

/** One destination. */
export type Uri = Decoded<typeof uri>;

// ---- Descriptors ----------------------------------------------------------------

/** What kind of session a descriptor asks for. */
export const SessionKind = { REGULAR: 1, SNAPSHOT: 2, LIVE: 3 } as const;

/** Where a descriptor wants the trace. */
export const OutputType = { NONE: 0, LOCAL: 1, NETWORK: 2 } as const;

const descriptorHead = struct("session descriptor", { kind: u8 });

interface DescriptorHead {
  kind: number;
}

/** A session to be created, and how it turned out. */
export interface Descriptor extends DescriptorHead {
  /** An {@linkcode OutputType}. */
  outputType: number;
  /** Since 2.15. */
  traceFormat: number;
  /** Microseconds; 0 unless it is a live session. */
  liveTimer: bigint;
  /** Empty: the session daemon chooses one. */
  name: string;
  /** A path, or control and data, or none. */
  uris: Uri[];
}

const descriptorStart = { kind: u8, outputType: u8 };
const descriptorLengths = {
  nameLength: lengthOf("name"),
  uriCount: lengthOf8("uris"),
};
const descriptorNames = {
  name: cstring({ max: limits.SESSION_NAME_BYTES, empty: 0 }),
  uris: list(uri),
};

const regular2_12 = struct("session descriptor", {
  ...descriptorStart,
  ...descriptorLengths,
  ...descriptorNames,
});
const live2_12 = struct("session descriptor", {
  ...descriptorStart,
  ...descriptorLengths,
  liveTimer: u64,
  ...descriptorNames,
});
const regular2_15 = struct("session descriptor", {
  ...descriptorStart,
  traceFormat: u8,
  ...descriptorLengths,
  ...descriptorNames,
});
const live2_15 = struct("session descriptor", {
  ...descriptorStart,
  traceFormat: u8,
  ...descriptorLengths,
  liveTimer: u64,
  ...descriptorNames,
});

/** The descriptor that a session daemon of `minor` takes. */
export function descriptorLayout(minor: SessiondMinor): Struct<Descriptor> {
  const traceFormat = SessiondTraceFormat.CTF1_8;
  const regular: Struct<Descriptor> = minor >= 15
    ? filled(regular2_15, { liveTimer: 0n })
    : filled(regular2_12, { liveTimer: 0n, traceFormat });
  const live: Struct<Descriptor> = minor >= 15
    ? live2_15
    : filled(live2_12, { traceFormat });
  return tagged<DescriptorHead, Descriptor>(
    "session descriptor",
    descriptorHead,
    ({ kind }) => kind === SessionKind.LIVE ? live : regular,
  );
}
