/** The field types of CTF 1.8 that this library writes, as values that declare an event's fields. */

/** Which end of an integer comes first: little-endian or big-endian. */
export type ByteOrder = "le" | "be";

/** The base in which readers print an integer. */
export type IntegerBase = 2 | 8 | 10 | 16;

declare const VALUE: unique symbol;

/** Carries, for the type checker alone, what a program gives for a field. */
export interface Carries<Value> {
  /** Never there at run time. */
  readonly [VALUE]?: Value;
}

/** An integer of 1 to 64 bits. */
export interface IntegerType extends Carries<number | bigint> {
  /** Tells the types apart. */
  readonly kind: "integer";
  /** Width in bits. */
  readonly size: number;
  /** Whether the highest bit is a sign. */
  readonly signed: boolean;
  /** How readers print it. */
  readonly base: IntegerBase;
  /** Alignment from the packet's beginning, in bits. */
  readonly alignment: number;
  /** Unset: the trace's own byte order. */
  readonly byteOrder: ByteOrder | undefined;
  /** Set: a character; an array or sequence of them is text to readers. */
  readonly encoding?: "UTF8";
}

/** An IEEE 754 number. */
export interface FloatType extends Carries<number> {
  /** Tells the types apart. */
  readonly kind: "float";
  /** Width in bits. */
  readonly size: 32 | 64;
  /** Alignment from the packet's beginning, in bits. */
  readonly alignment: number;
  /** Unset: the trace's own byte order. */
  readonly byteOrder: ByteOrder | undefined;
}

/** UTF-8 text that ends with a NUL byte. */
export interface StringType extends Carries<string> {
  /** Tells the types apart. */
  readonly kind: "string";
}

/** A yes or no: an enumeration of `false` and `true` over one byte. */
export interface BooleanType extends Carries<boolean> {
  /** Tells the types apart. */
  readonly kind: "boolean";
}

/** One label of an enumeration and the integers it stands for, both included. */
export interface EnumerationMapping {
  /** What readers print. */
  readonly label: string;
  /** The least integer of the label. */
  readonly first: bigint;
  /** The greatest integer of the label. */
  readonly last: bigint;
}

/** Labels over an integer type. */
export interface EnumerationType<Value = unknown> extends Carries<Value> {
  /** Tells the types apart. */
  readonly kind: "enumeration";
  /** What is written. */
  readonly container: IntegerType;
  /** Labels; where they overlap readers print several. */
  readonly mappings: readonly EnumerationMapping[];
}

/** A fixed number of elements. */
export interface ArrayType<Value = unknown> extends Carries<Value> {
  /** Tells the types apart. */
  readonly kind: "array";
  /** What each element is. */
  readonly element: ElementType;
  /** How many elements there are. */
  readonly length: number;
}

/** Any number of elements, after a field that says how many. */
export interface SequenceType<Value = unknown> extends Carries<Value> {
  /** Tells the types apart. */
  readonly kind: "sequence";
  /** What each element is. */
  readonly element: ElementType;
  /** What the number of elements is written as. */
  readonly lengthType: IntegerType;
}

/** Named fields, one after the other. */
export interface StructType<Value = unknown> extends Carries<Value> {
  /** Tells the types apart. */
  readonly kind: "struct";
  /** Names and types, in order. */
  readonly fields: FieldDeclarations;
  /** The least alignment of the whole, in bits; its fields may ask for more. */
  readonly minimumAlignment: number;
}

/** Any type a field can have. */
export type FieldType =
  | IntegerType
  | FloatType
  | StringType
  | BooleanType
  | EnumerationType
  | ArrayType
  | SequenceType
  | StructType;

/** What arrays and sequences hold: a sequence needs a struct around it. */
export type ElementType = Exclude<FieldType, SequenceType>;

/** Field names and their types, in the order in which they are written. */
export type FieldDeclarations = Readonly<Record<string, FieldType>>;

/** What a program gives for a field of type `Type`. */
export type ValueOf<Type> = Type extends Carries<infer Value> ? Value : never;

/** What a program gives for the fields `Fields`. */
export type ValuesOf<Fields extends FieldDeclarations> = {
  readonly [Name in keyof Fields]: ValueOf<Fields[Name]>;
};

/** Elements as an array or a typed array; a string is not a list here. */
export type ElementsOf<Element> = ArrayLike<ValueOf<Element>> & object;

/** The labels of an enumeration: a value, or the first and last of a range. */
export type Labels = Readonly<
  Record<
    string,
    number | bigint | readonly [first: number | bigint, last: number | bigint]
  >
>;

/** A label that names one value, or the integer itself. */
export type EnumerationValue<Declared extends Labels> =
  | {
    [Label in keyof Declared]: Declared[Label] extends readonly unknown[]
      ? never
      : Label;
  }[keyof Declared]
  | number
  | bigint;

/** What is written for a {@linkcode BooleanType}. */
export const BOOLEAN_CONTAINER: IntegerType = {
  kind: "integer",
  size: 8,
  signed: false,
  base: 10,
  alignment: 8,
  byteOrder: undefined,
};

/** The field in which a sequence called `name` is counted. */
export function lengthFieldName(name: string): string {
  return `_${name}_length`;
}

/** The least and greatest value of an integer type. */
export function integerRange(
  type: IntegerType,
): { min: bigint; max: bigint } {
  const size = BigInt(type.size);
  return type.signed
    ? { min: -(1n << (size - 1n)), max: (1n << (size - 1n)) - 1n }
    : { min: 0n, max: (1n << size) - 1n };
}

/** Alignment of any type from the packet's beginning, in bits (CTF 1.8 §4). */
export function alignmentOf(type: FieldType): number {
  switch (type.kind) {
    case "integer":
    case "float":
      return type.alignment;
    case "string":
      return 8;
    case "boolean":
      return BOOLEAN_CONTAINER.alignment;
    case "enumeration":
      return type.container.alignment;
    case "array":
    case "sequence":
      return alignmentOf(type.element);
    case "struct": {
      let alignment = type.minimumAlignment;
      for (const field of Object.values(type.fields)) {
        // The length of a sequence is a field of the struct that holds it.
        const length = field.kind === "sequence"
          ? field.lengthType.alignment
          : 1;
        alignment = Math.max(alignment, alignmentOf(field), length);
      }
      return alignment;
    }
  }
}
