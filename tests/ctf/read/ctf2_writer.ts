/** Writes CTF 2 traces from field classes as metadata has them, and plain values. */

/** A field class in JSON, or the name of an alias. */
export type Json2 = string | { readonly type: string; [name: string]: unknown };

/**
 * A value for a field class: a struct is an object, a variant the index of its
 * option and that one's value, an option that is not there `null`.
 */
export type Value2 =
  | number
  | bigint
  | boolean
  | string
  | null
  | Uint8Array
  | readonly Value2[]
  | { readonly option: number; readonly value: Value2 }
  | Fields2;
/** The values of a struct's members by their names. */
export interface Fields2 {
  readonly [name: string]: Value2;
}

/** A fragment of metadata. */
export type Fragment = { readonly type: string; [name: string]: unknown };

/** JSON with integers of any size. */
export function exactJson(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  if (Array.isArray(value)) return `[${value.map(exactJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => `${JSON.stringify(name)}:${exactJson(item)}`);
    return `{${entries.join(",")}}`;
  }
  return JSON.stringify(value);
}

/** A metadata stream. */
export function metadataOf(fragments: readonly Fragment[]): string {
  return fragments.map((fragment) => `\x1E${exactJson(fragment)}\n`).join("");
}

const UNITS: Readonly<Record<string, number>> = {
  "utf-8": 1,
  "utf-16le": 2,
  "utf-16be": 2,
  "utf-32le": 4,
  "utf-32be": 4,
};

/** `text` in an encoding of CTF 2. */
export function encodeText(text: string, encoding: string): Uint8Array {
  const unit = UNITS[encoding]!;
  if (unit === 1) return new TextEncoder().encode(text);
  const little = encoding.endsWith("le");
  const codes = unit === 2
    ? Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
    : [...text].map((character) => character.codePointAt(0)!);
  const view = new DataView(new ArrayBuffer(codes.length * unit));
  for (const [index, code] of codes.entries()) {
    if (unit === 2) view.setUint16(index * 2, code, little);
    else view.setUint32(index * 4, code, little);
  }
  return new Uint8Array(view.buffer);
}

/** Puts fields one after the other, as their classes say. */
export class FieldWriter {
  readonly #bytes: number[] = [];
  readonly #aliases: ReadonlyMap<string, Json2>;
  /** In bits. */
  position = 0;

  constructor(aliases: ReadonlyMap<string, Json2> = new Map()) {
    this.#aliases = aliases;
  }

  /** What was written, filled up to `size` bytes. */
  bytes(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes);
    return bytes;
  }

  align(alignment: number): void {
    this.position = Math.ceil(this.position / alignment) * alignment;
  }

  /** Each bit on its own: slow, and hard to get wrong. */
  #bits(value: bigint, size: number, little: boolean): void {
    for (let index = 0; index < size; index++) {
      const shift = little ? index : size - 1 - index;
      const at = Math.floor(this.position / 8);
      const inByte = this.position % 8;
      while (this.#bytes.length <= at) this.#bytes.push(0);
      if (value >> BigInt(shift) & 1n) {
        this.#bytes[at]! |= 1 << (little ? inByte : 7 - inByte);
      }
      this.position++;
    }
  }

  #wholeBytes(bytes: Uint8Array): void {
    this.align(8);
    for (const byte of bytes) this.#bits(BigInt(byte), 8, true);
  }

  #resolve(fieldClass: Json2): Exclude<Json2, string> {
    return typeof fieldClass === "string"
      ? this.#resolve(this.#aliases.get(fieldClass)!)
      : fieldClass;
  }

  /** The alignment of a class. */
  alignmentOf(fieldClass: Json2): number {
    const row = this.#resolve(fieldClass);
    const least = row["minimum-alignment"] as number ?? 1;
    if (row.type.startsWith("fixed-length")) {
      return row["alignment"] as number ?? 1;
    }
    switch (row.type) {
      case "structure":
        return Math.max(
          least,
          ...membersOf(row).map((member) =>
            this.alignmentOf(member["field-class"])
          ),
        );
      case "static-length-array":
      case "dynamic-length-array":
        return Math.max(
          least,
          this.alignmentOf(row["element-field-class"] as Json2),
        );
      case "optional":
      case "variant":
        return 1;
      default:
        return 8;
    }
  }

  write(fieldClass: Json2, value: Value2): void {
    const row = this.#resolve(fieldClass);
    this.align(this.alignmentOf(row));
    const encoding = row["encoding"] as string ?? "utf-8";
    switch (row.type) {
      case "structure":
        for (const member of membersOf(row)) {
          this.write(
            member["field-class"],
            (value as Fields2)[member.name]!,
          );
        }
        return;
      case "static-length-array":
      case "dynamic-length-array":
        for (const element of value as readonly Value2[]) {
          this.write(row["element-field-class"] as Json2, element);
        }
        return;
      case "optional":
        if (value !== null) this.write(row["field-class"] as Json2, value);
        return;
      case "variant": {
        const { option, value: inner } = value as {
          option: number;
          value: Value2;
        };
        const options = row["options"] as { "field-class": Json2 }[];
        return this.write(options[option]!["field-class"], inner);
      }
      case "variable-length-unsigned-integer":
      case "variable-length-signed-integer":
        return this.#variable(
          BigInt(value as number),
          row.type === "variable-length-signed-integer",
        );
      case "null-terminated-string":
        return this.#wholeBytes(encodeText(`${value}\0`, encoding));
      case "static-length-string":
      case "dynamic-length-string":
      case "static-length-blob":
      case "dynamic-length-blob":
        return this.#wholeBytes(value as Uint8Array);
      default:
        this.#fixed(row, value);
    }
  }

  #fixed(row: Exclude<Json2, string>, value: Value2): void {
    const size = row["length"] as number;
    const little = row["byte-order"] === "little-endian";
    if (row.type !== "fixed-length-floating-point-number") {
      return this.#bits(BigInt(value as number), size, little);
    }
    const view = new DataView(new ArrayBuffer(8));
    if (size === 32) view.setFloat32(4, value as number);
    else view.setFloat64(0, value as number);
    this.#bits(view.getBigUint64(0), size, little);
  }

  #variable(value: bigint, signed: boolean): void {
    for (;;) {
      const low = value & 0x7Fn;
      value >>= 7n;
      const isLast = signed
        ? value === ((low & 0x40n) !== 0n ? -1n : 0n)
        : value === 0n;
      this.#bits(isLast ? low : low | 0x80n, 8, true);
      if (isLast) return;
    }
  }
}

function membersOf(
  row: Exclude<Json2, string>,
): readonly { name: string; "field-class": Json2 }[] {
  return (row["member-classes"] ?? []) as [];
}

/** A struct of `members`, in their order. */
export function structure(
  members: Readonly<Record<string, Json2>>,
  minimumAlignment?: number,
): Exclude<Json2, string> {
  return {
    type: "structure",
    "member-classes": Object.entries(members).map(([name, fieldClass]) => ({
      name,
      "field-class": fieldClass,
    })),
    ...(minimumAlignment === undefined
      ? {}
      : { "minimum-alignment": minimumAlignment }),
  };
}
