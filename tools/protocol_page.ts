/** Prints `docs/protocol.md` from the command tables: `deno run -W tools/protocol_page.ts`. */

import {
  sessionEntry2_15,
  sessionEntry2_4,
  streamEntry,
  viewerCommands,
  viewerHeader,
} from "../lib/wire/live.ts";
import type { Message } from "../lib/wire/message.ts";
import {
  type Command,
  commandHeader,
  commands,
  dataHeader,
  rotatePosition,
} from "../lib/wire/relay.ts";
import type { Field, Struct } from "../lib/wire/struct.ts";

const INTRODUCTION = `# The protocols on the wire

Written by \`tools/protocol_page.ts\` from the tables in \`lib/wire/\`; change
those, then run it again. A test fails while the two differ.

All integers are unsigned and big-endian, without alignment. Offsets and sizes
are in bytes. A message may be longer than its layout: the rest is ignored,
except by ROTATE_STREAMS, where the length tells the layout. "Since" is the
minor version of 2.x that brought a command or layout; both peers use the
smaller of the minors that they announce.`;

const CONTROL = `## Control connection, port 5342

Every command has this header, then \`dataSize\` bytes of payload. Replies have no
header. "Limit" is the most payload that this project takes.`;

const DATA = `## Data connection, port 5343

Every packet has this header, then \`dataSize\` bytes, and no reply. \`paddingSize\`
zero bytes do not travel but belong into the file.`;

const VIEWER = `## Viewer connection, port 5344

Every command has this header, then \`dataSize\` bytes of payload. Replies have no
header.`;

/** A Markdown table whose columns are aligned as `deno fmt` does. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: string[]) =>
    `| ${
      cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")
    } |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** `paddingSize` as a cell. */
function code(text: string): string {
  return `\`${text}\``;
}

function kindOf(field: Field<unknown>, struct: Struct<unknown>): string {
  const kind = field.kind ?? "";
  if (field.lengthOf === undefined) return kind;
  const target = struct.fields[field.lengthOf]?.kind ?? "";
  const what = target.startsWith("list") ? "entries" : "bytes";
  return `${kind}, ${what} of ${code(field.lengthOf)}`;
}

export function layoutTable(struct: Struct<unknown>): string {
  let moved = false;
  const rows = Object.entries(struct.fields).map(([name, field]) => {
    const offset = moved ? "behind" : String(struct.offsets[name]);
    // Where a field without a bound ends, the next one begins.
    if (field.size === 0) moved = true;
    const size = field.size === 0 ? "varies" : String(field.size);
    return [offset, size, code(name), kindOf(field, struct)];
  });
  return table(["Offset", "Size", "Field", "What"], rows);
}

/** Which minor a layout needs; the oldest comes with the command. */
function layoutTitle(
  message: Message<unknown>,
  index: number,
  since: number,
): string {
  const minor = message.since?.[index];
  if (message.layouts.length === 1 || minor === undefined) return "";
  return ` since 2.${Math.max(minor, since)}`;
}

function messageText(
  word: string,
  message: Message<unknown>,
  since: number,
): string {
  return message.layouts.map((layout, index) => {
    const title = `${word}${layoutTitle(message, index, since)}`;
    if (Object.keys(layout.fields).length === 0) return `${title}: empty.`;
    const varies = Object.values(layout.fields).some(({ size }) => size === 0);
    const size = varies ? `${layout.size} bytes and more` : bytes(layout.size);
    return `${title}, ${size}:\n\n${layoutTable(layout)}`;
  }).join("\n\n");
}

function bytes(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}

function controlRows(): string[][] {
  return Object.entries(commands).map(([name, row]) => [
    String(row.number),
    name,
    `2.${row.since}`,
    row.needsSession ? "yes" : "no",
    "reply" in row ? "yes" : "no",
    `${row.payloadLimit / 1024 ** 2} MiB`,
  ]);
}

/** The whole page. */
export function protocolPage(): string {
  const control = Object.entries(commands) as [
    string,
    Command<unknown, unknown>,
  ][];
  const parts = [
    INTRODUCTION,
    CONTROL,
    layoutTable(commandHeader as Struct<unknown>),
    table(
      ["Number", "Command", "Since", "Needs a session", "Reply", "Limit"],
      controlRows(),
    ),
    ...control.flatMap(([name, { request, reply, since }]) => [
      `### ${name}`,
      messageText("Request", request, since),
      reply === undefined ? "No reply." : messageText("Reply", reply, since),
    ]),
    "### Entries",
    entryText(rotatePosition as Struct<unknown>),
    DATA,
    layoutTable(dataHeader as Struct<unknown>),
    VIEWER,
    layoutTable(viewerHeader as Struct<unknown>),
    table(
      ["Number", "Command", "Since"],
      Object.entries(viewerCommands).map(([name, row]) => [
        String(row.number),
        name,
        `2.${row.since}`,
      ]),
    ),
    ...Object.entries(viewerCommands).flatMap(([name, row]) => [
      `### Viewer ${name}`,
      messageText("Request", row.request as Message<unknown>, row.since),
      messageText("Reply", row.reply as Message<unknown>, row.since),
    ]),
    "### Viewer entries",
    entryText(sessionEntry2_4 as Struct<unknown>, " before 2.15"),
    entryText(sessionEntry2_15 as Struct<unknown>, " since 2.15"),
    entryText(streamEntry as Struct<unknown>),
  ];
  return parts.join("\n\n") + "\n";
}

function entryText(entry: Struct<unknown>, since = ""): string {
  const title = entry.name[0]!.toUpperCase() + entry.name.slice(1);
  return `${title}${since}, ${bytes(entry.size)}:\n\n${layoutTable(entry)}`;
}

if (import.meta.main) {
  const page = new URL("../docs/protocol.md", import.meta.url);
  await Deno.writeTextFile(page, protocolPage());
}
