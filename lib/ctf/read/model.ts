/** What a trace reader hands out: classes that say how fields look, decoded values, and messages. */

import type { ByteOrder, IntegerBase } from "../types.ts";

/**
 * A decoded value; its {@linkcode FieldClass} says what it means.
 *
 * - integer and bit map: `number` where its class has at most 53 bits, else
 *   `bigint`; of variable length: `number` where it is a safe integer
 * - enumeration: the integer, as above; {@linkcode labelsOf} names it
 * - boolean: `boolean`
 * - floating point: `number`
 * - string and text: `string`
 * - blob: `Uint8Array`
 * - array and sequence: one value an element
 * - struct: one value a member, in the order of `StructClass.members`
 * - variant: {@linkcode VariantValue}
 * - option: the value, or `null` where there is none
 */
export type Value =
  | number
  | bigint
  | boolean
  | string
  | null
  | Uint8Array
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

/** The six places that a struct may have in a trace (CTF 1.8 §7.3.2). */
export type Root =
  | "trace.packet.header"
  | "stream.packet.context"
  | "stream.event.header"
  | "stream.event.context"
  | "event.context"
  | "event.fields";

/** Where a length or a tag is, as the metadata says it. */
export interface Reference {
  /** The struct that the path begins in. Without it, one around the field. */
  readonly root?: Root;
  /** Without a root: begins in the struct that the field is a member of (CTF 2). */
  readonly isLocal?: true;
  /** Members, from the outside; `null` goes one struct out (CTF 2). */
  readonly path: readonly (string | null)[];
}

/** What a member says of its packet or event (CTF 2, "roles"). */
export type Role =
  | "magic"
  | "trace-uuid"
  | "stream-class-id"
  | "stream-id"
  | "packet-size"
  | "content-size"
  | "timestamp"
  | "timestamp-end"
  | "events-discarded"
  | "sequence-number"
  | "event-class-id";

/** How text is encoded. */
export type TextEncoding =
  | "utf-8"
  | "utf-16be"
  | "utf-16le"
  | "utf-32be"
  | "utf-32le";

/** Integers, both ends included. */
export interface IntegerRange {
  readonly first: bigint;
  readonly last: bigint;
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

/** An integer of as many bytes as it needs: LEB128, seven bits a byte (CTF 2). */
export interface VariableIntegerClass {
  readonly kind: "variable-integer";
  readonly signed: boolean;
  /** The base in which it is printed. */
  readonly base: IntegerBase;
}

/** One label and the integers it stands for. */
export interface Mapping extends IntegerRange {
  readonly label: string;
}

/** Labels over an integer. */
export interface EnumerationClass {
  readonly kind: "enumeration";
  readonly container: IntegerClass | VariableIntegerClass;
  readonly mappings: readonly Mapping[];
}

/** False where all bits are 0 (CTF 2). */
export interface BooleanClass {
  readonly kind: "boolean";
  readonly container: IntegerClass;
}

/** Bits with names (CTF 2). */
export interface BitMapClass {
  readonly kind: "bit-map";
  /** Not signed. */
  readonly container: IntegerClass;
  /** Which bits, counted from the least, each name stands for. */
  readonly flags: readonly Mapping[];
}

/** An IEEE 754 number. */
export interface FloatClass {
  readonly kind: "float";
  readonly size: 32 | 64;
  readonly alignment: number;
  readonly byteOrder: ByteOrder;
}

/** Text that ends with a NUL character. */
export interface StringClass {
  readonly kind: "string";
  readonly encoding: TextEncoding;
}

/** Text of a length in bytes; a NUL character ends it early. */
export interface TextClass {
  readonly kind: "text";
  readonly encoding: TextEncoding;
  readonly length: number | Reference;
}

/** Bytes (CTF 2). */
export interface BlobClass {
  readonly kind: "blob";
  /** In bytes. */
  readonly length: number | Reference;
  readonly mediaType: string;
}

/** A fixed number of elements. */
export interface ArrayClass {
  readonly kind: "array";
  readonly element: FieldClass;
  readonly length: number;
  /** The least alignment in bits; its elements may ask for more. */
  readonly minimumAlignment: number;
}

/** As many elements as an integer decoded before says. */
export interface SequenceClass {
  readonly kind: "sequence";
  readonly element: FieldClass;
  /** Which integer says how many. */
  readonly length: Reference;
  /** The least alignment in bits; its elements may ask for more. */
  readonly minimumAlignment: number;
}

/** A member of a struct or an option of a variant. */
export interface NamedClass {
  /** Without the one leading underscore that metadata puts before names. */
  readonly name: string;
  /** As the metadata spells it: references use this. */
  readonly rawName: string;
  readonly class: FieldClass;
  /** What it says of its packet or event. */
  readonly roles?: readonly Role[];
}

/** Named fields, one after the other. */
export interface StructClass {
  readonly kind: "struct";
  readonly members: readonly NamedClass[];
  /** The least alignment in bits; its members may ask for more. */
  readonly minimumAlignment: number;
}

/** One of several fields. */
export interface VariantOption extends NamedClass {
  /** Values of the tag that choose it; without them, its name as a label does. */
  readonly ranges?: readonly IntegerRange[];
}

/** One of several fields, chosen by an integer decoded before. */
export interface VariantClass {
  readonly kind: "variant";
  /** Which enumeration, or in CTF 2 which integer. */
  readonly tag: Reference;
  readonly options: readonly VariantOption[];
}

/** A field that is there or not, as an integer decoded before says (CTF 2). */
export interface OptionClass {
  readonly kind: "option";
  /** Which integer, or without ranges which boolean. */
  readonly tag: Reference;
  /** Values of an integer with which it is there. */
  readonly ranges?: readonly IntegerRange[];
  readonly content: FieldClass;
}

/** How a field lies in a packet and how it is printed. */
export type FieldClass =
  | IntegerClass
  | VariableIntegerClass
  | EnumerationClass
  | BooleanClass
  | BitMapClass
  | FloatClass
  | StringClass
  | TextClass
  | BlobClass
  | ArrayClass
  | SequenceClass
  | StructClass
  | VariantClass
  | OptionClass;

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
  /** What identifies it in CTF 2; LTTng has its UUID here too. */
  readonly uid?: string;
  /** Of the trace as a whole; CTF 2 has none. */
  readonly byteOrder?: ByteOrder;
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
  | boolean
  | string
  | null
  | Uint8Array
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

/** The names of the bits that are set in a bit map's value. */
export function flagsOf(
  { flags }: BitMapClass,
  value: number | bigint,
): string[] {
  const bits = BigInt(value);
  const names = new Set<string>();
  for (const { label, first, last } of flags) {
    if (bits >> first & (1n << last - first + 1n) - 1n) names.add(label);
  }
  return [...names];
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
      return (value as readonly Value[]).map((element) =>
        toPlain(fieldClass.element, element)
      );
    case "variant": {
      const { option, value: inner } = value as VariantValue;
      return toPlain(fieldClass.options[option]!.class, inner);
    }
    case "option":
      return value === null ? null : toPlain(fieldClass.content, value);
    default:
      return value as Exclude<Value, readonly Value[] | VariantValue>;
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
