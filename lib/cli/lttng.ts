/** The program `lttng`: so far it only says what it is. */

import { createLog } from "../base/log.ts";
import { PROTOCOL_VERSION, VERSION } from "../base/version.ts";
import { writeErrorLine } from "./background.ts";
import { formatHelp, formatOptionList } from "./help.ts";
import { OptionError, type OptionTable, parseCommandLine } from "./options.ts";

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

/** What is said to whoever asks for a command. */
const NO_COMMANDS = `version ${VERSION} has no commands yet`;

/** Runs `lttng`; returns its exit status. */
export function runLttng(args: readonly string[]): number {
  const log = createLog({
    level: "info",
    json: false,
    write: writeErrorLine,
    now: Date.now,
  });
  try {
    // Options after a command would be the command's own.
    const command = args.findIndex((argument) => !argument.startsWith("-"));
    const own = command < 0 ? args : args.slice(0, command);
    const { layer } = parseCommandLine(LTTNG_OPTIONS, own);
    const text = answer((name) => layer.given.has(name));
    if (text !== undefined) {
      console.log(text.trimEnd());
      return 0;
    }
    log.error(
      command < 0
        ? `No command: ${NO_COMMANDS}: see --help`
        : `Unknown command: ${args[command]}: ${NO_COMMANDS}: see --help`,
    );
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    log.error(error.message);
  }
  return 1;
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
    usage: "lttng [OPTION]...",
    purpose: "Will control tracing on this machine. There are no commands in " +
      `version ${VERSION}: this program answers only the options below. Use ` +
      "the stock lttng until then; the collector, relayd, works with it.",
    options: LTTNG_OPTIONS,
    environment: [],
    notes: [],
  });
}
