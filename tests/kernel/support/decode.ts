/** Reads packed CTF fields by their declared types: a second opinion on what the writers wrote. */

import type { PlannedField } from "../../../lib/kernel/plan.ts";
import type { FieldType, IntegerType } from "../../../lib/ctf/types.ts";

/** What a field can be here. */
export type Decoded = bigint | string | readonly bigint[];

/** The values of `fields` in `bytes`, which must hold them exactly. */
export function decodeFields(
  fields: readonly Pick<PlannedField, "name" | "type">[],
  bytes: Uint8Array,
  littleEndian = true,
): Map<string, Decoded> {
  const decoder = new Decoder(bytes, littleEndian);
  const values = new Map<string, Decoded>();
  for (const { name, type } of fields) values.set(name, decoder.read(type));
  if (decoder.at !== bytes.length) {
    throw new Error(`${bytes.length - decoder.at} bytes are left`);
  }
  return values;
}

class Decoder {
  at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array, readonly littleEndian: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  read(type: FieldType): Decoded {
    switch (type.kind) {
      case "integer":
        return this.#integer(type);
      case "enumeration":
        return this.#integer(type.container);
      case "string": {
        const end = this.bytes.indexOf(0, this.at);
        const text = decode(this.bytes.subarray(this.at, end));
        this.at = end + 1;
        return text;
      }
      case "array":
        return this.#list(type.element, type.length);
      case "sequence":
        return this.#list(type.element, Number(this.#integer(type.lengthType)));
      case "struct":
        return [];
      default:
        throw new Error(`No ${type.kind} here`);
    }
  }

  #list(element: FieldType, length: number): Decoded {
    if (element.kind === "integer" && element.encoding !== undefined) {
      const bytes = this.bytes.subarray(this.at, this.at + length);
      this.at += length;
      const end = bytes.indexOf(0);
      return decode(end < 0 ? bytes : bytes.subarray(0, end));
    }
    return Array.from(
      { length },
      () => this.#integer(element as IntegerType),
    );
  }

  #integer({ size, signed }: IntegerType): bigint {
    let value = 0n;
    for (let index = 0; index < size / 8; index++) {
      const place = this.littleEndian ? size / 8 - 1 - index : index;
      value = value << 8n | BigInt(this.#view.getUint8(this.at + place));
    }
    this.at += size / 8;
    return signed ? BigInt.asIntN(size, value) : value;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
