/**
 * Event rules and context fields of a saved session. Only there does a session
 * daemon tell of contexts; and 2.13.5 to 2.13.9 crash when asked to list rules
 * with exclusions, so that those are read from there too.
 */

import type { DomainName, EventTypeName, ProbeLookupName } from "./names.ts";
import type {
  EventInfo,
  KernelProbe,
  LogLevelRule,
  UserspaceProbeLocation,
} from "./recording_types.ts";
import { childText, elementsAt, parseXml, type XmlElement } from "./xml.ts";

/** A channel of a saved session. */
export interface SavedChannel {
  readonly domain: DomainName;
  readonly name: string;
  readonly events: readonly EventInfo[];
  /** As `lttng add-context` has them, performance counters by their own name. */
  readonly contexts: readonly string[];
}

const domains: Readonly<Record<string, DomainName>> = {
  ...{ KERNEL: "kernel", UST: "ust", JUL: "jul", LOG4J: "log4j" },
  ...{ LOG4J2: "log4j2", PYTHON: "python" },
};

const eventTypes: Readonly<Record<string, EventTypeName>> = {
  ...{ ALL: "all", TRACEPOINT: "tracepoint", NOOP: "noop" },
  ...{ PROBE: "probe", KPROBE: "probe" },
  ...{ FUNCTION: "function", KRETPROBE: "function" },
  ...{ FUNCTION_ENTRY: "function-entry", SYSCALL: "syscall" },
  USERSPACE_PROBE: "userspace-probe",
};

/**
 * The channels of the one session in a saved file.
 *
 * @throws {SyntaxError} When the file is none.
 */
export function parseSavedChannels(document: string): SavedChannel[] {
  const root = parseXml(document);
  if (root.name !== "sessions") throw new SyntaxError("Not a saved session");
  return elementsAt(root, "session", "domains", "domain").flatMap((domain) => {
    const type = known(domains, childText(domain, "type"));
    return elementsAt(domain, "channels", "channel").map((channel) => ({
      domain: type,
      name: childText(channel, "name") ?? "",
      events: elementsAt(channel, "events", "event").map(savedEvent),
      contexts: elementsAt(channel, "contexts", "context").map(contextName),
    }));
  });
}

function known<T>(words: Readonly<Record<string, T>>, word = ""): T {
  const found = words[word];
  if (found !== undefined) return found;
  throw new SyntaxError(`Unknown word in a saved session: "${word}"`);
}

function savedEvent(event: XmlElement): EventInfo {
  const [attributes] = elementsAt(event, "attributes");
  const first = attributes?.children[0];
  return {
    name: childText(event, "name") ?? "*",
    type: known(eventTypes, childText(event, "type")),
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

function contextName(context: XmlElement): string {
  const [perf] = elementsAt(context, "perf");
  if (perf !== undefined) return childText(perf, "name") ?? "";
  const [application] = elementsAt(context, "app");
  if (application !== undefined) {
    const provider = childText(application, "provider_name");
    return `$app.${provider}:${childText(application, "ctx_name")}`;
  }
  const type = childText(context, "type") ?? "";
  return type.toLowerCase().replace(/^callstack_/, "callstack-");
}
