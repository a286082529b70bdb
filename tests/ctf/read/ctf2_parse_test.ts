import { assertEquals } from "@std/assert";
import type { TraceBlocks } from "../../../lib/ctf/read/blocks.ts";
import { parseCtf2 } from "../../../lib/ctf/read/ctf2/parse.ts";
import type { FieldClass } from "../../../lib/ctf/read/model.ts";
import {
  exactJson,
  type Fragment,
  type Json2,
  metadataOf,
  structure,
} from "./ctf2_writer.ts";

const PREAMBLE: Fragment = { type: "preamble", version: 2 };
const STREAM: Fragment = { type: "data-stream-class" };

/** A pure test. */
function test(name: string, fn: () => void): void {
  Deno.test({ name: `parseCtf2() ${name}`, permissions: "none", fn });
}

function parse(...fragments: Fragment[]): TraceBlocks {
  return parseCtf2(metadataOf([PREAMBLE, ...fragments]));
}

/** Field classes in the payload of one event. */
function event(...classes: Json2[]): Fragment[] {
  const members = classes.map((item, index) => [`f${index}`, item] as const);
  return [STREAM, {
    type: "event-record-class",
    "payload-field-class": structure(Object.fromEntries(members)),
  }];
}

/** What one field class becomes. */
function parsed(fieldClass: Json2): FieldClass {
  const { events } = parse(...event(fieldClass));
  return events[0]!.payload!.members[0]!.class;
}

const LITTLE = { "byte-order": "little-endian" };
const U8 = { type: "fixed-length-unsigned-integer", length: 8, ...LITTLE };
const INTEGER = {
  kind: "integer",
  size: 8,
  signed: false,
  base: 10,
  alignment: 1,
  byteOrder: "le",
  isCharacter: false,
} as const;
const PATH = { path: ["a"] };
const LOCAL = { isLocal: true, path: ["a"] } as const;

