/** Parses field classes of CTF 2 (CTF2-SPEC-2.0 §5.3). */

import type {
  FieldClass,
  NamedClass,
  StructClass,
  VariantOption,
} from "../model.ts";
import {
  alignment,
  bitMap,
  bits,
  blob,
  dynamicLength,
  encoding,
  float,
  INT64_MIN,
  integer,
  location,
  option,
  type ParsedClass,
  plain,
  ranges,
  staticBlob,
  staticLength,
  text,
  UINT64_MAX,
  variable,
} from "./class_parts.ts";
import type { JsonNode } from "./json.ts";

/** How one type of field class is parsed. */
interface TypeRow {
  /** Beside those that all types have. */
  readonly properties: readonly string[];
  readonly parse: (node: JsonNode, parser: FieldClassParser) => ParsedClass;
}

/** Classes nested deeper than this are refused: each level costs stack. */
const MAX_DEPTH = 100;

const BITS = ["length", "byte-order", "bit-order", "alignment"];
const INTEGER = ["preferred-display-base", "mappings"];

/** Every type by its name. */
const TYPES: Readonly<Record<string, TypeRow>> = {
  "fixed-length-bit-array": {
    properties: BITS,
    parse: (node) =>
      plain({ kind: "bit-map", container: bits(node, false), flags: [] }),
  },
  "fixed-length-bit-map": {
    properties: [...BITS, "flags"],
    parse: (node) => plain(bitMap(node)),
  },
  "fixed-length-boolean": {
    properties: BITS,
    parse: (node) => plain({ kind: "boolean", container: bits(node, false) }),
  },
  "fixed-length-unsigned-integer": {
    properties: [...BITS, ...INTEGER, "roles"],
    parse: (node) => integer(node, bits(node, false)),
  },
  "fixed-length-signed-integer": {
    properties: [...BITS, ...INTEGER],
    parse: (node) => integer(node, bits(node, true)),
  },
  "fixed-length-floating-point-number": {
    properties: BITS,
    parse: (node) => plain(float(node)),
  },
  "variable-length-unsigned-integer": {
    properties: [...INTEGER, "roles"],
    parse: (node) => integer(node, variable(node, false)),
  },
  "variable-length-signed-integer": {
    properties: INTEGER,
    parse: (node) => integer(node, variable(node, true)),
  },
  "null-terminated-string": {
    properties: ["encoding"],
    parse: (node) => plain({ kind: "string", encoding: encoding(node) }),
  },
  "static-length-string": {
    properties: ["length", "encoding"],
    parse: (node) => plain(text(node, staticLength(node))),
  },
  "dynamic-length-string": {
    properties: ["length-field-location", "encoding"],
    parse: (node) => plain(text(node, dynamicLength(node))),
  },
  "static-length-blob": {
    properties: ["length", "media-type", "roles"],
    parse: (node) => staticBlob(node),
  },
  "dynamic-length-blob": {
    properties: ["length-field-location", "media-type"],
    parse: (node) => plain(blob(node, dynamicLength(node))),
  },
  "structure": {
    properties: ["member-classes", "minimum-alignment"],
    parse: (node, parser) => parser.parseStruct(node),
  },
  "static-length-array": {
    properties: ["element-field-class", "length", "minimum-alignment"],
    parse: (node, parser) =>
      parser.parseAround(node.required("element-field-class"), (element) => ({
        kind: "array",
        element,
        length: staticLength(node),
        minimumAlignment: alignment(node, "minimum-alignment"),
      })),
  },
  "dynamic-length-array": {
    properties: [
      ...["element-field-class", "length-field-location"],
      "minimum-alignment",
    ],
    parse: (node, parser) =>
      parser.parseAround(node.required("element-field-class"), (element) => ({
        kind: "sequence",
        element,
        length: dynamicLength(node),
        minimumAlignment: alignment(node, "minimum-alignment"),
      })),
  },
  "optional": {
    properties: [
      "field-class",
      "selector-field-location",
      "selector-field-ranges",
    ],
    parse: (node, parser) =>
      parser.parseAround(
        node.required("field-class"),
        (content) => option(node, content),
      ),
  },
  "variant": {
    properties: ["options", "selector-field-location"],
    parse: (node, parser) => parser.parseVariant(node),
  },
};

/** Properties that every class and every fragment may have. */
export const COMMON_PROPERTIES: readonly string[] = [
  "type",
  "attributes",
  "extensions",
];

/** Refuses what is not known, and extensions: they change what the rest means. */
export function checkProperties(
  node: JsonNode,
  properties: readonly string[],
): void {
  node.only([...COMMON_PROPERTIES, ...properties]);
  node.optional("attributes")?.entries();
  const extensions = node.optional("extensions");
  const [name] = extensions?.entries()[0] ?? [];
  if (extensions && name !== undefined) {
    extensions.fail(`The extension ${JSON.stringify(name)} is not supported`);
  }
}

