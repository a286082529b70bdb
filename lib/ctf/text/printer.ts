/** Events as text, byte for byte as babeltrace2 prints them by default. */

import { type Moment, setMoment, timeOf } from "../read/clock.ts";
import type { EventSource } from "../read/event_source.ts";
import type {
  EventClass,
  EventRecord,
  LossRecord,
  StreamInfo,
  StructClass,
  StructValue,
  TraceClass,
} from "../read/model.ts";
import type { EventFields } from "../read/trace_decoder.ts";
import { asciiBytes, TextBuffer } from "./buffer.ts";
import { type FieldPrinter, structPrinter } from "./fields.ts";
import { type Colors, type FieldStyle, PLAIN } from "./style.ts";
import { type TimeOptions, TimePrinter } from "./time.ts";
import { compileTranscriber, type Transcriber } from "./transcriber.ts";

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
  /** Default: {@linkcode PLAIN}. */
  readonly colors?: Colors;
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

/** How one struct of an event is printed. */
interface Scope {
  readonly place: keyof EventFields;
  /** Such as `event.fields = `. */
  readonly before: string;
  readonly style: FieldStyle;
  readonly print: FieldPrinter;
}

/** What comes out of one class, but for times and values. */
class Plan {
  readonly header: Uint8Array;
  readonly packetContext: FieldPrinter | undefined;
  /** Those that the class has, in their order. */
  readonly scopes: readonly Scope[];
  /** The header and the context of the packet printed last. */
  beginning: Uint8Array | undefined;
  beginningOf: StructValue | undefined;
  #transcriber: Transcriber | undefined;

  constructor(
    header: Uint8Array,
    { class: stream, trace }: StreamInfo,
    eventClass: EventClass,
    names: ReadonlySet<ShownName>,
    colors: Colors,
  ) {
    const style = { colors, groupsLabels: isCtf2(trace) };
    const context = { names: names.has("context"), ...style };
    const payload = { names: names.has("payload"), ...style };
    function before(name: string): string {
      return names.has("scope") ? `${colors.title}${name}${colors.end} = ` : "";
    }
    function scope(
      place: Scope["place"],
      name: string,
      structClass: StructClass | undefined,
      style: FieldStyle,
    ): Scope[] {
      if (structClass === undefined) return [];
      const print = structPrinter(structClass, style);
      return [{ place, before: before(name), style, print }];
    }
    this.header = header;
    const { packetContext } = stream;
    // Without members, all that it had was about the packet itself.
    if (packetContext !== undefined && packetContext.members.length > 0) {
      const text = before("stream.packet.context");
      const print = structPrinter(packetContext, context);
      this.packetContext = (value, out) => {
        out.text(text);
        print(value, out);
      };
    }
    this.scopes = [
      ...scope(
        "streamContext",
        "stream.event.context",
        stream.eventContext,
        context,
      ),
      ...scope("context", "event.context", eventClass.context, context),
      ...scope("payload", "event.fields", eventClass.payload, payload),
    ];
  }

  /** What prints the fields of the class; `some` text comes before. */
  transcriberOf(fields: EventFields, some: boolean): Transcriber {
    return this.#transcriber ??= compileTranscriber(
      this.scopes.map(({ place, before, style }, index) => ({
        before: (some || index > 0 ? ", " : "") + before,
        field: fields[place]!,
        style,
      })),
      "\n",
    );
  }
}

/** What stands around an event's time and the time since the event before. */
interface TimeMarks {
  readonly before: Uint8Array;
  readonly between: Uint8Array;
  /** With the beginning of a time of less than a second. */
  readonly betweenShort: Uint8Array;
  readonly after: Uint8Array;
}

/** Prints events and losses one after the other. */
export class TextPrinter {
  readonly #out: TextBuffer;
  readonly #scratch = new TextBuffer();
  readonly #options: TextOptions;
  readonly #fields: ReadonlySet<ShownField>;
  readonly #names: ReadonlySet<ShownName>;
  readonly #times: TimePrinter;
  readonly #marks: TimeMarks;
  readonly #colors: Colors;
  readonly #plans = new Map<EventClass, Plan>();
  /** The time, and the ticks, of the event before. */
  readonly #last: Moment = { seconds: NaN, nanoseconds: 0 };
  #lastCycles: bigint | undefined;
  readonly #moment: Moment = { seconds: 0, nanoseconds: 0 };
  readonly #transcribe = (source: EventSource) => this.#transcribeAt(source);

