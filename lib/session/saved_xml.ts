/** A session as XML, as `lttng save` has it and `lttng load` takes it. */

import {
  ChannelOutput,
  ContextType,
  EventType,
  type UserspaceProbe,
} from "../wire/sessiond/recording.ts";
import { type Destination, urlOf } from "./destination.ts";
import type { Channel, Context, Rule } from "./recording_state.ts";
import type { KernelDomain, Session, SnapshotOutput } from "./session.ts";

/** An element: its name, and text or elements in it. */
type Element = readonly [name: string, content: string | readonly Element[]];

/** What may be left out. */
export interface SaveOptions {
  readonly omitName: boolean;
  readonly omitOutput: boolean;
}

/** The document of one session. */
export function sessionXml(session: Session, options: SaveOptions): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  print(["sessions", [sessionElement(session, options)]], 0, lines);
  return lines.join("\n") + "\n";
}

function print(
  [name, content]: Element,
  depth: number,
  lines: string[],
): void {
  const indent = "\t".repeat(depth);
  if (typeof content === "string") {
    lines.push(`${indent}<${name}>${escape(content)}</${name}>`);
  } else if (content.length === 0) {
    lines.push(`${indent}<${name}/>`);
  } else {
    lines.push(`${indent}<${name}>`);
    for (const child of content) print(child, depth + 1, lines);
    lines.push(`${indent}</${name}>`);
  }
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}

function sessionElement(session: Session, options: SaveOptions): Element {
  const { name, shmPath, kernel, isActive } = session;
  const attributes = sessionAttributes(session);
  return ["session", [
    ...some(!options.omitName, ["name", name]),
    ...some(shmPath !== "", ["shared_memory_path", shmPath]),
    ...kernel === undefined
      ? []
      : [["domains", [domainElement(kernel)]] as Element],
    ["started", String(isActive)],
    ...some(attributes.length > 0, ["attributes", attributes]),
    ...some(!options.omitOutput, ["output", [outputElement(session)]]),
  ]];
}

function some(isThere: boolean, element: Element): Element[] {
  return isThere ? [element] : [];
}

function sessionAttributes(session: Session): Element[] {
  const { isSnapshot, isLive, options, schedules } = session;
  const { period, size } = schedules;
  const rotations: Element[] = [
    ...some(period !== undefined, ["periodic", [["time_us", `${period}`]]]),
    ...some(size !== undefined, ["size_threshold", [["bytes", `${size}`]]]),
  ];
  return [
    ...some(isSnapshot, ["snapshot_mode", "true"]),
    ...some(isLive, ["live_timer_interval", `${options.liveTimer}`]),
    ...some(rotations.length > 0, ["rotation_schedules", rotations]),
  ];
}

function domainElement({ channels, tracked }: KernelDomain): Element {
  const values = [...tracked?.pids ?? []].map((pid): Element => [
    "pid",
    [["id", String(pid)]],
  ]);
  return ["domain", [
    ["type", "KERNEL"],
    ["buffer_type", "GLOBAL"],
    ["channels", [...channels.values()].map(channelElement)],
    [
      "process_attr_trackers",
      some(tracked !== undefined, [
        "pid_process_attr_tracker",
        [["process_attr_values", values]],
      ]),
    ],
  ]];
}

function channelElement(channel: Channel): Element {
  const { attributes, isEnabled, rules, contexts } = channel;
  const isMmap = attributes.output === ChannelOutput.MMAP;
  return ["channel", [
    ["name", attributes.name],
    ["enabled", String(isEnabled)],
    ["overwrite_mode", attributes.overwrite ? "OVERWRITE" : "DISCARD"],
    ["subbuffer_size", `${attributes.subBufferSize}`],
    ["subbuffer_count", `${attributes.subBufferCount}`],
    ["switch_timer_interval", `${attributes.switchTimer}`],
    ["read_timer_interval", `${attributes.readTimer}`],
    ["output_type", isMmap ? "MMAP" : "SPLICE"],
    ["blocking_timeout", `${attributes.blockingTimeout}`],
    ["monitor_timer_interval", `${attributes.monitorTimer}`],
    ["tracefile_size", `${attributes.traceFileSize}`],
    ["tracefile_count", `${attributes.traceFileCount}`],
    ["live_timer_interval", `${attributes.liveTimer}`],
    ["events", rules.map(eventElement)],
    ["contexts", contexts.map(contextElement)],
  ]];
}

