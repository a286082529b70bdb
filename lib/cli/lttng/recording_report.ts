/** Domains, channels and event rules in reports. */

import type { BufferingScheme, EventTypeName } from "../../control/names.ts";
import type {
  KernelProbe,
  LogLevelRule,
  UserspaceProbeLocation,
} from "../../control/recording_types.ts";
import type { Domain } from "./common_options.ts";
import { defaultLogLevel, logLevelName } from "../event_rules/log_levels.ts";
import type { ReportElement } from "./report.ts";

const BUFFER_TYPES: Readonly<Record<BufferingScheme, string>> = {
  "per-pid": "PER_PID",
  "per-uid": "PER_UID",
  global: "GLOBAL",
};

/** Adds a domain to a report; more may be added to what is returned. */
export function reportDomain(
  domains: ReportElement,
  domain: string,
  bufferType: BufferingScheme,
): ReportElement {
  return domains.add("domain").fields({
    type: domain.toUpperCase(),
    buffer_type: BUFFER_TYPES[bufferType],
  });
}

/** A channel, as reports tell it: what is not known is LTTng's "unset". */
export interface ReportedChannel {
  readonly name: string;
  readonly enabled: boolean;
  readonly overwrite: boolean;
  readonly subBufferSize: number | bigint;
  readonly subBufferCount: number | bigint;
  readonly switchTimerInterval: number;
  readonly readTimerInterval: number;
  readonly monitorTimerInterval: number;
  /** `Infinity` for ever. */
  readonly blockingTimeout: number;
  readonly output: "mmap" | "splice";
  readonly traceFileSize: number | bigint;
  readonly traceFileCount: number | bigint;
  readonly liveTimerInterval: number;
  readonly discardedEvents: bigint;
  readonly lostPackets: bigint;
}

/** Adds a channel to a report; more may be added to what is returned. */
export function reportChannel(
  channels: ReportElement,
  channel: ReportedChannel,
): ReportElement {
  const { name, enabled, blockingTimeout } = channel;
  const element = channels.add("channel").fields({ name, enabled });
  element.add("attributes").fields({
    overwrite_mode: channel.overwrite ? "OVERWRITE" : "DISCARD",
    subbuffer_size: channel.subBufferSize,
    subbuffer_count: channel.subBufferCount,
    switch_timer_interval: channel.switchTimerInterval,
    read_timer_interval: channel.readTimerInterval,
    monitor_timer_interval: channel.monitorTimerInterval,
    blocking_timeout: blockingTimeout === Infinity ? -1 : blockingTimeout,
    output_type: channel.output.toUpperCase(),
    tracefile_size: channel.traceFileSize,
    tracefile_count: channel.traceFileCount,
    live_timer_interval: channel.liveTimerInterval,
    discarded_events: channel.discardedEvents,
    lost_packets: channel.lostPackets,
  });
  return element;
}

/** An event rule or instrumentation point, as reports tell it. */
export interface ReportedEvent {
  readonly name: string;
  readonly type: EventTypeName;
  readonly enabled: boolean;
  readonly filter?: string | undefined;
  readonly exclusions?: readonly string[];
  /** A rule's, or the one level of an instrumentation point. */
  readonly logLevel?: LogLevelRule | undefined;
  readonly level?: number | undefined;
  readonly probe?: KernelProbe | undefined;
  readonly functionEntry?: string | undefined;
  readonly userspaceProbe?: UserspaceProbeLocation | undefined;
}

/** Adds an event to a report; more may be added to what is returned. */
export function reportEvent(
  events: ReportElement,
  event: ReportedEvent,
  domain: Domain,
): ReportElement {
  const { name, enabled } = event;
  const type = event.type.replace("-", "_").toUpperCase();
  const element = events.add("event").fields({
    ...{ name, type, enabled },
    filter_expression: event.filter,
  });
  if (event.type === "tracepoint") reportTracepoint(element, event, domain);
  else if (event.userspaceProbe !== undefined) {
    reportUserspaceProbe(element, event.userspaceProbe);
  } else if (event.probe !== undefined) reportProbe(element, event.probe);
  else if (event.functionEntry !== undefined) {
    element.add("attributes").add("probe_attributes")
      .fields({ symbol_name: event.functionEntry });
  }
  return element;
}

function reportTracepoint(
  element: ReportElement,
  event: ReportedEvent,
  domain: Domain,
): void {
  const { logLevel, exclusions = [] } = event;
  const level = logLevel?.level ?? event.level ?? defaultLogLevel(domain);
  if (level !== -1) {
    element.fields({
      loglevel: logLevelName(domain, level),
      loglevel_type: logLevel?.type.toUpperCase() ?? "ALL",
    });
  }
  const list = element.add("exclusions");
  for (const exclusion of exclusions) list.add("exclusion", exclusion);
}

function reportProbe(element: ReportElement, probe: KernelProbe): void {
  const { address = 0n, offset = 0n, symbol = "" } = probe;
  element.add("attributes").add("probe_attributes").fields(
    address !== 0n ? { address } : { offset, symbol_name: symbol },
  );
}

function reportUserspaceProbe(
  element: ReportElement,
  probe: UserspaceProbeLocation,
): void {
  const { path, lookup = "default" } = probe;
  element.add("attributes").add("userspace_probe_function_attributes").fields({
    lookup_method: lookup.toUpperCase(),
    binary_path: path,
    ...("functionName" in probe
      ? { function_name: probe.functionName }
      : { provider_name: probe.providerName, probe_name: probe.probeName }),
  });
}
