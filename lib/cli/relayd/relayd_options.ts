/** The options, variables and permissions of `relayd`, as tables. */

import {
  CLOSING_OPTIONS,
  closingNotes,
  CONFIG_OPTION,
  DIRECTORY_VARIABLES,
  JSON_OPTION,
  SIG_PARENT_OPTION,
} from "../daemon/daemon_options.ts";
import { type EnvironmentVariable, formatHelp } from "../options/help.ts";
import type { OptionTable } from "../options/options.ts";

/** Default ports, by what each is for. */
export const DEFAULT_PORTS = {
  control: 5342,
  data: 5343,
  live: 5344,
} as const;

/** Every option of `relayd`. A new option is a new row. */
export const RELAYD_OPTIONS = [
  {
    name: "control-port",
    short: "C",
    kind: "value",
    valueName: "URL",
    defaultText: "tcp://0.0.0.0:5342",
    help: "Listen for control connections of session daemons here.",
  },
  {
    name: "data-port",
    short: "D",
    kind: "value",
    valueName: "URL",
    defaultText: "tcp://0.0.0.0:5343",
    help: "Listen for trace data here.",
  },
  {
    name: "live-port",
    short: "L",
    kind: "value",
    valueName: "URL",
    defaultText: "tcp://localhost:5344",
    help: "Listen for live viewers here.",
  },
  {
    name: "dynamic-port-allocation",
    kind: "switch",
    help:
      "Let the system choose each port that is 0 or not given; the choice " +
      "is written to control.port, data.port and live.port in relayd/ of " +
      "the run directory.",
  },
  {
    name: "output",
    short: "o",
    kind: "value",
    valueName: "DIR",
    defaultText: "~/lttng-traces",
    help:
      "Write traces below this directory, an absolute path; it is created " +
      "where it is missing.",
  },
  {
    name: "group-output-by-host",
    short: "p",
    kind: "switch",
    help: "Give each sending host a directory, with its sessions in it. This " +
      "is the default.",
  },
  {
    name: "group-output-by-session",
    short: "s",
    kind: "switch",
    help: "Give each session name a directory, with the sending hosts in it.",
  },
  {
    name: "disallow-clear",
    short: "x",
    kind: "switch",
    environment: "LTTNG_RELAYD_DISALLOW_CLEAR",
    help: "Refuse to delete what is recorded when a peer runs lttng clear.",
  },
  {
    name: "background",
    short: "b",
    kind: "switch",
    help: "Go to the background once all three ports accept connections, and " +
      "keep standard error open.",
  },
  {
    name: "daemonize",
    short: "d",
    kind: "switch",
    help: "Go to the background once all three ports accept connections, and " +
      "let go of the terminal: later log lines are dropped.",
  },
  {
    name: "pid-file",
    short: "P",
    kind: "value",
    valueName: "PATH",
    help:
      "Write the process id to this file when ready, and remove it at exit.",
  },
  SIG_PARENT_OPTION,
  {
    name: "working-directory",
    short: "w",
    kind: "value",
    valueName: "DIR",
    environment: "LTTNG_RELAYD_WORKING_DIRECTORY",
    help: "Work in this directory.",
  },
  {
    name: "group",
    short: "g",
    kind: "value",
    valueName: "NAME",
    defaultText: "tracing",
    help:
      "Members of this group may use the health socket, where relayd runs " +
      "as root.",
  },
  {
    name: "fd-pool-size",
    kind: "value",
    valueName: "N",
    defaultText: "three quarters of the limit of open files",
    help: "Keep at most this many trace files open at once: at least 100, at " +
      "most the limit of open files.",
  },
  CONFIG_OPTION,
  JSON_OPTION,
  ...CLOSING_OPTIONS,
] as const satisfies OptionTable;

/** Variables that only the environment can set. */
export const RELAYD_ENVIRONMENT = [
  ...DIRECTORY_VARIABLES,
  {
    name: "LTTNG_RELAYD_HEALTH",
    help: "Path of the health socket. Default: relayd/health-PID in the run " +
      "directory.",
  },
  {
    name: "LTTNG_RELAYD_TCP_KEEP_ALIVE",
    help: "0 switches TCP keep-alive off. Default: on.",
  },
  {
    name: "LTTNG_RELAYD_TCP_KEEP_ALIVE_IDLE_TIME",
    help: "Not supported: the system's value is used, with a warning.",
  },
  {
    name: "LTTNG_RELAYD_TCP_KEEP_ALIVE_MAX_PROBE_COUNT",
    help: "Not supported: the system's value is used, with a warning.",
  },
  {
    name: "LTTNG_RELAYD_TCP_KEEP_ALIVE_PROBE_INTERVAL",
    help: "Not supported: the system's value is used, with a warning.",
  },
  {
    name: "LTTNG_NETWORK_SOCKET_TIMEOUT",
    help: "How long a peer may take to accept a reply, in milliseconds; 0 or " +
      "-1 keeps the default, 60000.",
  },
  {
    name: "LTTNG_ABORT_ON_ERROR",
    help: "1 ends the daemon, with status 134, after its first error line.",
  },
] as const satisfies readonly EnvironmentVariable[];

/** Marks the process that `--background` starts: not for people to set. */
export const RELAYD_BACKGROUND_VARIABLE = "LTTNG_RELAYD_IN_BACKGROUND";

/** Variables of the system that are read as well. */
const SYSTEM_VARIABLES = ["HOME", "USERPROFILE", "NOTIFY_SOCKET"];

/**
 * The permissions that `relayd` needs, as flags of `deno run` and
 * `deno compile`. No paths are named: they are chosen on the command line.
 *
 * `run` is for starting itself in the background and for `--sig-parent`; it is
 * given back once the daemon serves, as are `env` and `sys`.
 */
export function relaydPermissionFlags(): string[] {
  const variables = [
    ...RELAYD_OPTIONS.flatMap((row) =>
      "environment" in row ? [row.environment] : []
    ),
    ...RELAYD_ENVIRONMENT.map(({ name }) => name),
    RELAYD_BACKGROUND_VARIABLE,
    ...SYSTEM_VARIABLES,
  ];
  return [
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    `--allow-env=${variables.join(",")}`,
    "--allow-sys=uid",
    "--allow-run",
  ];
}

/** The text of `relayd --help`. */
export function relaydHelp(): string {
  return formatHelp({
    usage: "relayd [OPTION]...",
    purpose: "Receives traces from LTTng session daemons, versions 2.1 to " +
      "2.15, and stores them.",
    options: RELAYD_OPTIONS,
    environment: RELAYD_ENVIRONMENT,
    notes: [
      "A URL is tcp://HOST[:PORT] for IPv4 or tcp6://[HOST][:PORT] for IPv6; " +
      "net, net4, tcp4 and net6 are accepted too.",
      ...closingNotes("relayd"),
    ],
  });
}
