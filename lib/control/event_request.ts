/** Puts channels and event rules into the form that a session daemon takes. */

import {
  type ChannelBlock,
  type EventBlock,
  EventType,
  LogLevelType,
  LossMode,
  ProbeLookup,
  type UserspaceProbe,
  UserspaceProbeType,
} from "../wire/sessiond/recording.ts";
import type { SessiondMinor } from "../wire/sessiond/version.ts";
import { controlError } from "./errors.ts";
import { compileFilter } from "./filter/compile.ts";
import {
  type BufferingScheme,
  type DomainName,
  type EventTypeName,
  eventTypeNames,
  isAgent,
  lookupNames,
  lossNames,
  outputNames,
} from "./names.ts";
import type {
  ChannelAttributes,
  EventRule,
  KernelProbe,
  LogLevelRule,
  UserspaceProbeLocation,
} from "./recording_types.ts";

/** What a client says of the live timer, which is the session's. */
const LIVE_TIMER_UNSET = 0xFFFF_FFFF;

/** LTTng's defaults for channels: sizes in bytes, times in microseconds. */
const defaults = {
  global: { subBufferSize: 1_048_576, readTimerInterval: 200_000 },
  "per-uid": { subBufferSize: 524_288, readTimerInterval: 0 },
  "per-pid": { subBufferSize: 16_384, readTimerInterval: 0 },
} as const;
const DEFAULT_SUB_BUFFER_COUNT = 4;
const DEFAULT_MONITOR_TIMER_INTERVAL = 1_000_000;

/** Whom the buffers of a domain belong to, unless told otherwise. */
export function defaultBufferType(domain: DomainName): BufferingScheme {
  return domain === "kernel" ? "global" : "per-uid";
}

/** A channel with all that its attributes leave open. */
export function channelBlock(
  domain: DomainName,
  attributes: ChannelAttributes,
): ChannelBlock {
  const { bufferType = defaultBufferType(domain) } = attributes;
  const usual = defaults[bufferType];
  const { output = domain === "kernel" ? "splice" : "mmap" } = attributes;
  const { name, eventLossMode, switchTimerInterval = 0 } = attributes;
  const { blockingTimeout = 0 } = attributes;
  return {
    name,
    enabled: true,
    overwrite: eventLossMode === undefined
      ? LossMode.DEFAULT
      : lossNames[eventLossMode],
    subBufferSize: bytes(attributes.subBufferSize ?? usual.subBufferSize),
    subBufferCount: bytes(
      attributes.subBufferCount ?? DEFAULT_SUB_BUFFER_COUNT,
    ),
    switchTimerInterval,
    readTimerInterval: attributes.readTimerInterval ?? usual.readTimerInterval,
    output: outputNames[output],
    traceFileSize: bytes(attributes.traceFileSize ?? 0),
    traceFileCount: bytes(attributes.traceFileCount ?? 0),
    liveTimerInterval: LIVE_TIMER_UNSET,
    discardedEvents: 0n,
    lostPackets: 0n,
    monitorTimerInterval: bytes(
      attributes.monitorTimerInterval ?? DEFAULT_MONITOR_TIMER_INTERVAL,
    ),
    blockingTimeout: blockingTimeout === Infinity
      ? -1n
      : bytes(blockingTimeout),
    ...{ watchdogTimerInterval: undefined, reclaimAge: undefined },
    ...{ allocationPolicy: 0, preallocationPolicy: 0 },
  };
}

