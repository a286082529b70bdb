/**
 * Compiles, once for each event class, the function that turns the bytes of an
 * event's fields into text, with no values in between.
 *
 * What most fields are is written out as JavaScript: integers, floating point
 * numbers, text, and structs and lists of them. Any other field is read and
 * printed by {@linkcode makeReader} and {@linkcode fieldPrinter}. Nothing that
 * metadata says becomes source code but numbers: names are bytes in it.
 */

import { PacketEndError } from "../read/bits.ts";
import type { PacketCursor } from "../read/bits.ts";
import { checkLength, makeReader } from "../read/field_reader.ts";
import type { FloatClass, IntegerClass } from "../read/model.ts";
import type { Field } from "../read/resolve.ts";
import { asciiBytes, type TextBuffer } from "./buffer.ts";
import {
  INTEGER_ROOM,
  writeDecimal,
  writeDecimal64,
  writeHexadecimal,
  writeHexadecimal64,
} from "./digits.ts";
import { ESCAPES, fieldPrinter, nameText } from "./fields.ts";
import { FLOAT_ROOM, writeFloat } from "./float.ts";
import type { FieldStyle } from "./style.ts";

/** Reads fields at the cursor and adds their text. */
export type Transcriber = (cursor: PacketCursor, out: TextBuffer) => void;

/** A struct, and how it is printed. */
export interface TranscribedScope {
  /** Stands before it. */
  readonly before: string;
  readonly field: Field;
  readonly style: FieldStyle;
}

/**
 * Compiles `scopes`, which follow each other in a packet.
 *
 * The function throws {@linkcode RangeError} where the fields are damaged;
 * what it added until then is to be dropped.
 */
export function compileTranscriber(
  scopes: readonly TranscribedScope[],
  after: string,
): Transcriber {
  const writer = new CodeWriter();
  for (const { before, field, style } of scopes) {
    writer.text(before);
    writer.field(field, style);
  }
  writer.text(after);
  return writer.compile();
}

/** What the compiled functions call. */
const HELPERS = {
  writeDecimal,
  writeDecimal64,
  writeHexadecimal,
  writeHexadecimal64,
  writeFloat,
  writeQuoted,
  endOfText,
  checkLength,
  tooShort,
};

/** Bytes that one byte of text may become. */
const ESCAPED_BYTES = 4;
/** Longer constants are copied by a call. */
const MAX_INLINE = 64;
/** `[INDEX] = ` with an index of any size, and `, `. */
const INDEX_ROOM = INTEGER_ROOM + 8;
/** Around each element of a list. */
const COLOR_ROOM = 16;
/** Bytes that are looked at one by one for the end of a text. */
const SHORT_TEXT = 32;

function tooShort(cursor: PacketCursor, at: number, size: number): never {
  cursor.position = at * 8;
  cursor.take(size * 8);
  throw new PacketEndError("a field reaches beyond the packet's content");
}

/** Where the text from `at` on has its NUL byte; `end` where it has none. */
function endOfText(bytes: Uint8Array, at: number, end: number): number {
  const near = Math.min(end, at + SHORT_TEXT);
  for (let index = at; index < near; index++) {
    if (bytes[index] === 0) return index;
  }
  if (near === end) return end;
  const found = bytes.indexOf(0, near);
  return found < 0 || found > end ? end : found;
}

/** Bytes of text in double quotes; returns where they end. */
function writeQuoted(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  stop: number,
): number {
  target[at++] = 0x22;
  for (let index = start; index < stop; index++) {
    const byte = bytes[index]!;
    const escape = byte < 0x80 ? ESCAPES[byte] : undefined;
    if (escape === undefined) target[at++] = byte;
    else for (const other of escape) target[at++] = other;
  }
  target[at++] = 0x22;
  return at;
}

/**
 * Writes the source. In it, `at` is the byte that comes next in `bytes`, `o`
 * where text goes on in `target`, which always has room for all constants and
 * numbers that are still to come.
 */
class CodeWriter {
  readonly #lines: string[] = [];
  readonly #constants: unknown[] = [];
  /** Text that is still to be written. */
  #pending: number[] = [];
  /** Room that constants and numbers need. */
  #room = 0;
  /** Whether the position is in the cursor, and not in `at`. */
  #isInCursor = true;
  #variables = 0;

