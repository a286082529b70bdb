/**
 * Reads files that `lttng save` wrote: the configuration of sessions, as
 * LTTng's `session.xsd` has it.
 */

import type {
  BufferingScheme,
  DomainName,
  ProcessAttributeName,
} from "../control/names.ts";
import type {
  ChannelAttributes,
  EventInfo,
} from "../control/recording_types.ts";
import { savedEvent } from "../control/saved_session.ts";
import type { TrackedValue } from "../control/tracking.ts";
import {
  childText,
  elementsAt,
  parseXml,
  type XmlElement,
} from "../control/xml.ts";
import { savedContext } from "./saved_context.ts";

/** A session as it was saved. */
export interface SavedSession {
  readonly name: string;
  readonly shmPath: string | undefined;
  readonly isStarted: boolean;
  readonly isSnapshot: boolean;
  /** Microseconds; 0 where it is not live. */
  readonly liveTimerInterval: number;
  /** Microseconds. */
  readonly rotationPeriod: number | undefined;
  /** Bytes. */
  readonly rotationSize: number | undefined;
  readonly output: SavedOutput;
  readonly snapshotOutputs: readonly SavedSnapshotOutput[];
  readonly domains: readonly SavedDomain[];
}

/** Where a trace went. */
export interface SavedOutput {
  readonly path: string | undefined;
  readonly controlUri: string | undefined;
  readonly dataUri: string | undefined;
}

/** Where snapshots went. */
export interface SavedSnapshotOutput extends SavedOutput {
  readonly name: string | undefined;
  /** Bytes. */
  readonly maximumSize: number | undefined;
}

/** A domain of a saved session. */
export interface SavedDomain {
  readonly type: DomainName;
  readonly channels: readonly SavedChannel[];
  readonly trackers: readonly SavedTracker[];
}

/** A channel of a saved session. */
export interface SavedChannel {
  readonly isEnabled: boolean;
  readonly attributes: ChannelAttributes;
  readonly events: readonly EventInfo[];
  /** As `lttng add-context` takes them. */
  readonly contexts: readonly string[];
}

/** Which processes a saved session traces; no value is no process. */
export interface SavedTracker {
  readonly attribute: ProcessAttributeName;
  readonly values: readonly TrackedValue[];
}

/**
 * The sessions of a file.
 *
 * @throws {SyntaxError} When it is no such file.
 */
export function readSavedSessions(document: string): SavedSession[] {
  const root = parseXml(document);
  if (root.name !== "sessions") {
    throw new SyntaxError(`Not sessions, but "${root.name}"`);
  }
  return root.children.map((session) => {
    if (session.name !== "session") {
      throw new SyntaxError(`Not a session, but "${session.name}"`);
    }
    return savedSession(session);
  });
}

function savedSession(session: XmlElement): SavedSession {
  const [attributes] = elementsAt(session, "attributes");
  const live = numberOf(attributes, "live_timer_interval");
  const [periodic] = schedules(attributes, "periodic");
  const [size] = schedules(attributes, "size_threshold");
  const [output] = elementsAt(session, "output");
  return {
    name: needed(session, "name"),
    shmPath: childText(session, "shared_memory_path"),
    isStarted: isTrue(session, "started"),
    isSnapshot: attributes !== undefined &&
      isTrue(attributes, "snapshot_mode"),
    liveTimerInterval: live ?? 0,
    rotationPeriod: numberOf(periodic, "time_us"),
    rotationSize: numberOf(size, "bytes"),
    output: savedOutput(elementsIn(output, "consumer_output")[0]),
    snapshotOutputs: elementsIn(output, "snapshot_outputs", "output").map(
      savedSnapshotOutput,
    ),
    domains: elementsAt(session, "domains", "domain").map(savedDomain),
  };
}

function schedules(attributes: XmlElement | undefined, name: string) {
  return elementsIn(attributes, "rotation_schedules", name);
}

function savedOutput(consumer: XmlElement | undefined): SavedOutput {
  const [destination] = elementsIn(consumer, "destination");
  const [network] = elementsIn(destination, "net_output");
  return {
    path: destination && (childText(destination, "path") || undefined),
    controlUri: network && childText(network, "control_uri"),
    dataUri: network && childText(network, "data_uri"),
  };
}

function savedSnapshotOutput(output: XmlElement): SavedSnapshotOutput {
  return {
    name: childText(output, "name"),
    maximumSize: numberOf(output, "max_size") || undefined,
    ...savedOutput(elementsAt(output, "consumer_output")[0]),
  };
}

