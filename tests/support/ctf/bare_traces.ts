/**
 * Small CTF 1.8 traces in the forms that other tracers than LTTng use, such as
 * barectf: metadata in plain text, bit fields, slow clocks, no clock at all.
 */

import { type BitOrder, BitWriter } from "./bit_writer.ts";
import {
  array,
  enumeration,
  type Field,
  float,
  integer,
  put,
  sequence,
  string,
  struct,
  text,
  type Type,
  variant,
} from "./fields.ts";

/** A trace of one stream whose events are all of one class. */
export interface BareTrace {
  readonly name: string;
  /** TSDL before the trace block: types with names. */
  readonly types?: string;
  /** TSDL blocks between the trace block and the stream's. */
  readonly blocks?: string;
  /** Attributes of the trace and of the event. */
  readonly trace?: string;
  readonly event?: string;
  /** Value `n` is that of packet `n`. */
  readonly packetHeader?: Type;
  /** Of packet `n` with `content` bits. */
  readonly packetContext?: (content: number) => Type;
  /** Of event `n`, as are the next ones. */
  readonly eventHeader?: Type;
  readonly streamEventContext?: Type;
  readonly eventContext?: Type;
  readonly fields: readonly Field[];
  /** Aligns the event's structure of fields; in bits. */
  readonly align?: number;
}

/** Events in each packet, and packets. */
const EVENTS = 12;
const PACKETS = 2;
const PACKET_BYTES = 16_384;
/** Events in a trace, unless it has no packets to tell apart. */
export const BARE_EVENTS = EVENTS * PACKETS;

const OPTIONS = { align: 1 };
const NUMBERS = [0, 1, -1, 0x55, -0x55, 0x7F, 2 ** 40 + 1, -(2 ** 40), 77];

/** Value `n` of integers that fill their bits. */
function number(n: number): number {
  return NUMBERS[n % NUMBERS.length]!;
}

/** A field that is called `name`. */
function field(name: string, type: Type): Field {
  return { name, type };
}

/**
 * Signed and unsigned integers of every size, side by side. babeltrace2 2.0.4
 * prints 0x0 for every hexadecimal one of 61 to 63 bits.
 */
function everySize(): Field[] {
  const fields: Field[] = [];
  for (let bits = 1; bits <= 64; bits++) {
    const bases = ["2", "8", "10", bits > 60 && bits < 64 ? "8" : "16"];
    const options = { ...OPTIONS, base: bases[bits % 4]! };
    const signed = { ...options, base: bases[(bits + 1) % 4]!, signed: true };
    fields.push(
      field(`u${bits}`, integer(bits, number, options)),
      field(`s${bits}`, integer(bits, (n) => number(n + bits), signed)),
    );
  }
  return fields;
}

const CLOCK = "map = clock.default.value;";
const SECOND = 32_768;

/** Clock, packet and event headers as barectf 3 makes them. */
const BARECTF = {
  trace: `uuid = "79e49040-21b5-42d4-a83b-646f78666b62";`,
  blocks: `
env { domain = "bare"; tracer_name = "barectf"; tracer_major = 3; version = "0x10"; };
clock {
	name = default;
	description = "A \\"slow\\" clock\\n";
	freq = ${SECOND};
	precision = 10;
	offset_s = 1700000000;
	offset = ${SECOND / 2};
	absolute = FALSE;
};`,
  packetHeader: struct([
    field("magic", integer(32, () => 0xC1FC1FC1, { align: 32 })),
    field(
      "uuid",
      array(
        16,
        () =>
          integer(8, (at) =>
            "79e4904021b542d4a83b646f78666b62".match(/../g)!
              .map((byte) => parseInt(byte, 16))[at]!),
      ),
    ),
    field("stream_id", integer(8, () => 0)),
  ], 8),
  packetContext: (content: number) =>
    struct([
      field("packet_size", integer(32, () => PACKET_BYTES * 8, { align: 32 })),
      field("content_size", integer(32, () => content, { align: 32 })),
      field("timestamp_begin", time((n) => n * EVENTS)),
      field("timestamp_end", time((n) => (n + 1) * EVENTS - 1)),
      field("events_discarded", integer(16, (n) => n * 5)),
      field("width", integer(4, (n) => n + 1, OPTIONS)),
      field("temperature", integer(12, (n) => n - 40, { signed: true })),
    ], 32),
  eventHeader: struct([
    field("id", integer(16, () => 0)),
    field("timestamp", time((n) => n)),
  ]),
};

/** A third of a second for each event, in ticks. */
function time(values: (n: number) => number): Type {
  return integer(
    64,
    (n) => Math.floor(values(n) * SECOND / 3),
    { align: 8, more: CLOCK },
  );
}

/** The same structure each time, with a sequence and a string in it. */
const point = struct([
  field("x", integer(3, (n) => n)),
  field("length", integer(2, (n) => n % 4)),
  field(
    "list",
    sequence(
      "length",
      (n) => n % 4,
      (n) => integer(11, (at) => n * at, OPTIONS),
    ),
  ),
  field("name", string((n) => `point ${n}`)),
]);

/** Single bytes, cut sequences and half a surrogate pair. */
const notUtf8: Type = {
  ...string(() => ""),
  put: (out, n) =>
    out.bytes([0x61, 0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80, 0x80 + n, 0xE9, 0]),
};

/** What TSDL calls `struct pair`. */
const pair = struct([
  field("a", integer(8, (n) => n)),
  field("b", integer(16, (n) => n * 300)),
], 16);