  compile(): Transcriber {
    this.#flush();
    this.#toCursor();
    const source = [
      `"use strict";`,
      `const {${Object.keys(HELPERS).join(", ")}} = helpers;`,
      "return function transcribe(cursor, out) {",
      "const {bytes, view, slots} = cursor;",
      "const end = Math.floor(cursor.end / 8);",
      "let at = 0;",
      `let o = out.reserve(${this.#room});`,
      "let target = out.storage, w = out.view;",
      ...this.#lines,
      "out.length = o;",
      "};",
    ].join("\n").replaceAll("$ROOM", String(this.#room));
    return new Function("helpers", "constants", source)(
      HELPERS,
      this.#constants,
    );
  }

  /** Adds text that is always the same. */
  text(text: string): void {
    this.#pending.push(...asciiBytes(text));
  }

  /** Adds a field's text. */
  field(field: Field, style: FieldStyle): void {
    const { class: fieldClass } = field;
    switch (fieldClass.kind) {
      case "struct":
        return this.#struct(field, style);
      case "array":
      case "sequence":
        if (!isSimple(field.children[0]!)) break;
        return this.#list(field, style);
    }
    const code = this.#codeOf(field);
    if (code === undefined) return this.#other(field, style);
    this.text(style.colors.value);
    code();
    this.text(style.colors.end);
  }

  /** What writes a single value's code, where that can be written out. */
  #codeOf(field: Field): (() => void) | undefined {
    const { class: fieldClass } = field;
    switch (fieldClass.kind) {
      case "integer":
        if (!isWholeBytes(fieldClass, field)) return undefined;
        return () => this.#integer(field, fieldClass);
      case "float":
        if (fieldClass.alignment % 8 !== 0) return undefined;
        return () => this.#float(field, fieldClass);
      case "string":
        if (fieldClass.encoding !== "utf-8") return undefined;
        return () => this.#string();
      case "text":
        if (fieldClass.encoding !== "utf-8") return undefined;
        return () => this.#fixedText(field);
      default:
        return undefined;
    }
  }

  #line(...lines: string[]): void {
    this.#lines.push(...lines);
  }