const DOMAINS: ReadonlyMap<string, DomainName> = new Map([
  ["KERNEL", "kernel"],
  ["UST", "ust"],
  ["JUL", "jul"],
  ["LOG4J", "log4j"],
  ["LOG4J2", "log4j2"],
  ["PYTHON", "python"],
]);

const BUFFER_TYPES: ReadonlyMap<string, BufferingScheme> = new Map([
  ["PER_PID", "per-pid"],
  ["PER_UID", "per-uid"],
  ["GLOBAL", "global"],
]);

function savedDomain(domain: XmlElement): SavedDomain {
  const bufferType = known(BUFFER_TYPES, domain, "buffer_type");
  const type = known(DOMAINS, domain, "type");
  return {
    type,
    channels: elementsAt(domain, "channels", "channel").map((channel) =>
      savedChannel(channel, bufferType, type)
    ),
    trackers: [
      ...elementsAt(domain, "process_attr_trackers"),
      ...elementsAt(domain, "trackers"),
    ].flatMap(({ children }) => children.map(savedTracker)),
  };
}

function savedChannel(
  channel: XmlElement,
  bufferType: BufferingScheme,
  domain: DomainName,
): SavedChannel {
  const blocking = numberOf(channel, "blocking_timeout") ?? 0;
  const lossMode = needed(channel, "overwrite_mode");
  return {
    isEnabled: isTrue(channel, "enabled"),
    attributes: {
      name: needed(channel, "name"),
      bufferType,
      eventLossMode: lossMode === "OVERWRITE" ? "overwrite" : "discard",
      subBufferSize: numberOf(channel, "subbuffer_size"),
      subBufferCount: numberOf(channel, "subbuffer_count"),
      switchTimerInterval: numberOf(channel, "switch_timer_interval"),
      readTimerInterval: numberOf(channel, "read_timer_interval"),
      monitorTimerInterval: numberOf(channel, "monitor_timer_interval"),
      blockingTimeout: blocking < 0 ? Infinity : blocking,
      output: childText(channel, "output_type") === "SPLICE"
        ? "splice"
        : "mmap",
      traceFileSize: numberOf(channel, "tracefile_size"),
      traceFileCount: numberOf(channel, "tracefile_count"),
    },
    events: elementsAt(channel, "events", "event").map(savedEvent),
    contexts: elementsAt(channel, "contexts", "context").map((context) =>
      savedContext(context, domain)
    ),
  };
}

function savedTracker(tracker: XmlElement): SavedTracker {
  // Until 2.11 there was one kind: <pid_tracker><targets><pid_target>.
  const name = tracker.name.replace(/(_process_attr)?_tracker$/, "");
  const attribute = ATTRIBUTES.find((attribute) => attribute === name);
  if (attribute === undefined) {
    throw new SyntaxError(`Unknown tracker "${tracker.name}"`);
  }
  const values = [
    ...elementsAt(tracker, "process_attr_values"),
    ...elementsAt(tracker, "targets"),
  ].flatMap(({ children }) => children.flatMap(({ children }) => children));
  return {
    attribute,
    values: values.map(({ name, text }) =>
      name === "name" ? text : wholeNumber(text, name)
    ),
  };
}

const ATTRIBUTES: readonly ProcessAttributeName[] = [
  ...["pid", "vpid", "uid", "vuid", "gid", "vgid"] as const,
];

// ---- Elements -------------------------------------------------------------------

function elementsIn(
  element: XmlElement | undefined,
  ...path: string[]
): XmlElement[] {
  return element === undefined ? [] : [...elementsAt(element, ...path)];
}

function needed(element: XmlElement, name: string): string {
  const text = childText(element, name);
  if (text !== undefined) return text;
  throw new SyntaxError(`No ${name} in ${element.name}`);
}

function isTrue(element: XmlElement, name: string): boolean {
  const text = childText(element, name) ?? "false";
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new SyntaxError(`Neither true nor false: ${name} "${text}"`);
}

function numberOf(
  element: XmlElement | undefined,
  name: string,
): number | undefined {
  const text = element && childText(element, name);
  return text === undefined ? undefined : wholeNumber(text, name);
}

function wholeNumber(text: string, name: string): number {
  if (/^\s*-?\d{1,20}\s*$/.test(text)) return Number(text);
  throw new SyntaxError(`Not a number: ${name} "${text}"`);
}

function known<T>(
  words: ReadonlyMap<string, T>,
  element: XmlElement,
  name: string,
): T {
  const word = needed(element, name);
  const found = words.get(word);
  if (found !== undefined) return found;
  throw new SyntaxError(`Unknown ${name} "${word}"`);
}