const eventTypes: ReadonlyMap<number, string> = new Map([
  [EventType.TRACEPOINT as number, "TRACEPOINT"],
  [EventType.PROBE, "PROBE"],
  [EventType.FUNCTION, "FUNCTION"],
  [EventType.FUNCTION_ENTRY, "FUNCTION_ENTRY"],
  [EventType.SYSCALL, "SYSCALL"],
  [EventType.USERSPACE_PROBE, "USERSPACE_PROBE"],
]);

/** By number. */
const lookups = ["DEFAULT", "ELF", "SDT"];

function eventElement({ block, isEnabled }: Rule): Element {
  return ["event", [
    ["name", block.name],
    ["enabled", String(isEnabled)],
    ["type", eventTypes.get(block.type) ?? "TRACEPOINT"],
    ["loglevel_type", "ALL"],
    ...some(block.filter !== "", ["filter", block.filter]),
    ...eventAttributes(block),
  ]];
}

function eventAttributes(
  { probe, functionEntry, userspaceProbe }: Rule["block"],
): Element[] {
  if (userspaceProbe !== undefined) {
    return [["attributes", [userspaceProbeElement(userspaceProbe)]]];
  }
  if (functionEntry !== undefined) {
    const symbol: Element = ["symbol_name", functionEntry.symbol];
    return [["attributes", [["function_attributes", [symbol]]]]];
  }
  if (probe === undefined) return [];
  const { symbol, address, offset } = probe;
  return [["attributes", [["probe_attributes", [
    ...some(symbol !== "", ["symbol_name", symbol]),
    ...some(address !== 0n, ["address", `${address}`]),
    ...some(offset !== 0n, ["offset", `${offset}`]),
  ]]]]];
}

function userspaceProbeElement(probe: UserspaceProbe): Element {
  const place: Element[] = [
    ["lookup_method", lookups[probe.lookup] ?? "DEFAULT"],
    ["binary_path", probe.path],
  ];
  return probe.functionName !== ""
    ? ["userspace_probe_function_attributes", [
      ...place,
      ["function_name", probe.functionName],
    ]]
    : ["userspace_probe_tracepoint_attributes", [
      ...place,
      ["probe_name", probe.probeName],
      ["provider_name", probe.providerName],
    ]];
}

function contextElement({ block, name }: Context): Element {
  switch (block.type) {
    case ContextType.PERF:
    case ContextType.PERF_CPU:
    case ContextType.PERF_THREAD:
      return ["context", [["perf", [
        ["type", `${block.counterType}`],
        ["config", `${block.counterConfig}`],
        ["name", block.counterName],
      ]]]];
    default:
      return ["context", [[
        "type",
        name.toUpperCase().replace("-", "_"),
      ]]];
  }
}

function outputElement(session: Session): Element {
  const { isSnapshot, destination, snapshotOutputs } = session;
  return isSnapshot
    ? ["snapshot_outputs", snapshotOutputs.map(snapshotElement)]
    : consumerOutput(destination);
}

function snapshotElement(output: SnapshotOutput): Element {
  return ["output", [
    ["name", output.name],
    ["max_size", `${output.maximumSize}`],
    consumerOutput(output.destination),
  ]];
}

function consumerOutput(destination: Destination): Element {
  const place: Element = destination.kind === "relay"
    ? ["net_output", [
      ["control_uri", urlOf(destination.control)],
      ["data_uri", urlOf(destination.data)],
    ]]
    : ["path", destination.kind === "local" ? destination.path : ""];
  return ["consumer_output", [
    ["enabled", "true"],
    ["destination", [place]],
  ]];
}
