/** What is asked and told of channels, event rules and instrumentation points. */

import {
  type ChannelBlock,
  type EventBlock,
  EventFlag,
  type FieldBlock,
  LogLevelType,
  LossMode,
  UserspaceProbeType,
} from "../wire/sessiond/recording.ts";
import {
  type BufferingScheme,
  type ChannelOutputName,
  type DomainName,
  type EventLossMode,
  type EventTypeName,
  eventTypeNames,
  type FieldTypeName,
  fieldTypeNames,
  lookupNames,
  lossNames,
  nameOf,
  outputNames,
  type ProbeLookupName,
} from "./names.ts";

/** A tracer that a session uses. */
export interface DomainInfo {
  readonly type: DomainName;
  readonly bufferType: BufferingScheme;
}

/** A channel, as its session daemon lists it. */
export interface ChannelInfo {
  readonly name: string;
  readonly enabled: boolean;
  readonly eventLossMode: EventLossMode;
  /** Bytes. */
  readonly subBufferSize: number;
  readonly subBufferCount: number;
  /** Microseconds; 0 for never. */
  readonly switchTimerInterval: number;
  /** Microseconds; 0 for never. */
  readonly readTimerInterval: number;
  /** Microseconds; 0 for never. */
  readonly monitorTimerInterval: number;
  /** Microseconds; 0 where the session is not live. */
  readonly liveTimerInterval: number;
  /** Microseconds; `Infinity` for ever. */
  readonly blockingTimeout: number;
  readonly output: ChannelOutputName;
  /** Bytes; 0 for one file without a bound. */
  readonly traceFileSize: number;
  /** 0 for as many as it takes. */
  readonly traceFileCount: number;
  readonly discardedEvents: bigint;
  readonly lostPackets: bigint;
}

/** A channel to be enabled; what is not told is as LTTng's defaults say. */
export interface ChannelAttributes {
  readonly name: string;
  /** Whom its buffers belong to. */
  readonly bufferType?: BufferingScheme | undefined;
  /** Unset, `discard`, but in snapshot sessions `overwrite`. */
  readonly eventLossMode?: EventLossMode | undefined;
  /** Bytes: a power of two, at least a page. */
  readonly subBufferSize?: number | undefined;
  /** A power of two. */
  readonly subBufferCount?: number | undefined;
  /** Microseconds; 0 for never. */
  readonly switchTimerInterval?: number | undefined;
  /** Microseconds; 0 for never. */
  readonly readTimerInterval?: number | undefined;
  /** Microseconds; 0 for never. */
  readonly monitorTimerInterval?: number | undefined;
  /** Microseconds that applications wait for room; `Infinity` for ever. */
  readonly blockingTimeout?: number | undefined;
  readonly output?: ChannelOutputName | undefined;
  /** Bytes; 0 for one file without a bound. */
  readonly traceFileSize?: number | undefined;
  readonly traceFileCount?: number | undefined;
}

/** Which log levels an event rule takes. */
export interface LogLevelRule {
  /** At least as severe as `level`, or `level` alone. */
  readonly type: "range" | "single";
  readonly level: number;
}

/** Where a kernel probe is: an address, or a symbol and an offset. */
export interface KernelProbe {
  readonly address?: bigint | undefined;
  readonly symbol?: string | undefined;
  readonly offset?: bigint | undefined;
}

/** Where a userspace probe is: a function, or a provider's probe. */
export type UserspaceProbeLocation =
  & {
    /** Absolute path of the program. */
    readonly path: string;
    readonly lookup?: ProbeLookupName | undefined;
  }
  & (
    | { readonly functionName: string }
    | { readonly providerName: string; readonly probeName: string }
  );

/** An event rule to be enabled. */
export interface EventRule {
  /** A name, or a pattern. @default {"*"} */
  readonly name?: string | undefined;
  /** @default {"tracepoint"} */
  readonly type?: EventTypeName | undefined;
  /** Unset, all of them. */
  readonly logLevel?: LogLevelRule | undefined;
  /** See `lttng-enable-event(1)`. */
  readonly filter?: string | undefined;
  /** Names and patterns that `name` shall not match. */
  readonly exclusions?: readonly string[] | undefined;
  /** Of types `probe` and `function`. */
  readonly probe?: KernelProbe | undefined;
  /** Symbol, of type `function-entry`. */
  readonly functionEntry?: string | undefined;
  /** Of type `userspace-probe`. */
  readonly userspaceProbe?: UserspaceProbeLocation | undefined;
  /** Whom the buffers of a channel belong to that is created on the way. */
  readonly bufferType?: BufferingScheme | undefined;
}

