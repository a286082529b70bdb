/** The program `lttng`: its own options, and the way to its commands. */

import { PROTOCOL_VERSION, VERSION } from "../../base/version.ts";
import { type ArgumentProblem, splitGlobal } from "./arguments.ts";
import type { Command, CommandGroup } from "./command.ts";
import { COMMANDS } from "../commands.ts";
import { Console, type ConsoleStreams, standardStreams } from "./console.ts";
import { explainOutput } from "./delivery.ts";
import { formatHelp, formatOptionList } from "../options/help.ts";
import { hintForProblem } from "./hints.ts";
import { LTTNG_ENVIRONMENT, LTTNG_OPTIONS } from "./lttng_options.ts";
import { nearest } from "../options/nearest.ts";
import { type GlobalSettings, Run } from "./run.ts";
import { Status } from "./status.ts";

/** What the options before a command say. */
interface Settings extends GlobalSettings {
  readonly quiet: boolean;
  readonly verbosity: number;
}

/** Runs `lttng`; returns its exit status. */
export async function runLttng(
  args: readonly string[],
  streams: ConsoleStreams = standardStreams(),
): Promise<number> {
  const plain = { quiet: false, verbosity: 0, forProgram: false };
  const say = new Console(streams, plain);
  if (args.length === 0) {
    say.print(shortHelp());
    say.hint(FIRST_STEPS);
    return Status.ERROR;
  }
  const { given, problem, rest } = splitGlobal(LTTNG_OPTIONS, args);
  let settings = DEFAULTS;
  for (const { option, value = "" } of given) {
    const text = answerTo(option.name);
    if (text !== undefined) {
      say.print(text);
      return Status.OK;
    }
    const next = withOption(settings, option.name, value);
    if (next === undefined) {
      say.error("MI output format not supported");
      say.hint("Use xml or json.");
      return MI_OUTPUT_TYPE;
    }
    settings = next;
  }
  if (problem !== undefined) return refuse(say, problem);
  const [name, ...more] = rest;
  if (name === undefined) {
    say.hint("No command: see lttng --help.");
    return Status.ERROR;
  }
  return await runCommand(name, more, settings, streams);
}

/** -91, as exit statuses are. */
const MI_OUTPUT_TYPE = 256 - 91;

const DEFAULTS: Settings = {
  group: undefined,
  noSessiond: false,
  sessiondPath: undefined,
  relaydPath: undefined,
  form: undefined,
  quiet: false,
  verbosity: 0,
};

function withOption(
  settings: Settings,
  name: string,
  value: string,
): Settings | undefined {
  switch (name) {
    case "group":
      return { ...settings, group: value };
    case "verbose":
      return { ...settings, verbosity: Math.min(settings.verbosity + 1, 3) };
    case "quiet":
      return { ...settings, quiet: true };
    case "no-sessiond":
      return { ...settings, noSessiond: true };
    case "sessiond-path":
      return { ...settings, sessiondPath: value };
    case "relayd-path":
      return { ...settings, relaydPath: value };
    case "json":
      return { ...settings, form: "json" };
    case "mi":
      if (/^xml/i.test(value)) return { ...settings, form: "xml" };
      if (value === "json") return { ...settings, form: "json" };
      return undefined;
  }
  return settings;
}

async function runCommand(
  name: string,
  args: readonly string[],
  settings: Settings,
  streams: ConsoleStreams,
): Promise<number> {
  const { quiet, verbosity, form } = settings;
  const forProgram = form !== undefined;
  const say = new Console(streams, { quiet, verbosity, forProgram });
  const command = COMMANDS.find((command) => command.name === name);
  if (command === undefined) {
    say.message(`lttng: ${name} is not an lttng command. See 'lttng --help'.`);
    const near = nearest(name, COMMANDS.map(({ name }) => name));
    if (near !== undefined) say.hint(`Did you mean lttng ${near}?`);
    return Status.UNDEFINED;
  }
  const run = new Run(command.name, settings, say, {
    commands: COMMANDS,
    options: LTTNG_OPTIONS,
    help: lttngHelp,
  });
  let status: number;
  try {
    status = await command.execute(run, args);
  } catch (error) {
    status = run.fail(error);
  }
  await explainOutput(run, status);
  if (form !== undefined) say.print(run.report.format(form));
  return status;
}

