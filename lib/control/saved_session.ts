/**
 * Saved sessions (`*.lttng`), as session daemons write them. Only there does a
 * session daemon tell of context fields.
 */

import { type ContextBlock, ContextType } from "../wire/sessiond/recording.ts";
import type { SnapshotDestination } from "./archiving_types.ts";
import { parseContext } from "./context.ts";
import type {
  BufferingScheme,
  DomainName,
  ProcessAttributeName,
} from "./names.ts";
import type { ChannelAttributes, EventInfo } from "./recording_types.ts";
import { savedEvent } from "./saved_event.ts";
import type { SessionOutput } from "./session_types.ts";
import {
  childNumber,
  childText,
  elementsAt,
  knownWord,
  parseXml,
  type XmlElement,
} from "./xml.ts";

/** A context field of a saved channel. */
export interface SavedContext {
  /** As `lttng add-context` has it; performance counters by their own name. */
  readonly name: string;
  readonly block: ContextBlock;
}

/** A channel of a saved session. */
export interface SavedChannel {
  readonly attributes: ChannelAttributes;
  readonly enabled: boolean;
  readonly events: readonly EventInfo[];
  readonly contexts: readonly SavedContext[];
}

/** What a saved session says of a process attribute; without values, nobody. */
export interface SavedTracker {
  readonly attribute: ProcessAttributeName;
  readonly values: readonly (number | string)[];
}

/** A tracer of a saved session. */
export interface SavedDomain {
  readonly type: DomainName;
  readonly bufferType: BufferingScheme;
  readonly channels: readonly SavedChannel[];
  readonly trackers: readonly SavedTracker[];
}

/** A saved session. */
export interface SavedSession {
  /** Unset where it was saved without. */
  readonly name: string | undefined;
  readonly shmPath: string | undefined;
  readonly started: boolean;
  readonly snapshotMode: boolean;
  /** Microseconds; 0 where it is not live. */
  readonly liveTimerInterval: number;
  /** Microseconds. */
  readonly rotationPeriod: number | undefined;
  /** Bytes. */
  readonly rotationSize: number | undefined;
  readonly output: SessionOutput;
  readonly snapshotOutputs: readonly SnapshotDestination[];
  readonly domains: readonly SavedDomain[];
}

const domains: Readonly<Record<string, DomainName>> = {
  ...{ KERNEL: "kernel", UST: "ust", JUL: "jul", LOG4J: "log4j" },
  ...{ LOG4J2: "log4j2", PYTHON: "python" },
};

const bufferTypes: Readonly<Record<string, BufferingScheme>> = {
  ...{ PER_PID: "per-pid", PER_UID: "per-uid", GLOBAL: "global" },
};

/**
 * The sessions in a saved file.
 *
 * @throws {SyntaxError} When the file is none.
 */
export function parseSavedSessions(document: string): SavedSession[] {
  const root = parseXml(document);
  if (root.name !== "sessions") throw new SyntaxError("Not a saved session");
  return elementsAt(root, "session").map(savedSession);
}

function savedSession(session: XmlElement): SavedSession {
  const [attributes] = elementsAt(session, "attributes");
  const [schedules] = elementsAt(session, "attributes", "rotation_schedules");
  const [output] = elementsAt(session, "output");
  const number = (name: string, field: string) => {
    const [schedule] = schedules === undefined
      ? []
      : elementsAt(schedules, name);
    return schedule && childNumber(schedule, field);
  };
  return {
    name: childText(session, "name"),
    shmPath: childText(session, "shared_memory_path"),
    started: childText(session, "started") === "true",
    snapshotMode: attributes !== undefined &&
      childText(attributes, "snapshot_mode") === "true",
    liveTimerInterval:
      (attributes && childNumber(attributes, "live_timer_interval")) ?? 0,
    rotationPeriod: number("periodic", "time_us"),
    rotationSize: number("size_threshold", "bytes"),
    output: output === undefined ? "none" : savedOutput(output),
    snapshotOutputs: output === undefined
      ? []
      : elementsAt(output, "snapshot_outputs", "output").map(snapshotOutput),
    domains: elementsAt(session, "domains", "domain").map(savedDomain),
  };
}

