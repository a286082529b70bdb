/** Events as text, byte for byte as babeltrace2 prints them by default. */

import type {
  EventClass,
  EventRecord,
  LossRecord,
  StreamInfo,
  StructClass,
  StructValue,
  TraceClass,
} from "../read/model.ts";
import { asciiBytes, TextBuffer } from "./buffer.ts";
import { type FieldPrinter, structPrinter } from "./fields.ts";
import { type TimeOptions, TimePrinter } from "./time.ts";

/** What may stand before an event's name. */
export const SHOWN_FIELDS = [
  "trace",
  "trace:hostname",
  "trace:domain",
  "trace:procname",
  "trace:vpid",
  "loglevel",
  "emf",
] as const;
/** One of {@linkcode SHOWN_FIELDS}. */
export type ShownField = typeof SHOWN_FIELDS[number];

/** Where names may be printed. */
export const SHOWN_NAMES = ["payload", "context", "scope", "header"] as const;
/** One of {@linkcode SHOWN_NAMES}. */
export type ShownName = typeof SHOWN_NAMES[number];

/** How events are printed. */
export interface TextOptions extends TimeOptions {
  /** Times as ticks of the clock. */
  readonly cycles?: boolean;
  /** Unless `false`, the time since the event before. */
  readonly delta?: boolean;
  /** Default: host name, process name and process id of the trace. */
  readonly fields?: ReadonlySet<ShownField>;
  /** Default: payload and context. */
  readonly names?: ReadonlySet<ShownName>;
  /** The name of a trace, which is where it was found. */
  readonly traceName?: (trace: TraceClass) => string;
  /** The number of a stream that has no `stream_instance_id`. */
  readonly streamNumber?: (stream: StreamInfo) => number | undefined;
  /** Takes a line for standard error. */
  readonly warn?: (line: string) => void;
}

/** What is printed before the name where nobody says otherwise. */
export const DEFAULT_FIELDS: ReadonlySet<ShownField> = new Set<ShownField>([
  "trace:hostname",
  "trace:procname",
  "trace:vpid",
]);
/** Where names are printed where nobody says otherwise. */
export const DEFAULT_NAMES: ReadonlySet<ShownName> = new Set<ShownName>([
  "payload",
  "context",
]);

/** Log levels as LTTng numbers them. */
const LOG_LEVELS = [
  ...["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO"],
  ...["DEBUG_SYSTEM", "DEBUG_PROGRAM", "DEBUG_PROCESS", "DEBUG_MODULE"],
  ...["DEBUG_UNIT", "DEBUG_FUNCTION", "DEBUG_LINE", "DEBUG"],
].map((level) => `TRACE_${level}`);

/** What comes out of one class, but for times and values. */
interface Plan {
  readonly header: Uint8Array;
  readonly packetContext: Scope | undefined;
  readonly streamContext: Scope | undefined;
  readonly context: Scope | undefined;
  readonly payload: Scope | undefined;
  /** The header and the context of the packet printed last. */
  beginning: Uint8Array | undefined;
  beginningOf: StructValue | undefined;
}

/** How one scope's struct is printed. */
interface Scope {
  /** Such as `event.fields = `. */
  readonly name: Uint8Array;
  readonly print: FieldPrinter;
}

/** What stands around an event's time and the time since the event before. */
interface TimeMarks {
  readonly before: string;
  readonly between: string;
  /** With the beginning of a time of less than a second. */
  readonly betweenShort: string;
  readonly after: string;
}

const NOTHING = asciiBytes("");
const SEPARATOR = asciiBytes(", ");

/** Prints events and losses one after the other. */
export class TextPrinter {
  readonly #out: TextBuffer;
  readonly #scratch = new TextBuffer();
  readonly #options: TextOptions;
  readonly #fields: ReadonlySet<ShownField>;
  readonly #names: ReadonlySet<ShownName>;
  readonly #times: TimePrinter;
  readonly #marks: TimeMarks;
  readonly #plans = new Map<EventClass, Plan>();
  /** Time or ticks of the event before. */
  #last: bigint | undefined;

