/** Reads what tracefs says of its events: `format` files, `header_page`. */

/** How the bytes of a field are to be read. */
export type FieldStorage =
  /** One value, or a fixed number of them side by side. */
  | "static"
  /** The bytes from the field's offset to the end of the record. */
  | "rest"
  /** 32 bits: low half an offset from the record's start, high half a length. */
  | "located"
  /** The same, with an offset from the end of these 32 bits. */
  | "located here";

/** One field of an event, as its `format` file declares it. */
export interface FormatField {
  readonly name: string;
  /** The C type without array brackets: `unsigned int`, `char`, `void *`. */
  readonly type: string;
  readonly storage: FieldStorage;
  /** Offset of its bytes in the record. */
  readonly offset: number;
  /** Bytes that it takes in the record; 0 where it is the rest of it. */
  readonly size: number;
  /** What the file says; of no meaning for text. */
  readonly signed: boolean;
  /** Elements of a fixed array; `undefined` for all else. */
  readonly length: number | undefined;
  /** Whether it is an array of any kind, or one value. */
  readonly isArray: boolean;
}

/** An event as its `format` file declares it. */
export interface EventFormat {
  /** The directory below `events/`: `sched`. */
  readonly system: string;
  /** As tracefs calls it. */
  readonly name: string;
  /** What `common_type` of its records holds. */
  readonly id: number;
  /** Fields that every event has. */
  readonly common: readonly FormatField[];
  /** The event's own fields. */
  readonly fields: readonly FormatField[];
}

/** A file of tracefs that says something unexpected. */
export class FormatError extends Error {
  override name = "FormatError";
}

const FIELD =
  /^\s*field:\s*(.+);\s*offset:\s*(\d+);\s*size:\s*(\d+);(?:\s*signed:\s*(\d+);)?\s*$/;

/**
 * An event's `format` file.
 *
 * @throws {FormatError} where it is none.
 */
export function parseFormat(system: string, text: string): EventFormat {
  const name = /^name:\s*(\S+)$/m.exec(text)?.[1];
  const id = /^ID:\s*(\d+)$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) {
    throw new FormatError(
      `Cannot read an event's format in ${system}: it has no name or no ID`,
    );
  }
  // The text after it can be long, and holds anything.
  const head = text.split("\nprint fmt:", 1)[0]!;
  const common: FormatField[] = [];
  const fields: FormatField[] = [];
  for (const line of head.split("\n")) {
    if (!/^\s*field:/.test(line)) continue;
    const field = parseField(line, `${system}:${name}`);
    if (field.name.startsWith("common_")) common.push(field);
    else fields.push(field);
  }
  return { system, name, id: Number(id), common, fields };
}

function parseField(line: string, event: string): FormatField {
  const match = FIELD.exec(line);
  if (match === null) {
    throw new FormatError(
      `Cannot read the format of ${event}: no field is ${
        JSON.stringify(line.trim())
      }`,
    );
  }
  const [, declaration, offset, size, signed] = match;
  return {
    ...parseDeclaration(declaration!, event),
    offset: Number(offset),
    size: Number(size),
    signed: signed === "1",
  };
}

type Declaration = Pick<
  FormatField,
  "name" | "type" | "storage" | "length" | "isArray"
>;

function parseDeclaration(text: string, event: string): Declaration {
  // `char comm[16]`, `u8 digest[]`, `int x`; then the name is the last word.
  const match = /^(.*?)(\w+)\s*((?:\[[^\]]*\]\s*)*)$/.exec(text);
  if (match === null) {
    throw new FormatError(
      `Cannot read the format of ${event}: no declaration is ${
        JSON.stringify(text)
      }`,
    );
  }
  const [, before, name, brackets] = match;
  const located = /^__(data|rel)_loc\s+/.exec(before!);
  if (located !== null) {
    const type = before!.slice(located[0].length).replace("[]", "").trim();
    const storage = located[1] === "rel" ? "located here" : "located";
    return { name: name!, type, storage, length: undefined, isArray: true };
  }
  const type = before!.trim();
  if (brackets === "") {
    return {
      name: name!,
      type,
      storage: "static",
      length: undefined,
      isArray: false,
    };
  }
  const length = arrayLength(brackets!);
  const storage = length === undefined ? "rest" : "static";
  return { name: name!, type, storage, length, isArray: true };
}

/** Elements in `[4][8]`; `undefined` where a bracket does not say a number. */
function arrayLength(brackets: string): number | undefined {
  let length = 1;
  for (const [, text] of brackets.matchAll(/\[([^\]]*)\]/g)) {
    if (!/^\d+$/.test(text!.trim())) return undefined;
    length *= Number(text);
  }
  return length;
}

/** How the pages of a ring buffer are laid out, as `header_page` says. */
export interface PageLayout {
  /** Whether numbers begin with their low end: the machine's byte order. */
  readonly littleEndian: boolean;
  readonly timestampOffset: number;
  readonly commitOffset: number;
  /** Bytes of the commit word and of a loss count: a C `long`. */
  readonly longSize: 4 | 8;
  /** Where records begin. */
  readonly dataOffset: number;
  /** Bytes of records that a page can hold. */
  readonly dataSize: number;
}

/**
 * The layout that `events/header_page` declares.
 *
 * @throws {FormatError} where it is none.
 */
export function parseHeaderPage(
  text: string,
  littleEndian: boolean,
): PageLayout {
  const fields = new Map<string, FormatField>();
  for (const line of text.split("\n")) {
    if (!/^\s*field:/.test(line)) continue;
    const field = parseField(line, "header_page");
    fields.set(field.name, field);
  }
  const timestamp = fields.get("timestamp");
  const commit = fields.get("commit");
  const data = fields.get("data");
  if (
    timestamp?.size !== 8 || data === undefined ||
    commit === undefined || (commit.size !== 8 && commit.size !== 4)
  ) {
    throw new FormatError(
      "Cannot read header_page: timestamp, commit or data is not as known",
    );
  }
  return {
    littleEndian,
    timestampOffset: timestamp.offset,
    commitOffset: commit.offset,
    longSize: commit.size,
    dataOffset: data.offset,
    dataSize: data.size,
  };
}

/** Bytes of a whole page: what one read of `trace_pipe_raw` returns. */
export function pageSizeOf(layout: PageLayout): number {
  return layout.dataOffset + layout.dataSize;
}