export const BARE_TRACES: readonly BareTrace[] = [
  {
    name: "with barectf's headers and types",
    ...BARECTF,
    event: `loglevel = 4; model.emf.uri = "https://example.com/?a=b&c";`,
    streamEventContext: struct([
      field("core", integer(4, (n) => n)),
      field(
        "mode",
        enumeration(
          `"user" = 0, "kernel" = 1 ... 3,`,
          integer(4, (n) => n % 5),
        ),
      ),
    ]),
    eventContext: struct([
      field("depth", integer(8, (n) => -n, { signed: true })),
    ]),
    fields: [
      field("single", float(32, (n) => n / 3, 32)),
      field("twice", float(64, (n) => -n / 7, 64)),
      field("label", text(6, (n) => `é${n}`)),
      field("message", string((n) => `message ${n}: 100 % "done"`)),
      field("points", array(2, () => point)),
      field("more", integer(8, (n) => n % 3)),
      field("rest", sequence("more", (n) => n % 3, () => point)),
    ],
    align: 64,
  },
  {
    name: "with integers of every size, bit by bit",
    ...BARECTF,
    fields: everySize(),
  },
  {
    name: "without clock, packets and headers",
    fields: [
      field("n", integer(16, (n) => n)),
      field("s", string((n) => `${n}`)),
    ],
  },
  {
    name: "with floating point numbers between bytes",
    ...BARECTF,
    fields: [
      field("bit", integer(1, (n) => n, OPTIONS)),
      field("single", float(32, (n) => n * 1.1, 1)),
      field("bits", integer(3, (n) => n, OPTIONS)),
      field("twice", float(64, (n) => 10 ** (n - 5), 1)),
    ],
  },
  {
    name: "with text that is not UTF-8",
    fields: [
      field("plain", notUtf8),
      field("length", integer(8, (n) => n % 5)),
      field(
        "counted",
        sequence(
          "length",
          (n) => n % 5,
          () => integer(8, (at) => 0xC3 + at, { encoding: "ASCII" }),
        ),
      ),
    ],
  },
  {
    name: "with named types, and references to other scopes",
    ...BARECTF,
    types: `
typealias integer { size = 8; } := unsigned char;
typedef integer { size = 0x10; base = hex; align = 010; } half, other_half;
struct pair { unsigned char a; other_half b; } align(16);
enum colour : unsigned char { red, green = 5, "dark blue" = 7 ... 9, last };
variant any { struct pair red; half green; string last; };
`,
    streamEventContext: struct([
      field("count", integer(8, (n) => n % 3)),
    ]),
    fields: [
      field("kind", {
        ...enumeration("", integer(8, (n) => [0, 5, 10][n % 3]!)),
        declared: "enum colour",
      }),
      field("pairs", {
        ...sequence("stream.event.context.count", (n) => n % 3, () => pair),
        declared: "struct pair",
      }),
      field("chosen", {
        ...variant("", (n) => n % 3, [
          field("red", pair),
          field("green", integer(16, (n) => n)),
          field("last", string((n) => `last ${n}`)),
        ]),
        declared: "variant any <kind>",
      }),
      field(
        "temperatures",
        sequence(
          "stream.packet.context.width",
          (n) => Math.floor(n / EVENTS) + 1,
          () => integer(8, (at) => at),
        ),
      ),
    ],
  },
];

function metadataOf(trace: BareTrace, order: BitOrder): string {
  const scope = (name: string, type: Type | undefined) =>
    type === undefined ? "" : `${name} := ${type.declared};\n`;
  return `/* CTF 1.8 */
// A comment. /* and one in it
trace {
	major = 1; minor = 8; byte_order = ${order}; ${trace.trace ?? ""}
	${scope("packet.header", trace.packetHeader)}
};
${trace.blocks ?? ""}
${trace.types ?? ""}
stream {
	${scope("packet.context", trace.packetContext?.(0))}
	${scope("event.header", trace.eventHeader)}
	${scope("event.context", trace.streamEventContext)}
};
event {
	name = "bare event: 1";
	${trace.event ?? ""}
	${scope("context", trace.eventContext)}
	fields := ${struct(trace.fields, trace.align).declared};
};
`;
}

function packetBytes(
  trace: BareTrace,
  order: BitOrder,
  packet: number,
): Uint8Array<ArrayBuffer> {
  function write(content: number): BitWriter {
    const out = new BitWriter(order);
    const context = trace.packetContext?.(content);
    if (trace.packetHeader) put(out, trace.packetHeader, packet);
    if (context) put(out, context, packet);
    for (let n = packet * EVENTS; n < (packet + 1) * EVENTS; n++) {
      const { eventHeader, streamEventContext, eventContext } = trace;
      for (const type of [eventHeader, streamEventContext, eventContext]) {
        if (type) put(out, type, n);
      }
      put(out, struct(trace.fields, trace.align), n);
    }
    return out;
  }
  const { position } = write(0);
  const size = trace.packetContext ? PACKET_BYTES : position / 8;
  return write(position).take(size);
}

/** Writes a trace into a directory of its own. */
export async function writeBareTrace(
  directory: string,
  trace: BareTrace,
  order: BitOrder,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/metadata`, metadataOf(trace, order));
  for (let packet = 0; packet < PACKETS; packet++) {
    const bytes = packetBytes(trace, order, packet);
    await Deno.writeFile(`${directory}/stream`, bytes, { append: true });
  }
}
