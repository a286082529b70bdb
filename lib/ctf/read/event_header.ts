/** Reads LTTng's two event headers without going through their fields one by one. */

import type { PacketCursor } from "./bits.ts";
import type {
  FieldClass,
  IntegerClass,
  NamedClass,
  StructClass,
} from "./model.ts";

/** Reads an event header, and leaves its id and time in the cursor. */
export type HeaderReader = (cursor: PacketCursor) => void;

/**
 * The reader of a header in one of LTTng's forms, compact or large; nothing
 * where it has any other form, of which fields must be read as they come.
 */
export function makeHeaderReader(
  header: StructClass,
): HeaderReader | undefined {
  const [id, variant] = header.members;
  if (header.members.length !== 2 || !id || !variant) return undefined;
  const { class: tag } = id;
  if (id.rawName !== "id" || tag.kind !== "enumeration") return undefined;
  const { byteOrder, size } = tag.container;
  if (header.minimumAlignment > 8) return undefined;
  if (size === 5 && header.minimumAlignment === 8) {
    if (!isForm(tag.mappings, variant, byteOrder, [31n, 27, 1])) {
      return undefined;
    }
    return makeCompact(byteOrder === "le");
  }
  if (size === 16 && tag.container.alignment === 8) {
    if (!isForm(tag.mappings, variant, byteOrder, [65535n, 32, 8])) {
      return undefined;
    }
    return makeLarge(byteOrder === "le");
  }
  return undefined;
}

/** Whether labels and options are those that LTTng writes. */
function isForm(
  mappings: readonly { label: string; first: bigint; last: bigint }[],
  variant: NamedClass,
  byteOrder: string,
  [extendedId, timeSize, alignment]: readonly [bigint, number, number],
): boolean {
  const [compact, extended] = mappings;
  if (mappings.length !== 2 || !compact || !extended) return false;
  if (compact.label !== "compact" || extended.label !== "extended") {
    return false;
  }
  const { class: options } = variant;
  if (options.kind !== "variant" || options.tag.join(".") !== "id") {
    return false;
  }
  const [short, long] = options.options;
  return compact.first === 0n && compact.last === extendedId - 1n &&
    extended.first === extendedId && extended.last === extendedId &&
    options.options.length === 2 &&
    short?.rawName === "compact" && long?.rawName === "extended" &&
    hasMembers(short.class, byteOrder, [["timestamp", timeSize, alignment]]) &&
    hasMembers(long.class, byteOrder, [["id", 32, 8], ["timestamp", 64, 8]]);
}

function hasMembers(
  fieldClass: FieldClass,
  byteOrder: string,
  wanted: readonly (readonly [string, number, number])[],
): boolean {
  return fieldClass.kind === "struct" && fieldClass.minimumAlignment === 1 &&
    fieldClass.members.length === wanted.length &&
    wanted.every(([name, size, alignment], index) => {
      const { rawName, class: member } = fieldClass.members[index]!;
      return rawName === name && member.kind === "integer" &&
        isPlain(member, size, alignment) && member.byteOrder === byteOrder &&
        (member.clock !== undefined) === (name === "timestamp");
    });
}

function isPlain(
  member: IntegerClass,
  size: number,
  alignment: number,
): boolean {
  return member.size === size && member.alignment === alignment &&
    !member.signed;
}

/** 5 bits of id and 27 of time, or 31 and then 32 and 64. */
function makeCompact(little: boolean): HeaderReader {
  return (cursor) => {
    cursor.align(8);
    const at = cursor.take(8) / 8;
    const { view } = cursor;
    const byte = view.getUint8(at);
    const id = little ? byte & 31 : byte >> 3;
    if (id === 31) return readLong(cursor, little);
    cursor.take(24);
    const word = view.getUint32(at, little);
    cursor.eventId = id;
    cursor.clock.updateLow(little ? word >>> 5 : word & 0x7FF_FFFF, 0x800_0000);
  };
}

/** 16 bits of id and 32 of time, or 65535 and then 32 and 64. */
function makeLarge(little: boolean): HeaderReader {
  return (cursor) => {
    cursor.align(8);
    const at = cursor.take(16) / 8;
    const { view } = cursor;
    const id = view.getUint16(at, little);
    if (id === 65535) return readLong(cursor, little);
    cursor.take(32);
    cursor.eventId = id;
    cursor.clock.updateLow(view.getUint32(at + 2, little), 0x1_0000_0000);
  };
}

function readLong(cursor: PacketCursor, little: boolean): void {
  const at = Math.ceil(cursor.position / 8);
  cursor.align(8);
  cursor.take(96);
  cursor.eventId = cursor.view.getUint32(at, little);
  cursor.clock.set(cursor.view.getBigUint64(at + 4, little));
}
