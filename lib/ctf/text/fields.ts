/** Printers of fields, compiled once for each class, in the form of babeltrace2. */

import {
  type EnumerationClass,
  type FieldClass,
  type IntegerClass,
  labelsOf,
  type OptionClass,
  type StructClass,
  type StructValue,
  type Value,
  type VariantClass,
  type VariantValue,
} from "../read/model.ts";
import { asciiBytes, TextBuffer } from "./buffer.ts";
import { printFloat } from "./float.ts";
import type { FieldStyle } from "./style.ts";

/** Adds a value of one class to a buffer. */
export type FieldPrinter = (value: Value, out: TextBuffer) => void;

/** Values of one enumeration whose text is kept. */
const ENUMERATION_TEXTS = 1024;
/** Elements of one array whose `[INDEX] = ` is kept. */
const INDEX_TEXTS = 256;

/** What babeltrace2 writes for characters that it escapes. */
export const ESCAPES: readonly (Uint8Array | undefined)[] = escapes();

const indexTexts: Uint8Array[] = [];

/** The printer of a struct. */
export function structPrinter(
  { members }: StructClass,
  style: FieldStyle,
): FieldPrinter {
  const printers = members.map((member) => fieldPrinter(member.class, style));
  const before = members.map(({ name }, index) =>
    asciiBytes((index === 0 ? "{ " : ", ") + nameText(name, style))
  );
  const { length } = members;
  const end = asciiBytes(length === 0 ? "{ }" : " }");
  return function printStruct(value, out) {
    const values = value as StructValue;
    for (let index = 0; index < length; index++) {
      out.bytes(before[index]!);
      printers[index]!(values[index]!, out);
    }
    out.bytes(end);
  };
}

/** What stands before a member's value. */
export function nameText(name: string, { names, colors }: FieldStyle): string {
  return names ? `${colors.fieldName}${name}${colors.end} = ` : "";
}

/** The printer of any field. */
export function fieldPrinter(
  fieldClass: FieldClass,
  style: FieldStyle,
): FieldPrinter {
  const { value: before, end } = style.colors;
  const print = plainPrinter(fieldClass, style);
  if (before === "" || !isValue(fieldClass)) return print;
  return function printColored(value, out) {
    out.text(before);
    print(value, out);
    out.text(end);
  };
}

/** Whether a field is coloured as a whole. */
function isValue({ kind }: FieldClass): boolean {
  switch (kind) {
    case "integer":
    case "variable-integer":
    case "boolean":
    case "bit-map":
    case "float":
    case "string":
    case "text":
      return true;
    default:
      return false;
  }
}

function plainPrinter(
  fieldClass: FieldClass,
  style: FieldStyle,
): FieldPrinter {
  switch (fieldClass.kind) {
    case "integer":
      return integerPrinter(fieldClass);
    case "enumeration":
      return enumerationPrinter(fieldClass, style);
    case "float":
      return (value, out) => printFloat(value as number, out);
    case "variable-integer":
      return integerPrinter({ ...fieldClass, size: 64 });
    case "boolean":
      return (value, out) => out.text(value ? "true" : "false");
    case "bit-map":
      return integerPrinter({ base: 16, signed: false, size: 64 });
    case "string":
    case "text":
      return printString;
    case "blob":
      return printBlob;
    case "array":
    case "sequence":
      return listPrinter(fieldPrinter(fieldClass.element, style), style.names);
    case "struct":
      return structPrinter(fieldClass, style);
    case "variant":
      return variantPrinter(fieldClass, style);
    case "option":
      return optionPrinter(fieldClass, style);
  }
}

function printBlob(value: Value, out: TextBuffer): void {
  out.text("{ ");
  for (const byte of value as Uint8Array) {
    out.text(`${byte.toString(16).padStart(2, "0")} `);
  }
  out.text("}");
}

function optionPrinter(option: OptionClass, style: FieldStyle): FieldPrinter {
  const print = fieldPrinter(option.content, style);
  return function printOption(value, out) {
    if (value === null) return out.text("<none>");
    out.text("{ ");
    print(value, out);
    out.text(" }");
  };
}

function printString(value: Value, out: TextBuffer): void {
  out.quoted(value as string, ESCAPES);
}

