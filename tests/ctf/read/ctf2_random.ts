/** Random field classes of CTF 2 with values for them. */

import type { PlainValue } from "../../../lib/ctf/read/model.ts";
import type { Random } from "../random.ts";
import {
  encodeText,
  type Fields2,
  type Json2,
  structure,
  type Value2,
} from "./ctf2_writer.ts";

/** A class, how values for it are made, and what a reader makes of them. */
export interface RandomClass {
  readonly json: Json2;
  /** `siblings` are the members before it. */
  readonly make: (siblings: Fields2) => Value2;
  readonly plain: (value: Value2) => PlainValue;
}

const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be"];
const LETTERS = [..."abcXYZ09 _é漢😀"];
const MAX_DEPTH = 4;

/** Makes classes for one payload. */
export class ClassMaker {
  readonly #random: Random;
  #names = 0;
  /** Bit fields next to each other must have one byte order. */
  readonly #byteOrder: string;

  constructor(random: Random) {
    this.#random = random;
    this.#byteOrder = random.oneOf(["little-endian", "big-endian"]);
  }

  /** A struct; `path` are the names from the payload to it. */
  struct(path: readonly string[], depth = 0): RandomClass {
    const random = this.#random;
    const members: [string, RandomClass][] = [];
    const count = random.between(depth === 0 ? 1 : 0, depth === 0 ? 8 : 3);
    for (let index = 0; index < count; index++) {
      members.push(...this.#members(path, depth));
    }
    const json = structure(
      Object.fromEntries(members.map(([name, { json }]) => [name, json])),
      random.chance(0.2) ? random.oneOf([1, 8, 32, 64]) : undefined,
    );
    return {
      json,
      make: () => {
        const values: Record<string, Value2> = {};
        for (const [name, { make }] of members) values[name] = make(values);
        return values;
      },
      plain: (value) =>
        Object.fromEntries(
          members.map(([name, { plain }]) => [
            name,
            plain((value as Fields2)[name]!),
          ]),
        ),
    };
  }

  /** A member, and before it the length or the tag that it needs. */
  #members(path: readonly string[], depth: number): [string, RandomClass][] {
    const random = this.#random;
    const name = `m${this.#names++}`;
    const key = `k${this.#names++}`;
    const location = random.chance(0.5)
      ? { path: random.chance(0.2) ? ["x", null, key] : [key] }
      : { origin: "event-record-payload", path: [...path, key] };
    const inner = [...path, name];
    const choice = random.next();
    if (choice < 0.45 || depth >= MAX_DEPTH) return [[name, this.#scalar()]];
    if (choice < 0.55) return [[name, this.struct(inner, depth + 1)]];
    if (choice < 0.65) {
      const element = this.#element(inner, depth);
      const length = random.between(0, 3);
      return [[name, this.#list(element, () => length, { length })]];
    }
    if (choice < 0.75) {
      const element = this.#element(inner, depth);
      const counted = (siblings: Fields2) => Number(siblings[key]);
      const list = this.#list(element, counted, {
        "length-field-location": location,
      });
      return [[key, this.#counter(3)], [name, list]];
    }
    if (choice < 0.85) {
      return [[key, this.#counter(9)], [name, this.#sized(key, location)]];
    }
    const least = random.oneOf([0, -9]);
    const tag = least === 0 ? this.#counter(9) : this.#signedTag();
    return [[key, tag], [
      name,
      choice < 0.92
        ? this.#optional(key, location, inner, depth)
        : this.#variant(key, location, least, inner, depth),
    ]];
  }

  #element(path: readonly string[], depth: number): RandomClass {
    return this.#random.chance(0.5)
      ? this.#scalar()
      : this.struct(path, depth + 1);
  }

  #list(
    element: RandomClass,
    length: (siblings: Fields2) => number,
    more: object,
  ): RandomClass {
    const isStatic = "length" in more;
    return {
      json: {
        type: isStatic ? "static-length-array" : "dynamic-length-array",
        ...more,
        "element-field-class": element.json,
        ...(this.#random.chance(0.3)
          ? { "minimum-alignment": this.#random.oneOf([4, 16]) }
          : {}),
      },
      make: (siblings) =>
        Array.from({ length: length(siblings) }, () => element.make({})),
      plain: (value) => (value as readonly Value2[]).map(element.plain),
    };
  }

  #optional(
    key: string,
    location: object,
    path: readonly string[],
    depth: number,
  ): RandomClass {
    const content = this.#element(path, depth);
    return {
      json: {
        type: "optional",
        "selector-field-location": location,
        "selector-field-ranges": [[0, 3], [5, 5]],
        "field-class": content.json,
      },
      make: (siblings) => {
        const tag = Number(siblings[key]);
        return tag >= 0 && tag <= 3 || tag === 5 ? content.make({}) : null;
      },
      plain: (value) => value === null ? null : content.plain(value),
    };
  }

  #variant(
    key: string,
    location: object,
    least: number,
    path: readonly string[],
    depth: number,
  ): RandomClass {
    const options = [
      { ranges: [[least, 1]], content: this.#element(path, depth) },
      { ranges: [[4, 9], [2, 3]], content: this.#element(path, depth) },
    ];
    return {
      json: {
        type: "variant",
        "selector-field-location": location,
        options: options.map(({ ranges, content }, index) => ({
          name: `o${index}`,
          "selector-field-ranges": ranges,
          "field-class": content.json,
        })),
      },
      make: (siblings) => {
        const option = Number(siblings[key]) <= 1 ? 0 : 1;
        return { option, value: options[option]!.content.make({}) };
      },
      plain: (value) => {
        const { option, value: inner } = value as {
          option: number;
          value: Value2;
        };
        return options[option]!.content.plain(inner);
      },
    };
  }

  /** An integer from 0 to `last`, for lengths and tags. */
  #counter(last: number): RandomClass {
    const random = this.#random;
    const size = random.between(4, 64);
    return {
      json: random.chance(0.4)
        ? { type: "variable-length-unsigned-integer" }
        : this.#bits("fixed-length-unsigned-integer", size),
      make: () => random.between(0, last),
      plain: (value) => value as number,
    };
  }

  #signedTag(): RandomClass {
    const random = this.#random;
    const json = random.chance(0.5)
      ? { type: "variable-length-signed-integer" }
      : this.#bits("fixed-length-signed-integer", random.between(5, 64));
    return {
      json,
      make: () => random.between(-9, 9),
      plain: (value) => value as number,
    };
  }

  #sized(key: string, location: object): RandomClass {
    const random = this.#random;
    const size = (siblings: Fields2) => Number(siblings[key]);
    if (random.chance(0.4)) {
      return {
        json: {
          type: "dynamic-length-blob",
          "length-field-location": location,
        },
        make: (siblings) => this.#bytes(size(siblings)),
        plain: (value) => value as Uint8Array,
      };
    }
    return {
      json: {
        type: "dynamic-length-string",
        "length-field-location": location,
      },
      make: (siblings) => encodeText("w".repeat(size(siblings)), "utf-8"),
      plain: (value) => new TextDecoder().decode(value as Uint8Array),
    };
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from(
      { length },
      () => this.#random.between(0, 255),
    );
  }

  #bits(type: string, length: number, more: object = {}): Json2 {
    const random = this.#random;
    return {
      type,
      length,
      "byte-order": this.#byteOrder,
      ...(random.chance(0.4)
        ? { alignment: random.oneOf([1, 2, 8, 16, 64]) }
        : {}),
      ...more,
    };
  }

