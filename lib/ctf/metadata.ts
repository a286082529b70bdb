/** Prints metadata: TSDL, the text that tells readers how a trace is laid out (CTF 1.8 §7). */

import { type EventLogLevel, LOG_LEVELS } from "./event_class.ts";
import {
  BOOLEAN_CONTAINER,
  type ByteOrder,
  type EnumerationMapping,
  type FieldType,
  type FloatType,
  type IntegerType,
  lengthFieldName,
  type StructType,
} from "./types.ts";

/** The clock whose values are the timestamps of a trace. */
export interface ClockDescription {
  /** A C identifier: `monotonic` in LTTng. */
  readonly name: string;
  /** For people. */
  readonly description?: string;
  /** The same for clocks whose values compare, across traces. */
  readonly uuid?: string;
  /** Ticks a second. */
  readonly frequency: bigint;
  /** Ticks from 1970-01-01 UTC to the clock's zero. */
  readonly offset: bigint;
}

/**
 * How an event begins. `compact`: 5 bits of id and 27 bits of time, for up to
 * 31 event classes; `large`: 16 bits of id and 32 of time. Both have a longer
 * form for what does not fit.
 */
export type EventHeaderKind = "compact" | "large";

/** What the `env` block says, in its order. */
export type Environment = Readonly<Record<string, string | number | bigint>>;

/** What is known of a trace before its first event class. */
export interface TraceDescription {
  readonly uuid: string;
  readonly byteOrder: ByteOrder;
  readonly environment: Environment;
  readonly clock: ClockDescription;
}

/** Everything before the first stream class and event class. */
export function printPreamble(trace: TraceDescription): string {
  return [
    "/* CTF 1.8 */\n",
    printAliases(),
    printTrace(trace),
    printEnvironment(trace.environment),
    printClock(trace.clock),
    printClockTypes(trace.clock),
    PACKET_CONTEXT,
    EVENT_HEADERS,
  ].join("\n");
}

/**
 * A stream class, which LTTng calls a channel. `context` lies between the
 * header and the payload of each of its events.
 */
export function printStreamClass(
  id: number,
  header: EventHeaderKind,
  context?: StructType,
): string {
  const eventContext = context === undefined
    ? ""
    : `\tevent.context := ${printStruct(context, 1)};\n`;
  return `stream {
	id = ${id};
	event.header := struct event_header_${header};
	packet.context := struct packet_context;
${eventContext}};

`;
}

/** What metadata says of an event class; the kernel's have no log level. */
export interface EventDescription {
  readonly name: string;
  readonly logLevel?: EventLogLevel;
  readonly payload: StructType;
}

/** An event class under its number in a stream class. */
export function printEventClass(
  event: EventDescription,
  id: number,
  streamClassId: number,
): string {
  const logLevel = event.logLevel === undefined
    ? ""
    : `\tloglevel = ${LOG_LEVELS[event.logLevel]};\n`;
  return `event {
	name = ${quote(event.name)};
	id = ${id};
	stream_id = ${streamClassId};
${logLevel}	fields := ${printStruct(event.payload, 1)};
};

`;
}

function printAliases(): string {
  function alias(size: number, alignment: number, name: string): string {
    return `typealias integer { size = ${size}; align = ${alignment}; ` +
      `signed = false; } := ${name};\n`;
  }
  return alias(8, 8, "uint8_t") + alias(16, 8, "uint16_t") +
    alias(32, 8, "uint32_t") + alias(64, 8, "uint64_t") +
    alias(5, 1, "uint5_t") + alias(27, 1, "uint27_t");
}

