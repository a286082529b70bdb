/** Plans how an event's fields become LTTng's: what each is called, and where its bytes come from. */

import { integer, struct } from "../ctf/declare.ts";
import type {
  ArrayType,
  FieldType,
  IntegerType,
  SequenceType,
  StructType,
} from "../ctf/types.ts";
import { FIELD_RULES, type FieldRule } from "./field_rules.ts";
import type { EventFormat, FormatField, PageLayout } from "./format.ts";
import type { CatalogEvent } from "./naming.ts";
import { syscallArguments, syscallResultType } from "./syscall_types.ts";

/** Where bytes lie in a record. */
export type Place =
  | { readonly kind: "static"; readonly at: number; readonly size: number }
  | { readonly kind: "rest"; readonly at: number }
  | { readonly kind: "located"; readonly at: number }
  | { readonly kind: "located here"; readonly at: number };

/** What is written for a field. Whole bytes each, packed. */
export type Source =
  /** Bytes as they are. */
  | { readonly kind: "bytes"; readonly at: number; readonly size: number }
  /** An integer, in another width or with something added to it. */
  | {
    readonly kind: "integer";
    readonly at: number;
    readonly size: number;
    readonly signed: boolean;
    readonly add: number;
    readonly width: number;
  }
  | {
    readonly kind: "constant";
    readonly value: number;
    readonly width: number;
  }
  /** Up to the first NUL, and one NUL. */
  | { readonly kind: "text"; readonly place: Place }
  /** Up to the first NUL, filled up with NULs. */
  | { readonly kind: "padded"; readonly place: Place; readonly width: number }
  /** A count of elements, and their bytes. */
  | {
    readonly kind: "elements";
    readonly place: Place;
    readonly elementSize: number;
    /** Bytes of the count. */
    readonly countSize: 1 | 4;
  }
  /** A 32-bit count of bytes, and the bytes up to the first NUL. */
  | { readonly kind: "text elements"; readonly place: Place }
  /** The kind of a block request, in LTTng's bits. */
  | { readonly kind: "request bits"; readonly place: Place }
  /** What is known of a thread: its id is the 32-bit integer at `at`. */
  | {
    readonly kind: "thread";
    readonly at: number;
    readonly property: ThreadProperty;
  }
  /** A 32-bit count, and the addresses of a call stack. */
  | { readonly kind: "stack"; readonly stack: StackKind }
  /** Text that is known beforehand, filled up with NULs. */
  | { readonly kind: "literal"; readonly text: string; readonly width: number }
  /** One byte: 1 where all tests hold, else 0. */
  | {
    readonly kind: "flag";
    readonly tests: readonly FlagTest[];
  };

/** Whose calls a stack shows. */
export type StackKind = "kernel" | "user";

/** One condition of a flag: the byte at `at`, masked, equals `equals`. */
export interface FlagTest {
  readonly at: number;
  readonly mask: number;
  readonly equals: number;
}

/** What the table of threads knows of each; see `threads.ts`. */
export type ThreadProperty =
  | "name"
  | ThreadNumber;

/** Its 32-bit integers. */
export type ThreadNumber =
  | "pid"
  | "ppid"
  | "prio"
  | "nice"
  | "vtid"
  | "vpid"
  | "vppid"
  | "uid"
  | "euid"
  | "suid"
  | "gid"
  | "egid"
  | "sgid"
  | "cgroup_ns"
  | "ipc_ns"
  | "mnt_ns"
  | "net_ns"
  | "pid_ns"
  | "time_ns"
  | "user_ns"
  | "uts_ns";

/** One field of an event, in LTTng's order. */
export interface PlannedField {
  readonly name: string;
  readonly type: FieldType;
  readonly source: Source;
}

/** An event as it is to be written. Plain data: it travels to workers. */
export interface EventPlan {
  /** As LTTng calls it. */
  readonly name: string;
  /** What `common_type` of its records holds. */
  readonly id: number;
  /** Bytes that a record has at least. */
  readonly size: number;
  readonly fields: readonly PlannedField[];
}

/** A character of text. */
export const CHARACTER: IntegerType = { ...integer(8), encoding: "UTF8" };

/** Text of `length` bytes, filled up with NULs. */
export function textArray(length: number): ArrayType {
  return { kind: "array", element: CHARACTER, length };
}

/** Text with its length before it. */
export const TEXT_SEQUENCE: SequenceType = {
  kind: "sequence",
  element: CHARACTER,
  lengthType: integer(32),
};

/** The plan of one event of the catalogue. */
export function planEvent(
  event: CatalogEvent,
  format: EventFormat,
  layout: PageLayout,
): EventPlan {
  return {
    name: event.lttngName,
    id: format.id,
    size: staticSizeOf(format),
    fields: planFields(event, format, layout),
  };
}