  /** Prints into `out`, which the caller empties. */
  constructor(out: TextBuffer, options: TextOptions = {}) {
    this.#out = out;
    this.#options = options;
    this.#fields = options.fields ?? DEFAULT_FIELDS;
    this.#names = options.names ?? DEFAULT_NAMES;
    this.#marks = timeMarks(this.#names.has("header"), options.delta !== false);
    this.#times = new TimePrinter(options, (line) => this.#warn(line));
  }

  /** Adds the line of an event. */
  event(event: EventRecord): void {
    const out = this.#out;
    const plan = this.#planOf(event);
    if (event.stream.class.clock !== undefined) this.#printTime(event);
    const some = this.#printBeginning(plan, event);
    const more = this.#printScope(
      plan.streamContext,
      event.streamContext,
      some,
    );
    const most = this.#printScope(plan.context, event.context, more);
    this.#printScope(plan.payload, event.payload, most);
    out.text("\n");
  }

  /** The line for standard error about events or packets that are missing. */
  loss(loss: LossRecord): string {
    const { stream, count, begin, end } = loss;
    const kind = loss.kind === "lost_packets" ? "packet" : "event";
    const what = count === undefined
      ? `may have discarded ${kind}s`
      : `discarded ${count} ${kind}${count === 1n ? "" : "s"}`;
    const when = begin === undefined || end === undefined
      ? "(unknown time range)"
      : `between [${this.#timeText(begin)}] and [${this.#timeText(end)}]`;
    const { uuid } = stream.trace;
    const id = stream.instanceId ?? this.#options.streamNumber?.(stream);
    return `WARNING: Tracer ${what} ${when} in trace ` +
      `"${this.#traceName(stream.trace)}" ` +
      (uuid === undefined ? "(no UUID) " : `(UUID: ${uuid}) `) +
      `within stream "${stream.path}" (stream class ID: ${stream.class.id}, ` +
      (id === undefined ? "no stream ID" : `stream ID: ${id}`) + ").";
  }

  /**
   * Adds the header and the packet's context, which is the same for many
   * events; returns whether there is such a context.
   */
  #printBeginning(plan: Plan, { packetContext }: EventRecord): boolean {
    const out = this.#out;
    if (plan.beginningOf !== packetContext || plan.beginning === undefined) {
      const scratch = this.#scratch;
      scratch.bytes(plan.header);
      if (plan.packetContext !== undefined && packetContext !== undefined) {
        scratch.bytes(plan.packetContext.name);
        plan.packetContext.print(packetContext, scratch);
      }
      plan.beginning = scratch.take().slice();
      plan.beginningOf = packetContext;
    }
    out.bytes(plan.beginning);
    return plan.packetContext !== undefined && packetContext !== undefined;
  }

  /** Adds a scope's struct; returns whether there is `some` scope by now. */
  #printScope(
    scope: Scope | undefined,
    value: StructValue | undefined,
    some: boolean,
  ): boolean {
    if (scope === undefined || value === undefined) return some;
    if (some) this.#out.bytes(SEPARATOR);
    this.#out.bytes(scope.name);
    scope.print(value, this.#out);
    return true;
  }

  #warn(line: string): void {
    this.#options.warn?.(line);
  }

  #timeText(time: bigint): string {
    const out = new TextBuffer();
    this.#times.print(time, out);
    return new TextDecoder().decode(out.take());
  }

  #printTime(event: EventRecord): void {
    const out = this.#out;
    const { cycles, delta } = this.#options;
    const now = cycles ? event.cycles : event.timestamp;
    out.text(this.#marks.before);
    if (cycles) out.text(now.toString().padStart(20, "0"));
    else this.#times.print(now, out);
    if (delta !== false) this.#printDelta(now);
    out.text(this.#marks.after);
    this.#last = now;
  }

  #printDelta(now: bigint): void {
    const out = this.#out;
    const { between, betweenShort } = this.#marks;
    const { cycles } = this.#options;
    if (this.#last === undefined) {
      return out.text(between + (cycles ? "+????????????" : "+?.?????????"));
    }
    const delta = now - this.#last;
    const short = Number(delta);
    if (!cycles && short >= 0 && short < 1e9) {
      out.text(betweenShort);
      out.padded(short, 9);
      return;
    }
    out.text(between);
    const wide = BigInt.asUintN(64, delta);
    if (cycles) {
      out.text(`+${wide.toString().padStart(12, "0")}`);
    } else {
      out.text(`+${wide / 1_000_000_000n}.`);
      out.padded(Number(wide % 1_000_000_000n), 9);
    }
  }

  #planOf(event: EventRecord): Plan {
    const known = this.#plans.get(event.class);
    if (known !== undefined) return known;
    const { stream, class: eventClass } = event;
    const context = this.#names.has("context");
    const { packetContext } = stream.class;
    const plan = {
      header: asciiBytes(this.#header(stream, eventClass)),
      // Without members, all that it had was about the packet itself.
      packetContext: packetContext?.members.length === 0
        ? undefined
        : this.#scope("stream.packet.context", packetContext, context),
      streamContext: this.#scope(
        "stream.event.context",
        stream.class.eventContext,
        context,
      ),
      context: this.#scope("event.context", eventClass.context, context),
      payload: this.#scope(
        "event.fields",
        eventClass.payload,
        this.#names.has("payload"),
      ),
      beginning: undefined,
      beginningOf: undefined,
    };
    this.#plans.set(eventClass, plan);
    return plan;
  }

  #scope(
    name: string,
    structClass: StructClass | undefined,
    names: boolean,
  ): Scope | undefined {
    return structClass && {
      name: this.#names.has("scope") ? asciiBytes(`${name} = `) : NOTHING,
      print: structPrinter(structClass, names),
    };
  }

  /** What stands between an event's time and its contexts. */
  #header(stream: StreamInfo, eventClass: EventClass): string {
    const named = this.#names.has("header");
    // After a time with its name, what follows needs a comma.
    const timed = named && stream.class.clock !== undefined;
    const comma = timed ? ", " : "";
    let text = "";
    const name = this.#traceName(stream.trace);
    if (this.#fields.has("trace")) {
      text += comma + (named ? `trace = ${name}, ` : name);
    }
    let others = false;
    for (const [field, part] of this.#headerParts(stream, eventClass)) {
      if (part === undefined || !this.#fields.has(field)) continue;
      const label = field === "emf" ? "model.emf.uri" : field;
      text += comma;
      if (named) text += `${label} = `;
      else if (others && field !== "trace:hostname") text += ":";
      text += part;
      others = true;
    }
    if (others && !named) text += " ";
    text += comma;
    return text +
      (named ? `name = ${eventClass.name}, ` : `${eventClass.name}: `);
  }

  #headerParts(
    { trace: { environment } }: StreamInfo,
    { logLevel, emfUri }: EventClass,
  ): [ShownField, string | undefined][] {
    function text(name: string): string | undefined {
      return environment.get(name)?.toString();
    }
    const vpid = text("vpid");
    const level = logLevel === undefined
      ? undefined
      : `${LOG_LEVELS[logLevel]} (${logLevel})`;
    return [
      ["trace:hostname", text("hostname")],
      ["trace:domain", text("domain")],
      ["trace:procname", text("procname")],
      ["trace:vpid", vpid === undefined ? undefined : `(${vpid})`],
      ["loglevel", level],
      ["emf", emfUri],
    ];
  }

  #traceName(trace: TraceClass): string {
    return this.#options.traceName?.(trace) ?? "(unknown)";
  }
}

function timeMarks(named: boolean, delta: boolean): TimeMarks {
  const between = named ? ", delta = " : "] (";
  const after = delta ? ") " : "] ";
  return {
    before: named ? "timestamp = " : "[",
    between,
    betweenShort: `${between}+0.`,
    after: named ? "" : after,
  };
}
