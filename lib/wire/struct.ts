/**
 * The table language: a message is declared once as a list of named fields;
 * its size, decoder and encoder follow from the declaration. The integers here
 * are big-endian and unaligned, as everything on the relay daemon's ports is;
 * `little_endian.ts` has those of local sockets, `compose.ts` what messages
 * are put together with.
 */

/** A message that is too short, too long or absurd; names message and field. */
export class WireError extends RangeError {
  override name = "WireError";
  constructor(readonly where: string, readonly detail: string) {
    super(`${where}: ${detail}`);
  }
}

/** Reads one message front to back. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
  /** What the length field that belongs to the current field says. */
  announced: number;
}

/** Writes one message front to back. */
export interface Target {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
}

/** One field of a message: how it is read, written and measured. */
export interface Field<T> {
  /** What it is, in words, for the protocol page. */
  readonly kind?: string;
  /** Bytes on the wire, or the least of them where the length varies. */
  readonly size: number;
  /** The field whose length or count this one carries, if it does. */
  readonly lengthOf?: string;
  read(source: Source): T;
  write(target: Target, value: T): void;
  /** Bytes on the wire of `value`; a fixed field needs none. */
  measure?(value: T): number;
  /** What a length field says of `value`: bytes, or entries of a list. */
  announce?(value: T): number;
}

/** A length or count: computed when encoding, checked when decoding. */
export interface LengthField extends Field<number> {
  readonly lengthOf: string;
}

/** Bytes that tell nothing: padding, or a number that is known beforehand. */
export interface SilentField extends Field<undefined> {
  readonly silent: true;
}

// deno-lint-ignore no-explicit-any
type AnyField = Field<any> & { readonly silent?: true };
/** The fields of a message in the order in which they travel. */
export type Fields = Record<string, AnyField>;

/** What a declared message decodes to: its fields that tell something. */
export type Value<F extends Fields> = {
  -readonly [
    K in keyof F as F[K] extends LengthField | SilentField ? never : K
  ]: F[K] extends Field<infer T> ? T : never;
};

/** A declared message. */
export interface Struct<T> {
  readonly name: string;
  /** Bytes of the fixed part: the least that a message has. */
  readonly size: number;
  /** Where each field of the fixed part starts, in bytes. */
  readonly offsets: Readonly<Record<string, number>>;
  /** The fields as declared, lengths included. */
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Reads a message; what follows it in `bytes` is ignored. */
  decode(bytes: Uint8Array): T;
  /** Reads a message at the front of `bytes`, and says how long it was. */
  take(bytes: Uint8Array): { value: T; size: number };
  /** Bytes on the wire of `value`. */
  measure(value: T): number;
  /** A new message, zero-filled where the value says nothing. */
  encode(value: T): Uint8Array<ArrayBuffer>;
}

/** The value type of a declared message. */
export type Decoded<S> = S extends Struct<infer T> ? T : never;

/** Declares a message. `name` and the keys appear in errors. */
export function struct<F extends Fields>(
  name: string,
  fields: F,
): Struct<Value<F>> {
  const entries = Object.entries(fields);
  const offsets: Record<string, number> = {};
  let size = 0;
  for (const [key, field] of entries) {
    offsets[key] = size;
    size += field.size;
  }
  return {
    name,
    size,
    offsets,
    fields,
    decode: (bytes) =>
      decodeFields(name, entries, size, sourceOf(bytes)) as Value<F>,
    take(bytes) {
      const source = sourceOf(bytes);
      const value = decodeFields(name, entries, size, source) as Value<F>;
      return { value, size: source.offset };
    },
    measure: (value) => measureFields(entries, value),
    encode: (value) =>
      encodeFields(name, entries, value as Record<string, unknown>),
  };
}

function sourceOf(bytes: Uint8Array): Source {
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    offset: 0,
    announced: 0,
  };
}

