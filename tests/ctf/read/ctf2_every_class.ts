/** A trace with every field class of CTF 2, every role, and references of all kinds. */

import {
  encodeText,
  type Fields2,
  FieldWriter,
  type Fragment,
  type Json2,
  metadataOf,
  structure,
  type Value2,
} from "./ctf2_writer.ts";

/** An event of a packet. */
export interface Event2 {
  readonly header: Fields2;
  readonly common?: Fields2;
  readonly specific?: Fields2;
  readonly payload?: Fields2;
}

/** The classes of what is in a packet of one stream. */
export interface Scopes2 {
  readonly aliases: ReadonlyMap<string, Json2>;
  readonly packetHeader?: Json2;
  readonly packetContext?: Json2;
  readonly eventHeader?: Json2;
  readonly common?: Json2;
  readonly event: (
    header: Fields2,
  ) => { readonly specific?: Json2; readonly payload?: Json2 };
}

/** What is in a packet; its context has sizes, which are known last. */
export interface Packet2 {
  readonly header: Fields2;
  readonly context: (contentBits: number) => Fields2;
  readonly events: readonly Event2[];
  /** In bytes; without it, as many as there are. */
  readonly size?: number;
}

/** The bytes of a packet. */
export function packetBytes(
  scopes: Scopes2,
  packet: Packet2,
): Uint8Array<ArrayBuffer> {
  let contentBits = 0;
  for (;;) {
    const writer = new FieldWriter(scopes.aliases);
    const write = (fieldClass: Json2 | undefined, value: Value2 | undefined) =>
      fieldClass && writer.write(fieldClass, value ?? {});
    write(scopes.packetHeader, packet.header);
    write(scopes.packetContext, packet.context(contentBits));
    for (const event of packet.events) {
      write(scopes.eventHeader, event.header);
      write(scopes.common, event.common);
      const { specific, payload } = scopes.event(event.header);
      write(specific, event.specific);
      write(payload, event.payload);
    }
    if (writer.position === contentBits) {
      return writer.bytes(packet.size ?? Math.ceil(contentBits / 8));
    }
    contentBits = writer.position;
  }
}

/** The files of a trace by their names. */
export type TraceFiles = Readonly<Record<string, string | Uint8Array>>;

/** Writes a trace into a directory of its own. */
export async function writeFiles(
  directory: string,
  files: TraceFiles,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    await Deno.writeFile(`${directory}/${name}`, bytes);
  }
}

const UUID = Uint8Array.fromHex("2a6422d06cee11e08c08cb07d7b3a564");

