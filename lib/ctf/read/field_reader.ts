/** Makes, once for each class of field, the function that reads its values. */

import { type PacketCursor, PacketEndError } from "./bits.ts";
import type {
  ArrayClass,
  EnumerationClass,
  FieldClass,
  IntegerClass,
  NamedClass,
  SequenceClass,
  StructClass,
  Value,
  VariantClass,
} from "./model.ts";
import {
  makeFloat,
  makeInteger,
  readString,
  readText,
} from "./primitive_reader.ts";

/** Reads one value at the cursor. */
export type FieldReader<Result = Value> = (cursor: PacketCursor) => Result;

/** An integer that later fields refer to. */
export interface Slot {
  readonly index: number;
  readonly class: IntegerClass | EnumerationClass;
}

type Names = Map<string, Slot | Scope>;

/** The names of a struct's members so far, and of the structs around it. */
export interface Scope {
  readonly names: Names;
  readonly parent: Scope | undefined;
}

/** The six places of CTF 1.8 §7.3.2 that a full path begins with. */
export type Root =
  | "trace.packet.header"
  | "stream.packet.context"
  | "stream.event.header"
  | "stream.event.context"
  | "event.context"
  | "event.fields";

/** Elements of no size that a list may have: more is damage, or a trap. */
const MAX_EMPTY_ELEMENTS = 65_536;

/** Makes readers; what it made before is what references can name. */
export class ReaderMaker {
  /** Last names of all references: those integers are kept. */
  readonly referenced: ReadonlySet<string>;
  readonly #roots: Map<string, Scope>;
  #slots: number;

  constructor(referenced: ReadonlySet<string>, base?: ReaderMaker) {
    this.referenced = referenced;
    this.#roots = new Map(base ? base.#roots : []);
    this.#slots = base ? base.#slots : 0;
  }

  /**
   * A reader of the struct that is the trace's `root`.
   *
   * @throws {SyntaxError} where a length or a tag refers to no integer.
   */
  makeRoot(root: Root, fieldClass: StructClass): FieldReader<Value[]> {
    const scope: Scope = { names: new Map(), parent: undefined };
    this.#roots.set(root, scope);
    return this.makeStruct(fieldClass, scope);
  }

  /** A reader for each member; subclasses may read some in their own way. */
  protected makeMember(member: NamedClass, scope: Scope): FieldReader {
    const { rawName, class: fieldClass } = member;
    if (fieldClass.kind === "struct") {
      const inner: Scope = { names: new Map(), parent: scope };
      scope.names.set(rawName, inner);
      return this.makeStruct(fieldClass, inner);
    }
    const reader = this.make(fieldClass, scope);
    if (
      (fieldClass.kind === "integer" || fieldClass.kind === "enumeration") &&
      this.referenced.has(rawName)
    ) {
      const index = this.#slots++;
      scope.names.set(rawName, { index, class: fieldClass });
      return (cursor) => cursor.slots[index] = reader(cursor) as number;
    }
    return reader;
  }

  protected make(fieldClass: FieldClass, scope: Scope): FieldReader {
    switch (fieldClass.kind) {
      case "integer":
        return makeInteger(fieldClass);
      case "enumeration":
        return makeInteger(fieldClass.container);
      case "float":
        return makeFloat(fieldClass);
      case "string":
        return readString;
      case "struct":
        return this.makeStruct(fieldClass, { names: new Map(), parent: scope });
      case "array":
        return this.#makeArray(fieldClass, scope);
      case "sequence":
        return this.#makeSequence(fieldClass, scope);
      case "variant":
        return this.#makeVariant(fieldClass, scope);
    }
  }

  protected makeStruct(
    fieldClass: StructClass,
    scope: Scope,
  ): FieldReader<Value[]> {
    const readers = fieldClass.members.map((member) =>
      this.makeMember(member, scope)
    );
    return joinReaders(readers, alignmentOf(fieldClass));
  }

