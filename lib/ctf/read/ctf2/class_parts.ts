/** Parses what field classes of CTF 2 are made of: bits, numbers, texts, bytes, references. */

import type { IntegerBase } from "../../types.ts";
import type {
  BlobClass,
  EnumerationClass,
  FieldClass,
  IntegerClass,
  IntegerRange,
  Mapping,
  OptionClass,
  Reference,
  Role,
  Root,
  TextClass,
  TextEncoding,
  VariableIntegerClass,
} from "../model.ts";
import type { JsonNode } from "./json.ts";
import { BLOB_ROLES, INTEGER_ROLES } from "./roles.ts";

/** A field class, and what it says beside how its fields look. */
export interface ParsedClass {
  readonly class: FieldClass;
  /** Of the field itself, or of what an array or an option has in it. */
  readonly roles: readonly Role[];
  /** How many classes are inside each other, this one included. */
  readonly depth: number;
}

/** Longer texts, blobs and arrays are in no packet; up to here positions are exact. */
const MAX_LENGTH = 2 ** 32;
/** Bounded so that positions stay exact: the largest in use is 64. */
const MAX_ALIGNMENT = 2 ** 30;

/** The least of the 64-bit integers. */
export const INT64_MIN = -(2n ** 63n);
/** The largest signed one. */
export const INT64_MAX = 2n ** 63n - 1n;
/** The largest of all. */
export const UINT64_MAX = 2n ** 64n - 1n;

/** A class without roles and without others inside. */
export function plain(fieldClass: FieldClass): ParsedClass {
  return { class: fieldClass, roles: [], depth: 1 };
}

/** What all fixed-length classes have. */
export function bits(node: JsonNode, signed: boolean): IntegerClass {
  const byteOrder = node.required("byte-order").choice(
    { "little-endian": "le", "big-endian": "be" } as const,
  );
  const natural = byteOrder === "le" ? "first-to-last" : "last-to-first";
  const bitOrder = node.optional("bit-order");
  const order = bitOrder?.choice({
    "first-to-last": "first-to-last",
    "last-to-first": "last-to-first",
  });
  if (order !== undefined && order !== natural) {
    bitOrder?.fail(
      `${JSON.stringify(order)} is not supported with this byte order: ` +
        `${JSON.stringify(natural)} expected`,
    );
  }
  return {
    kind: "integer",
    size: node.required("length").number(1, 64),
    signed,
    base: base(node),
    alignment: alignment(node, "alignment"),
    byteOrder,
    isCharacter: false,
  };
}

function base(node: JsonNode): IntegerBase {
  const property = node.optional("preferred-display-base");
  if (!property) return 10;
  const value = property.value;
  return value === 2 || value === 8 || value === 10 || value === 16
    ? value
    : property.expect("2, 8, 10 or 16");
}

/** An alignment in bits; 1 where nothing is said. */
export function alignment(node: JsonNode, name: string): number {
  const property = node.optional(name);
  if (!property) return 1;
  const value = property.number(1, MAX_ALIGNMENT);
  return (value & (value - 1)) === 0
    ? value
    : property.expect("A power of two");
}

/** An integer of as many bytes as it needs. */
export function variable(
  node: JsonNode,
  signed: boolean,
): VariableIntegerClass {
  return { kind: "variable-integer", signed, base: base(node) };
}

/** An integer, or where it has mappings an enumeration. */
export function integer(
  node: JsonNode,
  container: IntegerClass | VariableIntegerClass,
): ParsedClass {
  const [first, last] = container.signed
    ? [INT64_MIN, INT64_MAX]
    : [0n, UINT64_MAX];
  const mappings = node.optional("mappings");
  const labels = mappings ? labelled(mappings, first, last) : [];
  const enumeration: EnumerationClass = {
    kind: "enumeration",
    container,
    mappings: labels,
  };
  return {
    class: labels.length === 0 ? container : enumeration,
    roles: roles(node, INTEGER_ROLES),
    depth: 1,
  };
}

/** Ranges by label, one mapping for each range. */
function labelled(node: JsonNode, first: bigint, last: bigint): Mapping[] {
  return node.entries().flatMap(([label, value]) =>
    ranges(value, first, last).map((range) => ({ label, ...range }))
  );
}

