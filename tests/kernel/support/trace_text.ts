/** Reads tracefs's own text of its events, made with `options/fields`. */

import type { EventFormat, FormatField } from "../../../lib/kernel/format.ts";

/** An event as text. */
export interface TextEvent {
  readonly cpu: number;
  readonly tid: number;
  /** Rounded to microseconds. */
  readonly microseconds: number;
  readonly name: string;
  /** What stands behind `NAME=`. */
  readonly fields: ReadonlyMap<string, string>;
}

const LINE = /^\s*.{1,16}-(\d+)\s+\[(\d+)\]\s+\S+\s+(\d+)\.(\d{6}): (.*)$/;

/** All events in the text; those whose fields cannot be told have none. */
export function readTrace(
  text: string,
  formats: readonly EventFormat[],
): TextEvent[] {
  const byName = new Map(formats.map((format) => [format.name, format]));
  const events: TextEvent[] = [];
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, tid, cpu, seconds, fraction, rest] = match;
    // `UNKNOWN TYPE 5` is what this option makes of a program's text.
    const event = /^(\w+):(.*)$/.exec(rest!);
    const name = event?.[1] ?? "print";
    const format = byName.get(name);
    events.push({
      cpu: Number(cpu),
      tid: Number(tid),
      microseconds: Number(seconds) * 1e6 + Number(fraction),
      name,
      fields: format === undefined || event === null
        ? new Map()
        : fieldsIn(event[2]!, format.fields),
    });
  }
  return events;
}

/** Texts may hold spaces and `=`: a field ends where the next one begins. */
function fieldsIn(
  text: string,
  fields: readonly FormatField[],
): Map<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  const starts = fields.map(({ name }) => {
    const start = text.indexOf(` ${name}=`, at);
    if (start >= 0) at = start + name.length + 2;
    return start;
  });
  fields.forEach(({ name }, index) => {
    const start = starts[index]!;
    if (start < 0) return;
    const next = starts.slice(index + 1).find((later) => later >= 0);
    found.set(name, text.slice(start + name.length + 2, next));
  });
  return found;
}

/** The number in `0x78 (120)`, modulo 2^64; `undefined` where it is none. */
export function numberIn(text: string, size: number): bigint | undefined {
  // One byte is shown as a character, too, where it is one.
  const decimal = /\((-?\d+)\)$/.exec(text)?.[1];
  if (decimal === undefined) return undefined;
  return BigInt.asUintN(size * 8, BigInt(decimal));
}
