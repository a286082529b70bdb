/**
 * What messages are put together with: other messages as fields, padding,
 * fixed numbers, layouts that a tag chooses, entries up to the end.
 */

import {
  complain,
  type Field,
  type Fields,
  type LengthField,
  type SilentField,
  type Struct,
  struct,
  u8,
  WireError,
} from "./struct.ts";

/** Reads a message that fills `bytes` to the last byte. */
export function decodeWhole<T>(layout: Struct<T>, bytes: Uint8Array): T {
  const { value, size } = layout.take(bytes);
  if (size !== bytes.length) {
    throw new WireError(
      layout.name,
      `${bytes.length - size} bytes too many after ${size}`,
    );
  }
  return value;
}

/** Bytes that the fixed fields of a message take. */
export function sizeOf(fields: Fields): number {
  return struct("", fields).size;
}

/** `count` bytes that are zero when written and ignored when read. */
export function padding(count: number): SilentField {
  return {
    kind: "ignored",
    size: count,
    silent: true,
    read(s) {
      s.offset += count;
      return undefined;
    },
    write(t) {
      t.offset += count;
    },
  };
}

/** A field that always says `value`; what it says when read is ignored. */
export function constant<T>(field: Field<T>, value: T): SilentField {
  return {
    kind: `${field.kind}, ${value}`,
    size: field.size,
    silent: true,
    read(s) {
      field.read(s);
      return undefined;
    },
    write: (t) => field.write(t, value),
  };
}

/** An 8-bit length or count of the field named `key`. */
export function lengthOf8(key: string): LengthField {
  return { ...u8, lengthOf: key };
}

/** A message inside of a message. */
export function nested<T>(layout: Struct<T>): Field<T> {
  return {
    kind: layout.name,
    size: layout.size,
    read(s) {
      const { value, size } = layout.take(s.bytes.subarray(s.offset));
      s.offset += size;
      return value;
    },
    write(t, value) {
      const bytes = layout.encode(value);
      t.bytes.set(bytes, t.offset);
      t.offset += bytes.length;
    },
    measure: (value) => layout.measure(value),
  };
}

/** A message of as many bytes as its length field says, not one more. */
export function sized<T>(layout: Struct<T>): Field<T> {
  return {
    kind: layout.name,
    size: 0,
    read(s) {
      const left = s.bytes.length - s.offset;
      if (s.announced > left) complain(`${s.announced} bytes > ${left} left`);
      const end = s.offset + s.announced;
      const value = decodeWhole(layout, s.bytes.subarray(s.offset, end));
      s.offset = end;
      return value;
    },
    write: nested(layout).write,
    measure: (value) => layout.measure(value),
    announce: (value) => layout.measure(value),
  };
}

/** A {@linkcode sized} message that is absent where its length is 0. */
export function sizedOrAbsent<T>(layout: Struct<T>): Field<T | undefined> {
  const present = sized(layout);
  const measure = (value: T | undefined) =>
    value === undefined ? 0 : layout.measure(value);
  return {
    kind: `${layout.name}, or nothing`,
    size: 0,
    read: (s) => s.announced === 0 ? undefined : present.read(s),
    write(t, value) {
      if (value !== undefined) present.write(t, value);
    },
    measure,
    announce: measure,
  };
}

/** Entries up to the end of the message. */
export function entriesToEnd<T>(entry: Struct<T>): Field<T[]> {
  return {
    kind: `${entry.name}s up to the end`,
    size: 0,
    read(s) {
      const values: T[] = [];
      while (s.offset < s.bytes.length) {
        const { value, size } = entry.take(s.bytes.subarray(s.offset));
        if (size === 0) complain(`an entry of no bytes`);
        values.push(value);
        s.offset += size;
      }
      return values;
    },
    write(t, values) {
      for (const value of values) nested(entry).write(t, value);
    },
    measure: (values) =>
      values.reduce((sum, value) => sum + entry.measure(value), 0),
  };
}

/** A message up to the end, or nothing at all. */
export function restOrAbsent<T>(layout: Struct<T>): Field<T | undefined> {
  return {
    kind: `${layout.name}, or nothing`,
    size: 0,
    read: (s) =>
      s.offset === s.bytes.length ? undefined : nested(layout).read(s),
    write(t, value) {
      if (value !== undefined) nested(layout).write(t, value);
    },
    measure: (value) => value === undefined ? 0 : layout.measure(value),
  };
}

/**
 * A message that starts with a tag, which chooses the layout of it all. The
 * layouts must all begin as `head` does.
 */
export function tagged<Tag, T extends Tag>(
  name: string,
  head: Struct<Tag>,
  choose: (tag: Tag) => Struct<T>,
): Struct<T> {
  const { size, offsets, fields } = head;
  return {
    name,
    size,
    offsets,
    fields,
    decode: (bytes) => choose(head.decode(bytes)).decode(bytes),
    take: (bytes) => choose(head.decode(bytes)).take(bytes),
    measure: (value) => choose(value).measure(value),
    encode: (value) => choose(value).encode(value),
  };
}

/** A layout with the fields that it lacks given by `fill`. */
export function filled<T extends object, L extends Partial<T>>(
  layout: Struct<L>,
  fill: Omit<T, keyof L>,
): Struct<T> {
  const whole = (value: L) => ({ ...fill, ...value } as unknown as T);
  return {
    ...layout,
    decode: (bytes) => whole(layout.decode(bytes)),
    take(bytes) {
      const { value, size } = layout.take(bytes);
      return { value: whole(value), size };
    },
    measure: (value) => layout.measure(value as unknown as L),
    encode: (value) => layout.encode(value as unknown as L),
  };
}