/** Ranges of integers, at least one, with both ends within bounds. */
export function ranges(
  node: JsonNode,
  first: bigint,
  last: bigint,
): IntegerRange[] {
  return node.someElements().map((range) => {
    const ends = range.elements();
    const [begin, end] = ends;
    if (!begin || !end || ends.length !== 2) {
      return range.fail("Two numbers expected");
    }
    const from = begin.integer(first, last);
    return { first: from, last: end.integer(from, last) };
  });
}

function roles(
  node: JsonNode,
  table: Readonly<Record<string, Role>>,
): readonly Role[] {
  const property = node.optional("roles");
  if (!property) return [];
  return property.elements().map((role) => role.choice(table));
}

/** Bits of which at least one has a name. */
export function bitMap(node: JsonNode): FieldClass {
  const container = bits(node, false);
  const flags = node.required("flags");
  const named = labelled(flags, 0n, BigInt(container.size - 1));
  if (named.length === 0) flags.fail("At least one flag expected");
  return { kind: "bit-map", container, flags: named };
}

/** A floating point number. */
export function float(node: JsonNode): FieldClass {
  const { size, alignment, byteOrder } = bits(node, false);
  return size === 32 || size === 64
    ? { kind: "float", size, alignment, byteOrder }
    : node.required("length").expect("32 or 64");
}

/** How text is encoded. */
export function encoding(node: JsonNode): TextEncoding {
  const property = node.optional("encoding");
  return property?.choice({
    "utf-8": "utf-8",
    "utf-16be": "utf-16be",
    "utf-16le": "utf-16le",
    "utf-32be": "utf-32be",
    "utf-32le": "utf-32le",
  }) ?? "utf-8";
}

/** Text of a length that is known before it. */
export function text(node: JsonNode, length: number | Reference): TextClass {
  return { kind: "text", encoding: encoding(node), length };
}

/** Bytes of a length that is known before them. */
export function blob(node: JsonNode, length: number | Reference): BlobClass {
  const mediaType = node.optional("media-type")?.text() ??
    "application/octet-stream";
  return { kind: "blob", length, mediaType };
}

/** Bytes of a fixed length, which may be a UUID. */
export function staticBlob(node: JsonNode): ParsedClass {
  const length = staticLength(node);
  const found = roles(node, BLOB_ROLES);
  if (found.length > 0 && length !== 16) {
    node.required("length").expect("16, the length of a UUID,");
  }
  return { class: blob(node, length), roles: found, depth: 1 };
}

/** A length in bytes or elements. */
export function staticLength(node: JsonNode): number {
  return node.required("length").number(0, MAX_LENGTH);
}

/** Where such a length is. */
export function dynamicLength(node: JsonNode): Reference {
  return location(node.required("length-field-location"));
}

/** A field that may be there; without ranges its tag is a boolean. */
export function option(node: JsonNode, content: FieldClass): OptionClass {
  const tag = location(node.required("selector-field-location"));
  const property = node.optional("selector-field-ranges");
  return {
    kind: "option",
    tag,
    content,
    ...(property ? { ranges: ranges(property, INT64_MIN, UINT64_MAX) } : {}),
  };
}

const ORIGINS: Readonly<Record<string, Root>> = {
  "packet-header": "trace.packet.header",
  "packet-context": "stream.packet.context",
  "event-record-header": "stream.event.header",
  "event-record-common-context": "stream.event.context",
  "event-record-specific-context": "event.context",
  "event-record-payload": "event.fields",
};

/** Where another field is. */
export function location(node: JsonNode): Reference {
  node.only(["origin", "path"]);
  const root = node.optional("origin")?.choice(ORIGINS);
  const property = node.required("path");
  const path: (string | null)[] = [];
  for (const element of property.someElements()) {
    const name = element.value === null ? null : element.text();
    // Out of what was just gone into: neither way is needed.
    if (name === null && path.length > 0 && path.at(-1) !== null) path.pop();
    else if (name === null && root !== undefined) {
      element.fail("There is nothing around the origin");
    } else path.push(name);
  }
  if (path.length === 0 || path.at(-1) === null) {
    property.fail("A field's name at the end expected");
  }
  return root === undefined ? { isLocal: true, path } : { root, path };
}