/** The payload that a plan declares. */
export function payloadOf(fields: readonly PlannedField[]): StructType {
  return struct(Object.fromEntries(fields.map(({ name, type }) => [
    name,
    type,
  ])));
}

function staticSizeOf({ common, fields }: EventFormat): number {
  let size = 0;
  for (const { offset, size: bytes } of [...common, ...fields]) {
    size = Math.max(size, offset + bytes);
  }
  return size;
}

function planFields(
  event: CatalogEvent,
  format: EventFormat,
  layout: PageLayout,
): PlannedField[] {
  switch (event.kind) {
    case "syscall entry":
      return planArguments(format, layout);
    case "syscall exit":
      return planResult(format, layout);
    case "probe":
      return planProbe(format);
    case "tracepoint": {
      const rules = FIELD_RULES[`${event.system}:${event.name}`];
      return rules === undefined
        ? format.fields.map((field) => planField(field, layout))
        : planByRules(rules, format, layout);
    }
  }
}

/** Fields of probes, and what LTTng calls them. */
const PROBE_FIELDS = [
  ["__probe_ip", "ip"],
  ["__probe_func", "ip"],
  ["__probe_ret_ip", "parent_ip"],
] as const;

function planProbe({ fields }: EventFormat): PlannedField[] {
  const planned: PlannedField[] = [];
  for (const [from, name] of PROBE_FIELDS) {
    const field = fields.find((field) => field.name === from);
    if (field === undefined) continue;
    const type = integer(field.size * 8, { base: 16 });
    planned.push({ name, type, source: integerSource(field, type, 0) });
  }
  return planned;
}

/**
 * The arguments of a system call. tracefs keeps each in 64 bits, whatever its
 * C type: the low bytes are the value.
 */
function planArguments(
  format: EventFormat,
  layout: PageLayout,
): PlannedField[] {
  return syscallArguments(format, layout.longSize).map((argument) => {
    const { name, type, field } = argument;
    if (type === undefined) return { ...planField(field, layout), name };
    const source: Source = type.kind === "string"
      ? { kind: "text", place: placeOf(field) }
      : integerSource(field, type, 0);
    return { name, type, source };
  });
}

function planResult(format: EventFormat, layout: PageLayout): PlannedField[] {
  const type = syscallResultType(format, layout.longSize);
  return format.fields.filter(({ name }) => name !== "__syscall_nr")
    .map((field) => ({
      name: field.name,
      type,
      source: integerSource(field, type, 0),
    }));
}

function planByRules(
  rules: Readonly<Record<string, FieldRule>>,
  format: EventFormat,
  layout: PageLayout,
): PlannedField[] {
  const planned: PlannedField[] = [];
  for (const [name, rule] of Object.entries(rules)) {
    const from = [rule.from ?? [name]].flat();
    const field = fieldNamed(format, from);
    const result = planRule(name, rule, field, layout);
    if (result !== undefined) planned.push(result);
  }
  return planned;
}

/** The first of `names` that the event has. */
function fieldNamed(
  format: EventFormat,
  names: readonly string[],
): FormatField | undefined {
  for (const name of names) {
    for (const field of [...format.fields, ...format.common]) {
      if (field.name === name) return field;
    }
  }
  return undefined;
}

function planRule(
  name: string,
  rule: FieldRule,
  field: FormatField | undefined,
  layout: PageLayout,
): PlannedField | undefined {
  if (field === undefined) {
    return rule.optional === true ? undefined : planMissing(name, rule);
  }
  switch (rule.kind) {
    case "same":
      return { ...planField(field, layout), name };
    case "integer":
      return {
        name,
        type: rule.type,
        source: integerSource(field, rule.type, rule.add ?? 0),
      };
    case "task name":
      return {
        name,
        type: textArray(TASK_NAME_SIZE),
        source: {
          kind: "padded",
          place: placeOf(field),
          width: TASK_NAME_SIZE,
        },
      };
    case "request bits":
      return {
        name,
        type: integer(32),
        source: { kind: "request bits", place: placeOf(field) },
      };
    case "text sequence":
      return {
        name,
        type: TEXT_SEQUENCE,
        source: { kind: "text elements", place: placeOf(field) },
      };
    case "thread":
      return {
        name,
        type: rule.type,
        source: { kind: "thread", at: field.offset, property: rule.property },
      };
    case "list of one":
      return planListOfOne(name, field);
    case "constant":
      return planMissing(name, rule);
  }
}

/** Bytes of a task's name, its NUL with them (`TASK_COMM_LEN`). */
export const TASK_NAME_SIZE = 16;

