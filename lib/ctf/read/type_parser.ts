/** Parses the types of TSDL: what may stand before a field's name (CTF 1.8 §4 and §7.3). */

import type { ByteOrder, IntegerBase } from "../types.ts";
import { type Token, tokenize } from "./lexer.ts";
import type {
  EnumerationClass,
  FieldClass,
  IntegerClass,
  Mapping,
  NamedClass,
  Reference,
  StructClass,
  VariantClass,
} from "./model.ts";
import { type AttributeValue, TokenReader } from "./token_reader.ts";

/** Named types that hold from here on, and in blocks inside this one. */
class Scope {
  readonly #types = new Map<string, FieldClass>();
  constructor(readonly parent?: Scope) {}

  find(name: string): FieldClass | undefined {
    return this.#types.get(name) ?? this.parent?.find(name);
  }

  define(name: string, fieldClass: FieldClass): void {
    this.#types.set(name, fieldClass);
  }
}

/** Types nested deeper than this are refused: each level costs stack. */
const MAX_DEPTH = 100;

/** Words that say what a number means beside its name. */
const BASES: Readonly<Record<string, IntegerBase>> = {
  decimal: 10,
  dec: 10,
  d: 10,
  i: 10,
  u: 10,
  hexadecimal: 16,
  hex: 16,
  x: 16,
  X: 16,
  p: 16,
  octal: 8,
  oct: 8,
  o: 8,
  binary: 2,
  b: 2,
};

/** Removes the one underscore that keeps names apart from TSDL's words. */
export function plainName(name: string): string {
  return name.startsWith("_") ? name.slice(1) : name;
}

/** Reads tokens one after the other, and types out of them. */
export class TypeParser extends TokenReader {
  #depth = 0;
  #scope = new Scope();
  /** What integers have that do not say. */
  protected readonly byteOrder: ByteOrder;

  /** @throws {SyntaxError} where the text has something that is no token. */
  constructor(text: string) {
    const tokens = tokenize(text);
    super(tokens);
    this.byteOrder = findByteOrder(tokens);
  }

  /** A block in which declared types stay inside. */
  protected inScope<Result>(parse: () => Result): Result {
    const outer = this.#scope;
    this.#scope = new Scope(outer);
    if (++this.#depth > MAX_DEPTH) this.fail("Less nesting expected");
    try {
      return parse();
    } finally {
      this.#scope = outer;
      this.#depth--;
    }
  }

  /** `typealias`, `typedef` or a named struct, enum or variant, where there is one. */
  protected parseTypeDeclaration(): boolean {
    if (this.accept("typealias")) {
      const target = this.parseDeclarators(this.parseType());
      this.expect(":=");
      const words: string[] = [];
      while (this.token.kind === "word") words.push(this.next().text);
      this.expect(";");
      this.#scope.define(words.join(" "), target);
      return true;
    }
    if (this.accept("typedef")) {
      const type = this.parseType();
      do {
        const name = this.word();
        this.#scope.define(name, this.parseDeclarators(type));
      } while (this.accept(","));
      this.expect(";");
      return true;
    }
    return false;
  }

  /** A type without a field's name. */
  protected parseType(): FieldClass {
    this.accept("const");
    if (this.accept("integer")) return this.#parseInteger();
    if (this.accept("floating_point")) return this.#parseFloat();
    if (this.accept("string")) {
      if (this.is("{")) this.parseAttributes();
      return { kind: "string", encoding: "utf-8" };
    }
    if (this.accept("struct")) return this.#parseStruct();
    if (this.accept("variant")) return this.#parseVariant();
    if (this.accept("enum")) return this.#parseEnumeration();
    return this.#parseNamed();
  }

  /** Names as C has them: `unsigned long`, the field's own name after it. */
  #parseNamed(): FieldClass {
    const words = [this.word()];
    while (this.token.kind === "word" && this.following.kind === "word") {
      words.push(this.word());
    }
    if (this.#scope.find([...words, this.token.text].join(" "))) {
      words.push(this.next().text);
    }
    return this.#lookUp(words.filter((word) => word !== "const").join(" "));
  }

