import { assertThrows } from "@std/assert";
import { parseCtf2 } from "../../../lib/ctf/read/ctf2/parse.ts";
import {
  type Fragment,
  type Json2,
  metadataOf,
  structure,
} from "./ctf2_writer.ts";

const PREAMBLE: Fragment = { type: "preamble", version: 2 };
const STREAM: Fragment = { type: "data-stream-class" };
const LITTLE = { "byte-order": "little-endian" };
const U8 = { type: "fixed-length-unsigned-integer", length: 8, ...LITTLE };
const PATH = { path: ["a"] };

/** A pure test. */
function test(name: string, fn: () => void): void {
  Deno.test({ name: `parseCtf2() ${name}`, permissions: "none", fn });
}

function parse(...fragments: Fragment[]): void {
  parseCtf2(metadataOf([PREAMBLE, ...fragments]));
}

/** A field class in the payload of an event. */
function event(fieldClass: Json2): Fragment[] {
  return [STREAM, {
    type: "event-record-class",
    "payload-field-class": structure({ f: fieldClass }),
  }];
}

/** What is refused: fragments behind the preamble, and what is said of them. */
const REFUSED: readonly [readonly Fragment[], string][] = [
  [
    [{ type: "event" }],
    'Fragment 2: type: One of preamble, field-class-alias, trace-class, clock-class, data-stream-class, event-record-class expected, not "event"',
  ],
  [[PREAMBLE], "Fragment 2: One preamble expected, not another"],
  [
    [{ ...STREAM, length: 1 }],
    'Fragment 2: A property "length" is not known here',
  ],
  [
    [{ ...STREAM, extensions: { "example.com": { x: 1 } } }],
    'Fragment 2: extensions: The extension "example.com" is not supported',
  ],
  [
    [{ ...STREAM, attributes: [] }],
    "Fragment 2: attributes: An object expected, not an array",
  ],
  [
    [{ ...STREAM, id: -1 }],
    "Fragment 2: id: A whole number from 0 to 18446744073709551615 expected, not -1",
  ],
  [
    [{ ...STREAM, id: 1.5 }],
    "Fragment 2: id: A whole number from 0 to 18446744073709551615 expected, not 1.5",
  ],
  [[{ ...STREAM, id: 2n ** 64n }], "expected, not 18446744073709551616"],
  [[{ ...STREAM, name: 3 }], "Fragment 2: name: Text expected, not 3"],
  [[STREAM, STREAM], "Fragment 3: Data stream class 0 is there already"],
  [
    [{ ...STREAM, "default-clock-class-id": "c" }],
    'Fragment 2: default-clock-class-id: No clock class has the id "c"',
  ],
  [
    [{ type: "event-record-class" }],
    "Fragment 2: No data stream class has the id 0",
  ],
  [
    [STREAM, { type: "event-record-class", id: 1 }, {
      type: "event-record-class",
      id: 1,
    }],
    "Fragment 4: Event record class 1 of data stream class 0 is there already",
  ],
  [
    [STREAM, { type: "trace-class" }],
    "Fragment 3: One trace class expected, before all data stream classes",
  ],
  [
    [{ type: "trace-class" }, { type: "trace-class" }],
    "Fragment 3: One trace class expected",
  ],
  [
    [{ type: "trace-class", environment: { x: 1.5 } }],
    "Fragment 2: environment.x: A whole number",
  ],
  [
    [{ type: "trace-class", environment: { "a b": null } }],
    'Fragment 2: environment."a b": A whole number',
  ],
  [
    [{ type: "clock-class", frequency: 1 }],
    'Fragment 2: A property "id" expected',
  ],
  [
    [{ type: "clock-class", id: "c" }],
    'Fragment 2: A property "frequency" expected',
  ],
  [
    [{ type: "clock-class", id: "c", frequency: 0 }],
    "Fragment 2: frequency: A whole number from 1",
  ],
  [[{
    type: "clock-class",
    id: "c",
    frequency: 5,
    "offset-from-origin": { cycles: 5 },
  }], "offset-from-origin.cycles: A whole number from 0 to 4 expected, not 5"],
  [[{
    type: "clock-class",
    id: "c",
    frequency: 5,
    "offset-from-origin": { days: 5 },
  }], 'A property "days" is not known here'],
  [
    [{ type: "clock-class", id: "c", frequency: 5, origin: "yesterday" }],
    'origin: One of unix-epoch expected, not "yesterday"',
  ],
  [
    [{ type: "clock-class", id: "c", frequency: 5, origin: { name: "x" } }],
    'origin: A property "uid" expected',
  ],
  [[{ type: "clock-class", id: "c", frequency: 5 }, {
    type: "clock-class",
    id: "c",
    frequency: 5,
  }], 'Fragment 3: id: Clock class "c" is there already'],
  [
    [{ type: "field-class-alias", name: "a" }],
    'A property "field-class" expected',
  ],
  [[{ type: "field-class-alias", name: "a", "field-class": U8 }, {
    type: "field-class-alias",
    name: "a",
    "field-class": U8,
  }], 'Fragment 3: name: A name that is not taken expected, not "a"'],
  [
    [{ type: "field-class-alias", name: "a", "field-class": "a" }],
    'Fragment 2: field-class: The name of a field class expected, not "a"',
  ],
  [
    [{ ...STREAM, "packet-context-field-class": U8 }],
    "Fragment 2: packet-context-field-class: A structure expected",
  ],
  [[{
    ...STREAM,
    "packet-context-field-class": structure({
      t: { ...U8, roles: ["default-clock-timestamp"] },
    }),
  }], 'The role "default-clock-timestamp" needs a default clock class'],
  [
    [{
      ...STREAM,
      "packet-context-field-class": structure({
        t: structure({ u: { ...U8, roles: ["event-record-class-id"] } }),
      }),
    }],
    'packet-context-field-class: The role "event-record-class-id" is not for fields in here',
  ],
  [
    event({ ...U8, roles: ["packet-total-length"] }),
    'Fragment 3: payload-field-class: The role "packet-total-length" is not for fields in here',
  ],
  [
    [{
      type: "trace-class",
      "packet-header-field-class": structure({
        x: U8,
        m: { ...U8, length: 32, roles: ["packet-magic-number"] },
      }),
    }],
    'The role "packet-magic-number" is for the first member, an unsigned integer of 32 bits',
  ],
  [[{
    type: "trace-class",
    "packet-header-field-class": structure({
      m: { ...U8, roles: ["packet-magic-number"] },
    }),
  }], 'The role "packet-magic-number" is for the first member'],
  [[{
    type: "trace-class",
    "packet-header-field-class": structure({
      u: {
        type: "static-length-blob",
        length: 16,
        roles: ["metadata-stream-uuid"],
      },
    }),
  }], 'The role "metadata-stream-uuid" needs a UUID in the preamble'],
];

