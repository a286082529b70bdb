/** What to do next, by what went wrong: one row an error. */

import type { ControlError } from "../../control/errors.ts";
import type { ArgumentProblem } from "./arguments.ts";
import { nearest } from "../options/nearest.ts";
import type { OptionTable } from "../options/options.ts";

/** By the symbols of LTTng's error codes, without `LTTNG_ERR_`. */
const HINTS: Readonly<Record<string, string>> = {
  NO_SESSIOND: "Start a session daemon with: lttng-sessiond --daemonize. " +
    "lttng create does so by itself, without --no-sessiond.",
  CREATE_DIR_FAIL: "The output directory cannot be made: see who may write " +
    "there.",
  EPERM: "Root's sessions are for root alone, others' for themselves.",
  SESS_NOT_FOUND: "lttng list says which sessions there are.",
  EXIST_SESS: "Choose another name, or lttng destroy that session first.",
  NO_CHANNEL: "Choose what to record first: lttng enable-event --help.",
  NEED_ROOT_SESSIOND: "Only root's session daemon traces the kernel: run " +
    "this as root, or as a member of the group tracing.",
  KERN_NA: "The kernel modules of LTTng are not installed, or not for this " +
    "kernel. Programs can be traced without them: --userspace.",
  NEED_CHANNEL_NAME: "Name the channel: --channel=CHANNEL; lttng status says " +
    "which there are.",
  RELAYD_CONNECT_FAIL: "Nothing answers where the trace is to go: start " +
    "relayd there, or see which ports it listens on.",
  RELAYD_VERSION_FAIL: "The relay daemon must be as new as the session daemon.",
  TRACE_ALREADY_STARTED: "What a session records is chosen before its first " +
    "start.",
  UST_CHAN_NOT_FOUND: "lttng status says which channels there are.",
  UST_CONTEXT_INVAL: "lttng add-context --list says which contexts there " +
    "are; programs have vpid instead of pid, and so on.",
  BUFFER_TYPE_MISMATCH: "All user-space channels of a session have the same " +
    "buffering scheme: see --buffers-uid and --buffers-pid.",
  INVALID_CHANNEL_NAME: "Choose a name without a / that begins with no dot.",
  SESSION_INVALID_CHAR: "Choose a name without a /.",
  START_SESSION_ONCE: "Start the session first: lttng start.",
  SESSION_NOT_STARTED: "Start the session first: lttng start.",
  NOT_SNAPSHOT_SESSION: "Make the session with: lttng create --snapshot.",
  SNAPSHOT_OUTPUT_EXIST: "A session has one output at a time: lttng snapshot " +
    "del-output removes it.",
  ROTATION_NOT_AVAILABLE: "Live and snapshot sessions do not rotate.",
  SAVE_FILE_EXIST: "Replace the file with --force.",
  LOAD_SESSION_NOENT: "Say where saved sessions are: --input-path=PATH.",
  CLEAR_RELAY_DISALLOWED: "The relay daemon was started with " +
    "--disallow-clear.",
};

/** Of these the stock program says no more than their texts. */
const SHORT: readonly string[] = [
  ...["NO_SESSIOND", "INVALID", "FILTER_INVAL"],
  ...["LOAD_SESSION_NOENT", "LOAD_INVALID_CONFIG"],
];

/**
 * What `lttng` says of an error: its text, and more where that tells little and
 * the stock program is silent.
 */
export function errorWords(error: ControlError): string {
  return isShort(error) ? error.text : error.message;
}

function isShort({ command, symbol }: ControlError): boolean {
  return command !== undefined || SHORT.includes(nameOf(symbol));
}

function nameOf(symbol: string): string {
  return symbol.replace("LTTNG_ERR_", "");
}

/** What to do after an error of a session daemon, and what is known of it. */
export function hintForError(error: ControlError): string | undefined {
  const hint = HINTS[nameOf(error.symbol)];
  const { command, text, message } = error;
  // Session daemons only give codes; what else is known is this client's.
  const isKnown = command === undefined && isShort(error) && message !== text;
  if (!isKnown) return hint;
  const detail = message.slice(`${text}: `.length);
  const said = `${detail[0]?.toUpperCase()}${detail.slice(1)}.`;
  if (/permission denied/i.test(detail)) {
    return detail.includes("/var/run/")
      ? `${said} Be root, or a member of the group tracing.`
      : said;
  }
  return hint === undefined ? said : `${said} ${hint}`;
}

/** What to write instead of an argument. */
export function hintForProblem(
  problem: ArgumentProblem,
  table: OptionTable,
  help: string,
): string {
  const { kind, written } = problem;
  switch (kind) {
    case "no value":
      return `${written} needs an argument: see ${help}.`;
    case "unwanted value":
      return `${written} takes no argument: see ${help}.`;
    case "ambiguous":
      return `${written} can mean several options: see ${help}.`;
    case "unknown": {
      const near = nearest(
        written.replace(/^--/, ""),
        table.map(({ name }) => name),
      );
      const question = near === undefined || !written.startsWith("--")
        ? ""
        : `Did you mean --${near}? `;
      return `${question}${written} is no option here: see ${help}.`;
    }
  }
}
