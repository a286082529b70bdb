/** Reads JSON with all integers exact, and says of each value where it stands. */

/** A value of JSON; an integer that a `number` cannot hold is a `bigint`. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | Json[]
  | { [name: string]: Json };

/** What V8 tells a reviver beside a value. */
interface Source {
  /** How a value that is not compound was written. */
  readonly source?: string;
}
/** `JSON.parse()` as it is; TypeScript's own declaration has no `context`. */
type Parse = (
  text: string,
  reviver: (name: string, value: Json, context: Source) => Json,
) => Json;

/** Digits that may be more than a `number` holds. */
const LONG_NUMBER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * Parses JSON.
 *
 * @throws {SyntaxError} where it is none.
 */
export function parseJson(text: string): Json {
  // Revivers cost much, and hardly any text needs one.
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  try {
    return (JSON.parse as Parse)(text, exactNumber);
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    // Revivers are called recursively, unlike the parser itself.
    throw new SyntaxError("Less nesting expected", { cause: error });
  }
}

function exactNumber(_: string, value: Json, { source }: Source): Json {
  const isRounded = typeof value === "number" && source !== undefined &&
    INTEGER.test(source) && !Number.isSafeInteger(value);
  return isRounded ? BigInt(source) : value;
}

/** A value, and where it stands in its text: what is wrong with it has a place. */
export class JsonNode {
  readonly value: Json;
  readonly #parent: JsonNode | string;
  readonly #key: string | number;

  /** `parent` is what the value is in: a value of JSON, or the name of a text. */
  constructor(value: Json, parent: JsonNode | string, key: string | number) {
    this.value = value;
    this.#parent = parent;
    this.#key = key;
  }

  /** Such as `Fragment 3: member-classes[1].name`. */
  get place(): string {
    const parent = this.#parent;
    const key = this.#key;
    if (typeof parent === "string") return `${parent}${key}`;
    if (typeof key === "number") return `${parent.place}[${key}]`;
    return `${parent.place}${typeof parent.#parent === "string" ? ": " : "."}${
      /^[\w-]+$/.test(key) ? key : JSON.stringify(key)
    }`;
  }

  /** @throws {SyntaxError} */
  fail(detail: string): never {
    throw new SyntaxError(`${this.place}: ${detail}`);
  }

  /** @throws {SyntaxError} with what the value is. */
  expect(what: string): never {
    this.fail(`${what} expected, not ${describe(this.value)}`);
  }

  /** A string. */
  text(): string {
    return typeof this.value === "string" ? this.value : this.expect("Text");
  }

  /** A whole number, both bounds included. */
  integer(first: bigint, last: bigint): bigint {
    const { value } = this;
    const isWhole = typeof value === "bigint" || Number.isInteger(value);
    const number = isWhole ? BigInt(value as number | bigint) : undefined;
    return number !== undefined && number >= first && number <= last
      ? number
      : this.expect(`A whole number from ${first} to ${last}`);
  }

  /** An {@linkcode integer} that is small enough for a `number`. */
  number(first: number, last: number): number {
    return Number(this.integer(BigInt(first), BigInt(last)));
  }

  /** The elements of an array. */
  elements(): JsonNode[] {
    const { value } = this;
    if (!Array.isArray(value)) return this.expect("An array");
    return value.map((element, index) => new JsonNode(element, this, index));
  }

  /** The elements of an array that has some. */
  someElements(): JsonNode[] {
    const elements = this.elements();
    return elements.length > 0
      ? elements
      : this.fail("At least one element expected");
  }

  /** The properties of an object. */
  entries(): [string, JsonNode][] {
    return Object.entries(this.#object()).map((
      [name, value],
    ) => [name, new JsonNode(value, this, name)]);
  }

  /** A property, if the object has it. */
  optional(name: string): JsonNode | undefined {
    const object = this.#object();
    return Object.hasOwn(object, name)
      ? new JsonNode(object[name]!, this, name)
      : undefined;
  }

  /** A property that must be there. */
  required(name: string): JsonNode {
    return this.optional(name) ?? this.fail(`A property "${name}" expected`);
  }

  /** What a table has for a string. */
  choice<Result>(table: Readonly<Record<string, Result>>): Result {
    const { value } = this;
    return typeof value === "string" && Object.hasOwn(table, value)
      ? table[value]!
      : this.expect(`One of ${Object.keys(table).join(", ")}`);
  }

  /** Refuses properties with names other than these. */
  only(names: readonly string[]): void {
    for (const name of Object.keys(this.#object())) {
      if (!names.includes(name)) {
        this.fail(`A property ${JSON.stringify(name)} is not known here`);
      }
    }
  }

  #object(): { [name: string]: Json } {
    const { value } = this;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value
      : this.expect("An object");
  }
}

function describe(value: Json): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return `${value}`;
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
}