  #scalar(): RandomClass {
    const random = this.#random;
    switch (random.between(0, 8)) {
      case 0:
        return this.#integer();
      case 1:
        return this.#variable();
      case 2: {
        const size = random.between(1, 64);
        return {
          json: this.#bits("fixed-length-boolean", size),
          make: () => random.chance(0.5) ? 0n : random.bits(size),
          plain: (value) => BigInt(value as bigint) !== 0n,
        };
      }
      case 3: {
        const size = random.between(1, 64);
        const flags = { low: [[0, 0]], all: [[0, size - 1]] };
        return {
          json: random.chance(0.5)
            ? this.#bits("fixed-length-bit-array", size)
            : this.#bits("fixed-length-bit-map", size, { flags }),
          make: () => random.bits(size),
          plain: (value) => value as bigint,
        };
      }
      case 4: {
        const length = random.oneOf([32, 64]);
        return {
          json: this.#bits("fixed-length-floating-point-number", length),
          make: () => random.between(-1000, 1000) / 8,
          plain: (value) => value as number,
        };
      }
      case 5:
        return {
          json: { type: "static-length-blob", length: 3 },
          make: () => this.#bytes(3),
          plain: (value) => value as Uint8Array,
        };
      case 6:
        return this.#staticText();
      default: {
        const encoding = random.oneOf(ENCODINGS);
        return {
          json: { type: "null-terminated-string", encoding },
          make: () => this.#text(),
          plain: (value) => value as string,
        };
      }
    }
  }

  #text(): string {
    const length = this.#random.between(1, 8);
    return Array.from({ length }, () => this.#random.oneOf(LETTERS)).join("");
  }

  /** Shorter than its field: NUL characters are behind it. */
  #staticText(): RandomClass {
    const encoding = this.#random.oneOf(ENCODINGS);
    const texts = new Map<Value2, string>();
    return {
      json: { type: "static-length-string", length: 64, encoding },
      make: () => {
        const text = this.#text();
        const bytes = new Uint8Array(64);
        bytes.set(encodeText(text, encoding));
        texts.set(bytes, text);
        return bytes;
      },
      plain: (value) => texts.get(value)!,
    };
  }

  #integer(): RandomClass {
    const random = this.#random;
    const size = random.between(1, 64);
    const signed = random.chance(0.5);
    const type = `fixed-length-${signed ? "" : "un"}signed-integer`;
    const more = {
      "preferred-display-base": random.oneOf([2, 8, 10, 16]),
      mappings: random.chance(0.3) ? { few: [[0, 3]], five: [[5, 5]] } : {},
    };
    return {
      json: this.#bits(type, size, more),
      make: () => {
        const bits = random.bits(size);
        return signed ? BigInt.asIntN(size, bits) : bits;
      },
      plain: (value) => value as bigint,
    };
  }

  #variable(): RandomClass {
    const random = this.#random;
    const signed = random.chance(0.5);
    return {
      json: {
        type: `variable-length-${signed ? "" : "un"}signed-integer`,
        "preferred-display-base": random.oneOf([2, 8, 10, 16]),
      },
      make: () => {
        const size = random.between(1, 64);
        const bits = random.bits(size);
        return signed ? BigInt.asIntN(size, bits) : bits;
      },
      plain: (value) => value as bigint,
    };
  }
}
