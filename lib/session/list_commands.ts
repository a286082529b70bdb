/** What is recorded and what could be. */

import {
  type ChannelBlock,
  type EventBlock,
  EventFlag,
  EventType,
  type FieldBlock,
  FieldType,
} from "../wire/sessiond/recording.ts";
import { BufferType, DomainType } from "../wire/sessiond/session.ts";
import { Bounded } from "./bounded.ts";
import type { Handlers } from "./command.ts";
import { refuse } from "./errors.ts";
import { checkDomain } from "./kernel_domain.ts";
import type { Channel } from "./recording_state.ts";
import type { Session } from "./session.ts";
import type { InstrumentationField, InstrumentationPoint } from "./tracer.ts";
import { refreshStatistics } from "./tracing_commands.ts";

/** "Not applicable" in lists of what could be recorded. */
const NOT_APPLICABLE = -1;
/** How long the tracer may take to count (ms). */
const STATISTICS_TIMEOUT_MS = 1_000;

/** Tracepoints whose fields are looked up in one turn of the event loop. */
const POINTS_AT_ONCE = 16;

const fieldTypes: Readonly<Record<InstrumentationField["type"], number>> = {
  integer: FieldType.INTEGER,
  enum: FieldType.ENUM,
  float: FieldType.FLOAT,
  string: FieldType.STRING,
  other: FieldType.OTHER,
};

export const listCommands: Handlers<
  | "LIST_CHANNELS"
  | "LIST_DOMAINS"
  | "LIST_EVENTS"
  | "LIST_SYSCALLS"
  | "LIST_TRACEPOINT_FIELDS"
  | "LIST_TRACEPOINTS"
> = {
  LIST_DOMAINS({ session: name }, { sessions, caller }) {
    const { kernel } = sessions.find(name, caller);
    const type = DomainType.KERNEL;
    return {
      entries: kernel === undefined
        ? []
        : [{ type, bufferType: BufferType.GLOBAL }],
    };
  },

  async LIST_CHANNELS({ session: name, domain }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    const { kernel } = session;
    if (kernel === undefined) return { entries: [] };
    await new Bounded(STATISTICS_TIMEOUT_MS).reaches(refreshStatistics(kernel));
    return {
      entries: [...kernel.channels.values()].map((channel) =>
        channelBlock(session, channel)
      ),
    };
  },

  LIST_EVENTS({ session: name, domain, channelName }, context) {
    const session = context.sessions.find(name, context.caller);
    checkDomain(domain.type, context);
    const channel = session.kernel?.channels.get(channelName);
    if (channel === undefined) refuse("KERN_CHAN_NOT_FOUND");
    return {
      entries: channel.rules.map(({ block, isEnabled }) => ({
        ...block,
        enabled: isEnabled ? 1 : 0,
      })),
    };
  },

  LIST_TRACEPOINTS({ domain }, context) {
    if (isOfApplications(domain.type)) return { entries: [] };
    checkDomain(domain.type, context);
    const entries = context.host.tracer.tracepoints().map((point) =>
      pointBlock(point, EventType.TRACEPOINT)
    );
    return { entries };
  },

  LIST_SYSCALLS({ domain }, context) {
    checkDomain(domain.type, context);
    const entries = context.host.tracer.syscalls().map((point) =>
      pointBlock(point, EventType.SYSCALL)
    );
    return { entries };
  },

  async LIST_TRACEPOINT_FIELDS({ domain }, context) {
    if (isOfApplications(domain.type)) return { entries: [] };
    checkDomain(domain.type, context);
    const { tracer } = context.host;
    const entries: FieldBlock[] = [];
    for (const [index, point] of tracer.tracepoints().entries()) {
      entries.push(...fieldBlocks(point, tracer.fields(point.name)));
      // A kernel has more than a thousand: others have their turn between.
      if (index % POINTS_AT_ONCE === 0) {
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
    return { entries };
  },
};

/** The fields of a tracepoint; a nameless one where there are none. */
function fieldBlocks(
  point: InstrumentationPoint,
  fields: readonly InstrumentationField[],
): FieldBlock[] {
  const event = pointBlock(point, EventType.TRACEPOINT);
  if (fields.length === 0) {
    return [{ type: FieldType.OTHER, notWritten: true, name: "", event }];
  }
  return fields.map(({ name, type }) => ({
    type: fieldTypes[type],
    notWritten: false,
    name,
    event,
  }));
}

/**
 * Whether a domain's events are those of applications. None is registered
 * here; and clients tell versions apart by the form of an empty list.
 */
function isOfApplications(type: number): boolean {
  const types: readonly number[] = [
    DomainType.UST,
    DomainType.JUL,
    DomainType.LOG4J,
    DomainType.PYTHON,
  ];
  return types.includes(type);
}

function channelBlock(session: Session, channel: Channel): ChannelBlock {
  const { attributes, isEnabled } = channel;
  const { discarded, lost } = losses(session, channel);
  return {
    name: attributes.name,
    enabled: isEnabled,
    overwrite: attributes.overwrite ? 1 : 0,
    subBufferSize: attributes.subBufferSize,
    subBufferCount: attributes.subBufferCount,
    switchTimerInterval: attributes.switchTimer,
    readTimerInterval: attributes.readTimer,
    output: attributes.output,
    traceFileSize: attributes.traceFileSize,
    traceFileCount: attributes.traceFileCount,
    liveTimerInterval: attributes.liveTimer,
    discardedEvents: BigInt(discarded),
    lostPackets: BigInt(lost),
    monitorTimerInterval: attributes.monitorTimer,
    blockingTimeout: attributes.blockingTimeout,
    allocationPolicy: 0,
    watchdogTimerInterval: undefined,
    preallocationPolicy: 0,
    reclaimAge: undefined,
  };
}

/** Loss of a channel: the tracer's, and what the consumer gave up. */
function losses(
  session: Session,
  channel: Channel,
): { discarded: number; lost: number } {
  const streams = channel.tracing.statistics();
  const names = new Set(streams.map(({ name }) => name));
  let discarded = 0;
  let lost = 0;
  for (const stream of streams) {
    discarded += stream.discarded;
    lost += stream.lostPackets;
  }
  const isLost = session.consumer?.state === "lost";
  for (const counts of session.consumer?.counts ?? []) {
    if (!names.has(counts.name)) continue;
    lost += counts.dropped + (isLost ? counts.unconfirmed : 0);
  }
  return { discarded, lost };
}

function pointBlock(
  { name, is32Bit, is64Bit }: InstrumentationPoint,
  type: number,
): EventBlock {
  return {
    type,
    logLevelType: 0,
    logLevel: -1,
    enabled: NOT_APPLICABLE,
    pid: 0,
    flags: (is32Bit ? EventFlag.SYSCALL_32 : 0) |
      (is64Bit ? EventFlag.SYSCALL_64 : 0),
    name,
    exclusions: [],
    filter: "",
    bytecode: new Uint8Array(),
    userspaceProbe: undefined,
    probe: undefined,
    functionEntry: undefined,
  };
}
