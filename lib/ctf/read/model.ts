/** What a trace reader hands out: classes that say how fields look, decoded values, and messages. */

import type { ByteOrder, IntegerBase } from "../types.ts";

/**
 * A decoded value; its {@linkcode FieldClass} says what it means.
 *
 * - integer: `number` where its class has at most 53 bits, else `bigint`
 * - enumeration: the integer, as above; {@linkcode labelsOf} names it
 * - floating point: `number`
 * - string, and array or sequence with `isText`: `string`
 * - array and sequence: one value an element
 * - struct: one value a member, in the order of `StructClass.members`
 * - variant: {@linkcode VariantValue}
 */
export type Value =
  | number
  | bigint
  | string
  | readonly Value[]
  | VariantValue;

/** The members of a struct, in the order of `StructClass.members`. */
export type StructValue = readonly Value[];

/** The option that a variant's tag chose, and its value. */
export interface VariantValue {
  /** Index in `VariantClass.options`. */
  readonly option: number;
  readonly value: Value;
}

/** An integer of 1 to 64 bits. */
export interface IntegerClass {
  readonly kind: "integer";
  /** Width in bits. */
  readonly size: number;
  readonly signed: boolean;
  /** The base in which it is printed. */
  readonly base: IntegerBase;
  /** Alignment in bits. */
  readonly alignment: number;
  readonly byteOrder: ByteOrder;
  /** Whether an array of it, 8 bits wide, is text. */
  readonly isCharacter: boolean;
  /** The clock that its value is a time of. */
  readonly clock?: string;
}