for (const [index, [fragments, message]] of REFUSED.entries()) {
  test(`refuses fragments ${index}: ${message}`, () => {
    assertThrows(() => parse(...fragments), SyntaxError, message);
  });
}

const AT = "Fragment 3: payload-field-class.member-classes[0].field-class";

/** Field classes that are refused, and what is said of them. */
const REFUSED_CLASSES: readonly [unknown, string][] = [
  [3, ": An object expected, not 3"],
  [null, ": An object expected, not null"],
  ["unknown", ': The name of a field class expected, not "unknown"'],
  [{}, ': A property "type" expected'],
  [{ type: "integer" }, ".type: One of fixed-length-bit-array, "],
  [{ type: "constructor" }, ".type: One of "],
  [
    { ...U8, length: 0 },
    ".length: A whole number from 1 to 64 expected, not 0",
  ],
  [
    { ...U8, length: 65 },
    ".length: A whole number from 1 to 64 expected, not 65",
  ],
  [
    { ...U8, length: "8" },
    '.length: A whole number from 1 to 64 expected, not "8"',
  ],
  [{ ...U8, alignment: 3 }, ".alignment: A power of two expected, not 3"],
  [
    { ...U8, alignment: 2 ** 31 },
    ".alignment: A whole number from 1 to 1073741824",
  ],
  [{ type: U8.type, length: 8 }, ': A property "byte-order" expected'],
  [
    { ...U8, "byte-order": "le" },
    '.byte-order: One of little-endian, big-endian expected, not "le"',
  ],
  [
    { ...U8, "bit-order": "last-to-first" },
    '.bit-order: "last-to-first" is not supported with this byte order: "first-to-last" expected',
  ],
  [
    { ...U8, "bit-order": "middle" },
    ".bit-order: One of first-to-last, last-to-first",
  ],
  [
    { ...U8, "preferred-display-base": 12 },
    ".preferred-display-base: 2, 8, 10 or 16 expected, not 12",
  ],
  [
    { ...U8, mappings: { x: [] } },
    ".mappings.x: At least one element expected",
  ],
  [{ ...U8, mappings: { x: [[1]] } }, ".mappings.x[0]: Two numbers expected"],
  [
    { ...U8, mappings: { x: [[2, 1]] } },
    ".mappings.x[0][1]: A whole number from 2 to 18446744073709551615 expected, not 1",
  ],
  [
    { ...U8, mappings: { x: [[-1, 1]] } },
    ".mappings.x[0][0]: A whole number from 0",
  ],
  [{ ...U8, roles: ["x"] }, ".roles[0]: One of packet-magic-number, "],
  [
    { ...U8, type: "fixed-length-signed-integer", roles: [] },
    ': A property "roles" is not known here',
  ],
  [
    { ...U8, extensions: { "a.b": 1 } },
    '.extensions: The extension "a.b" is not supported',
  ],
  [
    { ...U8, type: "fixed-length-bit-map", flags: {} },
    ".flags: At least one flag expected",
  ],
  [
    { ...U8, type: "fixed-length-bit-map", flags: { x: [[0, 8]] } },
    ".flags.x[0][1]: A whole number from 0 to 7 expected, not 8",
  ],
  [
    { ...U8, type: "fixed-length-floating-point-number", length: 16 },
    ".length: 32 or 64 expected, not 16",
  ],
  [
    { type: "null-terminated-string", encoding: "latin1" },
    '.encoding: One of utf-8, utf-16be, utf-16le, utf-32be, utf-32le expected, not "latin1"',
  ],
  [
    { type: "static-length-string", length: 2 ** 33 },
    ".length: A whole number from 0 to 4294967296",
  ],
  [
    { type: "static-length-blob", length: 15, roles: ["metadata-stream-uuid"] },
    ".length: 16, the length of a UUID, expected, not 15",
  ],
  [
    { type: "dynamic-length-blob" },
    ': A property "length-field-location" expected',
  ],
  [
    { type: "dynamic-length-blob", "length-field-location": { path: [] } },
    ".length-field-location.path: At least one element expected",
  ],
  [{
    type: "dynamic-length-blob",
    "length-field-location": { path: ["a", null] },
  }, ".length-field-location.path: A field's name at the end expected"],
  [
    { type: "dynamic-length-blob", "length-field-location": { path: [1] } },
    ".length-field-location.path[0]: Text expected, not 1",
  ],
  [{
    type: "dynamic-length-blob",
    "length-field-location": { origin: "packet-header", path: [null, "a"] },
  }, ".length-field-location.path[0]: There is nothing around the origin"],
  [{
    type: "dynamic-length-blob",
    "length-field-location": { origin: "x", path: ["a"] },
  }, ".length-field-location.origin: One of packet-header"],
  [
    { type: "structure", "member-classes": {} },
    ".member-classes: An array expected, not an object",
  ],
  [{
    type: "structure",
    "member-classes": [{ name: "x", "field-class": U8 }, {
      name: "x",
      "field-class": U8,
    }],
  }, '.member-classes[1].name: A name of its own expected, not "x" again'],
  [
    { type: "static-length-array", length: 1 },
    ': A property "element-field-class" expected',
  ],
  [
    { type: "variant", "selector-field-location": PATH, options: [] },
    ".options: At least one element expected",
  ],
  [{
    type: "variant",
    "selector-field-location": PATH,
    options: [{ "field-class": U8 }],
  }, '.options[0]: A property "selector-field-ranges" expected'],
  [{
    type: "variant",
    "selector-field-location": PATH,
    options: [{ "field-class": U8, "selector-field-ranges": [[5, 9]] }, {
      "field-class": U8,
      "selector-field-ranges": [[1, 1], [2, 5]],
    }],
  }, ": Ranges that do not overlap expected: 5 is in two options"],
];

