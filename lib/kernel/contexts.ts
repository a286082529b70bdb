/** What can be recorded with every event: LTTng's contexts, and where they come from here. */

import { integer } from "../ctf/declare.ts";
import {
  type PlannedField,
  type Source,
  type StackKind,
  TASK_NAME_SIZE,
  textArray,
  type ThreadNumber,
} from "./plan.ts";

/** Offsets in every record; they have never been others. */
const FLAGS = 2;
const PREEMPT_COUNT = 3;
const TID = 4;

/** Bits of `common_flags`. */
const IRQS_OFF = 0x01;
const NEED_RESCHED = 0x04;
/** Halves of `common_preempt_count`. */
const PREEMPT_DEPTH = 0x0F;
const MIGRATE_DISABLE = 0xF0;

/** `__NEW_UTS_LEN`, and a NUL. */
const HOSTNAME_SIZE = 65;

const i32 = integer(32, { signed: true });
const u32 = integer(32);
const i8 = integer(8, { signed: true });

/** A context that this tracer cannot record. */
export class ContextError extends Error {
  override name = "ContextError";
}

const SIGNED: readonly ThreadNumber[] = [
  "pid",
  "ppid",
  "prio",
  "nice",
  "vpid",
  "vtid",
  "vppid",
];

const UNSIGNED: readonly ThreadNumber[] = [
  "uid",
  "euid",
  "suid",
  "gid",
  "egid",
  "sgid",
  "cgroup_ns",
  "ipc_ns",
  "mnt_ns",
  "net_ns",
  "pid_ns",
  "time_ns",
  "user_ns",
  "uts_ns",
];

/** Ids in the thread's own user namespace: those of the initial one stand in. */
const ALIASES: Readonly<Record<string, ThreadNumber>> = {
  vuid: "uid",
  veuid: "euid",
  vsuid: "suid",
  vgid: "gid",
  vegid: "egid",
  vsgid: "sgid",
};

/** Contexts of the kernel's state when the event was made. */
const STATE: Readonly<Record<string, Source>> = {
  interruptible: flag({ at: FLAGS, mask: IRQS_OFF, equals: 0 }),
  preemptible: flag(
    { at: FLAGS, mask: IRQS_OFF, equals: 0 },
    { at: PREEMPT_COUNT, mask: PREEMPT_DEPTH, equals: 0 },
  ),
  need_reschedule: flag({
    at: FLAGS,
    mask: NEED_RESCHED,
    equals: NEED_RESCHED,
  }),
  migratable: flag({ at: PREEMPT_COUNT, mask: MIGRATE_DISABLE, equals: 0 }),
};

function flag(
  ...tests: Extract<Source, { kind: "flag" }>["tests"]
): Source {
  return { kind: "flag", tests };
}

/** Call stacks: LTTng's names, and whose calls they show. */
const STACKS: Readonly<Record<string, StackKind>> = {
  "callstack-kernel": "kernel",
  "callstack-user": "user",
};

/** Contexts that {@linkcode planContext} knows. */
export const CONTEXT_NAMES: readonly string[] = [
  "tid",
  "procname",
  "hostname",
  ...SIGNED,
  ...UNSIGNED,
  ...Object.keys(ALIASES),
  ...Object.keys(STATE),
  ...Object.keys(STACKS),
];

/**
 * The field that `lttng add-context --kernel --type=NAME` adds.
 *
 * @throws {ContextError} where it cannot be had, saying why.
 */
export function planContext(
  name: string,
  hostname: string,
  longSize: 4 | 8 = 8,
): PlannedField {
  const property = ALIASES[name] ?? name as ThreadNumber;
  if (name === "tid") {
    return { name, type: i32, source: { kind: "bytes", at: TID, size: 4 } };
  }
  if (name === "procname") {
    return {
      name,
      type: textArray(TASK_NAME_SIZE),
      source: { kind: "thread", at: TID, property: "name" },
    };
  }
  if (name === "hostname") {
    return {
      name,
      type: textArray(HOSTNAME_SIZE),
      source: { kind: "literal", text: hostname, width: HOSTNAME_SIZE },
    };
  }
  const stack = Object.hasOwn(STACKS, name) ? STACKS[name] : undefined;
  if (stack !== undefined) return planStack(name, stack, longSize);
  const state = Object.hasOwn(STATE, name) ? STATE[name] : undefined;
  if (state !== undefined) return { name, type: i8, source: state };
  const isSigned = SIGNED.includes(property);
  if (isSigned || UNSIGNED.includes(property)) {
    return {
      name,
      type: isSigned ? i32 : u32,
      source: { kind: "thread", at: TID, property },
    };
  }
  throw new ContextError(`Cannot add context "${name}": ${reasonFor(name)}`);
}

function planStack(
  name: string,
  stack: StackKind,
  longSize: 4 | 8,
): PlannedField {
  const element = integer(longSize * 8, { base: 16 });
  return {
    name: name.replace("-", "_"),
    type: { kind: "sequence", element, lengthType: integer(32) },
    source: { kind: "stack", stack },
  };
}

/** Whether these contexts hold a call stack. */
export function needsStack(
  fields: readonly PlannedField[],
  kind: StackKind,
): boolean {
  return fields.some(({ source }) =>
    source.kind === "stack" && source.stack === kind
  );
}

function reasonFor(name: string): string {
  if (name.startsWith("perf:")) {
    return "tracefs does not record performance counters with events";
  }
  return `this tracer records ${CONTEXT_NAMES.join(", ")}`;
}

/** Whether a context is read from the table of threads. */
export function needsThreads(fields: readonly PlannedField[]): boolean {
  return fields.some(({ source }) => source.kind === "thread");
}