/** A field that tracefs does not have: there, but 0. */
function planMissing(name: string, rule: FieldRule): PlannedField | undefined {
  switch (rule.kind) {
    case "same":
    case "list of one":
      return undefined;
    case "task name":
      return {
        name,
        type: textArray(TASK_NAME_SIZE),
        source: { kind: "literal", text: "", width: TASK_NAME_SIZE },
      };
    case "text sequence":
      return {
        name,
        type: TEXT_SEQUENCE,
        source: { kind: "constant", value: 0, width: 4 },
      };
    case "request bits":
      return {
        name,
        type: integer(32),
        source: { kind: "constant", value: 0, width: 4 },
      };
    case "integer":
    case "thread":
    case "constant": {
      const width = rule.type.kind === "enumeration"
        ? rule.type.container.size / 8
        : rule.type.size / 8;
      const value = rule.kind === "constant" ? rule.value : 0;
      return {
        name,
        type: rule.type,
        source: { kind: "constant", value, width },
      };
    }
  }
}

/** A sequence of the one integer that `field` is, its length in one byte. */
function planListOfOne(name: string, field: FormatField): PlannedField {
  const element = integer(32, { signed: true });
  return {
    name,
    // The length is a byte that is always 1, then the element.
    type: { kind: "sequence", element, lengthType: integer(8) },
    source: {
      kind: "elements",
      place: { kind: "static", at: field.offset, size: 4 },
      elementSize: 4,
      countSize: 1,
    },
  };
}

/** A field under its own name and of its own type. */
export function planField(
  field: FormatField,
  layout: PageLayout,
): PlannedField {
  const { name } = field;
  if (field.isArray) return { name, ...planArray(field, layout) };
  const isPointer = field.type.includes("*");
  if (![1, 2, 4, 8].includes(field.size)) {
    return { name, ...planOpaque(field.offset, field.size) };
  }
  const type = integer(field.size * 8, {
    signed: field.signed && !isPointer,
    base: isPointer ? 16 : 10,
  });
  return { name, type, source: integerSource(field, type, 0) };
}

type Planned = Pick<PlannedField, "type" | "source">;

/** A structure that was put into the record as it is. */
function planOpaque(at: number, size: number): Planned {
  const element = integer(8, { base: 16 });
  const type: ArrayType = { kind: "array", element, length: size };
  return { type, source: { kind: "bytes", at, size } };
}

function planArray(field: FormatField, layout: PageLayout): Planned {
  const { offset: at, size, length, storage } = field;
  const isText = field.type === "char" || field.type === "const char";
  if (storage === "static") {
    if (size === 0 || length === undefined || length < 1) {
      return { type: struct({}), source: { kind: "bytes", at, size: 0 } };
    }
    if (isText) return { type: textArray(size), source: copyOf(at, size) };
    const elementSize = size / length;
    if (![1, 2, 4, 8].includes(elementSize)) return planOpaque(at, size);
    const element = elementOf(field, elementSize);
    return {
      type: { kind: "array", element, length },
      source: copyOf(at, size),
    };
  }
  const place = placeOf(field);
  if (isText) {
    return { type: { kind: "string" }, source: { kind: "text", place } };
  }
  const elementSize = elementSizeOf(field.type, layout.longSize);
  const element = elementOf(field, elementSize);
  return {
    type: { kind: "sequence", element, lengthType: integer(32) },
    source: { kind: "elements", place, elementSize, countSize: 4 },
  };
}

function copyOf(at: number, size: number): Source {
  return { kind: "bytes", at, size };
}

function elementOf(field: FormatField, size: number): IntegerType {
  const isMask = field.type === "cpumask_t" || field.type.includes("*");
  return integer(size * 8, {
    signed: field.signed && !isMask && size > 1,
    base: isMask ? 16 : 10,
  });
}

/** Bytes of an element of an array whose length varies. */
function elementSizeOf(type: string, longSize: number): number {
  if (type.includes("*") || /^(cpumask_t|(unsigned )?long)$/.test(type)) {
    return longSize;
  }
  const bits = /^(?:__)?[us](?:int)?(8|16|32|64)(?:_t)?$/.exec(type)?.[1] ??
    /^int(8|16|32|64)_t$/.exec(type)?.[1];
  if (bits !== undefined) return Number(bits) / 8;
  if (/^(unsigned )?int$|^unsigned$/.test(type)) return 4;
  if (/^(unsigned )?short$/.test(type)) return 2;
  if (/^(unsigned )?long long$/.test(type)) return 8;
  return 1;
}

/** Where the bytes of a field lie. */
export function placeOf(field: FormatField): Place {
  const { storage, offset: at, size } = field;
  return storage === "static"
    ? { kind: "static", at, size }
    : { kind: storage, at };
}

function integerSource(
  field: FormatField,
  type: FieldRuleType,
  add: number,
): Source {
  const width = (type.kind === "enumeration" ? type.container : type).size / 8;
  const { offset: at, size, signed } = field;
  if (width === size && add === 0) return { kind: "bytes", at, size };
  return { kind: "integer", at, size, signed, add, width };
}

type FieldRuleType = Extract<FieldRule, { kind: "integer" }>["type"];
