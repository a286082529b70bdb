/** Event rules and instrumentation points as lines of `lttng list`. */

import type {
  InstrumentationPoint,
  KernelProbe,
  UserspaceProbeLocation,
} from "../../control/recording_types.ts";
import type { Domain } from "../lttng/common_options.ts";
import type { Console } from "../lttng/console.ts";
import { logLevelName } from "../event_rules/log_levels.ts";
import type { ReportedEvent } from "../lttng/recording_report.ts";

/** An event as it is listed; `enabled` is unknown for what is no rule. */
export type ListedEvent = Omit<ReportedEvent, "enabled"> & {
  readonly enabled: boolean | undefined;
  /** Of system calls: of programs with how many bits. */
  readonly bits?: string;
};

/** An instrumentation point as it is listed. */
export function listedPoint(point: InstrumentationPoint): ListedEvent {
  const { name, type, logLevel, syscall32, syscall64 } = point;
  const bits = syscall32
    ? (syscall64 ? " [32/64-bit]" : " [32-bit]")
    : syscall64
    ? " [64-bit]"
    : "";
  return { name, type, enabled: undefined, level: logLevel, bits };
}

/** Prints an event rule or an instrumentation point. */
export function printEvent(
  say: Console,
  event: ListedEvent,
  domain: Domain,
  isSyscallList = false,
): void {
  const state = enabledText(event.enabled);
  const filter = filterText(event.filter);
  const name = `      ${event.name}`;
  switch (event.type) {
    case "tracepoint":
      say.message(
        `${name}${levelText(event, domain)} (type: tracepoint)${state}` +
          `${exclusionText(event.exclusions)}${filter}`,
      );
      return;
    case "function":
    case "probe":
      say.message(`${name} (type: ${event.type})${state}${filter}`);
      printProbe(say, event.probe ?? {});
      return;
    case "function-entry":
      say.message(`${name} (type: function)${state}${filter}`);
      say.message(`        symbol: "${event.functionEntry ?? ""}"`);
      return;
    case "syscall":
      say.message(
        `${name}${isSyscallList ? "" : " (type:syscall)"}${state}` +
          `${event.bits ?? ""}${filter}`,
      );
      return;
    case "userspace-probe":
      if (event.userspaceProbe === undefined) {
        say.message("Event has no userspace probe location");
        return;
      }
      say.message(`${name} (type: userspace-probe)${state}`);
      printUserspaceProbe(say, event.userspaceProbe);
      return;
    case "noop":
      say.message(`       (type: noop)${state}${filter}`);
      return;
    case "all":
      say.message(`${name} (type: all)${state}${filter}`);
  }
}

/** Prints a rule of an agent. */
export function printAgentEvent(
  say: Console,
  event: ReportedEvent,
  domain: Domain,
): void {
  const { name, logLevel } = event;
  const level = logLevel === undefined
    ? ""
    : ` (loglevel${comparison(event)} ${logLevelName(domain, logLevel.level)})`;
  say.message(
    `    - ${name}${enabledText(event.enabled)}${level}` +
      filterText(event.filter),
  );
}

function levelText(event: ListedEvent, domain: Domain): string {
  const level = event.logLevel?.level ?? event.level ?? -1;
  if (level === -1) return "";
  const name = logLevelName(domain, level);
  return ` (loglevel${comparison(event)} ${name} (${level}))`;
}

function comparison({ logLevel }: Pick<ListedEvent, "logLevel">): string {
  if (logLevel === undefined) return ":";
  return logLevel.type === "range" ? " <=" : " ==";
}

function enabledText(enabled: boolean | undefined): string {
  if (enabled === undefined) return "";
  return enabled ? " [enabled]" : " [disabled]";
}

function filterText(filter: string | undefined): string {
  return filter === undefined ? "" : ` [filter: '${filter}']`;
}

function exclusionText(exclusions: readonly string[] = []): string {
  if (exclusions.length === 0) return "";
  return ` [exclusions: ${exclusions.join(",")}]`;
}

function printProbe(say: Console, probe: KernelProbe): void {
  const { address = 0n, offset = 0n, symbol = "" } = probe;
  if (address !== 0n) {
    say.message(`        addr: 0x${address.toString(16)}`);
    return;
  }
  say.message(`        offset: 0x${offset.toString(16)}`);
  say.message(`        symbol: ${symbol}`);
}

function printUserspaceProbe(
  say: Console,
  probe: UserspaceProbeLocation,
): void {
  const path = realPath(probe.path) ?? "NULL";
  const isFunction = "functionName" in probe;
  say.message(`        Type: ${isFunction ? "Function" : "Tracepoint"}`);
  say.message(`        Binary path:   ${path}`);
  say.message(
    isFunction
      ? `        Function:      ${probe.functionName}()`
      : `        Tracepoint:    ${probe.providerName}:${probe.probeName}`,
  );
  const { lookup = "default" } = probe;
  const method = lookup === "default" ? lookup : lookup.toUpperCase();
  say.message(`        Lookup method: ${method}`);
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
