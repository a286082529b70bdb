/** Events as JSON, one object a line, with all integers exact. */

import type { EventSource } from "../read/event_source.ts";
import {
  type EventClass,
  type EventRecord,
  type FieldClass,
  flagsOf,
  labelsOf,
  type StructClass,
  type StructValue,
  type TraceClass,
  type Value,
  type VariantValue,
} from "../read/model.ts";
import { asciiBytes, type TextBuffer } from "./buffer.ts";
import type { FieldPrinter } from "./fields.ts";

/** What JSON has escaped. */
const ESCAPES = escapes();

/** How events are printed. */
export interface JsonOptions {
  /** The name of a trace, which is where it was found. */
  readonly traceName?: (trace: TraceClass) => string;
}

/** A scope of an event class: its key, and how its struct is printed. */
interface Scope {
  readonly key: string;
  readonly print: FieldPrinter;
}

/** What comes out of one class, but for the time and values. */
interface Plan {
  readonly head: Uint8Array;
  readonly packetContext: Scope | undefined;
  readonly streamContext: Scope | undefined;
  readonly context: Scope | undefined;
  readonly payload: Scope | undefined;
}

/**
 * Prints events: `timestamp` is in nanoseconds since 1970; an enumeration is
 * its value and its labels, a bit map its value and its flags; a blob is in
 * base 16; a number that is none, or not finite, is a string.
 */
export class JsonPrinter {
  readonly #out: TextBuffer;
  readonly #options: JsonOptions;
  readonly #plans = new Map<EventClass, Plan>();

  /** Prints into `out`, which the caller empties. */
  constructor(out: TextBuffer, options: JsonOptions = {}) {
    this.#out = out;
    this.#options = options;
  }

  /** Adds the line of an event. */
  event(event: EventRecord): void {
    const out = this.#out;
    const plan = this.#planOf(event);
    out.text("{");
    if (event.stream.class.clock !== undefined) {
      out.text('"timestamp":');
      out.decimal(event.timestamp);
      out.text(',"cycles":');
      out.decimal(event.cycles);
      out.text(",");
    }
    out.bytes(plan.head);
    printScope(plan.packetContext, event.packetContext, out);
    printScope(plan.streamContext, event.streamContext, out);
    printScope(plan.context, event.context, out);
    printScope(plan.payload, event.payload, out);
    out.text("}\n");
  }

  /** Adds the line of the event that `source` stands at, if it can be read. */
  eventAt(source: EventSource): boolean {
    const event = source.take(() => source.record());
    if (event) this.event(event);
    return event !== undefined;
  }

  #planOf({ class: eventClass, stream }: EventRecord): Plan {
    const known = this.#plans.get(eventClass);
    if (known !== undefined) return known;
    const { trace } = stream;
    const head: Record<string, string | undefined> = {
      trace: this.#options.traceName?.(trace),
      hostname: trace.environment.get("hostname")?.toString(),
      domain: trace.environment.get("domain")?.toString(),
      name: eventClass.name,
    };
    const plan = {
      head: asciiBytes(JSON.stringify(head).slice(1, -1)),
      packetContext: scope("packet_context", stream.class.packetContext),
      streamContext: scope("stream_context", stream.class.eventContext),
      context: scope("context", eventClass.context),
      payload: scope("fields", eventClass.payload),
    };
    this.#plans.set(eventClass, plan);
    return plan;
  }
}

function scope(
  key: string,
  structClass: StructClass | undefined,
): Scope | undefined {
  return structClass &&
    { key: `,"${key}":`, print: structPrinter(structClass) };
}

function printScope(
  scope: Scope | undefined,
  value: StructValue | undefined,
  out: TextBuffer,
): void {
  if (scope === undefined || value === undefined) return;
  out.text(scope.key);
  scope.print(value, out);
}

function structPrinter({ members }: StructClass): FieldPrinter {
  const printers = members.map((member) => fieldPrinter(member.class));
  const keys = members.map(({ name }, index) =>
    asciiBytes(`${index === 0 ? "" : ","}${JSON.stringify(name)}:`)
  );
  return function printStruct(value, out) {
    const values = value as StructValue;
    out.text("{");
    for (let index = 0; index < printers.length; index++) {
      out.bytes(keys[index]!);
      printers[index]!(values[index]!, out);
    }
    out.text("}");
  };
}

function fieldPrinter(fieldClass: FieldClass): FieldPrinter {
  switch (fieldClass.kind) {
    case "integer":
    case "variable-integer":
      return printInteger;
    case "bit-map":
      if (fieldClass.flags.length === 0) return printInteger;
      return (value, out) => {
        const flags = flagsOf(fieldClass, value as number | bigint);
        out.text('{"value":');
        printInteger(value, out);
        out.text(`,"flags":${JSON.stringify(flags)}}`);
      };
    case "boolean":
      return (value, out) => out.text(value ? "true" : "false");
    case "enumeration":
      return (value, out) => {
        const labels = labelsOf(fieldClass, value as number | bigint);
        out.text('{"value":');
        printInteger(value, out);
        out.text(`,"labels":${JSON.stringify(labels)}}`);
      };
    case "float":
      return printFloat;
    case "string":
    case "text":
      return printString;
    case "blob":
      return (value, out) => out.text(`"${(value as Uint8Array).toHex()}"`);
    case "array":
    case "sequence":
      return listPrinter(fieldPrinter(fieldClass.element));
    case "option": {
      const print = fieldPrinter(fieldClass.content);
      return (value, out) => {
        if (value === null) out.text("null");
        else print(value, out);
      };
    }
    case "struct":
      return structPrinter(fieldClass);
    case "variant": {
      const options = fieldClass.options.map((option) =>
        fieldPrinter(option.class)
      );
      return (value, out) => {
        const chosen = value as VariantValue;
        options[chosen.option]!(chosen.value, out);
      };
    }
  }
}

function printInteger(value: Value, out: TextBuffer): void {
  out.decimal(value as number | bigint);
}

function printFloat(value: Value, out: TextBuffer): void {
  if (Object.is(value, -0)) out.text("-0.0");
  else out.text(Number.isFinite(value) ? `${value}` : `"${value}"`);
}

function printString(value: Value, out: TextBuffer): void {
  out.quoted(value as string, ESCAPES);
}

function listPrinter(element: FieldPrinter): FieldPrinter {
  return function printList(value, out) {
    const values = value as readonly Value[];
    out.text("[");
    for (let index = 0; index < values.length; index++) {
      if (index > 0) out.text(",");
      element(values[index]!, out);
    }
    out.text("]");
  };
}

function escapes(): (Uint8Array | undefined)[] {
  return Array.from({ length: 128 }, (_, code) => {
    const character = String.fromCharCode(code);
    const written = JSON.stringify(character).slice(1, -1);
    return written === character ? undefined : asciiBytes(written);
  });
}