for (const [index, [fieldClass, message]] of REFUSED_CLASSES.entries()) {
  test(`refuses field class ${index}: ${message}`, () => {
    assertThrows(
      () => parse(...event(fieldClass as Json2)),
      SyntaxError,
      `${AT}${message}`,
    );
  });
}

const REFUSED_TEXTS: Readonly<Record<string, string>> = {
  "": "Metadata that begins with byte 0x1E expected",
  "{}": "Metadata that begins with byte 0x1E expected",
  "\x1e": "A fragment expected",
  "\x1e{": "Fragment 1: ",
  "\x1e[]": "Fragment 1: An object expected, not an array",
  '\x1e{"type":"data-stream-class"}':
    'Fragment 1: The preamble expected, not "data-stream-class"',
  '\x1e{"type":"preamble","version":3}':
    "Fragment 1: version: A whole number from 2 to 2 expected, not 3",
  '\x1e{"type":"preamble","version":2,"uuid":[1]}':
    "Fragment 1: uuid: 16 bytes expected: 1",
  '\x1e{"type":"preamble","version":2,"uuid":[256]}':
    "Fragment 1: uuid[0]: A whole number from 0 to 255 expected, not 256",
  '\x1e{"type":"preamble","version":2} {}': "Fragment 1: ",
  '\x1e{"type":"preamble","version":2}\x1e{"type":"trace-cla': "Fragment 2: ",
};