  #makeArray(fieldClass: ArrayClass, scope: Scope): FieldReader {
    const { element, length, isText } = fieldClass;
    const alignment = alignmentOf(element);
    if (isText) {
      return (cursor) => {
        cursor.align(alignment);
        return readText(cursor, length);
      };
    }
    const reader = this.make(element, scope);
    const leastSize = leastSizeOf(element);
    return (cursor) => {
      cursor.align(alignment);
      return readElements(cursor, reader, length, leastSize);
    };
  }

  #makeSequence(fieldClass: SequenceClass, scope: Scope): FieldReader {
    const { element, isText } = fieldClass;
    const { index } = this.#find(fieldClass.length, scope);
    const alignment = alignmentOf(element);
    if (isText) {
      return (cursor) => {
        cursor.align(alignment);
        return readText(cursor, Number(cursor.slots[index]));
      };
    }
    const reader = this.make(element, scope);
    const leastSize = leastSizeOf(element);
    return (cursor) => {
      cursor.align(alignment);
      const length = Number(cursor.slots[index]);
      return readElements(cursor, reader, length, leastSize);
    };
  }

  #makeVariant(fieldClass: VariantClass, scope: Scope): FieldReader {
    const { index, class: tag } = this.#find(fieldClass.tag, scope);
    if (tag.kind !== "enumeration") {
      throw new SyntaxError(
        `Variant tag ${fieldClass.tag.join(".")} is no enumeration`,
      );
    }
    const { options } = fieldClass;
    const inner: Scope = { names: new Map(), parent: scope };
    const readers = options.map((option) => this.makeMember(option, inner));
    const choices = tag.mappings.flatMap(({ label, first, last }) => {
      const option = optionOf(options, label);
      return option < 0 ? [] : [{ first, last, option }];
    });
    return (cursor) => {
      const value = cursor.slots[index]!;
      for (const { first, last, option } of choices) {
        if (value >= first && value <= last) {
          return { option, value: readers[option]!(cursor) };
        }
      }
      throw new PacketEndError(`no option of a variant has tag ${value}`);
    };
  }

  /** From the innermost struct outward, or from a full path's root. */
  #find(path: readonly string[], scope: Scope): Slot {
    for (
      let around: Scope | undefined = scope;
      around;
      around = around.parent
    ) {
      const found = descend(around, path);
      if (found) return found;
    }
    for (const length of [3, 2]) {
      const root = this.#roots.get(path.slice(0, length).join("."));
      const found = root && descend(root, path.slice(length));
      if (found) return found;
    }
    throw new SyntaxError(`Reference ${path.join(".")} finds no integer`);
  }
}

function descend(scope: Scope, path: readonly string[]): Slot | undefined {
  let found: Slot | Scope | undefined = scope;
  for (const name of path) {
    if (!found || !("names" in found)) return undefined;
    found = found.names.get(name);
  }
  return found && "index" in found ? found : undefined;
}

/** A label names an option with or without its underscore. */
function optionOf(options: readonly NamedClass[], label: string): number {
  const plain = options.findIndex(({ name }) => name === label);
  if (plain >= 0) return plain;
  return options.findIndex(({ rawName }) => rawName === label);
}

/** The alignment of any class, in bits (CTF 1.8 §4). */
export function alignmentOf(fieldClass: FieldClass): number {
  switch (fieldClass.kind) {
    case "integer":
    case "float":
      return fieldClass.alignment;
    case "enumeration":
      return fieldClass.container.alignment;
    case "string":
      return 8;
    case "array":
    case "sequence":
      return alignmentOf(fieldClass.element);
    case "struct":
      return fieldClass.members.reduce(
        (most, member) => Math.max(most, alignmentOf(member.class)),
        fieldClass.minimumAlignment,
      );
    case "variant":
      return 1;
  }
}

/** The bits that a value takes at least: bounds the length of lists. */
function leastSizeOf(fieldClass: FieldClass): number {
  switch (fieldClass.kind) {
    case "integer":
    case "float":
      return fieldClass.size;
    case "enumeration":
      return fieldClass.container.size;
    case "string":
      return 8;
    case "array":
      return fieldClass.length * leastSizeOf(fieldClass.element);
    case "struct":
      return fieldClass.members.reduce(
        (sum, member) => sum + leastSizeOf(member.class),
        0,
      );
    default:
      return 0;
  }
}

function joinReaders(
  readers: readonly FieldReader[],
  alignment: number,
): FieldReader<Value[]> {
  const [a, b, c, d] = readers;
  // Few members are read without a loop: most structs have few.
  if (readers.length === 0) {
    return (cursor) => {
      cursor.align(alignment);
      return [];
    };
  }
  if (readers.length === 1) {
    return (cursor) => {
      cursor.align(alignment);
      return [a!(cursor)];
    };
  }
  if (readers.length === 2) {
    return (cursor) => {
      cursor.align(alignment);
      return [a!(cursor), b!(cursor)];
    };
  }
  if (readers.length === 3) {
    return (cursor) => {
      cursor.align(alignment);
      return [a!(cursor), b!(cursor), c!(cursor)];
    };
  }
  const rest = readers.slice(4);
  return (cursor) => {
    cursor.align(alignment);
    const values = [a!(cursor), b!(cursor), c!(cursor), d!(cursor)];
    for (const reader of rest) values.push(reader(cursor));
    return values;
  };
}

function readElements(
  cursor: PacketCursor,
  reader: FieldReader,
  length: number,
  leastSize: number,
): Value[] {
  const isTooLong = leastSize === 0
    ? length > MAX_EMPTY_ELEMENTS
    : length * leastSize > cursor.end - cursor.position;
  if (isTooLong || length < 0) {
    throw new PacketEndError(
      `a list of ${length} elements does not fit the packet's content`,
    );
  }
  const values: Value[] = [];
  for (let index = 0; index < length; index++) values.push(reader(cursor));
  return values;
}