/** Parses field classes, of which some have names. */
export class FieldClassParser {
  readonly #aliases = new Map<string, ParsedClass>();
  #depth = 0;

  /** Gives a name to a class. */
  define(name: JsonNode, fieldClass: JsonNode): void {
    const text = name.text();
    const parsed = this.parse(fieldClass);
    if (this.#aliases.has(text)) {
      name.fail(
        `A name that is not taken expected, not ${JSON.stringify(text)}`,
      );
    }
    this.#aliases.set(text, parsed);
  }

  /**
   * A field class, or the name of one.
   *
   * @throws {SyntaxError} with what was expected, and where.
   */
  parse(node: JsonNode): ParsedClass {
    const parsed = typeof node.value === "string"
      ? this.#aliases.get(node.value) ??
        node.fail(
          `The name of a field class expected, not ${
            JSON.stringify(node.value)
          }`,
        )
      : this.#parseObject(node);
    if (this.#depth + parsed.depth > MAX_DEPTH) {
      node.fail(`Less than ${MAX_DEPTH} classes inside each other expected`);
    }
    return parsed;
  }

  /** A field class that is part of another one. */
  parseIn(node: JsonNode): ParsedClass {
    this.#depth++;
    try {
      return this.parse(node);
    } finally {
      this.#depth--;
    }
  }

  /** A class around one other, of which it has the roles. */
  parseAround(
    node: JsonNode,
    make: (inner: FieldClass) => FieldClass,
  ): ParsedClass {
    const { class: inner, roles, depth } = this.parseIn(node);
    return { class: make(inner), roles, depth: depth + 1 };
  }

  #parseObject(node: JsonNode): ParsedClass {
    // Before it goes deeper: what comes out of it is too late for the stack.
    if (this.#depth >= MAX_DEPTH) {
      node.fail(`Less than ${MAX_DEPTH} classes inside each other expected`);
    }
    const { properties, parse } = node.required("type").choice(TYPES);
    checkProperties(node, properties);
    return parse(node, this);
  }

  /** A class that must be a struct. */
  parseScope(node: JsonNode): StructClass {
    const { class: fieldClass } = this.parse(node);
    return fieldClass.kind === "struct"
      ? fieldClass
      : node.fail("A structure expected");
  }

  /** Members one after the other. */
  parseStruct(node: JsonNode): ParsedClass {
    const names = new Set<string>();
    let depth = 0;
    const members = node.optional("member-classes")?.elements() ?? [];
    const fieldClass: StructClass = {
      kind: "struct",
      members: members.map((member) => {
        checkProperties(member, ["name", "field-class"]);
        const name = member.required("name");
        const parsed = this.parseIn(member.required("field-class"));
        depth = Math.max(depth, parsed.depth);
        checkUnique(name, names);
        return named(name.text(), parsed);
      }),
      minimumAlignment: alignment(node, "minimum-alignment"),
    };
    return { class: fieldClass, roles: [], depth: depth + 1 };
  }

  /** Options of which a tag chooses one. */
  parseVariant(node: JsonNode): ParsedClass {
    const names = new Set<string>();
    let depth = 0;
    const options = node.required("options").someElements();
    const fieldClass: FieldClass = {
      kind: "variant",
      tag: location(node.required("selector-field-location")),
      options: options.map((option): VariantOption => {
        checkProperties(option, [
          "name",
          "field-class",
          "selector-field-ranges",
        ]);
        const name = option.optional("name");
        const parsed = this.parseIn(option.required("field-class"));
        depth = Math.max(depth, parsed.depth);
        if (name) checkUnique(name, names);
        return {
          ...named(name?.text() ?? "", parsed),
          ranges: ranges(
            option.required("selector-field-ranges"),
            INT64_MIN,
            UINT64_MAX,
          ),
        };
      }),
    };
    checkOverlap(node, fieldClass.options);
    return { class: fieldClass, roles: [], depth: depth + 1 };
  }
}

function named(
  name: string,
  { class: fieldClass, roles }: ParsedClass,
): NamedClass {
  return {
    name,
    rawName: name,
    class: fieldClass,
    ...(roles.length === 0 ? {} : { roles }),
  };
}

function checkUnique(node: JsonNode, names: Set<string>): void {
  const name = node.text();
  if (names.has(name)) {
    node.fail(`A name of its own expected, not ${JSON.stringify(name)} again`);
  }
  names.add(name);
}

/** One tag must not choose two options. */
function checkOverlap(node: JsonNode, options: readonly VariantOption[]): void {
  const all = options.flatMap(({ ranges = [] }, option) =>
    ranges.map((range) => ({ ...range, option }))
  ).sort((a, b) => a.first < b.first ? -1 : a.first > b.first ? 1 : 0);
  let before = all[0];
  for (const range of all.slice(1)) {
    if (before && range.first <= before.last) {
      if (range.option !== before.option) {
        node.fail(
          `Ranges that do not overlap expected: ${range.first} is in two options`,
        );
      }
      if (range.last <= before.last) continue;
    }
    before = range;
  }
}
