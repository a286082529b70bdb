/** Goes over fields whose values nobody wants. */

import { type PacketCursor, PacketEndError } from "./bits.ts";
import { makeReader } from "./field_reader.ts";
import type { Field } from "./resolve.ts";

/** Moves the cursor behind fields, of which it keeps what others refer to. */
export type Skipper = (cursor: PacketCursor) => void;

/** A skipper of fields that follow each other. */
export function makeSkipper(fields: readonly Field[]): Skipper {
  const steps: Skipper[] = [];
  let bits = 0;
  function flush(): void {
    const size = bits;
    bits = 0;
    if (size > 0) steps.push((cursor) => skipBits(cursor, size));
  }
  for (const field of fields.flatMap(flatten)) {
    if (isBytes(field)) {
      bits += field.leastSize;
      continue;
    }
    flush();
    steps.push(stepOver(field));
  }
  flush();
  return (cursor) => {
    for (const step of steps) step(cursor);
  };
}

/** A struct that begins where its first member does is as good as its members. */
function flatten(field: Field): readonly Field[] {
  const { class: { kind }, alignment, children } = field;
  return kind === "struct" && children[0]?.alignment === alignment
    ? children.flatMap(flatten)
    : [field];
}

/** Whether a field is a fixed number of bytes at the next byte, and no more. */
function isBytes(field: Field): boolean {
  const { class: { kind }, alignment, slots, leastSize, children } = field;
  if (alignment !== 8 || slots.length > 0) return false;
  // Even a field of no size aligns what follows.
  if (leastSize % 8 !== 0 || leastSize === 0) return false;
  switch (kind) {
    case "integer":
    case "float":
    case "boolean":
    case "bit-map":
      return true;
    case "enumeration":
      return field.class.kind === "enumeration" &&
        field.class.container.kind === "integer";
    case "text":
    case "blob":
      return field.from === undefined;
    case "array":
      return isBytes(children[0]!);
    default:
      return false;
  }
}

function skipBits(cursor: PacketCursor, bits: number): void {
  cursor.align(8);
  cursor.take(bits);
}

function stepOver(field: Field): Skipper {
  const { class: fieldClass } = field;
  return fieldClass.kind === "string" && fieldClass.encoding === "utf-8"
    ? skipString
    : makeReader(field);
}

function skipString(cursor: PacketCursor): void {
  cursor.align(8);
  const stop = cursor.bytes.indexOf(0, cursor.position / 8);
  if (stop < 0 || stop * 8 >= cursor.end) {
    throw new PacketEndError("a string does not end within the packet");
  }
  cursor.position = (stop + 1) * 8;
}
