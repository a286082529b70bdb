/** One message in all its forms: which layout belongs to which minor version. */

import { type Struct, WireError } from "./struct.ts";

/** A message as it travels at any minor version. */
export interface Message<T> {
  readonly name: string;
  /** The layouts, oldest first. */
  readonly layouts: readonly Struct<unknown>[];
  /** The minor that brought each layout, where the minor decides. */
  readonly since?: readonly number[];
  /** Reads the payload that a peer of `minor` sent. Throws {@linkcode WireError}. */
  decode(bytes: Uint8Array, minor: number): T;
  /** The payload that a peer of `minor` expects. */
  encode(value: T, minor: number): Uint8Array<ArrayBuffer>;
}

/** One form of a message. */
export interface Form<T, L> {
  /** The minor version that brought it. */
  since: number;
  layout: Struct<L>;
  /** The fields that this layout lacks. */
  fill: Omit<T, keyof L>;
}

/** Declares one form of a message of type `T`. */
export function form<T extends object, L extends Partial<T>>(
  since: number,
  layout: Struct<L>,
  fill: Omit<T, keyof L>,
): Form<T, unknown> {
  return { since, layout, fill } as unknown as Form<T, unknown>;
}

/** A message with one form, or with several of which the newest fits. */
export function message<T extends object>(
  name: string,
  forms: readonly Form<T, unknown>[],
): Message<T> {
  function at(minor: number): Form<T, unknown> {
    const found = forms.findLast((form) => form.since <= minor);
    if (found === undefined) {
      throw new WireError(
        name,
        `minor ${minor} < ${forms[0]?.since}, which brought it`,
      );
    }
    return found;
  }
  return {
    name,
    layouts: forms.map((form) => form.layout),
    since: forms.map((form) => form.since),
    decode(bytes, minor) {
      const { layout, fill } = at(minor);
      return { ...fill, ...(layout.decode(bytes) as object) } as T;
    },
    encode: (value, minor) => at(minor).layout.encode(value),
  };
}

/** A message whose only layout is `layout`. */
export function only<T extends object>(layout: Struct<T>): Message<T> {
  return {
    name: layout.name,
    layouts: [layout as Struct<unknown>],
    decode: (bytes) => layout.decode(bytes),
    encode: (value) => layout.encode(value),
  };
}
