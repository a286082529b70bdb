/** The options of `lttng view`, as a table, and what they mean. */

import {
  DEFAULT_FIELDS,
  DEFAULT_NAMES,
  SHOWN_FIELDS,
  SHOWN_NAMES,
  type ShownField,
  type ShownName,
} from "../../ctf/text/printer.ts";
import { parseTimeBound, type TimeBound } from "../../ctf/text/time_bound.ts";
import {
  mergeLayers,
  OptionError,
  type OptionTable,
  parseCommandLine,
} from "../options/options.ts";

const TIME_FORMS = "YYYY-MM-DD [HH:MM[:SS[.NS]]], HH:MM[:SS[.NS]] or SEC[.NS]";

/** Every option of `lttng view`. A new option is a new row. */
export const VIEW_OPTIONS = [
  {
    name: "json",
    kind: "switch",
    help: "Print one JSON object a line, with all integers exact.",
  },
  {
    name: "summary",
    kind: "switch",
    help: "Print streams, events by name with rates, loss and a histogram " +
      "over time instead of the events.",
  },
  {
    name: "follow",
    kind: "switch",
    help: "Go on with what is recorded from now on, until Ctrl-C; of a live " +
      "session, wait for it to begin.",
  },
  {
    name: "from",
    kind: "value",
    valueName: "WHERE",
    defaultText: "now",
    help: "Read a live session from now on, or from its beginning, as far " +
      "as it is still stored: now, beginning.",
  },
  {
    name: "color",
    kind: "value",
    valueName: "WHEN",
    defaultText: "auto",
    help: "Color the text: never, auto (on a terminal) or always.",
  },
  {
    name: "trace-path",
    short: "t",
    kind: "value",
    valueName: "PATH",
    help: "Read this directory, whatever sessions are called.",
  },
  {
    name: "limit",
    kind: "value",
    valueName: "N",
    help: "Stop after N events.",
  },
  {
    name: "begin",
    short: "b",
    kind: "value",
    valueName: "TIME",
    help: `Leave out what is earlier: ${TIME_FORMS}.`,
  },
  {
    name: "end",
    short: "e",
    kind: "value",
    valueName: "TIME",
    help: `Leave out what is later: ${TIME_FORMS}.`,
  },
  {
    name: "event",
    kind: "value",
    valueName: "PATTERN",
    help: "Only events with such a name; * stands for anything.",
  },
  {
    name: "clock-cycles",
    kind: "switch",
    help: "Print times as ticks of the clock.",
  },
  {
    name: "clock-date",
    kind: "switch",
    help: "Print times with their date.",
  },
  {
    name: "clock-gmt",
    kind: "switch",
    help: "Print and read times in UTC instead of the local time zone.",
  },
  {
    name: "clock-seconds",
    kind: "switch",
    help: "Print times as SEC.NS.",
  },
  {
    name: "no-delta",
    kind: "switch",
    help: "Leave out the time since the event before.",
  },
  {
    name: "fields",
    short: "f",
    kind: "value",
    valueName: "FIELD[,FIELD]...",
    defaultText: "trace:hostname,trace:procname,trace:vpid",
    help: `Print these before the name: all, ${SHOWN_FIELDS.join(", ")}.`,
  },
  {
    name: "names",
    short: "n",
    kind: "value",
    valueName: "NAME[,NAME]...",
    defaultText: "payload,context",
    help: `Print names there: all, none, ${SHOWN_NAMES.join(", ")}.`,
  },
  {
    name: "help",
    short: "h",
    kind: "switch",
    help: "Print this help and exit.",
  },
] as const satisfies OptionTable;

/** What one run of `lttng view` is to do. */
export interface ViewSettings {
  /** A path, a URL or a session's name; unset for the current session. */
  readonly target: string | undefined;
  readonly form: "text" | "json" | "summary";
  readonly follow: boolean;
  readonly from: "last" | "beginning";
  readonly color: boolean;
  readonly limit: number;
  readonly begin: TimeBound | undefined;
  readonly end: TimeBound | undefined;
  readonly event: string | undefined;
  readonly cycles: boolean;
  readonly date: boolean;
  readonly gmt: boolean;
  readonly seconds: boolean;
  readonly delta: boolean;
  readonly fields: ReadonlySet<ShownField>;
  readonly names: ReadonlySet<ShownName>;
}

