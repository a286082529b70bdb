/** The options of `lttng` itself, a row each, and its variables. */

import { HINTS_VARIABLE } from "./console.ts";
import { SESSIOND_PATH_VARIABLE } from "./daemons.ts";
import type { EnvironmentVariable } from "../options/help.ts";
import type { OptionTable } from "../options/options.ts";

/** The options that precede a command, in the order of `--list-options`. */
export const LTTNG_OPTIONS = [
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
  {
    name: "group",
    short: "g",
    kind: "value",
    valueName: "NAME",
    defaultText: "tracing",
    help: "The group whose members may use root's session daemon.",
  },
  {
    name: "verbose",
    short: "v",
    kind: "count",
    help: "Say more on standard error; may be given up to three times.",
  },
  {
    name: "quiet",
    short: "q",
    kind: "switch",
    help: "Say nothing, not even errors: see the exit status.",
  },
  {
    name: "mi",
    short: "m",
    kind: "value",
    valueName: "FORM",
    help: "Print for programs instead of people: xml is LTTng's machine " +
      "interface 4.1, json the same as JSON.",
  },
  {
    name: "no-sessiond",
    short: "n",
    kind: "switch",
    help: "Do not start a session daemon.",
  },
  {
    name: "sessiond-path",
    kind: "value",
    valueName: "PATH",
    defaultText: "/usr/bin/lttng-sessiond",
    help: "The session daemon to start.",
  },
  {
    name: "relayd-path",
    kind: "value",
    valueName: "PATH",
    defaultText: "relayd beside this program, or lttng-relayd",
    help: "The relay daemon to start for lttng create --live.",
  },
  {
    name: "list-options",
    kind: "switch",
    help: "List the options, one a line, and exit.",
  },
  {
    name: "list-commands",
    kind: "switch",
    help: "List the commands, one a line, and exit.",
  },
  {
    name: "json",
    kind: "switch",
    isOurs: true,
    help: "The same as --mi=json.",
  },
] as const satisfies OptionTable;

/** Variables that `lttng` reads. */
export const LTTNG_ENVIRONMENT = [
  {
    name: "LTTNG_HOME",
    help: "Stands for the home directory, HOME, in every path.",
  },
  {
    name: "LTTNG_RUNDIR",
    help: "Run directory of a session daemon of LTTng 2.14 or later.",
  },
  {
    name: SESSIOND_PATH_VARIABLE,
    help: "The session daemon to start; --sessiond-path wins.",
  },
  {
    name: HINTS_VARIABLE,
    help: "1 prints hints after errors even where no terminal is, 0 never.",
  },
] as const satisfies readonly EnvironmentVariable[];

/** Variables of the system that are read as well. */
const SYSTEM_VARIABLES = ["HOME", "PATH", "NO_COLOR"];

/**
 * The permissions that `lttng` needs, as flags of `deno run` and
 * `deno compile`. No paths are named: they are chosen on the command line.
 *
 * `ffi` is for the credentials that a session daemon wants to see; `net` for
 * the names in URLs and for a relay daemon of this machine; `run` for starting
 * both daemons and for the names of programs; `write` for `.lttngrc`; `sys`
 * for the user and for the name of this machine.
 */
export function lttngPermissionFlags(): string[] {
  const variables = [
    ...LTTNG_ENVIRONMENT.map(({ name }) => name),
    ...SYSTEM_VARIABLES,
  ];
  return [
    "--no-prompt",
    "--allow-ffi",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    `--allow-env=${variables.join(",")}`,
    "--allow-sys=uid,hostname",
    "--allow-run",
  ];
}