  #lookUp(name: string): FieldClass {
    const found = this.#scope.find(name);
    if (!found) this.fail(`"${name}" is no type: a known type expected`);
    return found;
  }

  #numberOf(
    attributes: ReadonlyMap<string, AttributeValue>,
    name: string,
    fallback?: number,
  ): number {
    const value = attributes.get(name);
    if (typeof value === "bigint") return Number(value);
    if (fallback === undefined) this.fail(`A type with "${name}" expected`);
    return fallback;
  }

  #alignmentOf(
    attributes: ReadonlyMap<string, AttributeValue>,
    fallback: number,
  ): number {
    return this.#checkAlignment(this.#numberOf(attributes, "align", fallback));
  }

  #checkAlignment(alignment: number): number {
    // Bounded so that positions stay exact: the largest in use is 64.
    if (
      !(alignment >= 1 && alignment <= 2 ** 30) ||
      (alignment & (alignment - 1)) !== 0
    ) {
      this.fail(`Alignment ${alignment}: a power of two expected`);
    }
    return alignment;
  }

  #byteOrderOf(attributes: ReadonlyMap<string, AttributeValue>): ByteOrder {
    const order = attributes.get("byte_order");
    if (order === undefined || order === "native") return this.byteOrder;
    if (order === "le") return "le";
    if (order === "be" || order === "network") return "be";
    this.fail(`Byte order ${order}: le, be, network or native expected`);
  }

  #parseInteger(): IntegerClass {
    const attributes = this.parseAttributes();
    const size = this.#numberOf(attributes, "size");
    if (!(size >= 1 && size <= 64)) {
      this.fail(`Integer of ${size} bits: 1 to 64 expected`);
    }
    const signed = attributes.get("signed");
    const base = attributes.get("base") ?? 10n;
    const encoding = String(attributes.get("encoding") ?? "none");
    const map = attributes.get("map");
    return {
      kind: "integer",
      size,
      signed: signed === 1n || signed === "true" || signed === "TRUE",
      base: typeof base === "bigint" ? baseOf(Number(base)) : BASES[base] ?? 10,
      alignment: this.#alignmentOf(attributes, size % 8 === 0 ? 8 : 1),
      byteOrder: this.#byteOrderOf(attributes),
      isCharacter: /^(utf-?8|ascii)$/i.test(encoding),
      ...(typeof map === "string" ? { clock: clockOf(map) } : {}),
    };
  }

  #parseFloat(): FieldClass {
    const attributes = this.parseAttributes();
    const size = this.#numberOf(attributes, "exp_dig") +
      this.#numberOf(attributes, "mant_dig");
    if (size !== 32 && size !== 64) {
      this.fail(`Floating point of ${size} bits: 32 or 64 expected`);
    }
    return {
      kind: "float",
      size,
      alignment: this.#alignmentOf(attributes, 1),
      byteOrder: this.#byteOrderOf(attributes),
    };
  }

  #optionalName(): string | undefined {
    return this.token.kind === "word" ? this.word() : undefined;
  }

  #parseStruct(): StructClass {
    const name = this.is("align") ? undefined : this.#optionalName();
    if (!this.is("{")) return this.#lookUp(`struct ${name}`) as StructClass;
    const members = this.#parseMembers();
    let minimumAlignment = 1;
    if (this.accept("align")) {
      this.expect("(");
      minimumAlignment = this.#checkAlignment(Number(this.parseInteger()));
      this.expect(")");
    }
    const result: StructClass = { kind: "struct", members, minimumAlignment };
    if (name !== undefined) this.#scope.define(`struct ${name}`, result);
    return result;
  }

  #parseMembers(): NamedClass[] {
    return this.inScope(() => {
      const members: NamedClass[] = [];
      this.expect("{");
      while (!this.accept("}")) {
        if (this.parseTypeDeclaration()) continue;
        const type = this.parseType();
        // A type declared here by its name alone.
        if (this.accept(";")) continue;
        do {
          const rawName = this.word();
          const fieldClass = this.parseDeclarators(type);
          members.push({
            name: plainName(rawName),
            rawName,
            class: fieldClass,
          });
        } while (this.accept(","));
        this.expect(";");
      }
      return members;
    });
  }

  /** `[3]` and `[length]` after a name, any number of them. */
  protected parseDeclarators(element: FieldClass): FieldClass {
    const lengths: (number | Reference)[] = [];
    while (this.accept("[")) {
      if (this.token.kind === "number") {
        lengths.push(Number(this.parseInteger()));
      } else {
        lengths.push({ path: this.parsePath() });
      }
      this.expect("]");
    }
    return lengths.reduceRight<FieldClass>((inner, length) => {
      const isText = inner.kind === "integer" && inner.isCharacter &&
        inner.size === 8 && inner.alignment === 8;
      if (isText) return { kind: "text", encoding: "utf-8", length };
      return typeof length === "number"
        ? { kind: "array", element: inner, length, minimumAlignment: 1 }
        : { kind: "sequence", element: inner, length, minimumAlignment: 1 };
    }, element);
  }

  #parseVariant(): VariantClass {
    const name = this.is("<") ? undefined : this.#optionalName();
    let tag: Reference = { path: [] };
    if (this.accept("<")) {
      tag = { path: this.parsePath() };
      this.expect(">");
    }
    if (!this.is("{")) {
      const found = this.#lookUp(`variant ${name}`) as VariantClass;
      return tag.path.length > 0 ? { ...found, tag } : found;
    }
    const result: VariantClass = {
      kind: "variant",
      tag,
      options: this.#parseMembers(),
    };
    if (name !== undefined) this.#scope.define(`variant ${name}`, result);
    return result;
  }

  #parseEnumeration(): EnumerationClass {
    const name = this.#optionalName();
    let container: FieldClass | undefined;
    if (this.accept(":")) container = this.parseType();
    if (!this.is("{")) return this.#lookUp(`enum ${name}`) as EnumerationClass;
    container ??= this.#lookUp("int");
    if (container.kind !== "integer") this.fail("An integer type expected");
    const result: EnumerationClass = {
      kind: "enumeration",
      container,
      mappings: this.#parseMappings(),
    };
    if (name !== undefined) this.#scope.define(`enum ${name}`, result);
    return result;
  }

  #parseMappings(): Mapping[] {
    const mappings: Mapping[] = [];
    let following = 0n;
    this.expect("{");
    while (!this.accept("}")) {
      const label = this.token.kind === "string"
        ? this.next().text
        : this.word();
      const first = this.accept("=") ? this.parseInteger() : following;
      const last = this.accept("...") ? this.parseInteger() : first;
      mappings.push({ label, first, last });
      following = last + 1n;
      if (!this.is("}")) this.expect(",");
    }
    return mappings;
  }
}

function baseOf(base: number): IntegerBase {
  return base === 2 || base === 8 || base === 16 ? base : 10;
}

/** The clock of `clock.NAME.value`. */
function clockOf(path: string): string {
  return path.split(".")[1] ?? path;
}

/** The trace block's byte order: types before it need it already. */
function findByteOrder(tokens: readonly Token[]): ByteOrder {
  let depth = 0;
  let isInTrace = false;
  for (const [at, { text, kind }] of tokens.entries()) {
    if (depth === 0 && text === "trace" && kind === "word") isInTrace = true;
    if (kind === "mark" && text === "{") depth++;
    if (kind === "mark" && text === "}" && --depth === 0) isInTrace = false;
    if (isInTrace && depth === 1 && text === "byte_order") {
      return tokens[at + 2]?.text === "le" ? "le" : "be";
    }
  }
  return "le";
}