/** The trace, with all that has a byte order in `byteOrder`. */
export function everyClass(
  byteOrder: "little-endian" | "big-endian",
): TraceFiles {
  const classes = new Classes(byteOrder);
  const { aliases } = classes;
  const events = [
    bits(classes),
    numbers(classes),
    texts(classes),
    lists(classes),
    choices(classes),
    places(classes),
  ];
  const packetHeader = structure({
    magic: classes.uint(32, { roles: ["packet-magic-number"] }),
    uuid: {
      type: "static-length-blob",
      length: 16,
      roles: ["metadata-stream-uuid"],
    },
    ids: structure({
      stream_class: classes.uint(3, { roles: ["data-stream-class-id"] }),
      stream: {
        type: "variable-length-unsigned-integer",
        roles: ["data-stream-id"],
      },
    }),
  });
  const packetContext = structure({
    sizes: structure({
      total: classes.uint(32, { roles: ["packet-total-length"] }),
      content: classes.uint(32, { roles: ["packet-content-length"] }),
      shown: "u8",
    }),
    begin: classes.uint(64, { roles: ["default-clock-timestamp"] }),
    end: classes.uint(64, { roles: ["packet-end-default-clock-timestamp"] }),
    discarded: {
      type: "variable-length-unsigned-integer",
      roles: ["discarded-event-record-counter-snapshot"],
    },
    sequence: classes.uint(16, { roles: ["packet-sequence-number"] }),
    cpu: "u8",
  });
  const eventHeader = structure({
    id: {
      type: "variable-length-unsigned-integer",
      roles: ["event-record-class-id"],
    },
    time: {
      type: "static-length-array",
      length: 1,
      "element-field-class": classes.uint(20, {
        roles: ["default-clock-timestamp"],
      }),
    },
    odd: classes.uint(3),
  });
  const common = structure({ level: "u8", "strange, name": "u8" });
  const metadata = metadataOf([
    { type: "preamble", version: 2, uuid: [...UUID] },
    ...[...aliases].map(([name, fieldClass]): Fragment => ({
      type: "field-class-alias",
      name,
      "field-class": fieldClass,
    })),
    {
      type: "clock-class",
      id: "slow",
      name: "the slow clock",
      uid: "clock-1",
      description: "Counts at 8 MHz",
      frequency: 8_000_000,
      origin: byteOrder === "big-endian"
        ? { namespace: "example.com", name: "power on", uid: "1" }
        : "unix-epoch",
      "offset-from-origin": { seconds: 1_700_000_000, cycles: 1_234_567 },
      precision: 5,
      accuracy: 1000,
      attributes: { "example.com": { crystal: true } },
    },
    {
      type: "trace-class",
      namespace: "example.com",
      name: "every class",
      uid: "3fa8",
      environment: {
        hostname: "here",
        domain: "ust",
        procname: "program",
        vpid: 42,
        large: -9_007_199_254_740_993n,
      },
      "packet-header-field-class": packetHeader,
    },
    {
      type: "data-stream-class",
      id: 5,
      name: "a stream",
      "default-clock-class-id": "slow",
      "packet-context-field-class": packetContext,
      "event-record-header-field-class": eventHeader,
      "event-record-common-context-field-class": common,
    },
    ...events.map(({ name, specific, payload }, id): Fragment => ({
      type: "event-record-class",
      id,
      "data-stream-class-id": 5,
      name,
      attributes: id % 2 === 0
        ? { "lttng.org,2009": { "log-level": "debug:line", "emf-uri": "e:1" } }
        : { "babeltrace.org,2020": { "log-level": "warning" } },
      "specific-context-field-class": specific,
      "payload-field-class": payload,
    })),
  ]);
  const scopes: Scopes2 = {
    aliases,
    packetHeader,
    packetContext,
    eventHeader,
    common,
    event: ({ id }) => events[id as number]!,
  };
  const all = events.flatMap(({ values, specificValues }, id) =>
    values.map((payload) => ({ id, payload, specific: specificValues ?? {} }))
  );
  const packets = [all.slice(0, 5), all.slice(5)].map((some, index) =>
    packetBytes(scopes, {
      header: {
        magic: 0xC1FC1FC1,
        uuid: UUID,
        ids: { stream_class: 5, stream: 300 },
      },
      context: (content) => ({
        sizes: { total: 4096 * 8, content, shown: 7 },
        begin: BigInt(index) * 8_000_000n,
        end: BigInt(index) * 8_000_000n + 7_999_999n,
        discarded: index * 3,
        sequence: index * 2,
        cpu: 9,
      }),
      events: some.map(({ id, payload, specific }, number) => ({
        // 20 bits go round more than once.
        header: { id, time: [(number * 700_000) % 2 ** 20], odd: number % 8 },
        common: { level: 3, "strange, name": 4 },
        specific,
        payload,
      })),
      size: 4096,
    })
  );
  const stream = new Uint8Array(8192);
  stream.set(packets[0]!);
  stream.set(packets[1]!, 4096);
  return { metadata, stream };
}

/** An event class, and the payloads of its events. */
interface EventKind {
  readonly name: string;
  readonly payload: Json2;
  readonly values: readonly Fields2[];
  readonly specific?: Json2;
  readonly specificValues?: Fields2;
}

/** Field classes in one byte order. */
class Classes {
  readonly aliases: ReadonlyMap<string, Json2>;
  readonly #byteOrder: string;

  constructor(byteOrder: string) {
    this.#byteOrder = byteOrder;
    this.aliases = new Map<string, Json2>([
      ["u8", this.uint(8, { alignment: 8 })],
      ["counts", structure({ n: "u8", m: "u8" })],
      ["same", "u8"],
    ]);
  }

