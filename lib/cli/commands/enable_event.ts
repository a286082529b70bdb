/** `lttng enable-event`: chooses what is recorded. */

import { ControlError } from "../../control/errors.ts";
import { parseLogLevel } from "../../control/log_levels.ts";
import type { EventTypeName } from "../../control/names.ts";
import type { LogLevelRule } from "../../control/recording_types.ts";
import type { Given } from "../lttng/arguments.ts";
import { type CommandValues, defineCommand } from "../lttng/command.ts";
import {
  HELP,
  JUL,
  KERNEL,
  LIST_OPTIONS,
  LOG4J,
  PYTHON,
  requireDomain,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import { DEFAULT_CHANNEL } from "../event_rules/event_rules.ts";
import { logLevelWords } from "../event_rules/log_levels.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";
import {
  enableAll,
  enableNamed,
  type Wanted,
} from "../event_rules/enable_rules.ts";

const OPTIONS = [
  HELP,
  SESSION,
  {
    name: "all",
    short: "a",
    kind: "switch",
    help: "Record all events of the domain.",
  },
  {
    name: "channel",
    short: "c",
    kind: "value",
    valueName: "CHANNEL",
    defaultText: DEFAULT_CHANNEL,
    help: "Record to this channel; it is made where it is missing.",
  },
  KERNEL,
  USERSPACE,
  JUL,
  LOG4J,
  PYTHON,
  {
    name: "tracepoint",
    kind: "switch",
    help:
      "Record tracepoints, or statements of loggers. This is the default, " +
      "but that --kernel --all records system calls too.",
  },
  {
    name: "probe",
    kind: "value",
    valueName: "LOCATION",
    help: "Record when the kernel comes to an address, a symbol or " +
      "SYMBOL+OFFSET.",
  },
  {
    name: "userspace-probe",
    kind: "value",
    valueName: "LOCATION",
    help: "Record, with the kernel's tracer, when a program comes to " +
      "[elf:]PATH:FUNCTION or sdt:PATH:PROVIDER:PROBE.",
  },
  {
    name: "function",
    kind: "value",
    valueName: "LOCATION",
    help: "Record when the kernel enters and leaves a function: an address, " +
      "a symbol or SYMBOL+OFFSET.",
  },
  { name: "syscall", kind: "switch", help: "Record system calls." },
  {
    name: "loglevel",
    kind: "value",
    valueName: "LEVEL",
    help: "Record events that are at least as severe.",
  },
  {
    name: "loglevel-only",
    kind: "value",
    valueName: "LEVEL",
    help: "Record events of exactly this level.",
  },
  LIST_OPTIONS,
  {
    name: "filter",
    short: "f",
    kind: "value",
    valueName: "EXPRESSION",
    help: "Record events for which this is true, such as " +
      "'size > 100 && $ctx.procname == \"db*\"'.",
  },
  {
    name: "exclude",
    short: "x",
    kind: "value",
    valueName: "EVENT[,EVENT]...",
    help: "Leave these out of what a pattern matches.",
  },
] as const;

type Values = CommandValues<typeof OPTIONS>;

/** The options that choose a type. */
const TYPES: Readonly<Record<string, EventTypeName>> = {
  tracepoint: "tracepoint",
  probe: "probe",
  "userspace-probe": "userspace-probe",
  function: "function",
  syscall: "syscall",
};

/** What messages call each type. */
const TYPE_WORDS: Readonly<Partial<Record<EventTypeName, string>>> = {
  probe: "Probe",
  "userspace-probe": "Userspace Probe",
  function: "Function",
};

export const enableEvent = defineCommand({
  name: "enable-event",
  group: "Recording event rules",
  help: "Create or enable recording event rules",
  usage: [
    "--userspace [OPTION]... (EVENT[,EVENT]... | --all)",
    "(--jul | --log4j | --python) [OPTION]... (LOGGER[,LOGGER]... | --all)",
    "--kernel [OPTION]... (EVENT[,EVENT]... | --all)",
  ],
  about: "Chooses what a session records. A name may have * for anything in " +
    "it.",
  examples: [
    ["lttng enable-event --userspace --all", "All that programs can tell."],
    [
      "lttng enable-event --userspace 'net:*' --exclude=net:tick --loglevel=INFO",
      "All of net but net:tick, from INFO on.",
    ],
    [
      "lttng enable-event --userspace net:send --filter='size > 1000'",
      "Only large ones.",
    ],
    ["lttng enable-event --kernel sched_switch", "A tracepoint of the kernel."],
  ],
  options: OPTIONS,
  run: async (run, values, args, given) => {
    const type = givenType(given);
    const domain = requireDomain(values, true);
    run.report.open();
    const [names] = args;
    if (names === undefined && !values.all) {
      throw new CommandFailure(
        "Missing event name(s).",
        Status.ERROR,
        "Name events, or use --all; lttng list --userspace says what running " +
          "programs can record.",
      );
    }
    run.refuseMore(args, 1);
    return await run.reported(async (output) => {
      const session = run.session(values.session);
      const level = givenLevel(given);
      const { channel, filter } = values;
      const base = { session, domain, type, channel, filter };
      checkCombination(run, base, values, level);
      const wanted: Wanted = {
        ...base,
        exclude: values.exclude,
        probe: values.probe ?? values.function,
        userspaceProbe: values["userspace-probe"],
        level,
      };
      const events = output.add("events");
      return values.all
        ? await enableAll(run, events, wanted, logLevelRule(wanted))
        : await enableNamed(
          run,
          events,
          wanted,
          (names ?? "").split(",").filter((name) => name !== ""),
          () => logLevelRule(wanted),
        );
    });
  },
});

/** The type that is given; different ones are refused. */
function givenType(given: readonly Given[]): EventTypeName {
  const types = given.flatMap(({ option }) => TYPES[option.name] ?? []);
  const [first = "all"] = types;
  if (types.some((type) => type !== first)) {
    throw new CommandFailure("Multiple event type not supported.");
  }
  return first;
}

/** The log level that is given last, and how. */
function givenLevel(given: readonly Given[]): Wanted["level"] {
  for (const { option, value } of given.toReversed()) {
    if (value === undefined) continue;
    if (option.name === "loglevel") return { type: "range", word: value };
    if (option.name === "loglevel-only") return { type: "single", word: value };
  }
  return undefined;
}

function checkCombination(
  run: Run,
  { domain, type, filter }: Pick<Wanted, "domain" | "type" | "filter">,
  { exclude }: Values,
  level: Wanted["level"],
): void {
  if (domain === "kernel" && level !== undefined) {
    run.say.warning("Kernel loglevels are not supported.");
  }
  if (exclude !== undefined && domain !== "ust") {
    throw new CommandFailure(
      "Event name exclusions are not yet implemented for " +
        `${domain} events`,
    );
  }
  const word = TYPE_WORDS[type];
  if (domain === "kernel" && filter !== undefined && word !== undefined) {
    throw new CommandFailure(
      `Filter expressions are not supported for ${word} events`,
    );
  }
}

function logLevelRule({ domain, level }: Wanted): LogLevelRule | undefined {
  if (domain === "kernel" || level === undefined) return undefined;
  try {
    return { type: level.type, level: parseLogLevel(domain, level.word) };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    throw new CommandFailure(
      `Unknown loglevel ${level.word}`,
      error.code,
      `Use one of ${logLevelWords(domain).join(", ")}.`,
    );
  }
}