function decodeFields(
  name: string,
  entries: [string, AnyField][],
  size: number,
  source: Source,
): Record<string, unknown> {
  const { bytes } = source;
  if (bytes.length < size) {
    const key = firstMissing(entries, bytes.length);
    throw new WireError(
      `${name}.${key}`,
      `the message has ${bytes.length} bytes, ${size} are needed`,
    );
  }
  const value: Record<string, unknown> = {};
  let lengths: Record<string, number> | undefined;
  for (const [key, field] of entries) {
    try {
      source.announced = lengths?.[key] ?? 0;
      // Text before a fixed field may have used up what the check above saw.
      if (field.size > bytes.length - source.offset) {
        complain(
          `${field.size} bytes > ${bytes.length - source.offset} left`,
        );
      }
      const read = field.read(source);
      if (field.lengthOf !== undefined) {
        (lengths ??= {})[field.lengthOf] = read as number;
      } else if (!field.silent) value[key] = read;
    } catch (error) {
      throw inField(error, name, key);
    }
  }
  return value;
}

function encodeFields(
  name: string,
  entries: [string, AnyField][],
  value: Record<string, unknown>,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(measureFields(entries, value));
  const target: Target = { bytes, view: new DataView(bytes.buffer), offset: 0 };
  for (const [key, field] of entries) {
    try {
      const written = field.lengthOf === undefined
        ? value[key]
        : announced(entries, field.lengthOf, value);
      field.write(target, written);
    } catch (error) {
      throw inField(error, name, key);
    }
  }
  return bytes;
}

function measureFields(
  entries: [string, AnyField][],
  value: Record<string, unknown>,
): number {
  let size = 0;
  for (const [key, field] of entries) {
    size += field.measure?.(value[key]) ?? field.size;
  }
  return size;
}

function announced(
  entries: [string, AnyField][],
  key: string,
  value: Record<string, unknown>,
): number {
  const field = entries.find(([other]) => other === key)?.[1];
  if (field?.announce === undefined) {
    throw new TypeError(`No field of variable length is named ${key}`);
  }
  return field.announce(value[key]);
}

function firstMissing(entries: [string, AnyField][], length: number): string {
  let end = 0;
  for (const [key, field] of entries) {
    end += field.size;
    if (end > length) return key;
  }
  return entries.at(-1)?.[0] ?? "";
}

function inField(error: unknown, name: string, key: string): unknown {
  if (error instanceof WireError) {
    const inner = error.where === "" ? "" : `, ${error.where}`;
    return new WireError(`${name}.${key}${inner}`, error.detail);
  }
  return error;
}

/** A complaint that {@linkcode struct} completes with message and field. */
export function complain(detail: string): never {
  throw new WireError("", detail);
}

function integer(size: number, max: number): Pick<Field<number>, "size"> & {
  check(value: number): number;
} {
  return {
    size,
    check(value) {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        complain(`${value} is not between 0 and ${max}`);
      }
      return value;
    },
  };
}

const byte = integer(1, 0xFF);
const word = integer(4, 0xFFFF_FFFF);

/** An unsigned 8-bit integer. */
export const u8: Field<number> = {
  kind: "u8",
  size: 1,
  read: (s) => s.view.getUint8(s.offset++),
  write: (t, value) => t.view.setUint8(t.offset++, byte.check(value)),
};

/** An unsigned 32-bit integer. */
export const u32: Field<number> = {
  kind: "u32",
  size: 4,
  read(s) {
    s.offset += 4;
    return s.view.getUint32(s.offset - 4);
  },
  write(t, value) {
    t.view.setUint32(t.offset, word.check(value));
    t.offset += 4;
  },
};

/** An unsigned 64-bit integer. */
export const u64: Field<bigint> = {
  kind: "u64",
  size: 8,
  read(s) {
    s.offset += 8;
    return s.view.getBigUint64(s.offset - 8);
  },
  write(t, value) {
    if (value < 0n || value > 0xFFFF_FFFF_FFFF_FFFFn) {
      complain(`${value} is not between 0 and ${0xFFFF_FFFF_FFFF_FFFFn}`);
    }
    t.view.setBigUint64(t.offset, value);
    t.offset += 8;
  },
};

/** An 8-bit truth value: anything but 0 is true. */
export const bool8: Field<boolean> = {
  kind: "u8, 0 or 1",
  size: 1,
  read: (s) => u8.read(s) !== 0,
  write: (t, value) => u8.write(t, value ? 1 : 0),
};

/** A 32-bit truth value: anything but 0 is true. */
export const bool32: Field<boolean> = {
  kind: "u32, 0 or 1",
  size: 4,
  read: (s) => u32.read(s) !== 0,
  write: (t, value) => u32.write(t, value ? 1 : 0),
};