  /** Prints into `out`, which the caller empties. */
  constructor(out: TextBuffer, options: TextOptions = {}) {
    this.#out = out;
    this.#options = options;
    this.#fields = options.fields ?? DEFAULT_FIELDS;
    this.#names = options.names ?? DEFAULT_NAMES;
    this.#colors = options.colors ?? PLAIN;
    this.#marks = timeMarks(
      this.#names.has("header"),
      options.delta !== false,
      this.#colors,
    );
    this.#times = new TimePrinter(options, (line) => this.#warn(line));
  }

  /** Adds the line of an event. */
  event(event: EventRecord): void {
    const out = this.#out;
    const { stream, packetContext } = event;
    const plan = this.#planOf(stream, event.class);
    if (stream.class.clock !== undefined) {
      setMoment(this.#moment, event.timestamp);
      this.#printTime(this.#moment, event);
      this.#remember(this.#moment, event);
    }
    let some = this.#printBeginning(plan, packetContext);
    for (const scope of plan.scopes) {
      const value = event[scope.place];
      if (value === undefined) continue;
      out.text((some ? ", " : "") + scope.before);
      scope.print(value, out);
      some = true;
    }
    out.text("\n");
  }

  /**
   * Adds the line of the event that `source` stands at, from its bytes: far
   * faster than {@linkcode event}. Returns whether it could be read.
   */
  eventAt(source: EventSource): boolean {
    const before = this.#out.length;
    if (source.take(this.#transcribe)) return true;
    this.#out.truncate(before);
    return false;
  }

  #transcribeAt(source: EventSource): true {
    const { cursor, event } = source;
    const { stream, start } = source.packet!;
    const out = this.#out;
    const before = out.length;
    const plan = this.#planOf(stream, event.class);
    const timed = stream.class.clock !== undefined;
    const ticks = { cycles: this.#options.cycles ? cursor.clock.ticks : 0n };
    if (timed) this.#printTime(source, ticks);
    const some = this.#printBeginning(plan, start.context);
    try {
      plan.transcriberOf(event.fields, some)(cursor, out);
    } catch (error) {
      out.truncate(before);
      throw error;
    }
    if (timed) this.#remember(source, ticks);
    return true;
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
    const id = stream.instanceId ?? this.#options.streamNumber?.(stream);
    return `WARNING: Tracer ${what} ${when} in trace ` +
      `"${this.#traceName(stream.trace)}" ` +
      `(${identity(stream.trace)}) within stream "${stream.path}" ` +
      `(stream class ID: ${stream.class.id}, ` +
      (id === undefined ? "no stream ID" : `stream ID: ${id}`) + ").";
  }

  /**
   * Adds the header and the packet's context, which is the same for many
   * events; returns whether there is such a context.
   */
  #printBeginning(plan: Plan, packetContext: StructValue | undefined): boolean {
    const out = this.#out;
    const has = plan.packetContext !== undefined && packetContext !== undefined;
    if (plan.beginningOf !== packetContext || plan.beginning === undefined) {
      const scratch = this.#scratch;
      scratch.bytes(plan.header);
      if (has) plan.packetContext(packetContext, scratch);
      plan.beginning = scratch.take().slice();
      plan.beginningOf = packetContext;
    }
    out.bytes(plan.beginning);
    return has;
  }

  #warn(line: string): void {
    this.#options.warn?.(line);
  }

  #timeText(time: bigint): string {
    const out = new TextBuffer();
    const moment: Moment = { seconds: 0, nanoseconds: 0 };
    setMoment(moment, time);
    this.#times.print(moment, out);
    return new TextDecoder().decode(out.take());
  }

  #printTime(moment: Moment, { cycles }: { cycles: bigint }): void {
    const out = this.#out;
    const { cycles: asCycles, delta } = this.#options;
    out.bytes(this.#marks.before);
    if (asCycles) out.text(cycles.toString().padStart(20, "0"));
    else this.#times.print(moment, out);
    if (delta !== false) {
      if (asCycles) this.#printCyclesDelta(cycles);
      else this.#printDelta(moment);
    }
    out.bytes(this.#marks.after);
  }

  /** What the next event's time is after. */
  #remember(
    { seconds, nanoseconds }: Moment,
    { cycles }: { cycles: bigint },
  ): void {
    this.#last.seconds = seconds;
    this.#last.nanoseconds = nanoseconds;
    this.#lastCycles = cycles;
  }

  #printDelta(now: Moment): void {
    const out = this.#out;
    const { between, betweenShort } = this.#marks;
    const last = this.#last;
    const short = (now.seconds - last.seconds) * 1e9 +
      now.nanoseconds - last.nanoseconds;
    if (short >= 0 && short < 1e9) {
      out.bytes(betweenShort);
      return out.nine(short);
    }
    out.bytes(between);
    if (Number.isNaN(short)) return out.text("+?.?????????");
    const wide = BigInt.asUintN(64, timeOf(now) - timeOf(last));
    out.text(`+${wide / 1_000_000_000n}.`);
    out.nine(Number(wide % 1_000_000_000n));
  }

  #printCyclesDelta(now: bigint): void {
    const last = this.#lastCycles;
    this.#out.bytes(this.#marks.between);
    if (last === undefined) return this.#out.text("+????????????");
    const delta = BigInt.asUintN(64, now - last);
    this.#out.text(`+${delta.toString().padStart(12, "0")}`);
  }

  #planOf(stream: StreamInfo, eventClass: EventClass): Plan {
    const known = this.#plans.get(eventClass);
    if (known !== undefined) return known;
    const header = asciiBytes(this.#header(stream, eventClass));
    const plan = new Plan(
      header,
      stream,
      eventClass,
      this.#names,
      this.#colors,
    );
    this.#plans.set(eventClass, plan);
    return plan;
  }

  /** What stands between an event's time and its contexts. */
  #header(stream: StreamInfo, eventClass: EventClass): string {
    const named = this.#names.has("header");
    // After a time with its name, what follows needs a comma.
    const timed = named && stream.class.clock !== undefined;
    const comma = timed ? ", " : "";
    const { title, eventName, end } = this.#colors;
    const shown = `${eventName}${eventClass.name}${end}`;
    const label = (name: string) => named ? `${title}${name}${end} = ` : "";
    let text = "";
    const name = this.#traceName(stream.trace);
    if (this.#fields.has("trace")) {
      text += comma + label("trace") + name + (named ? ", " : "");
    }
    let others = false;
    for (const [field, part] of this.#headerParts(stream, eventClass)) {
      if (part === undefined || !this.#fields.has(field)) continue;
      text += comma + label(field === "emf" ? "model.emf.uri" : field);
      if (!named && others && field !== "trace:hostname") text += ":";
      text += part;
      others = true;
    }
    if (others && !named) text += " ";
    text += comma;
    return text + label("name") + shown + (named ? ", " : ": ");
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

/** There babeltrace2 2.1 is the one to be like: older ones cannot read it. */
function isCtf2({ byteOrder }: TraceClass): boolean {
  return byteOrder === undefined;
}

/** What babeltrace2 identifies a trace by. */
function identity(trace: TraceClass): string {
  const [name, value] = isCtf2(trace)
    ? ["UID", trace.uid]
    : ["UUID", trace.uuid];
  return value === undefined ? `no ${name}` : `${name}: ${value}`;
}

function timeMarks(
  named: boolean,
  delta: boolean,
  { time, title, end }: Colors,
): TimeMarks {
  const between = named ? `, ${title}delta${end} = ` : "] (";
  const after = delta ? ") " : "] ";
  return {
    before: asciiBytes(
      (named ? `${title}timestamp${end} = ` : "[") + time,
    ),
    between: asciiBytes(end + between),
    betweenShort: asciiBytes(`${end}${between}+0.`),
    after: asciiBytes((delta ? "" : end) + (named ? "" : after)),
  };
}
