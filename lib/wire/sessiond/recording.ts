/**
 * What is recorded, as it travels between a client and a session daemon:
 * channels, event rules, instrumentation points, context fields
 * (`src/common/{channel,event,event-field,context}.c` upstream).
 */

import * as limits from "../../base/limits.ts";
import { filled, sized, sizedOrAbsent, tagged } from "../compose.ts";
import { i32, i64, i8, lengthOf, u32, u64 } from "../little_endian.ts";
import {
  bool8,
  cstring,
  type Decoded,
  list,
  optional,
  sizedBytes,
  type Struct,
  struct,
  u8,
  WireError,
} from "../struct.ts";
import type { SessiondMinor } from "./version.ts";

// ---- Channels -----------------------------------------------------------------

/** How full ring buffers are treated; -1: as is usual for the session. */
export const LossMode = { DEFAULT: -1, DISCARD: 0, OVERWRITE: 1 } as const;

/** How packets leave the ring buffer. */
export const ChannelOutput = { SPLICE: 0, MMAP: 1 } as const;

const name = cstring({ max: limits.SYMBOL_NAME_BYTES });

const channelStart = {
  nameLength: lengthOf("name"),
  enabled: bool8,
  /** A {@linkcode LossMode}. */
  overwrite: i8,
  /** Bytes. */
  subBufferSize: u64,
  subBufferCount: u64,
  /** Microseconds; 0 for never. */
  switchTimerInterval: u32,
  /** Microseconds; 0 for never. */
  readTimerInterval: u32,
  /** A {@linkcode ChannelOutput}. */
  output: u8,
  /** Bytes; 0 for one file without a bound. */
  traceFileSize: u64,
  traceFileCount: u64,
  /** Microseconds; requests may say anything. */
  liveTimerInterval: u32,
  discardedEvents: u64,
  lostPackets: u64,
  /** Microseconds; 0 for never. */
  monitorTimerInterval: u64,
};

const channel2_12 = struct("channel", {
  ...channelStart,
  blockingTimeout: i64,
  name,
});
const channel2_14 = struct("channel", {
  ...channelStart,
  blockingTimeout: i64,
  allocationPolicy: u8,
  name,
});
const channel2_15 = struct("channel", {
  ...channelStart,
  /** Microseconds. */
  watchdogTimerInterval: optional(u64, 0n, 7),
  /** Microseconds; -1 for ever. */
  blockingTimeout: i64,
  allocationPolicy: u8,
  preallocationPolicy: u8,
  /** Microseconds. */
  reclaimAge: optional(u64, 0n),
  name,
});

/** A channel; what older session daemons lack is 0 or absent. */
export type ChannelBlock = Decoded<typeof channel2_15>;

/** The channel that a session daemon of `minor` takes and gives. */
export function channelLayout(minor: SessiondMinor): Struct<ChannelBlock> {
  const lacking = {
    watchdogTimerInterval: undefined,
    preallocationPolicy: 0,
    reclaimAge: undefined,
  };
  if (minor >= 15) return channel2_15;
  if (minor === 14) return filled(channel2_14, lacking);
  return filled(channel2_12, { ...lacking, allocationPolicy: 0 });
}

// ---- Event rules ----------------------------------------------------------------

/** What an event rule looks at. */
export const EventType = {
  ALL: -1,
  TRACEPOINT: 0,
  PROBE: 1,
  /** A kernel function's entry and return. */
  FUNCTION: 2,
  FUNCTION_ENTRY: 3,
  NOOP: 4,
  SYSCALL: 5,
  USERSPACE_PROBE: 6,
} as const;

/** Which log levels an event rule takes. */
export const LogLevelType = { ALL: 0, RANGE: 1, SINGLE: 2 } as const;

/** Bits of an event's flags. */
export const EventFlag = { SYSCALL_32: 1, SYSCALL_64: 2 } as const;

/** What a userspace probe looks for, and how. */
export const UserspaceProbeType = { FUNCTION: 0, TRACEPOINT: 1 } as const;
export const ProbeLookup = { DEFAULT: 0, ELF: 1, SDT: 2 } as const;

const path = cstring({ max: limits.PATH_BYTES });

/**
 * Where a kernel probe is. The C client writes the address in place of the
 * offset, so what it sends for `symbol+offset` means `symbol`.
 */
const probe = struct("probe", {
  address: u64,
  offset: u64,
  symbolLength: lengthOf("symbol"),
  symbol: name,
});

const functionEntry = struct("function entry", {
  symbolLength: lengthOf("symbol"),
  symbol: name,
});

const probeHead = struct("userspace probe", { type: i8 });

const functionProbe = struct("userspace probe", {
  type: i8,
  functionLength: lengthOf("functionName"),
  pathLength: lengthOf("path"),
  functionName: name,
  path,
  lookup: i8,
});
const tracepointProbe = struct("userspace probe", {
  type: i8,
  probeLength: lengthOf("probeName"),
  providerLength: lengthOf("providerName"),
  pathLength: lengthOf("path"),
  probeName: name,
  providerName: name,
  path,
  lookup: i8,
});