/** `count` bytes as they are; decoding gives a copy. */
export function raw(count: number): Field<Uint8Array> {
  return {
    kind: "bytes",
    size: count,
    read(s) {
      s.offset += count;
      return s.bytes.slice(s.offset - count, s.offset);
    },
    write(t, value) {
      if (value.length !== count) {
        complain(`${value.length} bytes, not ${count}`);
      }
      t.bytes.set(value, t.offset);
      t.offset += count;
    },
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return complain(`${bytes.length} bytes that are not UTF-8`);
  }
}

/** A name to look at: where it is not UTF-8, `?` for each byte above ASCII. */
function nameOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return utf8.decode(bytes.map((byte) => byte < 0x80 ? byte : 0x3F));
  }
}

function bytesOf(value: string, most: number): Uint8Array {
  const bytes = encoder.encode(value);
  if (bytes.includes(0)) complain("a NUL inside the text");
  if (bytes.length + 1 > most) {
    complain(`${bytes.length + 1} bytes with its NUL > ${most}`);
  }
  return bytes;
}

/**
 * Text in a fixed field of `count` bytes: NUL-terminated, zero-filled when
 * encoding; what follows the NUL is ignored, since old peers leave garbage.
 */
export function text(count: number): Field<string> {
  return {
    kind: "text, NUL-terminated",
    size: count,
    read(s) {
      const bytes = s.bytes.subarray(s.offset, s.offset + count);
      s.offset += count;
      const end = bytes.indexOf(0);
      if (end < 0) complain(`no NUL within ${count} bytes`);
      return textOf(bytes.subarray(0, end));
    },
    write(t, value) {
      t.bytes.set(bytesOf(value, count), t.offset);
      t.offset += count;
    },
  };
}

/**
 * Text of at most `count` bytes, zero-padded; it needs no NUL. What is not
 * UTF-8 is shown with `?`: viewers get names of many peers in one list, and
 * one odd name must not cost them the others.
 */
export function paddedText(count: number): Field<string> {
  return {
    kind: "text, zero-padded",
    size: count,
    read(s) {
      const bytes = s.bytes.subarray(s.offset, s.offset + count);
      s.offset += count;
      const end = bytes.indexOf(0);
      return nameOf(end < 0 ? bytes : bytes.subarray(0, end));
    },
    write(t, value) {
      // One more, since bytesOf() counts a NUL that is not needed here.
      t.bytes.set(bytesOf(value, count + 1), t.offset);
      t.offset += count;
    },
  };
}

/** The length in bytes, or the entries, of the field named `key`. */
export function lengthOf(key: string): LengthField {
  return { ...u32, lengthOf: key };
}

/** A 64-bit {@linkcode lengthOf}. */
export function lengthOf64(key: string): LengthField {
  return {
    kind: "u64",
    size: 8,
    lengthOf: key,
    read(s) {
      const value = u64.read(s);
      if (value > Number.MAX_SAFE_INTEGER) {
        complain(`${value} > ${Number.MAX_SAFE_INTEGER}`);
      }
      return Number(value);
    },
    write: (t, value) => u64.write(t, BigInt(value)),
  };
}

/** What {@linkcode cstring} may be told. */
export interface CStringOptions {
  /** Most bytes, with the NUL. */
  max: number;
  /**
   * Length announced for an empty text: 1, a lone NUL, or 0, nothing at all.
   * Decoding takes 0 for empty only where this is given.
   */
  empty?: 0 | 1;
}

/** NUL-terminated text whose length, with its NUL, is in a length field. */
export function cstring(options: CStringOptions): Field<string> {
  const { max, empty } = options;
  const announce = (value: string) =>
    value === "" && empty === 0 ? 0 : encoder.encode(value).length + 1;
  return {
    kind: "text with its NUL",
    size: 0,
    read(s) {
      const length = s.announced;
      if (length > max) complain(`${length} bytes > ${max}`);
      if (length === 0) {
        return empty === undefined ? complain("0 bytes, not even a NUL") : "";
      }
      if (length === 1 && empty === 0) complain("1 byte, a lone NUL");
      const left = s.bytes.length - s.offset;
      if (length > left) complain(`${length} bytes > ${left} left`);
      const bytes = s.bytes.subarray(s.offset, s.offset + length);
      s.offset += length;
      const end = bytes.indexOf(0);
      if (end !== length - 1) {
        complain(`its NUL is at ${end}, not at ${length - 1}`);
      }
      return textOf(bytes.subarray(0, end));
    },
    write(t, value) {
      t.bytes.set(bytesOf(value, max), t.offset);
      t.offset += announce(value);
    },
    measure: announce,
    announce,
  };
}

