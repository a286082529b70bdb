/** Prints events as babeltrace2 does with few options, to compare what was read. */

import { assert, assertEquals } from "@std/assert";
import { TextBuffer } from "../../../lib/ctf/text/buffer.ts";
import { TextPrinter } from "../../../lib/ctf/text/printer.ts";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import {
  type EventRecord,
  type FieldClass,
  labelsOf,
  type LossRecord,
  type StructClass,
  type StructValue,
  type TraceReadError,
  type Value,
  type VariantValue,
} from "../../../lib/ctf/read/model.ts";
import { expectedText } from "../expected_text.ts";
import { run } from "../../support/process.ts";

/** What was read: a line an event, losses, and errors. */
export interface Reading {
  readonly lines: string[];
  readonly losses: LossRecord[];
  readonly errors: TraceReadError[];
}

/**
 * Reads a directory with the reader under test, in all its ways: as values, as
 * text from bytes, not looking at fields, and with little memory.
 */
export async function readOurs(directory: string): Promise<Reading> {
  const reading = await readValues(directory);
  for (const memory of [undefined, 1]) {
    const { records, texts, skipped } = await readInOtherWays(
      directory,
      memory,
    );
    assertEquals(texts, records, `From bytes, memory ${memory}`);
    assertEquals(texts.length, reading.lines.length, `Memory ${memory}`);
    // A damaged field may go unseen where nobody looks at it.
    if (reading.errors.length === 0) {
      assertEquals(skipped, texts.length, `Skipped, memory ${memory}`);
    } else assert(skipped >= texts.length, `Skipped, memory ${memory}`);
  }
  return reading;
}

async function readValues(directory: string): Promise<Reading> {
  const lines: string[] = [];
  const losses: LossRecord[] = [];
  const errors: TraceReadError[] = [];
  const reader = await TraceReader.open(directory, {
    onError: (error) => errors.push(error),
  });
  for (const message of reader.messages()) {
    if (message.kind === "event") lines.push(printEvent(message));
    else losses.push(message);
  }
  return { lines, losses, errors };
}

async function readInOtherWays(directory: string, memory: number | undefined) {
  const options = {
    onError: () => {},
    ...(memory === undefined ? {} : { memory }),
  };
  const reader = await TraceReader.open(directory, options);
  const valueBuffer = new TextBuffer();
  const byteBuffer = new TextBuffer();
  const values = new TextPrinter(valueBuffer);
  const bytes = new TextPrinter(byteBuffer);
  for (const message of reader.messages()) {
    if (message.kind === "event") values.event(message);
  }
  for (const source of reader.sources()) {
    if (!source.loss) bytes.eventAt(source);
  }
  let skipped = 0;
  for (const source of reader.sources()) if (!source.loss) skipped++;
  return {
    records: linesOf(valueBuffer),
    texts: linesOf(byteBuffer),
    skipped,
  };
}

function linesOf(buffer: TextBuffer): string[] {
  return new TextDecoder("latin1").decode(buffer.take()).split("\n")
    .slice(0, -1);
}

/** Reads a directory with babeltrace2. */
export async function readStock(
  directory: string,
): Promise<{ code: number; lines: string[]; warnings: string }> {
  const { code, stdout, stderr } = await run({
    command: [
      "babeltrace2",
      "--clock-seconds",
      "--no-delta",
      "--fields=trace:domain",
      directory,
    ],
  });
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { code, lines: lines.map(withoutDomain), warnings: stderr };
}

/** Some field must be asked for: asking for none is an error. */
function withoutDomain(line: string): string {
  return line.replace(/^(\[[\d.]+\]) (?:ust|kernel|typescript) /, "$1 ");
}

/** One line. */
function printEvent(event: EventRecord): string {
  const { timestamp, class: eventClass, stream } = event;
  const seconds = timestamp / 1_000_000_000n;
  const rest = String(timestamp % 1_000_000_000n).padStart(9, "0");
  const parts = [
    printRoot(stream.class.packetContext, event.packetContext),
    printRoot(stream.class.eventContext, event.streamContext),
    printRoot(eventClass.context, event.context),
    printRoot(eventClass.payload, event.payload),
  ].filter((part) => part !== "");
  return `[${seconds}.${rest}] ${eventClass.name}: ${parts.join(", ")}`;
}

function printRoot(
  fieldClass: StructClass | undefined,
  value: StructValue | undefined,
): string {
  return fieldClass && value ? print(fieldClass, value) : "";
}

const STRING = { kind: "string" } as const;
const WHOLE = { alignment: 8, byteOrder: "le" } as const;

function print(fieldClass: FieldClass, value: Value): string {
  switch (fieldClass.kind) {
    case "struct": {
      const members = fieldClass.members.map((member, index) =>
        `${member.name} = ${
          print(member.class, (value as StructValue)[index]!)
        }`
      );
      return members.length > 0 ? `{ ${members.join(", ")} }` : "{ }";
    }
    case "array":
    case "sequence": {
      const elements = (value as readonly Value[]).map((element, index) =>
        `[${index}] = ${print(fieldClass.element, element)}`
      );
      return elements.length > 0 ? `[ ${elements.join(", ")} ]` : "[ ]";
    }
    case "variant": {
      const { option, value: inner } = value as VariantValue;
      return `{ ${print(fieldClass.options[option]!.class, inner)} }`;
    }
    case "enumeration": {
      const labels = labelsOf(fieldClass, value as number | bigint)
        .map((label) => expectedText(STRING, label)).join(", ");
      return `( ${labels || "<unknown>"} : container = ${value} )`;
    }
    case "string":
    case "text":
      return expectedText(STRING, value);
    case "integer":
    case "float":
      return expectedText(fieldClass, value);
    case "variable-integer":
      return expectedText(
        { ...fieldClass, kind: "integer", size: 64, ...WHOLE },
        value,
      );
    case "boolean":
      return `${value}`;
    case "bit-map":
      return `0x${value!.toString(16).toUpperCase()}`;
    case "blob": {
      const bytes = Array.from(
        value as Uint8Array,
        (byte) => `${byte.toString(16).padStart(2, "0")} `,
      );
      return `{ ${bytes.join("")}}`;
    }
    case "option":
      return value === null
        ? "<none>"
        : `{ ${print(fieldClass.content, value)} }`;
  }
}