/** What is parsed, and what it becomes. */
const CLASSES: readonly [Exclude<Json2, string>, FieldClass][] = [
  [U8, INTEGER],
  [
    {
      ...U8,
      type: "fixed-length-signed-integer",
      length: 64,
      "byte-order": "big-endian",
      "bit-order": "last-to-first",
      alignment: 32,
      "preferred-display-base": 16,
    },
    {
      ...INTEGER,
      size: 64,
      signed: true,
      base: 16,
      alignment: 32,
      byteOrder: "be",
    },
  ],
  [
    {
      ...U8,
      mappings: { a: [[1, 2], [4, 4]], "": [[2n ** 64n - 1n, 2n ** 64n - 1n]] },
    },
    {
      kind: "enumeration",
      container: INTEGER,
      mappings: [
        { label: "a", first: 1n, last: 2n },
        { label: "a", first: 4n, last: 4n },
        { label: "", first: 2n ** 64n - 1n, last: 2n ** 64n - 1n },
      ],
    },
  ],
  [{ ...U8, mappings: {} }, INTEGER],
  [
    { ...U8, type: "fixed-length-boolean" },
    { kind: "boolean", container: INTEGER },
  ],
  [
    { ...U8, type: "fixed-length-bit-array" },
    { kind: "bit-map", container: INTEGER, flags: [] },
  ],
  [
    { ...U8, type: "fixed-length-bit-map", flags: { x: [[0, 7]] } },
    {
      kind: "bit-map",
      container: INTEGER,
      flags: [{ label: "x", first: 0n, last: 7n }],
    },
  ],
  [
    {
      type: "fixed-length-floating-point-number",
      length: 32,
      alignment: 8,
      ...LITTLE,
    },
    { kind: "float", size: 32, alignment: 8, byteOrder: "le" },
  ],
  [
    { type: "variable-length-unsigned-integer", "preferred-display-base": 8 },
    { kind: "variable-integer", signed: false, base: 8 },
  ],
  [
    {
      type: "variable-length-signed-integer",
      mappings: { low: [[-(2n ** 63n), -1]] },
    },
    {
      kind: "enumeration",
      container: { kind: "variable-integer", signed: true, base: 10 },
      mappings: [{ label: "low", first: -(2n ** 63n), last: -1n }],
    },
  ],
  [
    { type: "null-terminated-string" },
    { kind: "string", encoding: "utf-8" },
  ],
  [
    { type: "static-length-string", length: 4, encoding: "utf-16be" },
    { kind: "text", length: 4, encoding: "utf-16be" },
  ],
  [
    {
      type: "dynamic-length-string",
      "length-field-location": PATH,
      encoding: "utf-32le",
    },
    { kind: "text", length: LOCAL, encoding: "utf-32le" },
  ],
  [
    { type: "static-length-blob", length: 0 },
    { kind: "blob", length: 0, mediaType: "application/octet-stream" },
  ],
  [
    {
      type: "dynamic-length-blob",
      "length-field-location": PATH,
      "media-type": "image/png",
    },
    { kind: "blob", length: LOCAL, mediaType: "image/png" },
  ],
  [
    { type: "structure" },
    { kind: "struct", members: [], minimumAlignment: 1 },
  ],
  [
    structure({ _x: U8 }, 16),
    {
      kind: "struct",
      members: [{ name: "_x", rawName: "_x", class: INTEGER }],
      minimumAlignment: 16,
    },
  ],
  [
    {
      type: "static-length-array",
      length: 2,
      "minimum-alignment": 8,
      "element-field-class": U8,
    },
    { kind: "array", length: 2, element: INTEGER, minimumAlignment: 8 },
  ],
  [
    {
      type: "dynamic-length-array",
      "length-field-location": { origin: "packet-context", path: ["a", "b"] },
      "element-field-class": U8,
    },
    {
      kind: "sequence",
      length: { root: "stream.packet.context", path: ["a", "b"] },
      element: INTEGER,
      minimumAlignment: 1,
    },
  ],
  [
    {
      type: "optional",
      "selector-field-location": PATH,
      "field-class": U8,
    },
    { kind: "option", tag: LOCAL, content: INTEGER },
  ],
  [
    {
      type: "optional",
      "selector-field-location": { path: [null, "a"] },
      "selector-field-ranges": [[-1, 1]],
      "field-class": U8,
    },
    {
      kind: "option",
      tag: { isLocal: true, path: [null, "a"] },
      content: INTEGER,
      ranges: [{ first: -1n, last: 1n }],
    },
  ],
  [
    {
      type: "variant",
      "selector-field-location": PATH,
      options: [
        { name: "x", "field-class": U8, "selector-field-ranges": [[0, 0]] },
        { "field-class": U8, "selector-field-ranges": [[2, 3], [1, 1]] },
      ],
    },
    {
      kind: "variant",
      tag: LOCAL,
      options: [
        {
          name: "x",
          rawName: "x",
          class: INTEGER,
          ranges: [{ first: 0n, last: 0n }],
        },
        {
          name: "",
          rawName: "",
          class: INTEGER,
          ranges: [{ first: 2n, last: 3n }, { first: 1n, last: 1n }],
        },
      ],
    },
  ],
];

for (const [index, [json, fieldClass]] of CLASSES.entries()) {
  test(`reads field class ${index}, ${json.type}`, () => {
    assertEquals(parsed(json), fieldClass);
  });
}

test("reads what every class may have beside its own properties", () => {
  const more = { attributes: { "example.com": [1, null] }, extensions: {} };
  assertEquals(parsed({ ...U8, ...more }), INTEGER);
  assertEquals(
    parsed({
      type: "structure",
      "member-classes": [{ name: "x", "field-class": U8, ...more }],
      ...more,
    }),
    parsed(structure({ x: U8 })),
  );
});

const ORIGINS: Readonly<Record<string, string>> = {
  "packet-header": "trace.packet.header",
  "packet-context": "stream.packet.context",
  "event-record-header": "stream.event.header",
  "event-record-common-context": "stream.event.context",
  "event-record-specific-context": "event.context",
  "event-record-payload": "event.fields",
};

