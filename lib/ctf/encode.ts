/** Turns a declared type, once, into a function that writes its values. */

import type { Cursor } from "./cursor.ts";
import { setU64 } from "./cursor.ts";
import {
  alignmentOf,
  type ArrayType,
  BOOLEAN_CONTAINER,
  type ByteOrder,
  type EnumerationType,
  type FieldType,
  type FloatType,
  integerRange,
  type IntegerType,
  type SequenceType,
  type StructType,
} from "./types.ts";

/** Writes one value at the cursor, or throws and leaves the rest unwritten. */
export type FieldWriter = (cursor: Cursor, value: unknown) => void;

/** Where a value stands, for the text of an error. */
interface Place {
  readonly event: string;
  readonly field: string;
}

/**
 * A writer for the values of `type`. What it throws for a bad value names
 * `event`, the field and the value: `RangeError` where it does not fit,
 * `TypeError` where it is of another kind.
 */
export function prepareWriter(
  type: FieldType,
  byteOrder: ByteOrder,
  event: string,
): FieldWriter {
  return prepare(type, byteOrder, { event, field: "" });
}

function prepare(
  type: FieldType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  switch (type.kind) {
    case "integer":
      return prepareInteger(type, byteOrder, place);
    case "float":
      return prepareFloat(type, byteOrder, place);
    case "string":
      return prepareString(place);
    case "boolean":
      return prepareBoolean(byteOrder, place);
    case "enumeration":
      return prepareEnumeration(type, byteOrder, place);
    case "array":
      return prepareArray(type, byteOrder, place);
    case "sequence":
      return prepareSequence(type, byteOrder, place);
    case "struct":
      return prepareStruct(type, byteOrder, place);
  }
}

function prepareInteger(
  type: IntegerType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  if (type.size % 8 !== 0 || type.alignment < 8) {
    return prepareBitField(type, byteOrder, place);
  }
  const write = prepareBytes(type, type.byteOrder ?? byteOrder, place);
  const { alignment } = type;
  if (alignment === 8) return write;
  return (cursor, value) => {
    cursor.align(alignment);
    write(cursor, value);
  };
}

/** Integers of whole bytes, on a byte. */
function prepareBytes(
  type: IntegerType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const little = byteOrder === "le";
  switch (type.size) {
    case 8:
      return (cursor, value) => {
        const number = small(value, type, place);
        cursor.alignToByte();
        cursor.bytes[cursor.take(1)] = number;
      };
    case 16:
      return (cursor, value) => {
        const number = small(value, type, place);
        cursor.alignToByte();
        cursor.view.setUint16(cursor.take(2), number, little);
      };
    case 32:
      return (cursor, value) => {
        const number = small(value, type, place);
        cursor.alignToByte();
        cursor.view.setUint32(cursor.take(4), number, little);
      };
    case 64:
      return prepareU64(type, little, place);
    default:
      return (cursor, value) => {
        const integer = whole(value, type, place);
        cursor.alignToByte();
        cursor.writeBits(integer, type.size, byteOrder);
      };
  }
}

function prepareU64(
  type: IntegerType,
  little: boolean,
  place: Place,
): FieldWriter {
  return (cursor, value) => {
    // A bigint costs several times a number: most values are small.
    if (
      typeof value === "number" && value >= 0 && Number.isSafeInteger(value)
    ) {
      cursor.alignToByte();
      setU64(cursor.view, cursor.take(8), value, little);
      return;
    }
    const integer = whole(value, type, place);
    cursor.alignToByte();
    // Takes a negative value modulo 2^64, which is its two's complement.
    cursor.view.setBigUint64(cursor.take(8), integer, little);
  };
}

function prepareBitField(
  type: IntegerType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const { size, alignment } = type;
  return (cursor, value) => {
    const integer = whole(value, type, place);
    cursor.align(alignment);
    cursor.writeBits(integer, size, byteOrder);
  };
}

/** Checks an integer of at most 32 bits. */
function small(value: unknown, type: IntegerType, place: Place): number {
  const { size, signed } = type;
  // The common case first and without bigint; -0 passes as the 0 it becomes.
  if (typeof value === "number") {
    const limit = 2 ** (signed ? size - 1 : size);
    if (
      value < limit && value >= (signed ? -limit : 0) && Number.isInteger(value)
    ) {
      return value;
    }
  }
  return Number(whole(value, type, place));
}

/** Checks an integer of any size. */
function whole(value: unknown, type: IntegerType, place: Place): bigint {
  let integer: bigint;
  if (typeof value === "bigint") {
    integer = value;
  } else if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw notInRange(value, type, place);
    integer = BigInt(value);
  } else {
    throw wrongKind(value, "a number or a bigint", place);
  }
  const fits = type.signed
    ? BigInt.asIntN(type.size, integer)
    : BigInt.asUintN(type.size, integer);
  if (fits !== integer) throw notInRange(value, type, place);
  return integer;
}

function prepareFloat(
  type: FloatType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const little = (type.byteOrder ?? byteOrder) === "le";
  const { alignment, size } = type;
  return (cursor, value) => {
    if (typeof value !== "number") throw wrongKind(value, "a number", place);
    cursor.align(alignment);
    if (size === 32) cursor.view.setFloat32(cursor.take(4), value, little);
    else cursor.view.setFloat64(cursor.take(8), value, little);
  };
}