function printTrace(trace: TraceDescription): string {
  return `trace {
	major = 1;
	minor = 8;
	uuid = "${trace.uuid}";
	byte_order = ${trace.byteOrder};
	packet.header := struct {
		uint32_t magic;
		uint8_t  uuid[16];
		uint32_t stream_id;
		uint64_t stream_instance_id;
	};
};
`;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

function checkIdentifier(name: string, what: string): void {
  if (!IDENTIFIER.test(name)) {
    throw new RangeError(
      `Cannot print metadata: ${what} "${name}" is not letters, digits and _ ` +
        `beginning with a letter or _`,
    );
  }
}

function printEnvironment(environment: Environment): string {
  const lines = Object.entries(environment).map(([name, value]) => {
    checkIdentifier(name, "environment name");
    const text = typeof value === "string" ? quote(value) : `${value}`;
    return `\t${name} = ${text};\n`;
  });
  return `env {\n${lines.join("")}};\n`;
}

function printClock(clock: ClockDescription): string {
  checkIdentifier(clock.name, "clock name");
  const uuid = clock.uuid ? `\tuuid = "${clock.uuid}";\n` : "";
  const description = clock.description
    ? `\tdescription = ${quote(clock.description)};\n`
    : "";
  return `clock {
	name = "${clock.name}";
${uuid}${description}	freq = ${clock.frequency}; /* Frequency, in Hz */
	/* clock value offset from Epoch is: offset * (1/freq) */
	offset = ${clock.offset};
};
`;
}

function printClockTypes(clock: ClockDescription): string {
  function alias(size: number, alignment: number): string {
    return `typealias integer {
	size = ${size}; align = ${alignment}; signed = false;
	map = clock.${clock.name}.value;
} := uint${size}_clock_t;
`;
  }
  return alias(27, 1) + alias(32, 8) + alias(64, 8);
}

/** The order of these fields is that of `packet.ts`. */
const PACKET_CONTEXT = `struct packet_context {
	uint64_clock_t timestamp_begin;
	uint64_clock_t timestamp_end;
	uint64_t content_size;
	uint64_t packet_size;
	uint64_t packet_seq_num;
	uint64_t events_discarded;
	uint32_t cpu_id;
};
`;

/** The order of these fields is that of `packet.ts`. */
const EVENT_HEADERS = `struct event_header_compact {
	enum : uint5_t { compact = 0 ... 30, extended = 31 } id;
	variant <id> {
		struct {
			uint27_clock_t timestamp;
		} compact;
		struct {
			uint32_t id;
			uint64_clock_t timestamp;
		} extended;
	} v;
} align(8);

struct event_header_large {
	enum : uint16_t { compact = 0 ... 65534, extended = 65535 } id;
	variant <id> {
		struct {
			uint32_clock_t timestamp;
		} compact;
		struct {
			uint32_t id;
			uint64_clock_t timestamp;
		} extended;
	} v;
} align(8);

`;

function printStruct(type: StructType, depth: number): string {
  const indent = "\t".repeat(depth);
  const fields = Object.entries(type.fields).map(([name, field]) =>
    printField(name, field, depth + 1)
  );
  const align = type.minimumAlignment > 1
    ? ` align(${type.minimumAlignment})`
    : "";
  return `struct {\n${fields.join("")}${indent}}${align}`;
}

/** One field, or the two that a sequence is. */
function printField(name: string, type: FieldType, depth: number): string {
  const indent = "\t".repeat(depth);
  if (type.kind === "sequence") {
    const length = `_${lengthFieldName(name)}`;
    const { text, lengths } = printElement(type.element, depth);
    return `${indent}${printInteger(type.lengthType)} ${length};\n` +
      `${indent}${text} _${name}[ ${length} ]${lengths};\n`;
  }
  const { text, lengths } = printElement(type, depth);
  // A leading underscore keeps names apart from TSDL's own words; readers
  // take it away again.
  return `${indent}${text} _${name}${lengths};\n`;
}

/** A type's text, and the lengths that follow the name it is given to. */
function printElement(
  type: FieldType,
  depth: number,
): { text: string; lengths: string } {
  if (type.kind === "array") {
    const inner = printElement(type.element, depth);
    return { text: inner.text, lengths: `[${type.length}]${inner.lengths}` };
  }
  return { text: printType(type, depth), lengths: "" };
}

function printType(
  type: Exclude<FieldType, { kind: "array" }>,
  depth: number,
): string {
  switch (type.kind) {
    case "integer":
      return printInteger(type);
    case "float":
      return printFloat(type);
    case "string":
      return "string";
    case "boolean":
      return printEnumeration(BOOLEAN_CONTAINER, BOOLEAN_MAPPINGS);
    case "enumeration":
      return printEnumeration(type.container, type.mappings);
    case "struct":
      return printStruct(type, depth);
    case "sequence":
      throw new TypeError("Cannot print a sequence inside an array");
  }
}

function printByteOrder(type: IntegerType | FloatType): string {
  return type.byteOrder ? ` byte_order = ${type.byteOrder};` : "";
}

function printInteger(type: IntegerType): string {
  return `integer { size = ${type.size}; align = ${type.alignment}; ` +
    `signed = ${type.signed ? 1 : 0}; encoding = ${
      type.encoding ?? "none"
    }; base = ${type.base};` +
    `${printByteOrder(type)} }`;
}

function printFloat(type: FloatType): string {
  const [exponent, mantissa] = type.size === 32 ? [8, 24] : [11, 53];
  return `floating_point { exp_dig = ${exponent}; mant_dig = ${mantissa}; ` +
    `align = ${type.alignment};${printByteOrder(type)} }`;
}

const BOOLEAN_MAPPINGS: readonly EnumerationMapping[] = [
  { label: "false", first: 0n, last: 0n },
  { label: "true", first: 1n, last: 1n },
];

function printEnumeration(
  container: IntegerType,
  mappings: readonly EnumerationMapping[],
): string {
  const entries = mappings.map(({ label, first, last }) =>
    first === last
      ? `${quote(label)} = ${first}`
      : `${quote(label)} = ${first} ... ${last}`
  );
  return `enum : ${printInteger(container)} { ${entries.join(", ")} }`;
}

/** A TSDL string: C's, so a reader undoes what is escaped here. */
function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");
  // deno-lint-ignore no-control-regex
  const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
  const octal = escaped.replace(
    control,
    (character) => "\\" + character.charCodeAt(0).toString(8).padStart(3, "0"),
  );
  return `"${octal}"`;
}