for (const [origin, root] of Object.entries(ORIGINS)) {
  test(`reads a location with the origin ${origin}`, () => {
    const found = parsed({
      type: "dynamic-length-blob",
      "length-field-location": { origin, path: ["x"] },
    });
    assertEquals(found.kind === "blob" && found.length, {
      root: root as "event.fields",
      path: ["x"],
    });
  });
}

test("leaves out of a location what is gone into and out of", () => {
  const found = parsed({
    type: "dynamic-length-blob",
    "length-field-location": { path: [null, "a", "b", null, null, null, "c"] },
  });
  assertEquals(found.kind === "blob" && found.length, {
    isLocal: true,
    path: [null, null, "c"],
  });
});

test("reads aliases, also in aliases and at any place", () => {
  const { events, packetHeader } = parse(
    { type: "field-class-alias", name: "byte", "field-class": U8 },
    {
      type: "field-class-alias",
      name: "pair",
      "field-class": structure({ x: "byte", y: "byte" }),
    },
    { type: "trace-class", "packet-header-field-class": "pair" },
    ...event({
      type: "static-length-array",
      length: 1,
      "element-field-class": "pair",
    }),
  );
  const pair: FieldClass = {
    kind: "struct",
    members: ["x", "y"].map((name) => ({
      name,
      rawName: name,
      class: INTEGER,
    })),
    minimumAlignment: 1,
  };
  assertEquals(packetHeader, pair);
  assertEquals(events[0]!.payload!.members[0]!.class, {
    kind: "array",
    length: 1,
    element: pair,
    minimumAlignment: 1,
  });
});

test("reads a trace, a clock, a stream and an event with all they have", () => {
  const identity = { namespace: "example.com", name: "n", uid: "u" };
  const blocks = parseCtf2(metadataOf([
    {
      ...PREAMBLE,
      uuid: Array.from({ length: 16 }, (_, index) => index * 16),
      attributes: {},
    },
    {
      type: "trace-class",
      ...identity,
      environment: { b: "9".repeat(20), a: 2n ** 63n - 1n, "1": -1 },
    },
    {
      type: "clock-class",
      id: "c",
      ...identity,
      frequency: 2n ** 60n + 1n,
      description: "d",
      origin: identity,
      "offset-from-origin": { seconds: -(2n ** 62n) - 1n, cycles: 2n ** 60n },
      precision: 3,
      accuracy: 4,
    },
    { type: "clock-class", id: "bare", frequency: 1, origin: "unix-epoch" },
    {
      type: "data-stream-class",
      id: 2n ** 64n - 1n,
      ...identity,
      "default-clock-class-id": "c",
      "packet-context-field-class": structure({}),
      "event-record-header-field-class": structure({}),
      "event-record-common-context-field-class": structure({}),
    },
    {
      type: "event-record-class",
      id: 7,
      "data-stream-class-id": 2n ** 64n - 1n,
      ...identity,
      attributes: {
        "lttng.org,2009": { "log-level": "alert", "emf-uri": "uri", x: 1 },
      },
      "specific-context-field-class": structure({}),
      "payload-field-class": structure({}),
    },
  ]));
  const empty = parsed(structure({}));
  assertEquals(blocks, {
    byteOrder: undefined,
    uuid: "00102030-4050-6070-8090-a0b0c0d0e0f0",
    uid: "u",
    packetHeader: undefined,
    environment: new Map<string, string | bigint>([
      ["1", -1n],
      ["b", "9".repeat(20)],
      ["a", 2n ** 63n - 1n],
    ]),
    clocks: new Map([
      ["c", {
        name: "n",
        description: "d",
        uuid: "u",
        frequency: 2n ** 60n + 1n,
        offsetSeconds: -(2n ** 62n) - 1n,
        offset: 2n ** 60n,
        precision: 3n,
      }],
      ["bare", {
        name: "bare",
        frequency: 1n,
        offsetSeconds: 0n,
        offset: 0n,
        precision: 0n,
      }],
    ]),
    streams: new Map([[2n ** 64n - 1n, {
      id: 2n ** 64n - 1n,
      clock: "c",
      packetContext: empty,
      eventHeader: empty,
      eventContext: empty,
    }]]),
    events: [{
      id: 7n,
      streamId: 2n ** 64n - 1n,
      name: "n",
      logLevel: 1,
      emfUri: "uri",
      context: empty,
      payload: empty,
    }],
  } as TraceBlocks);
});