function prepareString(place: Place): FieldWriter {
  return (cursor, value) => {
    if (typeof value !== "string") throw wrongKind(value, "a string", place);
    if (value.includes("\0")) {
      throw new RangeError(
        `${cannotRecord(place)} is ${show(value)}, which has a NUL character`,
      );
    }
    cursor.alignToByte();
    cursor.writeText(value);
  };
}

function prepareBoolean(byteOrder: ByteOrder, place: Place): FieldWriter {
  const write = prepareInteger(BOOLEAN_CONTAINER, byteOrder, place);
  return (cursor, value) => {
    if (typeof value !== "boolean") {
      throw wrongKind(value, "true or false", place);
    }
    write(cursor, value ? 1 : 0);
  };
}

function prepareEnumeration(
  type: EnumerationType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const write = prepareInteger(type.container, byteOrder, place);
  const values = new Map<string, number | bigint>();
  for (const { label, first, last } of type.mappings) {
    if (first !== last) continue;
    const number = Number(first);
    values.set(label, Number.isSafeInteger(number) ? number : first);
  }
  return (cursor, value) => {
    if (typeof value !== "string") return write(cursor, value);
    const integer = values.get(value);
    if (integer === undefined) {
      throw new RangeError(
        `${cannotRecord(place)} is ${show(value)}, ` +
          `which is not the label of one value`,
      );
    }
    write(cursor, integer);
  };
}

function prepareArray(
  type: ArrayType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const write = prepareElements(type.element, byteOrder, place);
  const { length } = type;
  return (cursor, value) => {
    const elements = listOf(value, place);
    if (elements.length !== length) {
      throw new RangeError(
        `${cannotRecord(place)} has ${elements.length} elements, not ${length}`,
      );
    }
    write(cursor, elements);
  };
}

function prepareSequence(
  type: SequenceType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const write = prepareElements(type.element, byteOrder, place);
  const writeLength = prepareInteger(type.lengthType, byteOrder, {
    event: place.event,
    field: `${place.field}.length`,
  });
  return (cursor, value) => {
    const elements = listOf(value, place);
    writeLength(cursor, elements.length);
    write(cursor, elements);
  };
}

/** Writes the elements of a list whose length has been dealt with. */
function prepareElements(
  element: FieldType,
  byteOrder: ByteOrder,
  place: Place,
): (cursor: Cursor, elements: ArrayLike<unknown>) => void {
  // An empty list is aligned too.
  const alignment = alignmentOf(element);
  const write = prepare(element, byteOrder, {
    event: place.event,
    field: `${place.field}[]`,
  });
  const isBytes = element.kind === "integer" && element.size === 8 &&
    !element.signed && element.alignment === 8;
  return (cursor, elements) => {
    cursor.align(alignment);
    if (isBytes && elements instanceof Uint8Array) {
      cursor.bytes.set(elements, cursor.take(elements.length));
      return;
    }
    for (let index = 0; index < elements.length; index++) {
      write(cursor, elements[index]);
    }
  };
}

function prepareStruct(
  type: StructType,
  byteOrder: ByteOrder,
  place: Place,
): FieldWriter {
  const alignment = alignmentOf(type);
  const names = Object.keys(type.fields);
  const writers = names.map((name) =>
    prepare(type.fields[name]!, byteOrder, {
      event: place.event,
      field: place.field === "" ? name : `${place.field}.${name}`,
    })
  );
  return (cursor, value) => {
    if (typeof value !== "object" || value === null) {
      throw wrongKind(value, "an object", place);
    }
    const record = value as Record<string, unknown>;
    cursor.align(alignment);
    for (let index = 0; index < names.length; index++) {
      writers[index]!(cursor, record[names[index]!]);
    }
  };
}

function listOf(value: unknown, place: Place): ArrayLike<unknown> {
  if (
    typeof value === "object" && value !== null && "length" in value &&
    typeof value.length === "number"
  ) {
    return value as ArrayLike<unknown>;
  }
  throw wrongKind(value, "an array", place);
}

function notInRange(
  value: unknown,
  type: IntegerType,
  place: Place,
): RangeError {
  const { min, max } = integerRange(type);
  return new RangeError(
    `${cannotRecord(place)} is ${
      show(value)
    }, not an integer in ${min}..${max}`,
  );
}

function wrongKind(value: unknown, wanted: string, place: Place): TypeError {
  return new TypeError(
    `${cannotRecord(place)} is ${show(value)}, not ${wanted}`,
  );
}

function cannotRecord(place: Place): string {
  return place.field === ""
    ? `Cannot record event "${place.event}": the record`
    : `Cannot record event "${place.event}": field "${place.field}"`;
}

const LONGEST_SHOWN = 64;

/** A value as the text of an error shows it. */
function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") {
    return JSON.stringify(
      value.length > LONGEST_SHOWN
        ? `${value.slice(0, LONGEST_SHOWN)}…`
        : value,
    );
  }
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "an array" : "an object";
  }
  return String(value);
}