/** Where the trace goes: what is in `consumer_output`. */
function savedOutput(parent: XmlElement): SessionOutput {
  const [destination] = elementsAt(parent, "consumer_output", "destination");
  if (destination === undefined) return "none";
  const [network] = elementsAt(destination, "net_output");
  if (network !== undefined) {
    return {
      controlUrl: childText(network, "control_uri") ?? "",
      dataUrl: childText(network, "data_uri") ?? "",
    };
  }
  const url = childText(destination, "path") ?? "";
  return url === "" ? "none" : { url };
}

function snapshotOutput(element: XmlElement): SnapshotDestination {
  const output = savedOutput(element);
  const size = childNumber(element, "max_size") ?? 0;
  const urls = typeof output === "string" || "uris" in output
    ? {}
    : "url" in output
    ? output
    : { url: output.controlUrl, dataUrl: output.dataUrl };
  return {
    name: childText(element, "name"),
    maximumSize: size === 0 ? undefined : size,
    ...urls,
  };
}

function savedDomain(domain: XmlElement): SavedDomain {
  const type = knownWord(domains, childText(domain, "type"));
  const bufferType = knownWord(bufferTypes, childText(domain, "buffer_type"));
  return {
    type,
    bufferType,
    channels: elementsAt(domain, "channels", "channel")
      .map((channel) => savedChannel(channel, type, bufferType)),
    trackers: elementsAt(domain, "process_attr_trackers")
      .flatMap(({ children }) => children).flatMap(savedTracker),
  };
}

function savedChannel(
  channel: XmlElement,
  domain: DomainName,
  bufferType: BufferingScheme,
): SavedChannel {
  const number = (name: string) => childNumber(channel, name);
  const timeout = number("blocking_timeout");
  return {
    attributes: {
      name: childText(channel, "name") ?? "",
      bufferType,
      eventLossMode: childText(channel, "overwrite_mode") === "OVERWRITE"
        ? "overwrite"
        : "discard",
      subBufferSize: number("subbuffer_size"),
      subBufferCount: number("subbuffer_count"),
      switchTimerInterval: number("switch_timer_interval"),
      readTimerInterval: number("read_timer_interval"),
      monitorTimerInterval: number("monitor_timer_interval"),
      blockingTimeout: timeout === -1 ? Infinity : timeout,
      output: childText(channel, "output_type") === "SPLICE"
        ? "splice"
        : "mmap",
      traceFileSize: number("tracefile_size"),
      traceFileCount: number("tracefile_count"),
    },
    enabled: childText(channel, "enabled") !== "false",
    events: elementsAt(channel, "events", "event").map(savedEvent),
    contexts: elementsAt(channel, "contexts", "context")
      .map((context) => savedContext(context, domain)),
  };
}

function savedContext(context: XmlElement, domain: DomainName): SavedContext {
  const [perf] = elementsAt(context, "perf");
  if (perf !== undefined) return savedCounter(perf, domain);
  const [application] = elementsAt(context, "app");
  const provider = application && childText(application, "provider_name");
  const name = application === undefined
    ? (childText(context, "type") ?? "").toLowerCase()
      .replace(/^callstack_/, "callstack-")
    : `$app.${provider}:${childText(application, "ctx_name")}`;
  return { name, block: parseContext(name) };
}

/** A performance counter; whose it is, only its name tells. */
function savedCounter(perf: XmlElement, domain: DomainName): SavedContext {
  const name = childText(perf, "name") ?? "";
  const isCpu = name.startsWith("perf_cpu_") ||
    (domain === "kernel" && !name.startsWith("perf_thread_"));
  return {
    name,
    block: {
      type: isCpu ? ContextType.PERF_CPU : ContextType.PERF_THREAD,
      counterType: childNumber(perf, "type") ?? 0,
      counterConfig: BigInt(childText(perf, "config") ?? 0),
      counterName: name,
      ...{ provider: "", name: "" },
    },
  };
}

function savedTracker(tracker: XmlElement): SavedTracker[] {
  const attribute = /^(v?(?:pid|uid|gid))_process_attr_tracker$/
    .exec(tracker.name)?.[1] as ProcessAttributeName | undefined;
  if (attribute === undefined) return [];
  const values = elementsAt(tracker, "process_attr_values", attribute)
    .map((value) => childNumber(value, "id") ?? childText(value, "name") ?? "");
  return [{ attribute, values }];
}