const LEVELS: readonly [unknown, number | undefined][] = [
  [{ "lttng.org,2009": { "log-level": "emergency" } }, 0],
  [{ "lttng.org,2009": { "log-level": "debug" } }, 14],
  [{ "lttng.org,2009": { "log-level": "debug:line" } }, 13],
  [{ "babeltrace.org,2020": { "log-level": "info" } }, 6],
  [{
    "lttng.org,2009": { "log-level": "info" },
    "babeltrace.org,2020": { "log-level": "error" },
  }, 3],
  [{ "lttng.org,2009": { "log-level": "loud" } }, undefined],
  [{ "lttng.org,2009": { "log-level": 3 } }, undefined],
  [{ "lttng.org,2009": "info" }, undefined],
  [{ "example.com": { "log-level": "info" } }, undefined],
];

for (const [attributes, level] of LEVELS) {
  test(`reads log level ${level} from ${JSON.stringify(attributes)}`, () => {
    const { events } = parse(STREAM, {
      type: "event-record-class",
      attributes,
    });
    assertEquals(events[0]!.logLevel, level);
  });
}

test("gives members the roles of their classes, through lists and options", () => {
  const role = (name: string) => ({ ...U8, roles: [name] });
  const { streams, packetHeader } = parseCtf2(metadataOf([
    { ...PREAMBLE, uuid: new Array(16).fill(0) },
    {
      type: "field-class-alias",
      name: "time",
      "field-class": role("default-clock-timestamp"),
    },
    { type: "clock-class", id: "c", frequency: 1 },
    {
      type: "trace-class",
      "packet-header-field-class": structure({
        magic: { ...U8, length: 32, roles: ["packet-magic-number"] },
        uuid: {
          type: "static-length-blob",
          length: 16,
          roles: ["metadata-stream-uuid"],
        },
        both: { ...U8, roles: ["data-stream-class-id", "data-stream-id"] },
      }),
    },
    {
      ...STREAM,
      "default-clock-class-id": "c",
      "packet-context-field-class": structure({
        a: role("packet-total-length"),
        b: role("packet-content-length"),
        c: "time",
        d: role("packet-end-default-clock-timestamp"),
        e: role("discarded-event-record-counter-snapshot"),
        f: {
          type: "variable-length-unsigned-integer",
          roles: ["packet-sequence-number"],
        },
        g: U8,
      }),
      "event-record-header-field-class": structure({
        id: role("event-record-class-id"),
        times: {
          type: "static-length-array",
          length: 1,
          "element-field-class": {
            type: "optional",
            "selector-field-location": { path: ["id"] },
            "selector-field-ranges": [[0, 1]],
            "field-class": "time",
          },
        },
      }),
    },
  ]));
  assertEquals(packetHeader!.members.map(({ roles }) => roles), [
    ["magic"],
    ["trace-uuid"],
    ["stream-class-id", "stream-id"],
  ]);
  const { packetContext, eventHeader } = streams.get(0n)!;
  assertEquals(packetContext!.members.map(({ roles }) => roles), [
    ["packet-size"],
    ["content-size"],
    ["timestamp"],
    ["timestamp-end"],
    ["events-discarded"],
    ["sequence-number"],
    undefined,
  ]);
  assertEquals(eventHeader!.members.map(({ roles }) => roles), [
    ["event-class-id"],
    ["timestamp"],
  ]);
});

test("reads fragments with and without the newline that RFC 7464 asks for", () => {
  for (const end of ["", "\n", " \r\n", "\n\x1e\n"]) {
    const text = [PREAMBLE, STREAM].map((fragment) =>
      `\x1e ${exactJson(fragment)}${end}`
    ).join("");
    assertEquals(parseCtf2(text).streams.size, 1);
  }
});