/**
 * What a command line, without `view` itself, asks for.
 *
 * @throws {OptionError} When it makes no sense.
 */
export function parseView(
  args: readonly string[],
  isTerminal: boolean,
): ViewSettings | "help" {
  const { layer, rest } = parseCommandLine(VIEW_OPTIONS, args);
  const { values } = mergeLayers(VIEW_OPTIONS, [layer]);
  if (values.help) return "help";
  const [target, another] = [...rest, values["trace-path"]]
    .filter((given) => given !== undefined);
  if (target === "") {
    throw new OptionError("An empty path: name a trace's directory");
  }
  if (another !== undefined) {
    throw new OptionError(`More than one thing to read: ${another}`);
  }
  if (values.json && values.summary) {
    throw new OptionError("Either --json or --summary, not both");
  }
  const gmt = values["clock-gmt"];
  const begin = bound("begin", values.begin, gmt);
  const end = bound("end", values.end, gmt);
  if (typeof begin === "bigint" && typeof end === "bigint" && begin > end) {
    throw new OptionError(
      `--begin is later than --end: ${values.begin} > ${values.end}`,
    );
  }
  return {
    target: values["trace-path"] === undefined
      ? target
      : asPath(values["trace-path"]),
    form: values.json ? "json" : values.summary ? "summary" : "text",
    follow: values.follow,
    from: from(values.from),
    color: color(values.color, isTerminal),
    limit: limit(values.limit),
    begin,
    end,
    event: values.event,
    cycles: values["clock-cycles"],
    date: values["clock-date"],
    gmt,
    seconds: values["clock-seconds"],
    delta: !values["no-delta"],
    fields: shownFields(values.fields),
    names: shownNames(values.names),
  };
}

/** With a slash in it, so that it is no session's name. */
function asPath(path: string): string {
  return path.includes("/") ? path : `./${path}`;
}

function color(text: string | undefined, isTerminal: boolean): boolean {
  switch (text) {
    case undefined:
    case "auto":
      return isTerminal && !Deno.noColor;
    case "always":
      return true;
    case "never":
      return false;
  }
  throw new OptionError(`--color: Not never, auto or always: "${text}"`);
}

function from(text: string | undefined): "last" | "beginning" {
  if (text === undefined || text === "now") return "last";
  if (text === "beginning") return "beginning";
  throw new OptionError(`--from: Not now or beginning: "${text}"`);
}

function limit(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new OptionError(`--limit: Not a number of events: "${text}"`);
}

function bound(
  name: string,
  text: string | undefined,
  gmt: boolean,
): TimeBound | undefined {
  if (text === undefined) return undefined;
  const time = parseTimeBound(text, gmt);
  if (time !== undefined) return time;
  throw new OptionError(`--${name}: Not a time: "${text}": use ${TIME_FORMS}`);
}

/** As babeltrace2 has it: `all` shows all, else only what is listed. */
function shownFields(text: string | undefined): ReadonlySet<ShownField> {
  const words = wordsOf(text);
  if (words === undefined) return DEFAULT_FIELDS;
  if (words.includes("all")) return new Set(SHOWN_FIELDS);
  return new Set(words.map((word) => known("fields", SHOWN_FIELDS, word)));
}

/** Other words for names, which babeltrace2 takes too. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  arg: "payload",
  args: "payload",
  ctx: "context",
};

function shownNames(text: string | undefined): ReadonlySet<ShownName> {
  const words = wordsOf(text);
  if (words === undefined) return DEFAULT_NAMES;
  const all = words.includes("all");
  if (all && words.includes("none")) {
    throw new OptionError("--names: Either all or none, not both");
  }
  const listed = words
    .filter((word) => word !== "all" && word !== "none")
    .map((word) => known("names", SHOWN_NAMES, OTHER_NAMES[word] ?? word));
  return new Set(all ? SHOWN_NAMES : listed);
}

function wordsOf(text: string | undefined): string[] | undefined {
  const words = (text ?? "").split(",").map((word) => word.trim())
    .filter((word) => word !== "");
  return words.length === 0 ? undefined : words;
}

function known<Word extends string>(
  option: string,
  words: readonly Word[],
  written: string,
): Word {
  const word = words.find((candidate) => candidate === written);
  if (word !== undefined) return word;
  throw new OptionError(
    `--${option}: Unknown: "${written}": use all, ${words.join(", ")}`,
  );
}
