/** Rows of the tables of options and variables that every daemon has. */

import type { EnvironmentVariable } from "../options/help.ts";
import type { Option, OptionTable } from "../options/options.ts";

/** For a program that started the daemon. */
export const SIG_PARENT_OPTION = {
  name: "sig-parent",
  short: "S",
  kind: "switch",
  help: "Send SIGUSR1 to the parent process when ready.",
} as const satisfies Option;

/** Where else options are read from. */
export const CONFIG_OPTION = {
  name: "config",
  short: "f",
  kind: "value",
  valueName: "PATH",
  inConfigFile: false,
  help: "Read this configuration file too.",
} as const satisfies Option;

/** The form of log lines. */
export const JSON_OPTION = {
  name: "json",
  kind: "switch",
  help: "Write each log line as a JSON object.",
} as const satisfies Option;

/** The number of log lines, and what every program answers: last in a table. */
export const CLOSING_OPTIONS = [
  {
    name: "verbose",
    short: "v",
    kind: "count",
    help: "Log more; may be given up to three times.",
  },
  {
    name: "list-options",
    kind: "switch",
    inConfigFile: false,
    help: "List the options, one a line, and exit.",
  },
  {
    name: "version",
    short: "V",
    kind: "switch",
    inConfigFile: false,
    help: "Print the version and exit.",
  },
  {
    name: "help",
    short: "h",
    kind: "switch",
    inConfigFile: false,
    help: "Print this help and exit.",
  },
] as const satisfies OptionTable;

/** Where a daemon's files are. */
export const DIRECTORY_VARIABLES = [
  {
    name: "LTTNG_HOME",
    help: "Stands for the home directory, HOME, in every default path.",
  },
  {
    name: "LTTNG_RUNDIR",
    help:
      "Run directory. Default: /var/run/lttng for root, ~/.lttng for others.",
  },
] as const satisfies readonly EnvironmentVariable[];

/** What `--help` says of configuration files and the exit status. */
export function closingNotes(section: string): readonly string[] {
  return [
    `Long options can stand in the [${section}] section of ` +
    "/etc/lttng/lttng.conf, of ~/.lttng/lttng.conf and of the file that " +
    "--config names, one option = value a line, switches with yes or no. " +
    "Each of these wins over the one before, and the command line wins " +
    "over all.",
    "Exit status: 0 after an orderly end, 1 after an error.",
  ];
}
