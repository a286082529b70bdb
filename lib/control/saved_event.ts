/** Event rules in saved sessions. */

import type { EventTypeName, ProbeLookupName } from "./names.ts";
import type {
  EventInfo,
  KernelProbe,
  LogLevelRule,
  UserspaceProbeLocation,
} from "./recording_types.ts";
import { childText, elementsAt, knownWord, type XmlElement } from "./xml.ts";

const eventTypes: Readonly<Record<string, EventTypeName>> = {
  ...{ ALL: "all", TRACEPOINT: "tracepoint", NOOP: "noop" },
  ...{ PROBE: "probe", KPROBE: "probe" },
  ...{ FUNCTION: "function", KRETPROBE: "function" },
  ...{ FUNCTION_ENTRY: "function-entry", SYSCALL: "syscall" },
  USERSPACE_PROBE: "userspace-probe",
};

/** The event rule that an `event` element tells of. */
export function savedEvent(event: XmlElement): EventInfo {
  const [attributes] = elementsAt(event, "attributes");
  const first = attributes?.children[0];
  return {
    name: childText(event, "name") ?? "*",
    type: knownWord(eventTypes, childText(event, "type")),
    enabled: childText(event, "enabled") === "true",
    logLevel: savedLogLevel(event),
    filter: childText(event, "filter"),
    exclusions: elementsAt(event, "exclusions", "exclusion")
      .map(({ text }) => text),
    probe: first?.name === "probe_attributes" ? savedProbe(first) : undefined,
    functionEntry: first?.name === "function_attributes"
      ? childText(first, "symbol_name")
      : undefined,
    userspaceProbe: first === undefined
      ? undefined
      : savedUserspaceProbe(first),
  };
}

function savedLogLevel(event: XmlElement): LogLevelRule | undefined {
  const type = childText(event, "loglevel_type");
  const level = Number(childText(event, "loglevel") ?? 0);
  if (type === "RANGE") return { type: "range", level };
  return type === "SINGLE" ? { type: "single", level } : undefined;
}

function savedProbe(attributes: XmlElement): KernelProbe {
  return {
    symbol: childText(attributes, "symbol_name") ?? "",
    address: BigInt(childText(attributes, "address") ?? 0),
    offset: BigInt(childText(attributes, "offset") ?? 0),
  };
}

function savedUserspaceProbe(
  attributes: XmlElement,
): UserspaceProbeLocation | undefined {
  const path = childText(attributes, "binary_path");
  if (path === undefined) return undefined;
  const method = childText(attributes, "lookup_method") ?? "DEFAULT";
  const lookup: ProbeLookupName = method.includes("ELF")
    ? "elf"
    : method.includes("SDT")
    ? "sdt"
    : "default";
  const functionName = childText(attributes, "function_name");
  return functionName !== undefined ? { path, lookup, functionName } : {
    ...{ path, lookup },
    providerName: childText(attributes, "provider_name") ?? "",
    probeName: childText(attributes, "probe_name") ?? "",
  };
}