  #constant(value: unknown): string {
    return `constants[${this.#constants.push(value) - 1}]`;
  }

  /** Writes the pending text, four bytes at a time. */
  #flush(): void {
    const bytes = Uint8Array.from(this.#pending);
    this.#pending = [];
    const { length } = bytes;
    if (length === 0) return;
    this.#room += length;
    if (length > MAX_INLINE) {
      this.#line(`target.set(${this.#constant(bytes)}, o);`, `o += ${length};`);
      return;
    }
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < length;) {
      const size = length - at >= 4 ? 4 : length - at >= 2 ? 2 : 1;
      const value = size === 4
        ? view.getUint32(at, true)
        : size === 2
        ? view.getUint16(at, true)
        : view.getUint8(at);
      this.#line(`w.setUint${size * 8}(o + ${at}, ${value}, true);`);
      at += size;
    }
    this.#line(`o += ${length};`);
  }

  /** Puts the position into the cursor. */
  #toCursor(): void {
    if (!this.#isInCursor) this.#line("cursor.position = at * 8;");
    this.#isInCursor = true;
  }

  /** Puts the position into `at`, at a byte, and aligns it. */
  #toByte(alignment: number): void {
    if (this.#isInCursor) this.#line("at = Math.ceil(cursor.position / 8);");
    this.#isInCursor = false;
    const bytes = alignment / 8;
    if (bytes > 1) this.#line(`at = (at + ${bytes - 1}) & ${-bytes};`);
  }

  #need(size: number): void {
    this.#line(`if (at + ${size} > end) tooShort(cursor, at, ${size});`);
  }

  #struct(
    { children, alignment, class: fieldClass }: Field,
    style: FieldStyle,
  ): void {
    if (alignment > 1) this.#toByteOrBit(alignment);
    const { members } = fieldClass as { members: readonly { name: string }[] };
    this.text("{ ");
    for (const [index, child] of children.entries()) {
      if (index > 0) this.text(", ");
      this.text(nameText(members[index]!.name, style));
      this.field(child, style);
    }
    this.text(children.length === 0 ? "}" : " }");
  }

  #toByteOrBit(alignment: number): void {
    if (alignment % 8 === 0) return this.#toByte(alignment);
    this.#toCursor();
    this.#line(`cursor.align(${alignment});`);
  }

  #integer(field: Field, { size, signed, byteOrder, base }: IntegerClass) {
    this.#flush();
    this.#toByte(field.alignment);
    this.#need(size / 8);
    this.#room += INTEGER_ROOM;
    if (base === 16) this.text("0x");
    const little = byteOrder === "le";
    if (size === 64) {
      const high = signed && base === 10 ? "getInt32" : "getUint32";
      this.#flush();
      this.#line(
        `o = write${base === 16 ? "Hexadecimal" : "Decimal"}64(w, o, ` +
          `view.${high}(at + ${little ? 4 : 0}, ${little}), ` +
          `view.getUint32(at + ${little ? 0 : 4}, ${little}));`,
        "at += 8;",
      );
      return;
    }
    const value = this.#variable();
    const getter = `get${signed ? "Int" : "Uint"}${size}`;
    this.#line(
      `const ${value} = view.${getter}(at, ${little});`,
      `at += ${size / 8};`,
    );
    for (const slot of field.slots) this.#line(`slots[${slot}] = ${value};`);
    this.#flush();
    if (base === 10) {
      this.#line(`o = writeDecimal(w, o, ${value});`);
    } else {
      const mask = size === 32 ? ">>> 0" : `& ${2 ** size - 1}`;
      this.#line(`o = writeHexadecimal(w, o, ${value} ${mask});`);
    }
  }

  #float(field: Field, { size, byteOrder }: FloatClass): void {
    this.#flush();
    this.#toByte(field.alignment);
    this.#need(size / 8);
    this.#room += FLOAT_ROOM;
    this.#line(
      `o = writeFloat(w, o, view.getFloat${size}(at, ${byteOrder === "le"}));`,
      `at += ${size / 8};`,
    );
  }

  #string(): void {
    this.#flush();
    this.#toByte(8);
    const stop = this.#variable();
    this.#line(
      `const ${stop} = endOfText(bytes, at, end);`,
      `if (${stop} === end) tooShort(cursor, at, end - at + 1);`,
    );
    this.#quoted(stop);
    this.#line(`at = ${stop} + 1;`);
  }

  #fixedText(field: Field): void {
    this.#flush();
    this.#toByte(8);
    const [size, stop] = [this.#variable(), this.#variable()];
    this.#line(
      `const ${size} = ${this.#length(field)};`,
      `if (!(${size} >= 0)) throw new RangeError("a text of a negative length");`,
      `if (at + ${size} > end) tooShort(cursor, at, ${size});`,
      `const ${stop} = endOfText(bytes, at, at + ${size});`,
    );
    this.#quoted(stop);
    this.#line(`at += ${size};`);
  }

  #length({ class: fieldClass, from }: Field): string {
    return from === undefined
      ? String((fieldClass as { length: number }).length)
      : `Number(slots[${from}])`;
  }

  #quoted(stop: string): void {
    this.#makeRoom(`(${stop} - at) * ${ESCAPED_BYTES} + 2`);
    this.#line(`o = writeQuoted(target, o, bytes, at, ${stop});`);
  }

  /** Room beyond what constants and numbers need. */
  #makeRoom(bytes: string): void {
    const room = this.#variable();
    this.#line(
      `const ${room} = ${bytes} + $ROOM;`,
      `if (o + ${room} > target.length) {`,
      `out.length = o; out.reserve(${room}); target = out.storage; w = out.view;`,
      "}",
    );
  }

  #list(field: Field, style: FieldStyle): void {
    const element = field.children[0]!;
    this.text("[");
    this.#flush();
    this.#toByte(Math.max(8, field.alignment));
    const [length, index] = [this.#variable(), this.#variable()];
    this.#line(
      `const ${length} = ${this.#length(field)};`,
      "cursor.position = at * 8;",
      `checkLength(cursor, ${length}, ${element.leastSize});`,
    );
    this.#makeRoom(`${length} * ${INDEX_ROOM + FLOAT_ROOM + COLOR_ROOM}`);
    this.#line(`for (let ${index} = 0; ${index} < ${length}; ${index}++) {`);
    this.#line(`w.setUint16(o, ${index} === 0 ? 0x2020 : 0x202c, true);`);
    this.#line(`o += ${index} === 0 ? 1 : 2;`);
    if (style.names) {
      this.text("[");
      this.#flush();
      this.#line(`o = writeDecimal(w, o, ${index});`);
      this.text("] = ");
    }
    this.field(element, style);
    this.#flush();
    this.#line("}");
    this.text(" ]");
  }

  /** Any field: read as a value, and printed. */
  #other(field: Field, style: FieldStyle): void {
    this.#flush();
    this.#toCursor();
    const read = this.#constant(makeReader(field));
    const print = this.#constant(fieldPrinter(field.class, style));
    this.#line(
      "out.length = o;",
      `${print}(${read}(cursor), out);`,
      "o = out.reserve($ROOM); target = out.storage; w = out.view;",
    );
  }

  #variable(): string {
    return `v${this.#variables++}`;
  }
}

/** Whether an integer can be written out; other bases are rare. */
function isWholeBytes(
  { size, alignment, base }: IntegerClass,
  { slots }: Field,
): boolean {
  return alignment % 8 === 0 && (base === 10 || base === 16) &&
    (size === 8 || size === 16 || size === 32 ||
      size === 64 && slots.length === 0);
}

/** Whether a list's element can be written out. */
function isSimple(field: Field): boolean {
  const { class: fieldClass } = field;
  return fieldClass.kind === "integer" && isWholeBytes(fieldClass, field) ||
    fieldClass.kind === "float" && fieldClass.alignment % 8 === 0;
}
