/** The words in which a program declares the fields of its events. */

import {
  type ArrayType,
  type BooleanType,
  type ByteOrder,
  type ElementsOf,
  type ElementType,
  type EnumerationType,
  type EnumerationValue,
  type FieldDeclarations,
  type FieldType,
  type FloatType,
  type IntegerBase,
  integerRange,
  type IntegerType,
  type Labels,
  lengthFieldName,
  type SequenceType,
  type StringType,
  type StructType,
  type ValuesOf,
} from "./types.ts";

/** The greatest alignment, in bits: a page. */
const MAX_ALIGNMENT = 4096 * 8;

/** What may be said of an integer beside its size. */
export interface IntegerOptions {
  /** Default `false`. */
  signed?: boolean;
  /** Default 10. */
  base?: IntegerBase;
  /**
   * In bits, a power of two. Default 8 where the size is whole bytes, else 1:
   * fields are packed without holes, as LTTng packs them.
   */
  alignment?: number;
  /** Default: the trace's. Only for whole bytes that are aligned to bytes. */
  byteOrder?: ByteOrder;
}

/**
 * An integer of `size` bits, 1 to 64.
 *
 * ```ts
 * import { integer } from "@lttng/stream";
 *
 * const address = integer(64, { base: 16 });
 * const flag = integer(1);
 * ```
 *
 * @throws {RangeError} where the size, alignment or byte order cannot be.
 */
export function integer(
  size: number,
  options: IntegerOptions = {},
): IntegerType {
  if (!Number.isInteger(size) || size < 1 || size > 64) {
    throw new RangeError(
      `Cannot declare an integer: its size is ${size} bits, not in 1..64`,
    );
  }
  const wholeBytes = size % 8 === 0;
  const alignment = options.alignment ?? (wholeBytes ? 8 : 1);
  checkAlignment(alignment, "an integer");
  if (options.byteOrder && !(wholeBytes && alignment >= 8)) {
    throw new RangeError(
      `Cannot declare an integer: byte order "${options.byteOrder}" asks for ` +
        `whole bytes, its size is ${size} and its alignment ${alignment} bits`,
    );
  }
  return {
    kind: "integer",
    size,
    signed: options.signed ?? false,
    base: options.base ?? 10,
    alignment,
    byteOrder: options.byteOrder,
  };
}

/** Unsigned, 8 bits. */
export const u8: IntegerType = integer(8);
/** Unsigned, 16 bits. */
export const u16: IntegerType = integer(16);
/** Unsigned, 32 bits. */
export const u32: IntegerType = integer(32);
/** Unsigned, 64 bits: give a `bigint`, or a `number` up to 2^53 - 1. */
export const u64: IntegerType = integer(64);
/** Signed, 8 bits. */
export const i8: IntegerType = integer(8, { signed: true });
/** Signed, 16 bits. */
export const i16: IntegerType = integer(16, { signed: true });
/** Signed, 32 bits. */
export const i32: IntegerType = integer(32, { signed: true });
/** Signed, 64 bits: give a `bigint`, or a `number` within ±(2^53 - 1). */
export const i64: IntegerType = integer(64, { signed: true });

/**
 * An IEEE 754 number of 32 or 64 bits.
 *
 * @throws {RangeError} where the alignment is not a power of two from 8 up.
 */
export function float(
  size: 32 | 64,
  options: Pick<IntegerOptions, "alignment" | "byteOrder"> = {},
): FloatType {
  const alignment = options.alignment ?? 8;
  checkAlignment(alignment, "a float");
  if (alignment < 8 || (size !== 32 && size !== 64)) {
    throw new RangeError(
      `Cannot declare a float: size ${size} and alignment ${alignment} bits, ` +
        `not 32 or 64 and at least 8`,
    );
  }
  return { kind: "float", size, alignment, byteOrder: options.byteOrder };
}

/** 32-bit IEEE 754: the value is rounded to it. */
export const float32: FloatType = float(32);
/** 64-bit IEEE 754: what a JavaScript `number` is. */
export const float64: FloatType = float(64);
/** UTF-8 text without NUL characters. */
export const string: StringType = { kind: "string" };
/** `true` or `false`; readers see an enumeration of one byte. */
export const boolean: BooleanType = { kind: "boolean" };