  bits(type: string, length: number, more: object = {}): Json2 {
    return { type, length, "byte-order": this.#byteOrder, ...more };
  }

  uint(length: number, more: object = {}): Json2 {
    return this.bits("fixed-length-unsigned-integer", length, more);
  }

  sint(length: number, more: object = {}): Json2 {
    return this.bits("fixed-length-signed-integer", length, more);
  }
}

function bits(classes: Classes): EventKind {
  const flags = { low: [[0, 2]], "the high": [[3, 3], [9, 9]], both: [[0, 9]] };
  return {
    name: "bits",
    payload: structure({
      one: classes.bits("fixed-length-bit-array", 1),
      odd: classes.bits("fixed-length-bit-array", 13),
      all: classes.bits("fixed-length-bit-array", 64, { alignment: 16 }),
      map: classes.bits("fixed-length-bit-map", 10, { flags }),
      aligned: classes.bits("fixed-length-bit-map", 16, {
        alignment: 8,
        flags,
      }),
      bit: classes.bits("fixed-length-boolean", 1),
      byte: classes.bits("fixed-length-boolean", 8, { alignment: 8 }),
      wide: classes.bits("fixed-length-boolean", 64),
    }),
    values: [
      {
        one: 1,
        odd: 0x1ABC,
        all: 0xFEDC_BA98_7654_3210n,
        map: 0x209,
        aligned: 0x8001,
        bit: 1,
        byte: 0x80,
        wide: 2n ** 63n,
      },
      {
        ...{ one: 0, odd: 0, all: 0, map: 0, aligned: 0 },
        ...{ bit: 0, byte: 0, wide: 0 },
      },
    ],
  };
}

function numbers(classes: Classes): EventKind {
  const mappings = { none: [[0, 0]], few: [[1, 9], [11, 12]], ten: [[10, 10]] };
  const signs = { minus: [[-5, -1]], 'zero "\n': [[0, 0]] };
  const wide = { top: [[2n ** 64n - 2n, 2n ** 64n - 1n]], middle: [[8, 9]] };
  const variable = "variable-length-unsigned-integer";
  const signed = "variable-length-signed-integer";
  return {
    name: "numbers",
    payload: structure({
      u5: classes.uint(5, { "preferred-display-base": 2 }),
      s7: classes.sint(7, { "preferred-display-base": 8 }),
      s53: classes.sint(53, { "preferred-display-base": 10 }),
      u54: classes.uint(54, { "preferred-display-base": 16 }),
      s64: classes.sint(64, { "preferred-display-base": 16 }),
      e8: classes.uint(8, { mappings }),
      e64: classes.uint(64, { mappings: wide, alignment: 32 }),
      es: classes.sint(11, { mappings: signs }),
      two_labels: classes.uint(8, { mappings: { a: [[1, 5]], b: [[5, 9]] } }),
      plain: classes.uint(4, { mappings: {} }),
      f32: classes.bits("fixed-length-floating-point-number", 32),
      f64: classes.bits("fixed-length-floating-point-number", 64, {
        alignment: 64,
      }),
      vu: { type: variable },
      vs: { type: signed },
      vx: { type: variable, "preferred-display-base": 16 },
      vo: { type: signed, "preferred-display-base": 8 },
      vb: { type: signed, "preferred-display-base": 2 },
      ve: { type: variable, mappings },
      ves: {
        type: signed,
        mappings: signs,
        "preferred-display-base": 16,
      },
    }),
    values: [
      {
        ...{ u5: 21, s7: -3, s53: -(2 ** 52), u54: 2n ** 54n - 3n },
        ...{
          s64: -2n,
          e8: 11,
          e64: 2n ** 64n - 1n,
          es: -5,
          plain: 15,
          two_labels: 5,
        },
        ...{ f32: 1.5, f64: -0.1, vu: 2n ** 64n - 1n, vs: -(2n ** 63n) },
        ...{ vx: 0x1234_5678, vo: -8, vb: -1, ve: 10, ves: -1 },
      },
      {
        ...{ u5: 0, s7: 63, s53: 2 ** 52 - 1, u54: 0, s64: 2n ** 63n - 1n },
        ...{
          e8: 13,
          e64: 7,
          es: 0,
          plain: 0,
          two_labels: 9,
          f32: Infinity,
          f64: NaN,
        },
        ...{ vu: 127, vs: 63, vx: 128, vo: 64, vb: 5, ve: 300, ves: -65 },
      },
    ],
  };
}

const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be"];
const TEXT = 'Grüße, 漢 😀 "?\n';

function texts(classes: Classes): EventKind {
  const members: Record<string, Json2> = { odd: classes.uint(3) };
  const values: Record<string, Value2> = { odd: 5 };
  const empty: Record<string, Value2> = { odd: 2 };
  for (const encoding of ENCODINGS) {
    const name = encoding.replace("-", "");
    const bytes = encodeText(TEXT, encoding);
    const cut = encodeText("ab\0cd", encoding);
    members[`z_${name}`] = { type: "null-terminated-string", encoding };
    values[`z_${name}`] = TEXT;
    empty[`z_${name}`] = "x";
    members[`s_${name}`] = {
      type: "static-length-string",
      length: cut.length,
      encoding,
    };
    values[`s_${name}`] = cut;
    empty[`s_${name}`] = encodeText("vwxyz", encoding);
    members[`n_${name}`] = "u8";
    values[`n_${name}`] = bytes.length;
    empty[`n_${name}`] = encodeText("é", encoding).length;
    members[`d_${name}`] = {
      type: "dynamic-length-string",
      "length-field-location": { path: [`n_${name}`] },
      encoding,
    };
    values[`d_${name}`] = bytes;
    empty[`d_${name}`] = encodeText("é", encoding);
  }
  members["blob"] = {
    type: "static-length-blob",
    length: 3,
    "media-type": "image/png",
  };
  members["blob_size"] = classes.uint(12);
  members["blob_d"] = {
    type: "dynamic-length-blob",
    "length-field-location": {
      origin: "event-record-payload",
      path: ["blob_size"],
    },
  };
  return {
    name: "texts",
    payload: structure(members),
    values: [
      {
        ...values,
        blob: Uint8Array.of(0, 127, 255),
        blob_size: 2,
        blob_d: Uint8Array.of(10, 11),
      },
      {
        ...empty,
        blob: Uint8Array.of(1, 2, 3),
        blob_size: 0,
        blob_d: new Uint8Array(0),
      },
    ],
  };
}

function lists(classes: Classes): EventKind {
  const point = structure({ x: classes.sint(5), y: "u8" }, 32);
  return {
    name: "lists",
    payload: structure({
      odd: classes.uint(1),
      points: {
        type: "static-length-array",
        length: 2,
        "element-field-class": point,
      },
      "minimum-aligned": {
        type: "static-length-array",
        length: 3,
        "minimum-alignment": 64,
        "element-field-class": classes.uint(3),
      },
      none: {
        type: "static-length-array",
        length: 0,
        "element-field-class": "u8",
      },
      // A list aligns what follows even where it has no elements.
      behind: classes.uint(3),
      rows: { type: "variable-length-unsigned-integer" },
      table: {
        type: "dynamic-length-array",
        "length-field-location": { path: ["rows"] },
        "minimum-alignment": 16,
        "element-field-class": structure({
          columns: "same",
          row: {
            type: "dynamic-length-array",
            "length-field-location": { path: ["columns"] },
            "element-field-class": { type: "null-terminated-string" },
          },
          absolute: {
            type: "dynamic-length-array",
            "length-field-location": {
              origin: "event-record-payload",
              path: ["table", "columns"],
            },
            "element-field-class": {
              type: "variable-length-signed-integer",
            },
          },
        }),
      },
      nothing: structure({}),
      aligned: structure({}, 64),
      last: "u8",
    }),
    values: [
      {
        odd: 1,
        points: [{ x: -16, y: 255 }, { x: 15, y: 0 }],
        "minimum-aligned": [1, 2, 7],
        none: [],
        behind: 5,
        rows: 2,
        table: [
          { columns: 2, row: ["a", "bc"], absolute: [-1, 300] },
          { columns: 0, row: [], absolute: [] },
        ],
        ...{ nothing: {}, aligned: {}, last: 1 },
      },
      {
        odd: 0,
        points: [{ x: 0, y: 1 }, { x: 2, y: 3 }],
        "minimum-aligned": [0, 0, 0],
        ...{ none: [], behind: 2, rows: 0, table: [] },
        ...{ nothing: {}, aligned: {}, last: 2 },
      },
    ],
  };
}

function choices(classes: Classes): EventKind {
  const text: Json2 = { type: "null-terminated-string" };
  function optional(
    path: readonly (string | null)[],
    fieldClass: Json2,
    ranges: unknown,
  ): Json2 {
    return {
      type: "optional",
      "selector-field-location": { path },
      "field-class": fieldClass,
      "selector-field-ranges": ranges,
    };
  }
  const counted = (n: Json2) => structure({ n, pad: classes.uint(1) });
  return {
    name: "choices",
    payload: structure({
      unsigned: classes.uint(64),
      signed: { type: "variable-length-signed-integer" },
      if_unsigned: optional(["unsigned"], structure({ inner: "u8" }), [
        [2n ** 63n, 2n ** 64n - 1n],
        [1, 1],
      ]),
      if_signed: optional(
        ["signed"],
        structure({
          inner: optional([null, "unsigned"], text, [
            [0, 1],
            [3, 2n ** 64n - 1n],
          ]),
        }),
        [[-10, 3]],
      ),
      v: {
        type: "variant",
        "selector-field-location": { path: ["signed"] },
        options: [
          {
            name: "small",
            "selector-field-ranges": [[-9, -1], [0, 0]],
            "field-class": counted("u8"),
          },
          {
            "selector-field-ranges": [[1, 1_000_000]],
            "field-class": counted({
              type: "variable-length-unsigned-integer",
            }),
          },
        ],
      },
      // Whichever option was there, it has such a member.
      by_option: {
        type: "dynamic-length-array",
        "length-field-location": { path: ["v", "n"] },
        "element-field-class": "u8",
      },
      inner: structure({
        up: {
          type: "dynamic-length-array",
          "length-field-location": { path: [null, "v", "n"] },
          "element-field-class": classes.uint(4),
        },
      }),
      v2: {
        type: "variant",
        "selector-field-location": { path: ["unsigned"] },
        options: [
          {
            name: "any",
            "selector-field-ranges": [[0, 2n ** 64n - 1n]],
            "field-class": structure({
              // Out of the option's struct is the payload.
              out: {
                type: "dynamic-length-string",
                "length-field-location": {
                  path: ["none", null, null, "v", "n"],
                },
              },
            }),
          },
        ],
      },
    }),
    values: [
      {
        ...{ unsigned: 2n ** 64n - 1n, signed: -9 },
        ...{ if_unsigned: { inner: 5 }, if_signed: { inner: "yes" } },
        v: { option: 0, value: { n: 2, pad: 1 } },
        by_option: [7, 8],
        inner: { up: [9, 10] },
        v2: { option: 0, value: { out: encodeText("ab", "utf-8") } },
      },
      {
        ...{ unsigned: 2, signed: 3 },
        ...{ if_unsigned: null, if_signed: { inner: null } },
        v: { option: 1, value: { n: 1, pad: 0 } },
        by_option: [200],
        inner: { up: [15] },
        v2: { option: 0, value: { out: encodeText("c", "utf-8") } },
      },
    ],
  };
}

function places(classes: Classes): EventKind {
  function list(origin: string, ...path: string[]): Json2 {
    return {
      type: "dynamic-length-array",
      "length-field-location": { origin, path },
      "element-field-class": classes.uint(2),
    };
  }
  return {
    name: "places",
    specific: structure({ counts: "counts" }),
    specificValues: { counts: { n: 1, m: 2 } },
    payload: structure({
      header: list("packet-header", "ids", "stream_class"),
      context: list("packet-context", "sizes", "shown"),
      event: list("event-record-header", "id"),
      common: list("event-record-common-context", "level"),
      specific: list("event-record-specific-context", "counts", "m"),
    }),
    values: [{
      header: [0, 1, 2, 3, 0],
      context: [1, 1, 1, 1, 1, 1, 1],
      event: [0, 1, 2, 3, 2],
      common: [3, 2, 1],
      specific: [2, 3],
    }],
  };
}
