/** Makes, once for each field, the function that reads its values. */

import { type PacketCursor, PacketEndError } from "./bits.ts";
import type { FieldClass, IntegerRange, OptionClass, Value } from "./model.ts";
import {
  makeFloat,
  makeInteger,
  makeStringReader,
  makeTextReader,
  readBytes,
  readVariable,
} from "./primitive_reader.ts";
import type { Choice, Field } from "./resolve.ts";

/** Reads one value at the cursor. */
export type FieldReader<Result = Value> = (cursor: PacketCursor) => Result;

/** Elements of no size that a list may have: more is damage, or a trap. */
const MAX_EMPTY_ELEMENTS = 65_536;

/** A reader of a field; it keeps the value where a later field refers to it. */
export function makeReader(field: Field): FieldReader {
  const reader = withRoles(field, makePlain(field));
  const [slot, ...others] = field.slots;
  if (slot === undefined) return reader;
  return (cursor) => {
    const value = reader(cursor);
    const kept = typeof value === "bigint" ? value : Number(value);
    cursor.slots[slot] = kept;
    for (const other of others) cursor.slots[other] = kept;
    return value;
  };
}

/** A reader of a struct's members. */
export function makeStructReader(field: Field): FieldReader<Value[]> {
  return joinReaders(field.children.map(makeReader), field.alignment);
}

/** Notes what an event header says: its class, and its time. */
function withRoles(field: Field, reader: FieldReader): FieldReader {
  const { roles, class: fieldClass } = field;
  if (roles.includes("event-class-id")) {
    return (cursor) => cursor.eventId = reader(cursor) as number | bigint;
  }
  if (!roles.includes("timestamp")) return reader;
  const size = sizeOf(fieldClass);
  return (cursor) => {
    const before = cursor.position;
    const value = reader(cursor) as number | bigint;
    // Of each byte of a variable-length integer seven bits count.
    const bits = size ?? Math.min(64, (cursor.position - before) / 8 * 7);
    cursor.clock.update(value, bits);
    return value;
  };
}

/** In bits, where it is the same for all values. */
function sizeOf(fieldClass: FieldClass): number | undefined {
  if (fieldClass.kind === "enumeration") return sizeOf(fieldClass.container);
  return fieldClass.kind === "integer" ? fieldClass.size : undefined;
}

function makePlain(field: Field): FieldReader {
  const { class: fieldClass } = field;
  switch (fieldClass.kind) {
    case "integer":
      return makeInteger(fieldClass);
    case "bit-map":
      return makeInteger(fieldClass.container);
    case "variable-integer":
      return (cursor) => readVariable(cursor, fieldClass.signed);
    case "enumeration": {
      const { container } = fieldClass;
      return container.kind === "integer"
        ? makeInteger(container)
        : (cursor) => readVariable(cursor, container.signed);
    }
    case "boolean": {
      const reader = makeInteger(fieldClass.container);
      return (cursor) => Number(reader(cursor)) !== 0;
    }
    case "float":
      return makeFloat(fieldClass);
    case "string":
      return makeStringReader(fieldClass.encoding);
    case "text":
      return makeSized(field, makeTextReader(fieldClass.encoding));
    case "blob":
      return makeSized(field, readBytes);
    case "struct":
      return makeStructReader(field);
    case "array":
    case "sequence":
      return makeList(field);
    case "variant":
      return makeVariant(field);
    case "option":
      return makeOption(field, fieldClass);
  }
}

/** A reader of text or bytes of a length that the class or a field says. */
function makeSized(
  field: Field,
  read: (cursor: PacketCursor, length: number) => Value,
): FieldReader {
  const length = lengthReader(field);
  return (cursor) => {
    cursor.align(8);
    return read(cursor, length(cursor));
  };
}

function lengthReader({ class: fieldClass, from }: Field): FieldReader<number> {
  if (from !== undefined) return (cursor) => Number(cursor.slots[from]);
  const { length } = fieldClass as { length: number };
  return () => length;
}

function makeList(field: Field): FieldReader {
  const { alignment, children } = field;
  const element = children[0]!;
  const length = lengthReader(field);
  const reader = makeReader(element);
  return (cursor) => {
    cursor.align(alignment);
    return readElements(cursor, reader, length(cursor), element.leastSize);
  };
}

function readElements(
  cursor: PacketCursor,
  reader: FieldReader,
  length: number,
  leastSize: number,
): Value[] {
  checkLength(cursor, length, leastSize);
  const values: Value[] = [];
  for (let index = 0; index < length; index++) values.push(reader(cursor));
  return values;
}

/** @throws {PacketEndError} where so many elements cannot be there. */
export function checkLength(
  cursor: PacketCursor,
  length: number,
  leastSize: number,
): void {
  if (leastSize === 0) {
    if (length >= 0 && length <= MAX_EMPTY_ELEMENTS) return;
    throw new RangeError(`a list of ${length} elements without a size`);
  }
  const isTooLong = length * leastSize > cursor.end - cursor.position;
  if (!isTooLong && length >= 0) return;
  throw new PacketEndError(
    `a list of ${length} elements does not fit the packet's content`,
  );
}

function makeVariant({ children, choices, from }: Field): FieldReader {
  const readers = children.map(makeReader);
  return (cursor) => {
    const option = chooseOption(choices, cursor.slots[from!]!);
    return { option, value: readers[option]!(cursor) };
  };
}

/** @throws {RangeError} where the tag chooses no option. */
export function chooseOption(
  choices: readonly Choice[],
  tag: number | bigint,
): number {
  for (const { first, last, option } of choices) {
    if (tag >= first && tag <= last) return option;
  }
  throw new RangeError(`no option of a variant has tag ${tag}`);
}

/** Which values of a boolean's slot are true. */
const TRUE: readonly IntegerRange[] = [{ first: 1n, last: 1n }];

function makeOption(
  { children, from }: Field,
  { ranges = TRUE }: OptionClass,
): FieldReader {
  const reader = makeReader(children[0]!);
  return (cursor) => {
    const tag = cursor.slots[from!]!;
    return ranges.some(({ first, last }) => tag >= first && tag <= last)
      ? reader(cursor)
      : null;
  };
}

function joinReaders(
  readers: readonly FieldReader[],
  alignment: number,
): FieldReader<Value[]> {
  return (cursor) => {
    cursor.align(alignment);
    const values: Value[] = [];
    for (const reader of readers) values.push(reader(cursor));
    return values;
  };
}