/**
 * Labels over an integer type. A label that stands for a range says what
 * readers see; a program gives the integer itself.
 *
 * ```ts
 * import { enumeration, u16 } from "@lttng/stream";
 *
 * const status = enumeration(u16, { OK: 200, "client error": [400, 499] });
 * ```
 *
 * @throws {RangeError} where a value does not fit the integer type.
 */
export function enumeration<const Declared extends Labels>(
  container: IntegerType,
  labels: Declared,
): EnumerationType<EnumerationValue<Declared>> {
  const { min, max } = integerRange(container);
  const mappings = Object.entries(labels).map(([label, value]) => {
    const [first, last] = rangeOf(label, value);
    if (first > last || first < min || last > max) {
      throw new RangeError(
        `Cannot declare an enumeration: "${label}" is ${first}..${last}, ` +
          `not a range in ${min}..${max}`,
      );
    }
    return { label, first, last };
  });
  if (mappings.length === 0) {
    throw new RangeError("Cannot declare an enumeration: it has no label");
  }
  return { kind: "enumeration", container, mappings };
}

function rangeOf(label: string, value: Labels[string]): [bigint, bigint] {
  const [first, last] = typeof value === "object" ? value : [value, value];
  for (const bound of [first, last]) {
    if (typeof bound === "number" && !Number.isSafeInteger(bound)) {
      throw new RangeError(
        `Cannot declare an enumeration: "${label}" is ${bound}, ` +
          `not a whole number that is exact`,
      );
    }
  }
  return [BigInt(first), BigInt(last)];
}

const MAX_LENGTH = 0xFFFF_FFFF;

/**
 * Exactly `length` elements.
 *
 * @throws {RangeError} where the length is not a whole number of 1..2^32-1.
 */
export function array<Element extends ElementType>(
  element: Element,
  length: number,
): ArrayType<ElementsOf<Element>> {
  checkElement(element, "an array");
  if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH) {
    throw new RangeError(
      `Cannot declare an array: its length is ${length}, ` +
        `not in 1..${MAX_LENGTH}`,
    );
  }
  return { kind: "array", element, length };
}

/**
 * Any number of elements, counted in a field of type `length` (default
 * {@linkcode u32}) that readers see as `_NAME_length`.
 *
 * @throws {RangeError} where the type of the length is signed.
 */
export function sequence<Element extends ElementType>(
  element: Element,
  options: { length?: IntegerType } = {},
): SequenceType<ElementsOf<Element>> {
  checkElement(element, "a sequence");
  const lengthType = options.length ?? u32;
  if (lengthType.signed) {
    throw new RangeError("Cannot declare a sequence: its length is signed");
  }
  return { kind: "sequence", element, lengthType };
}

/**
 * Named fields as one field.
 *
 * @throws {RangeError} where a name or the alignment cannot be.
 */
export function struct<const Fields extends FieldDeclarations>(
  fields: Fields,
  options: { alignment?: number } = {},
): StructType<ValuesOf<Fields>> {
  const minimumAlignment = options.alignment ?? 1;
  checkAlignment(minimumAlignment, "a struct");
  checkFieldNames(fields);
  return { kind: "struct", fields, minimumAlignment };
}

const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function checkFieldNames(fields: FieldDeclarations): void {
  const names = Object.keys(fields);
  for (const name of names) {
    if (!FIELD_NAME.test(name)) {
      throw new RangeError(
        `Cannot declare a field: "${name}" is not letters, digits and _ ` +
          `beginning with a letter or _`,
      );
    }
    const length = lengthFieldName(name);
    if (fields[name]!.kind === "sequence" && names.includes(length)) {
      throw new RangeError(
        `Cannot declare a field: "${length}" is the length of "${name}" already`,
      );
    }
  }
}

function checkElement(element: FieldType, what: string): void {
  if (element.kind === "sequence") {
    throw new RangeError(
      `Cannot declare ${what}: a sequence as its element needs a struct around it`,
    );
  }
}

function checkAlignment(alignment: number, what: string): void {
  const isPowerOfTwo = Number.isInteger(alignment) && alignment >= 1 &&
    alignment <= MAX_ALIGNMENT && (alignment & (alignment - 1)) === 0;
  if (!isPowerOfTwo) {
    throw new RangeError(
      `Cannot declare ${what}: its alignment is ${alignment} bits, ` +
        `not a power of two in 1..${MAX_ALIGNMENT}`,
    );
  }
}
