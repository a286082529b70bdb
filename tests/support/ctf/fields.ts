/**
 * Fields of hand-made CTF 1.8 traces: each says how it is declared in TSDL and
 * how its value number `n` is written, so that the two cannot differ.
 */

import type { BitOrder, BitWriter } from "./bit_writer.ts";

/** A type with the values that a trace has of it. */
export interface Type {
  /** Before the name of a field in TSDL. */
  readonly declared: string;
  /** After the name: lengths of arrays. */
  readonly suffix?: string;
  /** In bits. */
  readonly align: number;
  /** Writes value `n`, aligned already. */
  put(out: BitWriter, n: number): void;
}

/** A type with a name. */
export interface Field {
  readonly name: string;
  readonly type: Type;
}

/** Value `n`. */
export type Values<Value> = (n: number) => Value;

/** What an integer type may say of itself. */
export interface IntegerOptions {
  readonly signed?: boolean;
  readonly base?: string;
  readonly align?: number;
  readonly order?: BitOrder;
  readonly encoding?: string;
  /** More attributes, such as `map = clock.name.value;`. */
  readonly more?: string;
}

/** An integer of `bits` bits. */
export function integer(
  bits: number,
  values: Values<number | bigint>,
  options: IntegerOptions = {},
): Type {
  const { signed = false, base = "10", align = 8, order, encoding = "none" } =
    options;
  return {
    declared: `integer { size = ${bits}; align = ${align}; ` +
      `signed = ${signed ? 1 : 0}; encoding = ${encoding}; base = ${base};` +
      (order === undefined ? "" : ` byte_order = ${order};`) +
      (options.more === undefined ? "" : ` ${options.more}`) + " }",
    align,
    put: (out, n) => out.integer(values(n), bits, order),
  };
}

/** A floating point number of 32 or 64 bits. */
export function float(
  bits: 32 | 64,
  values: Values<number>,
  align = 8,
): Type {
  const exponent = bits === 32 ? 8 : 11;
  return {
    declared: `floating_point { exp_dig = ${exponent}; ` +
      `mant_dig = ${bits - exponent}; align = ${align}; }`,
    align,
    put: (out, n) => out.float(values(n), bits),
  };
}

/** A string that ends with a zero byte. */
export function string(values: Values<string>): Type {
  return {
    declared: "string",
    align: 8,
    put: (out, n) => out.bytes(new TextEncoder().encode(`${values(n)}\0`)),
  };
}

/** Characters in an array of fixed length, as names of processes are stored. */
export function text(length: number, values: Values<string>): Type {
  const bytes = (n: number) => new TextEncoder().encode(values(n));
  return array(
    length,
    (n) => integer(8, (at) => bytes(n)[at] ?? 0, { encoding: "UTF8" }),
  );
}

/** An array of `length`; its element types differ in their values alone. */
export function array(length: number, element: Values<Type>): Type {
  const { declared, suffix = "", align } = element(0);
  return {
    declared,
    suffix: `[${length}]${suffix}`,
    align,
    put: (out, n) => putAll(out, element(n), length),
  };
}

/** A sequence whose length is the value of the field `lengthName`. */
export function sequence(
  lengthName: string,
  length: Values<number>,
  element: Values<Type>,
): Type {
  const { declared, suffix = "", align } = element(0);
  return {
    declared,
    suffix: `[ ${lengthName} ]${suffix}`,
    align,
    put: (out, n) => putAll(out, element(n), length(n)),
  };
}

function putAll(out: BitWriter, element: Type, length: number): void {
  for (let at = 0; at < length; at++) put(out, element, at);
}

/** An enumeration; `labels` as in TSDL. */
export function enumeration(labels: string, container: Type): Type {
  const { declared, ...rest } = container;
  return { declared: `enum : ${declared} { ${labels} }`, ...rest };
}

/** A structure, aligned to `align` bits at least. */
export function struct(fields: readonly Field[], align = 1): Type {
  const own = align > 1 ? ` align(${align})` : "";
  return {
    declared: `struct {\n${declare(fields)}}${own}`,
    align: Math.max(align, ...fields.map(({ type }) => type.align)),
    put: (out, n) => {
      for (const { type } of fields) put(out, type, n);
    },
  };
}

/** A variant; `chosen` is the number of the option that value `n` has. */
export function variant(
  tag: string,
  chosen: Values<number>,
  options: readonly Field[],
): Type {
  return {
    declared: `variant <${tag}> {\n${declare(options)}}`,
    align: 1,
    put: (out, n) => put(out, options[chosen(n)]!.type, n),
  };
}

/** Writes value `n` where its type allows it to begin. */
export function put(out: BitWriter, type: Type, n: number): void {
  out.align(type.align);
  type.put(out, n);
}

/** The declarations of fields in TSDL. */
export function declare(fields: readonly Field[]): string {
  return fields.map(({ name, type: { declared, suffix = "" } }) =>
    `${declared} ${name}${suffix};\n`
  ).join("");
}