/** A whole number as the wire has it. */
function bytes(value: number): bigint {
  if (Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw controlError("INVALID", `${value} is not a whole number`);
}

/** The log level of agents' rules that take all: the least severe. */
const agentLevels: Readonly<Partial<Record<DomainName, number>>> = {
  jul: -0x8000_0000,
  log4j: -0x8000_0000,
  log4j2: -0x8000_0000,
  python: 10,
};

/** An event rule as it is enabled. */
export function enabledEvent(
  domain: DomainName,
  rule: EventRule,
  minor: SessiondMinor,
): EventBlock {
  if (!isAgent(domain)) return eventWithFilter(domain, rule, minor);
  // Alone first, so that an error points into what was written.
  filterOf(rule.filter, minor);
  const filter = agentFilter(rule.name || "*", rule.filter, rule.logLevel);
  return eventWithFilter(domain, { ...rule, filter }, minor);
}

/** An event rule whose filter, for an agent, says all that the agent needs. */
export function eventWithFilter(
  domain: DomainName,
  rule: EventRule,
  minor: SessiondMinor,
): EventBlock {
  const { type = "tracepoint", logLevel, exclusions = [] } = rule;
  const name = rule.name || "*";
  if (exclusions.length > 0 && domain !== "ust") {
    throw controlError(
      "UNSUPPORTED_DOMAIN",
      "only application events can be excluded",
    );
  }
  const all = domain === "kernel" ? 0 : agentLevels[domain] ?? -1;
  return {
    ...plainEvent(name, eventTypeNames[type]),
    logLevelType: logLevelType(logLevel),
    logLevel: logLevel?.level ?? all,
    exclusions: exclusions.map((name) => ({ name })),
    ...filterOf(rule.filter, minor),
    ...placeOf(type, rule),
  };
}

/** Where the kernel is to look, for the types of rules that say so. */
function placeOf(type: EventTypeName, rule: EventRule) {
  return {
    userspaceProbe: type === "userspace-probe"
      ? userspaceProbe(needed(rule.userspaceProbe, type))
      : undefined,
    probe: type === "probe" || type === "function"
      ? kernelProbe(needed(rule.probe, type))
      : undefined,
    functionEntry: type === "function-entry"
      ? { symbol: needed(rule.functionEntry, type) }
      : undefined,
  };
}

/** An event rule as it is disabled: by its name; without one, all of them. */
export function disabledEvent(
  domain: DomainName,
  name: string,
  type: number,
  minor: SessiondMinor,
): EventBlock {
  // The session daemon finds an agent's rules by the filter they were given.
  const filter = isAgent(domain) ? loggerFilter(name) : undefined;
  return {
    ...plainEvent(name, domain === "kernel" ? type : EventType.ALL),
    ...filterOf(filter, minor),
  };
}

function plainEvent(name: string, type: number): EventBlock {
  return {
    ...{ name, type, logLevelType: LogLevelType.ALL, logLevel: -1 },
    ...{ enabled: 0, pid: 0, flags: 0, exclusions: [], filter: "" },
    ...{ bytecode: new Uint8Array(), userspaceProbe: undefined },
    ...{ probe: undefined, functionEntry: undefined },
  };
}

/** Text and bytecode, which the session daemon wants together or not at all. */
function filterOf(filter: string | undefined, minor: SessiondMinor) {
  if (filter === undefined) return { filter: "", bytecode: new Uint8Array() };
  if (filter === "") throw controlError("INVALID", "the filter is empty");
  return { filter, bytecode: compileFilter(filter, minor) };
}

function loggerFilter(name: string): string {
  return `logger_name == "${name}"`;
}

/** Agents only filter: by the logger's name and by the level. */
function agentFilter(
  name: string,
  filter: string | undefined,
  logLevel: LogLevelRule | undefined,
): string | undefined {
  const named = name === "*" ? undefined : loggerFilter(name);
  const both = filter === undefined
    ? named
    : named === undefined
    ? filter
    : `(${filter}) && (${named})`;
  if (logLevel === undefined) return both;
  const comparison = logLevel.type === "range" ? ">=" : "==";
  const level = `int_loglevel ${comparison} ${logLevel.level}`;
  return both === undefined ? level : `(${both}) && (${level})`;
}

function logLevelType(rule: LogLevelRule | undefined): number {
  if (rule === undefined) return LogLevelType.ALL;
  return rule.type === "range" ? LogLevelType.RANGE : LogLevelType.SINGLE;
}

function needed<T>(value: T | undefined, type: string): T {
  if (value !== undefined) return value;
  throw controlError(
    "INVALID",
    `an event rule of type ${type} needs its place`,
  );
}

function kernelProbe({ address = 0n, symbol = "", offset = 0n }: KernelProbe) {
  return { address, symbol, offset };
}

function userspaceProbe(location: UserspaceProbeLocation): UserspaceProbe {
  const { path } = location;
  const isFunction = "functionName" in location;
  const { lookup = isFunction ? "elf" : "sdt" } = location;
  const base = { path, lookup: lookupNames[lookup] ?? ProbeLookup.DEFAULT };
  return isFunction
    ? {
      ...base,
      type: UserspaceProbeType.FUNCTION,
      functionName: location.functionName,
      ...{ probeName: "", providerName: "" },
    }
    : {
      ...base,
      type: UserspaceProbeType.TRACEPOINT,
      functionName: "",
      probeName: location.probeName,
      providerName: location.providerName,
    };
}
