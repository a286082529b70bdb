/** The program `lttng`: its own options, and its table of commands. */

import { createLog } from "../base/log.ts";
import { PROTOCOL_VERSION, VERSION } from "../base/version.ts";
import { writeErrorLine } from "./background.ts";
import { formatHelp, formatOptionList } from "./help.ts";
import { OptionError, type OptionTable, parseCommandLine } from "./options.ts";
import { runView } from "./view.ts";

/** The options of `lttng` itself, before any command. */
export const LTTNG_OPTIONS = [
  {
    name: "list-options",
    kind: "switch",
    help: "List the options, one a line, and exit.",
  },
  {
    name: "version",
    short: "V",
    kind: "switch",
    help: "Print the version and exit.",
  },
  {
    name: "help",
    short: "h",
    kind: "switch",
    help: "Print this help and exit.",
  },
] as const satisfies OptionTable;

/** A command of `lttng`. */
interface Command {
  readonly name: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** Runs it with what follows its name; returns its exit status. */
  run(args: readonly string[]): Promise<number>;
}

/** Every command. A new command is a new row. */
const COMMANDS: readonly Command[] = [
  { name: "view", help: "Print a stored trace.", run: runView },
];

/** Runs `lttng`; returns its exit status. */
export async function runLttng(args: readonly string[]): Promise<number> {
  const log = createLog({
    level: "info",
    json: false,
    write: writeErrorLine,
    now: Date.now,
  });
  try {
    // Options after a command are the command's own.
    const index = args.findIndex((argument) => !argument.startsWith("-"));
    const own = index < 0 ? args : args.slice(0, index);
    const { layer } = parseCommandLine(LTTNG_OPTIONS, own);
    const text = answer((name) => layer.given.has(name));
    if (text !== undefined) {
      console.log(text.trimEnd());
      return 0;
    }
    const written = args[index];
    if (written === undefined) {
      throw new OptionError(`No command: ${commandNames()}: see --help`);
    }
    const command = COMMANDS.find(({ name }) => name === written);
    if (command === undefined) {
      throw new OptionError(
        `Unknown command: ${written}: version ${VERSION} has ` +
          `${commandNames()}: see --help`,
      );
    }
    return await command.run(args.slice(index + 1));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    log.error(error.message);
  }
  return 1;
}

function commandNames(): string {
  return COMMANDS.map(({ name }) => name).join(", ");
}

function answer(given: (name: string) => boolean): string | undefined {
  if (given("help")) return lttngHelp();
  if (given("version")) return `lttng ${VERSION} (LTTng ${PROTOCOL_VERSION})`;
  if (given("list-options")) return formatOptionList(LTTNG_OPTIONS);
  return undefined;
}

/** The text of `lttng --help`. */
export function lttngHelp(): string {
  return formatHelp({
    usage: "lttng [OPTION]... [COMMAND [OPTION]...]",
    purpose: "Prints stored traces, and will control tracing on this " +
      "machine: use the stock lttng for that until then; the collector, " +
      "relayd, works with it.",
    options: LTTNG_OPTIONS,
    environment: [],
    notes: [
      ...COMMANDS.map(({ name, help }) => `Command ${name}: ${help}`),
      "See lttng COMMAND --help.",
    ],
  });
}
