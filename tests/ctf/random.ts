/** Random declarations and values from a seed, so that a failure can be run again. */

import {
  array,
  boolean,
  enumeration,
  float,
  integer,
  sequence,
  string,
  struct,
} from "../../lib/ctf/declare.ts";
import {
  type ElementType,
  type FieldDeclarations,
  type FieldType,
  type IntegerBase,
  integerRange,
  type IntegerType,
} from "../../lib/ctf/types.ts";

/** The seed of `LTTNG_TEST_SEED`, or a new one. */
export function testSeed(): number {
  const text = Deno.env.get("LTTNG_TEST_SEED");
  return text === undefined
    ? Math.floor(Math.random() * 2 ** 32)
    : Number(text) >>> 0;
}

/** Random choices, the same ones for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 up to, not with, 1. */
  next(): number {
    this.#state = (this.#state + 0x6D2B79F5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1));
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)]!;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  bits(count: number): bigint {
    let value = 0n;
    for (let left = count; left > 0; left -= 16) {
      value = (value << 16n) | BigInt(this.between(0, 0xFFFF));
    }
    return BigInt.asUintN(count, value);
  }
}

const CHARACTERS = [..."abcXYZ019 _-.:,;{}[]()=#/\\\"'?!%\n\té\u00df漢😀"];

/**
 * Some text, now and then long. Never empty: where a field of the same class
 * held text before, babeltrace2 2.0.4 prints that text for an empty one.
 */
export function randomText(random: Random): string {
  const length = random.chance(0.1)
    ? random.between(40, 120)
    : random.between(1, 12);
  return Array.from({ length }, () => random.oneOf(CHARACTERS)).join("");
}

export function randomInteger(random: Random): IntegerType {
  const size = random.chance(0.6)
    ? random.oneOf([8, 16, 32, 64])
    : random.between(1, 64);
  const wholeBytes = size % 8 === 0;
  const alignment = random.chance(0.7)
    ? undefined
    : random.oneOf([1, 2, 4, 8, 16, 32, 64]);
  const mayReverse = wholeBytes && (alignment ?? 8) >= 8;
  return integer(size, {
    signed: random.chance(0.5),
    // babeltrace2 2.0.4 prints 61 to 63 bits as 0x0: it shifts by 64.
    base: random.oneOf<IntegerBase>(
      size > 60 && size < 64 ? [2, 8, 10] : [2, 8, 10, 16],
    ),
    ...(alignment === undefined ? {} : { alignment }),
    ...(mayReverse && random.chance(0.3)
      ? { byteOrder: random.oneOf(["le", "be"] as const) }
      : {}),
  });
}

function randomEnumeration(random: Random): FieldType & ElementType {
  const container = integer(random.oneOf([3, 8, 16, 32, 64]), {
    signed: random.chance(0.5),
  });
  const labels: Record<string, bigint | [bigint, bigint]> = {};
  const count = random.between(1, 5);
  for (let index = 0; index < count; index++) {
    const one = randomOf(random, container);
    const other = randomOf(random, container);
    labels[`L${index} ${randomText(random).replaceAll(/[\n\t]/g, "")}`] =
      random.chance(0.5) ? one : one < other ? [one, other] : [other, one];
  }
  return enumeration(container, labels);
}

function randomOf(random: Random, type: IntegerType): bigint {
  const { min, max } = integerRange(type);
  if (random.chance(0.3)) return random.oneOf([min, max, 0n, max - 1n]);
  return min + random.bits(type.size);
}

function randomElement(random: Random, depth: number): ElementType {
  const choice = random.next();
  if (choice < 0.35) return randomInteger(random);
  if (choice < 0.5) {
    return float(random.oneOf([32, 64]), {
      alignment: random.oneOf([8, 32, 64]),
    });
  }
  if (choice < 0.65) return string;
  if (choice < 0.7) return boolean;
  if (choice < 0.8 || depth > 2) return randomEnumeration(random);
  if (choice < 0.9) {
    return array(randomElement(random, depth + 1), random.between(1, 4));
  }
  return struct(randomFields(random, depth + 1), {
    alignment: random.oneOf([1, 8, 64]),
  });
}

/** Declared fields of any types. */
export function randomFields(random: Random, depth = 0): FieldDeclarations {
  const fields: Record<string, FieldType> = {};
  const count = random.between(depth === 0 ? 0 : 1, depth === 0 ? 8 : 3);
  for (let index = 0; index < count; index++) {
    // Words of TSDL among the names: they must not disturb.
    const name = `${random.oneOf(["f", "int", "struct", "_x"])}_${index}`;
    fields[name] = random.chance(0.2)
      ? sequence(randomElement(random, depth), {
        length: integer(random.oneOf([5, 8, 16, 32, 64])),
      })
      : randomElement(random, depth);
  }
  return fields;
}

const FLOATS = [0, -0, 1, -1.5, NaN, Infinity, -Infinity, 1e-5, 123456789, 0.1];

/** A value that `type` takes. */
export function randomValue(random: Random, type: FieldType): unknown {
  switch (type.kind) {
    case "integer": {
      const value = randomOf(random, type);
      const isSafe = BigInt(Number(value)) === value &&
        Number.isSafeInteger(Number(value));
      return isSafe && random.chance(0.5) ? Number(value) : value;
    }
    case "float":
      return random.chance(0.5)
        ? random.oneOf(FLOATS)
        : (random.next() - 0.5) * 10 ** random.between(-20, 20);
    case "string":
      return randomText(random);
    case "boolean":
      return random.chance(0.5);
    case "enumeration": {
      const single = type.mappings.filter(({ first, last }) => first === last);
      return single.length > 0 && random.chance(0.5)
        ? random.oneOf(single).label
        : randomOf(random, type.container);
    }
    case "array":
      return Array.from(
        { length: type.length },
        () => randomValue(random, type.element),
      );
    case "sequence":
      return Array.from(
        { length: random.between(0, 5) },
        () => randomValue(random, type.element),
      );
    case "struct":
      return Object.fromEntries(
        Object.entries(type.fields).map((
          [name, field],
        ) => [name, randomValue(random, field)]),
      );
  }
}