/** An event rule, as its session daemon lists it. */
export interface EventInfo {
  readonly name: string;
  readonly type: EventTypeName;
  readonly enabled: boolean;
  /** Unset, all of them. */
  readonly logLevel: LogLevelRule | undefined;
  readonly filter: string | undefined;
  readonly exclusions: readonly string[];
  readonly probe: KernelProbe | undefined;
  readonly functionEntry: string | undefined;
  readonly userspaceProbe: UserspaceProbeLocation | undefined;
}

/** An instrumentation point: a tracepoint, a logger, a system call. */
export interface InstrumentationPoint {
  readonly name: string;
  readonly type: EventTypeName;
  /** Process id of the application that has it; 0 for the kernel. */
  readonly pid: number;
  readonly logLevel: number;
  /** Of system calls: of 32-bit programs, of 64-bit programs. */
  readonly syscall32: boolean;
  readonly syscall64: boolean;
}

/** A field of a tracepoint. */
export interface TracepointField {
  readonly event: InstrumentationPoint;
  /** Empty for the only entry of a tracepoint without fields. */
  readonly name: string;
  readonly type: FieldTypeName;
  /** It can be filtered by but is not recorded. */
  readonly notWritten: boolean;
}

/** A channel in this API's words. */
export function channelInfo(channel: ChannelBlock): ChannelInfo {
  const { name, enabled, discardedEvents, lostPackets } = channel;
  const { switchTimerInterval, readTimerInterval, liveTimerInterval } = channel;
  return {
    ...{ name, enabled, discardedEvents, lostPackets },
    ...{ switchTimerInterval, readTimerInterval, liveTimerInterval },
    eventLossMode: channel.overwrite === LossMode.DEFAULT
      ? "discard"
      : nameOf(lossNames, channel.overwrite, "event-loss mode"),
    subBufferSize: Number(channel.subBufferSize),
    subBufferCount: Number(channel.subBufferCount),
    monitorTimerInterval: Number(channel.monitorTimerInterval),
    blockingTimeout: channel.blockingTimeout < 0n
      ? Infinity
      : Number(channel.blockingTimeout),
    output: nameOf(outputNames, channel.output, "channel output"),
    traceFileSize: Number(channel.traceFileSize),
    traceFileCount: Number(channel.traceFileCount),
  };
}

/** An event rule in this API's words. */
export function eventInfo(event: EventBlock): EventInfo {
  const { name, logLevel, userspaceProbe } = event;
  const levelType = event.logLevelType;
  return {
    name,
    type: nameOf(eventTypeNames, event.type, "event type"),
    enabled: event.enabled === 1,
    logLevel: levelType === LogLevelType.ALL ? undefined : {
      type: levelType === LogLevelType.SINGLE ? "single" : "range",
      level: logLevel,
    },
    filter: event.filter === "" ? undefined : event.filter,
    exclusions: event.exclusions.map(({ name }) => name),
    probe: event.probe,
    functionEntry: event.functionEntry?.symbol,
    userspaceProbe: userspaceProbe && {
      path: userspaceProbe.path,
      lookup: nameOf(lookupNames, userspaceProbe.lookup, "probe lookup"),
      ...(userspaceProbe.type === UserspaceProbeType.FUNCTION
        ? { functionName: userspaceProbe.functionName }
        : {
          providerName: userspaceProbe.providerName,
          probeName: userspaceProbe.probeName,
        }),
    },
  };
}

/** An instrumentation point in this API's words. */
export function instrumentationPoint(event: EventBlock): InstrumentationPoint {
  const { name, pid, logLevel, flags } = event;
  return {
    name,
    type: nameOf(eventTypeNames, event.type, "event type"),
    pid,
    logLevel,
    syscall32: (flags & EventFlag.SYSCALL_32) !== 0,
    syscall64: (flags & EventFlag.SYSCALL_64) !== 0,
  };
}

/** A field in this API's words. */
export function tracepointField(field: FieldBlock): TracepointField {
  const { name, notWritten } = field;
  return {
    event: instrumentationPoint(field.event),
    name,
    type: nameOf(fieldTypeNames, field.type, "field type"),
    notWritten,
  };
}
