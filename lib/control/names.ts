/** The words that stand for the protocol's numbers in this API. */

import {
  ChannelOutput,
  EventType,
  FieldType,
  LossMode,
  ProbeLookup,
} from "../wire/sessiond/recording.ts";
import { BufferType, DomainType } from "../wire/sessiond/session.ts";
import {
  ProcessAttribute,
  RotationState as WireRotationState,
  TrackingPolicy as WireTrackingPolicy,
} from "../wire/sessiond/session_state.ts";
import { controlError } from "./errors.ts";

/** Words and the numbers that they stand for. */
export type Names<N extends string> = Readonly<Record<N, number>>;

/** Which tracer; agents are those of application loggers. */
export type DomainName = keyof typeof domainNames;
export const domainNames = {
  kernel: DomainType.KERNEL,
  ust: DomainType.UST,
  jul: DomainType.JUL,
  log4j: DomainType.LOG4J,
  python: DomainType.PYTHON,
  /** Since 2.14. */
  log4j2: DomainType.LOG4J2,
} as const;

/** Whom a ring buffer belongs to: a process, a user, or all of the system. */
export type BufferingScheme = keyof typeof bufferingNames;
export const bufferingNames = {
  "per-pid": BufferType.PER_PID,
  "per-uid": BufferType.PER_UID,
  global: BufferType.GLOBAL,
} as const;

/** What becomes of events when a ring buffer is full. */
export type EventLossMode = "discard" | "overwrite";
export const lossNames: Names<EventLossMode> = {
  discard: LossMode.DISCARD,
  overwrite: LossMode.OVERWRITE,
};

/** How packets leave a ring buffer. */
export type ChannelOutputName = keyof typeof outputNames;
export const outputNames = {
  splice: ChannelOutput.SPLICE,
  mmap: ChannelOutput.MMAP,
} as const;

/** What an event rule looks at. */
export type EventTypeName = keyof typeof eventTypeNames;
export const eventTypeNames = {
  all: EventType.ALL,
  tracepoint: EventType.TRACEPOINT,
  probe: EventType.PROBE,
  function: EventType.FUNCTION,
  "function-entry": EventType.FUNCTION_ENTRY,
  noop: EventType.NOOP,
  syscall: EventType.SYSCALL,
  "userspace-probe": EventType.USERSPACE_PROBE,
} as const;

/** How a userspace probe is found in its program. */
export type ProbeLookupName = keyof typeof lookupNames;
export const lookupNames = {
  default: ProbeLookup.DEFAULT,
  elf: ProbeLookup.ELF,
  sdt: ProbeLookup.SDT,
} as const;

/** What a tracepoint's field holds. */
export type FieldTypeName = keyof typeof fieldTypeNames;
export const fieldTypeNames = {
  other: FieldType.OTHER,
  integer: FieldType.INTEGER,
  enum: FieldType.ENUM,
  float: FieldType.FLOAT,
  string: FieldType.STRING,
} as const;

/** How far a rotation has come. */
export type RotationState = keyof typeof rotationNames;
export const rotationNames = {
  "no rotation": WireRotationState.NO_ROTATION,
  ongoing: WireRotationState.ONGOING,
  completed: WireRotationState.COMPLETED,
  expired: WireRotationState.EXPIRED,
  error: WireRotationState.ERROR,
} as const;

/** What a process tracker looks at: in all name spaces, or in the process's. */
export type ProcessAttributeName = keyof typeof attributeNames;
export const attributeNames = {
  pid: ProcessAttribute.PID,
  vpid: ProcessAttribute.VPID,
  uid: ProcessAttribute.UID,
  vuid: ProcessAttribute.VUID,
  gid: ProcessAttribute.GID,
  vgid: ProcessAttribute.VGID,
} as const;

/** Which processes are traced. */
export type TrackingPolicy = keyof typeof policyNames;
export const policyNames = {
  "include all": WireTrackingPolicy.INCLUDE_ALL,
  "exclude all": WireTrackingPolicy.EXCLUDE_ALL,
  "include set": WireTrackingPolicy.INCLUDE_SET,
} as const;

/**
 * The word for a number that a session daemon sent.
 *
 * @throws {ControlError} INVALID_PROTOCOL when there is none.
 */
export function nameOf<N extends string>(
  names: Names<N>,
  value: number,
  what: string,
): N {
  for (const name in names) if (names[name] === value) return name;
  throw controlError("INVALID_PROTOCOL", `${what} ${value} is unknown`);
}

/** Tracers of applications' loggers, which share the channels of UST. */
export function isAgent(domain: DomainName): boolean {
  return domain !== "kernel" && domain !== "ust";
}
