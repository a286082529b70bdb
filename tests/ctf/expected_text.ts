/** The text that babeltrace2 prints for a value, worked out from the declaration alone. */

import {
  type EnumerationType,
  type FieldType,
  type IntegerType,
  lengthFieldName,
  type StructType,
} from "../../lib/ctf/types.ts";

/** What babeltrace2 (`sink.text.pretty`) prints for `value` of type `type`. */
export function expectedText(type: FieldType, value: unknown): string {
  switch (type.kind) {
    case "integer":
      return integerText(type, BigInt(value as number | bigint));
    case "float":
      return floatText(
        type.size === 32 ? Math.fround(value as number) : value as number,
      );
    case "string":
      return quoted(value as string);
    case "boolean":
      return `( "${value}" : container = ${value ? 1 : 0} )`;
    case "enumeration":
      return enumerationText(type, value as string | number | bigint);
    case "array":
    case "sequence":
      return listText(type.element, value as ArrayLike<unknown>);
    case "struct":
      return structText(type, value as Record<string, unknown>);
  }
}

function structText(type: StructType, value: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const [name, field] of Object.entries(type.fields)) {
    const own = value[name];
    if (field.kind === "sequence") {
      const { length } = own as ArrayLike<unknown>;
      const text = integerText(field.lengthType, BigInt(length));
      parts.push(`${lengthFieldName(name)} = ${text}`);
    }
    parts.push(`${name} = ${expectedText(field, own)}`);
  }
  return parts.length === 0 ? "{ }" : `{ ${parts.join(", ")} }`;
}

function listText(element: FieldType, list: ArrayLike<unknown>): string {
  const parts = Array.from(
    list,
    (value, index) => `[${index}] = ${expectedText(element, value)}`,
  );
  return parts.length === 0 ? "[ ]" : `[ ${parts.join(", ")} ]`;
}

function enumerationText(
  type: EnumerationType,
  value: string | number | bigint,
): string {
  const integer = typeof value === "string"
    ? type.mappings.find(({ label }) => label === value)!.first
    : BigInt(value);
  const labels = type.mappings
    .filter(({ first, last }) => first <= integer && integer <= last)
    .map(({ label }) => quoted(label));
  const text = labels.length === 0 ? "<unknown>" : labels.join(", ");
  return `( ${text} : container = ${integer} )`;
}

/** In other bases than 10 it prints two's complement, to whole digits. */
function integerText(type: IntegerType, value: bigint): string {
  function bits(digit: number): bigint {
    const size = Math.ceil(type.size / digit) * digit;
    return BigInt.asUintN(Math.min(size, 64), value);
  }
  switch (type.base) {
    case 2:
      return `0b${bits(1).toString(2).padStart(type.size, "0")}`;
    case 8:
      return `0${bits(3).toString(8)}`;
    case 16:
      return `0x${bits(4).toString(16).toUpperCase()}`;
    case 10:
      return `${value}`;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "'": "\\'",
  "?": "\\?",
  "\n": "\\n",
  "\t": "\\t",
};

function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"'?\n\t]/g, (found) => ESCAPES[found]!)}"`;
}

/** C's `%g`: six significant digits. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const even = evenWhereHalfway(value);
  const [mantissa, power] = even.toExponential(5).split("e");
  const exponent = Number(power);
  function trimmed(text: string): string {
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }
  if (exponent >= -4 && exponent < 6) {
    return trimmed(even.toFixed(5 - exponent));
  }
  const sign = exponent < 0 ? "-" : "+";
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${trimmed(mantissa!)}e${sign}${digits}`;
}

/** C rounds a value that is exactly halfway to the even digit, JavaScript up. */
function evenWhereHalfway(value: number): number {
  const exact = value.toExponential(60);
  const halfway = /^(-?\d\.\d{4}[02468])50*(e.*)$/.exec(exact);
  return halfway ? Number(halfway[1]! + halfway[2]!) : value;
}