/** One label and the integers it stands for, both included. */
export interface Mapping {
  readonly label: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** Labels over an integer. */
export interface EnumerationClass {
  readonly kind: "enumeration";
  readonly container: IntegerClass;
  readonly mappings: readonly Mapping[];
}

/** An IEEE 754 number. */
export interface FloatClass {
  readonly kind: "float";
  readonly size: 32 | 64;
  readonly alignment: number;
  readonly byteOrder: ByteOrder;
}

/** Text that ends with a NUL byte. */
export interface StringClass {
  readonly kind: "string";
}

/** A fixed number of elements. */
export interface ArrayClass {
  readonly kind: "array";
  readonly element: FieldClass;
  readonly length: number;
  /** Whether its value is one string. */
  readonly isText: boolean;
}

/** As many elements as an integer decoded before says. */
export interface SequenceClass {
  readonly kind: "sequence";
  readonly element: FieldClass;
  /** Which integer, as the metadata names it. */
  readonly length: readonly string[];
  /** Whether its value is one string. */
  readonly isText: boolean;
}

/** A member of a struct or an option of a variant. */
export interface NamedClass {
  /** Without the one leading underscore that metadata puts before names. */
  readonly name: string;
  /** As the metadata spells it: references use this. */
  readonly rawName: string;
  readonly class: FieldClass;
}

/** Named fields, one after the other. */
export interface StructClass {
  readonly kind: "struct";
  readonly members: readonly NamedClass[];
  /** The least alignment in bits; its members may ask for more. */
  readonly minimumAlignment: number;
}

/** One of several fields, chosen by an enumeration decoded before. */
export interface VariantClass {
  readonly kind: "variant";
  /** Which enumeration, as the metadata names it. */
  readonly tag: readonly string[];
  readonly options: readonly NamedClass[];
}

/** How a field lies in a packet and how it is printed. */
export type FieldClass =
  | IntegerClass
  | EnumerationClass
  | FloatClass
  | StringClass
  | ArrayClass
  | SequenceClass
  | StructClass
  | VariantClass;

/** A clock of a trace. */
export interface ClockClass {
  readonly name: string;
  readonly description?: string;
  readonly uuid?: string;
  /** Ticks a second. */
  readonly frequency: bigint;
  /** Seconds from 1970-01-01 UTC to the clock's zero. */
  readonly offsetSeconds: bigint;
  /** Ticks on top of those. */
  readonly offset: bigint;
  /** By how many ticks it may be wrong. */
  readonly precision: bigint;
}

/** A trace: one directory with a metadata file. */
export interface TraceClass {
  /** The trace's directory. */
  readonly path: string;
  readonly uuid?: string;
  readonly byteOrder: ByteOrder;
  /** The `env` block, in its order. */
  readonly environment: ReadonlyMap<string, string | bigint>;
  readonly clocks: ReadonlyMap<string, ClockClass>;
  readonly streams: ReadonlyMap<bigint, StreamClass>;
}

/**
 * A stream class, which LTTng calls a channel. As babeltrace2 shows them, its
 * packet context has no sizes, times, counters and sequence numbers.
 */
export interface StreamClass {
  readonly id: bigint;
  readonly packetContext?: StructClass;
  /** `stream.event.context`: what each event has before its own context. */
  readonly eventContext?: StructClass;
  readonly clock?: ClockClass;
  readonly events: ReadonlyMap<bigint, EventClass>;
}

/** An event class. */
export interface EventClass {
  readonly id: bigint;
  readonly name: string;
  /** As a number: 0 emergency to 14 debug. */
  readonly logLevel?: number;
  readonly emfUri?: string;
  readonly context?: StructClass;
  readonly payload?: StructClass;
}

/** One stream of events: its data file is its name. */
export interface StreamInfo {
  /** The data file. */
  readonly path: string;
  readonly trace: TraceClass;
  readonly class: StreamClass;
  /** `stream_instance_id`, where the packet header has one. */
  readonly instanceId?: bigint;
}

/** An event. */
export interface EventRecord {
  readonly kind: "event";
  /** Nanoseconds since 1970 with the clock's offset; 0 without a clock. */
  readonly timestamp: bigint;
  /** The clock's own value. */
  readonly cycles: bigint;
  readonly stream: StreamInfo;
  readonly class: EventClass;
  /** Members as in `stream.class.packetContext`. */
  readonly packetContext: StructValue | undefined;
  /** Members as in `stream.class.eventContext`. */
  readonly streamContext: StructValue | undefined;
  /** Members as in `class.context`. */
  readonly context: StructValue | undefined;
  /** Members as in `class.payload`. */
  readonly payload: StructValue | undefined;
}

/** Events, or whole packets, that are not in a stream. */
export interface LossRecord {
  readonly kind: "discarded_events" | "lost_packets";
  /** How many; unset where the tracer did not count from a known number. */
  readonly count?: bigint;
  /** Nanoseconds since 1970: the last time before the loss. */
  readonly begin?: bigint;
  /** Nanoseconds since 1970: the first time by which it had happened. */
  readonly end?: bigint;
  /** {@linkcode begin} in ticks of the clock. */
  readonly beginCycles?: bigint;
  /** {@linkcode end} in ticks of the clock. */
  readonly endCycles?: bigint;
  /** When it takes its turn among the messages: its begin. */
  readonly timestamp: bigint;
  readonly stream: StreamInfo;
}

/** What a reader hands out, in order of time. */
export type Message = EventRecord | LossRecord;

/** A value as programs like it: structs are objects by member name. */
export type PlainValue =
  | number
  | bigint
  | string
  | PlainValue[]
  | { [name: string]: PlainValue };

/** The labels of an enumeration's value; none where no label has it. */
export function labelsOf(
  enumeration: EnumerationClass,
  value: number | bigint,
): string[] {
  const labels: string[] = [];
  for (const { label, first, last } of enumeration.mappings) {
    if (value >= first && value <= last) labels.push(label);
  }
  return labels;
}

/**
 * A struct's value as an object, with variants as the value of their option
 * and enumerations as integers.
 */
export function toObject(
  structClass: StructClass,
  value: StructValue,
): { [name: string]: PlainValue } {
  const object: { [name: string]: PlainValue } = {};
  for (const [index, member] of structClass.members.entries()) {
    Object.defineProperty(object, member.name, {
      value: toPlain(member.class, value[index]!),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return object;
}

function toPlain(fieldClass: FieldClass, value: Value): PlainValue {
  switch (fieldClass.kind) {
    case "struct":
      return toObject(fieldClass, value as StructValue);
    case "array":
    case "sequence":
      if (typeof value === "string") return value;
      return (value as readonly Value[]).map((element) =>
        toPlain(fieldClass.element, element)
      );
    case "variant": {
      const { option, value: inner } = value as VariantValue;
      return toPlain(fieldClass.options[option]!.class, inner);
    }
    default:
      return value as number | bigint | string;
  }
}

/** What went wrong while reading, and where. */
export class TraceReadError extends Error {
  override readonly name = "TraceReadError";
  /** The file that could not be read on. */
  readonly path: string;
  /** Byte offset in that file, where one is known. */
  readonly offset: number | undefined;

  constructor(
    path: string,
    offset: number | undefined,
    detail: string,
    options?: ErrorOptions,
  ) {
    const at = offset === undefined ? "" : ` at byte ${offset}`;
    super(`Cannot read ${path}${at}: ${detail}`, options);
    this.path = path;
    this.offset = offset;
  }
}

/** What {@linkcode TraceReadError}s are given to while reading goes on. */
export type ErrorListener = (error: TraceReadError) => void;
