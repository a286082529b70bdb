/** The options and variables of `lttng sessiond`, as tables. */

import {
  CLOSING_OPTIONS,
  closingNotes,
  CONFIG_OPTION,
  DIRECTORY_VARIABLES,
  JSON_OPTION,
  SIG_PARENT_OPTION,
} from "../daemon/daemon_options.ts";
import { formatHelp } from "../options/help.ts";
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
  SIG_PARENT_OPTION,
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
  CONFIG_OPTION,
  JSON_OPTION,
  {
    name: "quiet",
    short: "q",
    kind: "switch",
    help: "Write no log lines at all.",
  },
  ...CLOSING_OPTIONS,
] as const satisfies OptionTable;

/** Variables that only the environment can set. */
export const SESSIOND_ENVIRONMENT = DIRECTORY_VARIABLES;

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
    notes: closingNotes("sessiond"),
  });
}