/** Where a userspace probe is: a function, or a provider's probe. */
export interface UserspaceProbe {
  type: number;
  functionName: string;
  probeName: string;
  providerName: string;
  path: string;
  lookup: number;
}

const userspaceProbeLayouts: ReadonlyMap<number, Struct<UserspaceProbe>> =
  new Map([
    [
      UserspaceProbeType.FUNCTION as number,
      filled<UserspaceProbe, Decoded<typeof functionProbe>>(functionProbe, {
        probeName: "",
        providerName: "",
      }),
    ],
    [
      UserspaceProbeType.TRACEPOINT,
      filled<UserspaceProbe, Decoded<typeof tracepointProbe>>(
        tracepointProbe,
        { functionName: "" },
      ),
    ],
  ]);

const userspaceProbe = tagged<{ type: number }, UserspaceProbe>(
  "userspace probe",
  probeHead,
  ({ type }) => {
    const layout = userspaceProbeLayouts.get(type);
    if (layout !== undefined) return layout;
    throw new WireError("userspace probe.type", `${type} is unknown`);
  },
);

const exclusion = struct("exclusion", {
  nameLength: lengthOf("name"),
  name,
});

/** An event rule, or an instrumentation point in a list. */
export const eventBlock = struct("event", {
  /** An {@linkcode EventType}. */
  type: i8,
  /** A {@linkcode LogLevelType}. */
  logLevelType: i8,
  logLevel: i32,
  /** 0 in requests; -1 in lists of instrumentation points. */
  enabled: i8,
  /** Whose instrumentation point it is; 0 for rules. */
  pid: i32,
  /** {@linkcode EventFlag}s. */
  flags: u32,
  nameLength: lengthOf("name"),
  exclusionCount: lengthOf("exclusions"),
  filterLength: lengthOf("filter"),
  bytecodeLength: lengthOf("bytecode"),
  userspaceProbeLength: lengthOf("userspaceProbe"),
  probeLength: lengthOf("probe"),
  functionEntryLength: lengthOf("functionEntry"),
  name,
  exclusions: list(exclusion),
  filter: cstring({ max: limits.FILTER_BYTES, empty: 0 }),
  /** Empty exactly where `filter` is, in requests; empty in lists. */
  bytecode: sizedBytes(limits.FILTER_BYTES),
  userspaceProbe: sizedOrAbsent(userspaceProbe),
  probe: sizedOrAbsent(probe),
  functionEntry: sizedOrAbsent(functionEntry),
});

/** An event rule, or an instrumentation point in a list. */
export type EventBlock = Decoded<typeof eventBlock>;

// ---- Fields ---------------------------------------------------------------------

/** What a tracepoint's field holds. */
export const FieldType = {
  OTHER: 0,
  INTEGER: 1,
  ENUM: 2,
  FLOAT: 3,
  STRING: 4,
} as const;

/** A field of a tracepoint; one without a name where there are none. */
export const fieldBlock = struct("field", {
  /** A {@linkcode FieldType}. */
  type: u8,
  notWritten: bool8,
  nameLength: lengthOf("name"),
  eventLength: lengthOf("event"),
  name,
  event: sized(eventBlock),
});

/** A field of a tracepoint. */
export type FieldBlock = Decoded<typeof fieldBlock>;

// ---- Context fields -------------------------------------------------------------

/** Context types that carry more than their number. */
export const ContextType = {
  PERF: 1,
  PERF_CPU: 13,
  PERF_THREAD: 14,
  APPLICATION: 15,
} as const;

const contextHead = struct("context", { type: u32 });

/** A context field to be added. */
export interface ContextBlock {
  type: number;
  /** Performance counters alone. */
  counterType: number;
  counterConfig: bigint;
  counterName: string;
  /** Application contexts alone. */
  provider: string;
  name: string;
}

const plainContext = struct("context", { type: u32 });
const perfContext = struct("context", {
  type: u32,
  counterType: u32,
  counterConfig: u64,
  counterNameLength: lengthOf("counterName"),
  counterName: name,
});
const applicationContext = struct("context", {
  type: u32,
  providerLength: lengthOf("provider"),
  nameLength: lengthOf("name"),
  provider: name,
  name,
});

const noCounter = { counterType: 0, counterConfig: 0n, counterName: "" };
const noApplication = { provider: "", name: "" };
const plain: Struct<ContextBlock> = filled(plainContext, {
  ...noCounter,
  ...noApplication,
});
const perf: Struct<ContextBlock> = filled(perfContext, noApplication);
const application: Struct<ContextBlock> = filled(applicationContext, noCounter);

/** A context field: its type chooses what follows. */
export const contextBlock = tagged<{ type: number }, ContextBlock>(
  "context",
  contextHead,
  ({ type }) => {
    switch (type) {
      case ContextType.PERF:
      case ContextType.PERF_CPU:
      case ContextType.PERF_THREAD:
        return perf;
      case ContextType.APPLICATION:
        return application;
      default:
        return plain;
    }
  },
);
