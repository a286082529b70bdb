/** Reads LTTng's two event headers without going through their fields one by one. */

import type { PacketCursor } from "./bits.ts";
import type { FieldClass, IntegerClass, StructClass } from "./model.ts";
import type { Field } from "./resolve.ts";

/** Reads an event header, and leaves its id and time in the cursor. */
export type HeaderReader = (cursor: PacketCursor) => void;

/** What tells the two forms apart; sizes and alignments in bits. */
interface Form {
  readonly idSize: number;
  /** The id that says that the long form follows. */
  readonly extendedId: bigint;
  readonly timeSize: number;
  readonly timeAlignment: number;
  readonly make: (little: boolean) => HeaderReader;
}

const FORMS: readonly Form[] = [
  {
    idSize: 5,
    extendedId: 31n,
    timeSize: 27,
    timeAlignment: 1,
    make: makeCompact,
  },
  {
    idSize: 16,
    extendedId: 65535n,
    timeSize: 32,
    timeAlignment: 8,
    make: makeLarge,
  },
];

/**
 * The reader of a header in one of LTTng's forms, compact or large; nothing
 * where it has any other form, of which fields must be read as they come.
 */
export function makeHeaderReader(
  header: Field<StructClass>,
): HeaderReader | undefined {
  const [id, variant] = header.children;
  if (header.children.length !== 2 || !id || !variant) return undefined;
  const integer = integerOf(id.class);
  if (!integer || header.alignment !== 8) return undefined;
  if (!id.roles.includes("event-class-id")) return undefined;
  const form = FORMS.find(({ idSize }) => idSize === integer.size);
  if (!form || !hasOptions(variant, id, form, integer.byteOrder)) {
    return undefined;
  }
  return form.make(integer.byteOrder === "le");
}

/** Whether tags and options are those that LTTng writes. */
function hasOptions(
  variant: Field,
  id: Field,
  { extendedId, timeSize, timeAlignment }: Form,
  byteOrder: string,
): boolean {
  const { children: [short, long], choices, from } = variant;
  // Whatever else refers to the id would find no value.
  if (id.references !== 1 || id.slots[0] !== from) return false;
  if (variant.class.kind !== "variant") return false;
  if (!short || !long || variant.children.length !== 2) return false;
  const ranges = choices.map(({ first, last, option }) =>
    `${option}: ${first} ${last}`
  ).join();
  return ranges === `0: 0 ${extendedId - 1n},1: ${extendedId} ${extendedId}` &&
    hasMembers(short, byteOrder, [["timestamp", timeSize, timeAlignment]]) &&
    hasMembers(long, byteOrder, [
      ["event-class-id", 32, 8],
      ["timestamp", 64, 8],
    ]);
}

function hasMembers(
  field: Field,
  byteOrder: string,
  wanted: readonly (readonly [string, number, number])[],
): boolean {
  return field.class.kind === "struct" && field.class.minimumAlignment <= 8 &&
    field.children.length === wanted.length &&
    wanted.every(([role, size, alignment], index) => {
      const member = field.children[index]!;
      const { class: integer, roles, references } = member;
      return roles.join() === role && references === 0 &&
        integer.kind === "integer" && !integer.signed &&
        integer.size === size && integer.alignment === alignment &&
        integer.byteOrder === byteOrder;
    });
}

function integerOf(fieldClass: FieldClass): IntegerClass | undefined {
  const integer = fieldClass.kind === "enumeration"
    ? fieldClass.container
    : fieldClass;
  return integer.kind === "integer" && !integer.signed ? integer : undefined;
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
