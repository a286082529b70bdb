/**
 * Integers as they travel on local sockets: little-endian, the byte order of
 * every machine that Deno runs on, and unaligned.
 */

import { complain, type Field, type LengthField } from "./struct.ts";

type Numbers = "Int8" | "Uint16" | "Int32" | "Uint32";
type BigNumbers = "BigInt64" | "BigUint64";

function integer(
  kind: string,
  type: Numbers,
  size: number,
  least: number,
  most: number,
): Field<number> {
  return {
    kind,
    size,
    read(s) {
      s.offset += size;
      return s.view[`get${type}`](s.offset - size, true);
    },
    write(t, value) {
      if (!Number.isInteger(value) || value < least || value > most) {
        complain(`${value} is not between ${least} and ${most}`);
      }
      t.view[`set${type}`](t.offset, value, true);
      t.offset += size;
    },
  };
}

function bigInteger(
  kind: string,
  type: BigNumbers,
  least: bigint,
  most: bigint,
): Field<bigint> {
  return {
    kind,
    size: 8,
    read(s) {
      s.offset += 8;
      return s.view[`get${type}`](s.offset - 8, true);
    },
    write(t, value) {
      if (value < least || value > most) {
        complain(`${value} is not between ${least} and ${most}`);
      }
      t.view[`set${type}`](t.offset, value, true);
      t.offset += 8;
    },
  };
}

/** A signed 8-bit integer. */
export const i8: Field<number> = integer("i8", "Int8", 1, -0x80, 0x7F);

/** An unsigned 16-bit integer. */
export const u16: Field<number> = integer("u16", "Uint16", 2, 0, 0xFFFF);

/** A signed 32-bit integer. */
export const i32: Field<number> = integer(
  "i32",
  "Int32",
  4,
  -0x8000_0000,
  0x7FFF_FFFF,
);

/** An unsigned 32-bit integer. */
export const u32: Field<number> = integer("u32", "Uint32", 4, 0, 0xFFFF_FFFF);

/** A signed 64-bit integer. */
export const i64: Field<bigint> = bigInteger(
  "i64",
  "BigInt64",
  -(1n << 63n),
  (1n << 63n) - 1n,
);

/** An unsigned 64-bit integer. */
export const u64: Field<bigint> = bigInteger(
  "u64",
  "BigUint64",
  0n,
  (1n << 64n) - 1n,
);

/** A 32-bit truth value: anything but 0 is true. */
export const bool32: Field<boolean> = {
  kind: "u32, 0 or 1",
  size: 4,
  read: (s) => u32.read(s) !== 0,
  write: (t, value) => u32.write(t, value ? 1 : 0),
};

/** The length in bytes, or the entries, of the field named `key`. */
export function lengthOf(key: string): LengthField {
  return { ...u32, lengthOf: key };
}

/** A 16-bit {@linkcode lengthOf}. */
export function lengthOf16(key: string): LengthField {
  return { ...u16, lengthOf: key };
}

/** A 64-bit {@linkcode lengthOf}. */
export function lengthOf64(key: string): LengthField {
  return {
    kind: "u64",
    size: 8,
    lengthOf: key,
    read(s) {
      const value = u64.read(s);
      if (value > Number.MAX_SAFE_INTEGER) {
        complain(`${value} > ${Number.MAX_SAFE_INTEGER}`);
      }
      return Number(value);
    },
    write: (t, value) => u64.write(t, BigInt(value)),
  };
}