for (const [text, message] of Object.entries(REFUSED_TEXTS)) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => parseCtf2(text), SyntaxError, message);
  });
}

const DEEP = 100_000;

/** Texts that would exhaust the stack or the memory of a careless reader. */
const TRAPS: Readonly<Record<string, string>> = {
  "arrays in arrays": `\x1e${"[".repeat(DEEP)}${"]".repeat(DEEP)}`,
  "arrays in arrays, and a long number": `\x1e${"[".repeat(DEEP)}${
    "1".repeat(20)
  }${"]".repeat(DEEP)}`,
  "classes in classes": metadataOf([PREAMBLE]) +
    '\x1e{"type":"field-class-alias","name":"a","field-class":' +
    '{"type":"static-length-array","length":1,"element-field-class":'
      .repeat(DEEP) +
    '"b"' + "}".repeat(DEEP) + "}",
  "aliases of aliases": metadataOf([
    PREAMBLE,
    { type: "field-class-alias", name: "a0", "field-class": U8 },
    ...Array.from({ length: 1000 }, (_, index): Fragment => ({
      type: "field-class-alias",
      name: `a${index + 1}`,
      "field-class": structure({ x: `a${index}` }),
    })),
  ]),
};

for (const [name, text] of Object.entries(TRAPS)) {
  test(`refuses ${name}`, () => {
    assertThrows(() => parseCtf2(text), SyntaxError);
  });
}