function integerPrinter(
  { base, size, signed }: Pick<IntegerClass, "base" | "size" | "signed">,
): FieldPrinter {
  switch (base) {
    case 10:
      return (value, out) => out.decimal(value as number | bigint);
    case 16: {
      const bits = Math.min(64, (size + 3) & ~3);
      const prefix = asciiBytes("0x");
      return (value, out) => {
        out.bytes(prefix);
        out.hexadecimal(value as number | bigint, bits);
      };
    }
    case 8: {
      const bits = signed && size < 64 ? Math.ceil(size / 3) * 3 : 64;
      return (value, out) =>
        out.text(`0${unsigned(value, Math.min(64, bits)).toString(8)}`);
    }
    case 2:
      return (value, out) =>
        out.text(`0b${unsigned(value, size).toString(2).padStart(size, "0")}`);
  }
}

function unsigned(value: Value, bits: number): bigint {
  return BigInt.asUintN(bits, BigInt(value as number | bigint));
}

function enumerationPrinter(
  enumeration: EnumerationClass,
  style: FieldStyle,
): FieldPrinter {
  const { value: before, unknown, end } = style.colors;
  const printInteger = fieldPrinter(enumeration.container, style);
  const texts = new Map<Value, Uint8Array>();
  function print(value: Value): Uint8Array {
    const out = new TextBuffer();
    const labels = new Set(labelsOf(enumeration, value as number | bigint));
    out.text("( ");
    // Like babeltrace2, which leaves that colour open.
    if (labels.size === 0) out.text(`${unknown}<unknown>`);
    const isGroup = style.groupsLabels && labels.size > 1;
    if (isGroup) out.text("{ ");
    let first = true;
    for (const label of labels) {
      if (!first) out.text(", ");
      first = false;
      out.text(before);
      out.quoted(label, ESCAPES);
      out.text(end);
    }
    if (isGroup) out.text(" }");
    out.text(" : container = ");
    printInteger(value, out);
    out.text(" )");
    return out.take().slice();
  }
  return function printEnumeration(value, out) {
    let text = texts.get(value);
    if (text === undefined) {
      text = print(value);
      if (texts.size < ENUMERATION_TEXTS) texts.set(value, text);
    }
    out.bytes(text);
  };
}

function listPrinter(element: FieldPrinter, names: boolean): FieldPrinter {
  const start = asciiBytes("[ ");
  const between = asciiBytes(", ");
  const end = asciiBytes(" ]");
  return function printList(value, out) {
    const values = value as readonly Value[];
    // An empty list is `[ ]`: the blank before `]` is all there is.
    if (values.length === 0) return out.text("[ ]");
    for (let index = 0; index < values.length; index++) {
      out.bytes(index === 0 ? start : between);
      if (names) out.bytes(indexText(index));
      element(values[index]!, out);
    }
    out.bytes(end);
  };
}

function indexText(index: number): Uint8Array {
  const known = indexTexts[index];
  if (known !== undefined) return known;
  const text = asciiBytes(`[${index}] = `);
  // Only in order, so that the list has no holes.
  if (index === indexTexts.length && index < INDEX_TEXTS) indexTexts.push(text);
  return text;
}

function variantPrinter(
  variant: VariantClass,
  style: FieldStyle,
): FieldPrinter {
  const printers = variant.options.map((option) =>
    fieldPrinter(option.class, style)
  );
  return function printVariant(value, out) {
    const chosen = value as VariantValue;
    out.text("{ ");
    printers[chosen.option]!(chosen.value, out);
    out.text(" }");
  };
}

function escapes(): (Uint8Array | undefined)[] {
  const list: (Uint8Array | undefined)[] = new Array(128).fill(undefined);
  for (let code = 0; code < 0x20; code++) list[code] = hexEscape(code);
  list[0x7f] = hexEscape(0x7f);
  for (const character of "\\'\"?") {
    list[character.charCodeAt(0)] = asciiBytes(`\\${character}`);
  }
  const letters = "0\0a\x07b\be\x1bf\fn\nr\rt\tv\v";
  for (let index = 0; index < letters.length; index += 2) {
    list[letters.charCodeAt(index + 1)] = asciiBytes(`\\${letters[index]}`);
  }
  return list;
}

function hexEscape(code: number): Uint8Array {
  return asciiBytes(`\\x${code.toString(16).padStart(2, "0")}`);
}
