/** The options and variables of `lttng sessiond`, as tables. */

import { type EnvironmentVariable, formatHelp } from "../options/help.ts";
import type { OptionTable } from "../options/options.ts";

/** Every option of `lttng sessiond`. */
export const SESSIOND_OPTIONS = [
  {
    name: "background",
    short: "b",
    kind: "switch",
    help: "Go to the background once clients are served, and keep standard " +
      "error open.",
  },
  {
    name: "daemonize",
    short: "d",
    kind: "switch",
    help: "Go to the background once clients are served, and let go of the " +
      "terminal: later log lines are dropped.",
  },
  {
    name: "group",
    short: "g",
    kind: "value",
    valueName: "NAME",
    defaultText: "tracing",
    help: "Members of this group may use the daemon, where it runs as root.",
  },
  {
    name: "load",
    short: "l",
    kind: "value",
    valueName: "PATH",
    defaultText: "~/.lttng/sessions/auto, then /etc/lttng/sessions/auto",
    help: "Load the saved sessions in this file or directory at the start.",
  },
  {
    name: "sig-parent",
    short: "S",
    kind: "switch",
    help: "Send SIGUSR1 to the parent process when ready.",
  },
  {
    name: "no-kernel",
    kind: "switch",
    help: "Do not trace the kernel.",
  },
  {
    name: "client-sock",
    short: "c",
    kind: "value",
    valueName: "PATH",
    defaultText: "client-lttng-sessiond in the run directory",
    help: "Serve clients on this socket.",
  },
  {
    name: "pid-file",
    kind: "value",
    valueName: "PATH",
    defaultText: "lttng-sessiond.pid in the run directory",
    help:
      "Write the process id to this file when ready, and remove it at exit.",
  },
  {
    name: "config",
    short: "f",
    kind: "value",
    valueName: "PATH",
    inConfigFile: false,
    help: "Read this configuration file too.",
  },
  {
    name: "json",
    kind: "switch",
    help: "Write each log line as a JSON object.",
  },
  {
    name: "quiet",
    short: "q",
    kind: "switch",
    help: "Write no log lines at all.",
  },
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

/** Variables that only the environment can set. */
export const SESSIOND_ENVIRONMENT = [
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

/** Marks the process that `--background` starts: not for people to set. */
export const SESSIOND_BACKGROUND_VARIABLE = "LTTNG_SESSIOND_IN_BACKGROUND";

/**
 * The permissions of a session daemon, as flags of `deno run`. All: Deno lets
 * no program with less reach tracefs, in /sys.
 */
export function sessiondPermissionFlags(): readonly string[] {
  return ["--no-prompt", "--allow-all"];
}

/** The text of `lttng sessiond --help`. */
export function sessiondHelp(): string {
  return formatHelp({
    usage: "lttng sessiond [OPTION]...",
    purpose: "Keeps recording sessions, and traces the kernel for them: what " +
      "lttng speaks to. As lttng-sessiond, a link to lttng does the same.",
    options: SESSIOND_OPTIONS,
    environment: SESSIOND_ENVIRONMENT,
    notes: [
      "Long options can stand in the [sessiond] section of " +
      "/etc/lttng/lttng.conf, of ~/.lttng/lttng.conf and of the file that " +
      "--config names, one option = value a line, switches with yes or no. " +
      "Each of these wins over the one before, and the command line wins " +
      "over all.",
      "Exit status: 0 after an orderly end, 1 after an error.",
    ],
  });
}