/** As `getopt_long()` words it. */
function refuse(say: Console, problem: ArgumentProblem): number {
  say.streams.err(`lttng: ${problemWords(problem)}\n`);
  say.hint(hintForProblem(problem, LTTNG_OPTIONS, "lttng --help"));
  return Status.ERROR;
}

function problemWords({ kind, written, name }: ArgumentProblem): string {
  const isLong = written.startsWith("--");
  const letter = written.slice(1);
  switch (kind) {
    case "unknown":
      return isLong
        ? `unrecognized option '${written}'`
        : `invalid option -- '${letter}'`;
    case "no value":
      return isLong
        ? `option '${name}' requires an argument`
        : `option requires an argument -- '${letter}'`;
    case "unwanted value":
      return `option '${name}' doesn't allow an argument`;
    case "ambiguous": {
      const names = LTTNG_OPTIONS.map((option) => `--${option.name}`)
        .filter((option) => option.startsWith(written));
      const list = names.map((option) => ` '${option}'`).join("");
      return `option '${written}' is ambiguous; possibilities:${list}`;
    }
  }
}

function answerTo(option: string): string | undefined {
  switch (option) {
    case "help":
      return lttngHelp();
    case "version":
      return `lttng ${VERSION} (LTTng ${PROTOCOL_VERSION})\n`;
    case "list-options":
      return formatOptionList(LTTNG_OPTIONS);
    case "list-commands":
      return COMMANDS.filter(({ isOurs }) => !isOurs)
        .map(({ name }) => `${name}\n`).join("");
  }
  return undefined;
}

// ---- Help -----------------------------------------------------------------------

/** The headings of `lttng`, in their order. */
const GROUPS: readonly CommandGroup[] = [
  "Recording sessions",
  "Channels",
  "Recording event rules",
  "Status",
  "Control",
  "Recording session rotation",
  "Resource tracking",
  "Triggers",
  "Miscellaneous",
];

/** These stand first in their groups, the others by name. */
const FIRST_IN_GROUP: readonly string[] = [
  ...["create", "add-trigger", "remove-trigger"],
];

const NAME_COLUMNS = 18;

const FIRST_STEPS = `First steps:
  lttng create demo                       make a session
  lttng enable-event --userspace --all    choose what is recorded
  lttng start                             record
  lttng destroy                           stop; says what was lost
  lttng view ~/lttng-traces               print the trace`;

/** What `lttng` prints without arguments. */
export function shortHelp(): string {
  const lines = [
    "Usage: lttng [--group=GROUP] [--mi=TYPE] [--no-sessiond | --sessiond-path=PATH]",
    "             [--quiet | -v | -vv | -vvv] COMMAND [COMMAND OPTIONS]",
    "",
    "Available commands:",
  ];
  for (const group of GROUPS) {
    lines.push("", `${group}:`);
    for (const { name, help } of inGroup(group)) {
      lines.push(`  ${name.padEnd(NAME_COLUMNS)}${help}`);
    }
  }
  lines.push(
    "",
    "Run `lttng help COMMAND` or `lttng COMMAND --help` to get help with",
    "command COMMAND.",
    "",
    "See `man lttng` for more help with the lttng command.",
  );
  return `${lines.join("\n")}\n`;
}

/** The commands of a group as the stock program shows them. */
function inGroup(group: CommandGroup): Command[] {
  const shown = COMMANDS.filter((command) =>
    command.group === group && !command.isHidden && !command.isOurs
  );
  const order = ({ name }: Command) => {
    const index = FIRST_IN_GROUP.indexOf(name);
    return index < 0 ? FIRST_IN_GROUP.length : index;
  };
  return shown.toSorted((a, b) =>
    order(a) - order(b) || (a.name < b.name ? -1 : 1)
  );
}

/** The text of `lttng --help`. */
export function lttngHelp(): string {
  return formatHelp({
    usage: "lttng [OPTION]... COMMAND [OPTION]...",
    purpose: "Controls tracing on this machine through an LTTng session " +
      "daemon, and prints traces. It works like the lttng of lttng-tools " +
      "2.13, with session daemons of versions 2.12 to 2.15.",
    options: LTTNG_OPTIONS,
    environment: LTTNG_ENVIRONMENT,
    sections: [...GROUPS, "Older spellings" as const].map((group) => ({
      title: group,
      rows: COMMANDS.filter((command) => command.group === group)
        .map(({ name, help }) => [name, `${help}.`] as const),
    })),
    notes: ["See lttng COMMAND --help. Exit status: 0 when all went well."],
  }) + `\n${FIRST_STEPS}\n`;
}