/**
 * Text without a NUL whose length is in a length field. Of what is not UTF-8,
 * the same holds as for {@linkcode paddedText}.
 */
export function sizedText(max: number): Field<string> {
  const announce = (value: string) => encoder.encode(value).length;
  return {
    kind: "text without NUL",
    size: 0,
    read(s) {
      const length = s.announced;
      const left = s.bytes.length - s.offset;
      if (length > max) complain(`${length} bytes > ${max}`);
      if (length > left) complain(`${length} bytes > ${left} left`);
      const bytes = s.bytes.subarray(s.offset, s.offset + length);
      s.offset += length;
      const end = bytes.indexOf(0);
      if (end >= 0) complain(`a NUL at ${end} of ${length} bytes`);
      return nameOf(bytes);
    },
    write(t, value) {
      const bytes = bytesOf(value, max + 1);
      t.bytes.set(bytes, t.offset);
      t.offset += bytes.length;
    },
    measure: announce,
    announce,
  };
}

/** As many bytes as the length field says, at most `max`; decoding gives a view. */
export function sizedBytes(max: number): Field<Uint8Array> {
  return {
    kind: "bytes",
    size: 0,
    read(s) {
      const length = s.announced;
      const left = s.bytes.length - s.offset;
      if (length > max) complain(`${length} bytes > ${max}`);
      if (length > left) complain(`${length} bytes > ${left} left`);
      s.offset += length;
      return s.bytes.subarray(s.offset - length, s.offset);
    },
    write(t, value) {
      if (value.length > max) complain(`${value.length} bytes > ${max}`);
      t.bytes.set(value, t.offset);
      t.offset += value.length;
    },
    measure: (value) => value.length,
    announce: (value) => value.length,
  };
}

/** All bytes up to the end of the message; decoding gives a view. */
export const tail: Field<Uint8Array> = {
  kind: "bytes up to the end",
  size: 0,
  read(s) {
    const bytes = s.bytes.subarray(s.offset);
    s.offset = s.bytes.length;
    return bytes;
  },
  write(t, value) {
    t.bytes.set(value, t.offset);
    t.offset += value.length;
  },
  measure: (value) => value.length,
  announce: (value) => value.length,
};

/** An "is set" byte, `padding` ignored bytes, then the value. */
export function optional<T>(
  field: Field<T>,
  zero: T,
  padding = 0,
): Field<T | undefined> {
  const ignored = padding === 0 ? "" : `${padding} ignored bytes, `;
  return {
    kind: `u8 "is set", ${ignored}${field.kind}`,
    size: 1 + padding + field.size,
    read(s) {
      const set = bool8.read(s);
      s.offset += padding;
      const value = field.read(s);
      return set ? value : undefined;
    },
    write(t, value) {
      bool8.write(t, value !== undefined);
      t.offset += padding;
      field.write(t, value ?? zero);
    },
  };
}

/** As many entries as the count field says. */
export function list<T>(entry: Struct<T>): Field<T[]> {
  return {
    kind: `list of ${entry.name}`,
    size: 0,
    read(s) {
      const left = s.bytes.length - s.offset;
      // Before anything is allocated for a count that cannot be.
      if (s.announced * entry.size > left) {
        complain(
          `${s.announced} entries of ${entry.size} bytes > ${left} left`,
        );
      }
      const values: T[] = [];
      const { announced } = s;
      for (let i = 0; i < announced; i++) {
        const { value, size } = entry.take(s.bytes.subarray(s.offset));
        values.push(value);
        s.offset += size;
      }
      return values;
    },
    write(t, values) {
      for (const value of values) {
        const bytes = entry.encode(value);
        t.bytes.set(bytes, t.offset);
        t.offset += bytes.length;
      }
    },
    measure: (values) =>
      values.reduce((sum, value) => sum + entry.measure(value), 0),
    announce: (values) => values.length,
  };
}
