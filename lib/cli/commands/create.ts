/** `lttng create`: makes a session. */

import type {
  SessionInfo,
  SessionKindName,
  SessionOutput,
} from "../../control/session_types.ts";
import { ControlError } from "../../control/errors.ts";
import { parseUrls, UrlError } from "../../control/url.ts";
import { type CommandValues, defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { makeCurrent } from "../lttng/current_session.ts";
import { ensureRelayd, ensureSessiond } from "../lttng/daemons.ts";
import { expandPath } from "../lttng/expand_path.ts";
import { fits32, parseTime } from "../lttng/quantity.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { reportSession } from "../lttng/session_report.ts";
import { CommandFailure, Status } from "../lttng/status.ts";
import { viewerCommand } from "../lttng/viewer_command.ts";

/** Microseconds between two flushes of a live session, unless told otherwise. */
const LIVE_TIMER = 1_000_000;
const NAME_MAXIMUM = 255;

const OPTIONS = [
  HELP,
  {
    name: "output",
    short: "o",
    kind: "value",
    valueName: "DIR",
    defaultText: "~/lttng-traces/SESSION-YYYYMMDD-HHMMSS",
    help: "Write the trace to this directory.",
  },
  LIST_OPTIONS,
  {
    name: "set-url",
    short: "U",
    kind: "value",
    valueName: "URL",
    aliases: ["set-uri"],
    help:
      "Send the trace to a relay daemon, net://HOST[:CONTROL[:DATA]][/DIR] " +
      "or net6://…, or write it to file://DIR.",
  },
  {
    name: "ctrl-url",
    short: "C",
    kind: "value",
    valueName: "URL",
    aliases: ["ctrl-uri"],
    help: "Where the control connection of a relay daemon is: " +
      "tcp://HOST[:PORT][/DIR] or tcp6://….",
  },
  {
    name: "data-url",
    short: "D",
    kind: "value",
    valueName: "URL",
    aliases: ["data-uri"],
    help: "Where the data connection of that relay daemon is.",
  },
  {
    name: "no-output",
    kind: "switch",
    help: "Write no trace: for lttng snapshot record with a place of its own.",
  },
  {
    name: "no-consumer",
    kind: "switch",
    help: "The spelling of --no-output until LTTng 2.1.",
  },
  {
    name: "snapshot",
    kind: "switch",
    help: "Keep the last events in memory until lttng snapshot record.",
  },
  {
    name: "live",
    kind: "optional",
    valueName: "TIME",
    defaultText: "1s",
    help: "Let viewers follow; what is recorded is sent so often: " +
      "microseconds, or with us, ms, s, m (minutes) or h behind it.",
    withoutArgument: LIVE_TIMER,
    read: readLiveTimer,
  },
  {
    name: "shm-path",
    kind: "value",
    valueName: "DIR",
    help: "Keep the ring buffers in files below this directory, where they " +
      "outlive a crash.",
  },
  {
    name: "disable-consumer",
    kind: "switch",
    isOurs: true,
    help: "Of LTTng 2.1: the trace is written nowhere until lttng " +
      "enable-consumer URL says where.",
  },
] as const;

type Values = CommandValues<typeof OPTIONS>;

export const create = defineCommand({
  name: "create",
  group: "Recording sessions",
  help: "Create a recording session",
  usage: [
    "[SESSION] [--output=DIR | --set-url=URL | --no-output] [--shm-path=DIR]",
    "[SESSION] --live[=TIME] [--set-url=URL]",
    "[SESSION] --snapshot [--output=DIR | --set-url=URL | --no-output]",
  ],
  about: "Makes a session and makes it the current one. A session says what " +
    "is recorded and where the trace goes. A session daemon is started where " +
    "none runs.",
  examples: [
    ["lttng create demo", "Write to ~/lttng-traces/demo-…"],
    ["lttng create demo --set-url=net://collector", "Send to a relay daemon."],
    [
      "lttng create demo --live --set-url=net://collector",
      "Let viewers follow meanwhile.",
    ],
    ["lttng create demo --snapshot", "Keep the last events in memory."],
  ],
  options: OPTIONS,
  run: async (run, values, args) => {
    checkOutputs(values);
    await ensureSessiond(run);
    run.report.open();
    run.refuseMore(args, 1);
    return await run.reported((output) =>
      createSession(run, output, values, args[0])
    );
  },
});

function readLiveTimer(text: string): number {
  const time = parseTime(text);
  if (time === undefined) refuse(`Wrong value for --live parameter: ${text}`);
  if (!fits32(time)) refuse(`32-bit overflow in --live parameter: ${text}`);
  if (time === 0n) refuse("Live timer interval must be greater than zero");
  return Number(time);
}

function refuse(message: string): never {
  throw new CommandFailure(message);
}

function hasUrls(values: Values): boolean {
  return values["set-url"] !== undefined || values["ctrl-url"] !== undefined ||
    values["data-url"] !== undefined;
}

function checkOutputs(values: Values): void {
  const given = [
    values["set-url"],
    values.output,
    values["ctrl-url"] ?? values["data-url"],
  ];
  if (given.filter((value) => value !== undefined).length > 1) {
    refuse(
      "Only one of the --set-url, --ctrl-url/data-url, or --output options " +
        "may be used at once.",
    );
  }
  const without = ["no-consumer", "disable-consumer"] as const;
  for (const name of without) {
    if (!values[name]) continue;
    if (hasUrls(values) || values.output !== undefined || values.live) {
      refuse(`--${name} is for a session without an output: name no output`);
    }
  }
}

async function createSession(
  run: Run,
  output: ReportElement,
  values: Values,
  name: string | undefined,
): Promise<number> {
  checkName(name);
  const kind = kindOf(values);
  if (
    (values["ctrl-url"] === undefined) !== (values["data-url"] === undefined)
  ) {
    refuse("Both control and data URLs must be specified.");
  }
  const where = await outputOf(run, values);
  if (kind === "live" && where !== "default" && !isNetwork(where)) {
    refuse("Unsupported output type specified for live session.");
  }
  if (kind === "live" && where === "default") await ensureRelayd(run);
  const liveTimerInterval = values.live;
  const created = await ask(
    run,
    () =>
      run.ask((daemon) =>
        daemon.createSessionExt({
          name,
          kind,
          output: where,
          liveTimerInterval,
        })
      ),
  );
  const session = await find(run, created.name);
  const shmPath = await setShmPath(run, values, session, name !== undefined);
  await tell(run, session, values, shmPath);
  reportSession(output, session);
  return makeCurrent(run, session.name) ? Status.OK : Status.ERROR;
}

function checkName(name: string | undefined): void {
  if (name === undefined) return;
  if (new TextEncoder().encode(name).length > NAME_MAXIMUM) {
    refuse(
      "Session name too long. Length must be lower or equal to " +
        `${NAME_MAXIMUM}`,
    );
  }
  if (name === "auto" || name.startsWith("auto-")) {
    refuse("auto is a reserved keyword for default session(s)");
  }
}

function kindOf({ snapshot, live }: Values): SessionKindName {
  if (snapshot && live !== undefined) {
    refuse("Snapshot and live modes are mutually exclusive.");
  }
  return snapshot ? "snapshot" : live !== undefined ? "live" : "regular";
}

async function outputOf(run: Run, values: Values): Promise<SessionOutput> {
  if (
    values["no-output"] || values["no-consumer"] || values["disable-consumer"]
  ) {
    return "none";
  }
  if (values.output !== undefined) return { url: expandPath(values.output) };
  if (!hasUrls(values)) return "default";
  try {
    const url = values["ctrl-url"] ?? values["set-url"];
    const uris = await parseUrls(url, values["data-url"]);
    const [first] = uris;
    if (uris.length === 2 || first?.destination.startsWith("/")) {
      return { uris };
    }
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    for (const reason of error.reasons) run.say.error(reason);
  }
  throw new CommandFailure(
    "Unrecognized URL format.",
    Status.ERROR,
    "URLs are net://HOST[:CONTROL[:DATA]][/DIR], net6://[ADDRESS]…, " +
      "file:///DIR, or tcp://HOST[:PORT] for --ctrl-url and --data-url.",
  );
}

function isNetwork(output: SessionOutput): boolean {
  return typeof output === "object" && "uris" in output &&
    output.uris.length === 2;
}

/** Whatever the session daemon refuses: the status is 1. */
async function ask<T>(run: Run, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    run.fail(error);
    throw new CommandFailure("");
  }
}

async function find(run: Run, name: string): Promise<SessionInfo> {
  const sessions = await ask(
    run,
    () => run.ask((daemon) => daemon.listSessions()),
  );
  return sessions.find((session) => session.name === name) ??
    refuse("Failed to fetch properties of created session");
}

async function setShmPath(
  run: Run,
  values: Values,
  session: SessionInfo,
  isNamed: boolean,
): Promise<string | undefined> {
  const directory = values["shm-path"];
  if (directory === undefined) return undefined;
  // A name that the session daemon chose has the time in it.
  const suffix = isNamed ? `-${timestamp(session.creationTime ?? 0)}` : "";
  const path = `${directory}/${session.name}${suffix}`;
  try {
    await run.ask((daemon) => daemon.setSessionShmPath(session.name, path));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    run.say.hint(`--shm-path: ${error.text}.`);
    await run.ask((daemon) => daemon.destroySession(session.name));
    throw new CommandFailure("");
  }
  return path;
}

/** Such as `20261123-063812`, in local time. */
function timestamp(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const digits = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${digits(date.getMonth() + 1)}` +
    digits(date.getDate());
  return `${day}-${digits(date.getHours())}${digits(date.getMinutes())}` +
    digits(date.getSeconds());
}

async function tell(
  run: Run,
  session: SessionInfo,
  values: Values,
  shmPath: string | undefined,
): Promise<void> {
  const { say } = run;
  const { name, path } = session;
  const kind = kindOf(values);
  const words = { snapshot: "Snapshot session", live: "Live session" };
  say.message(
    `${kind === "regular" ? "Session" : words[kind]} ${name} created.`,
  );
  if (kind === "snapshot") await tellSnapshotOutput(run, name);
  else if (path !== "") {
    say.message(`Traces will be output to ${path}`);
    if (values.live !== undefined) {
      say.message(`Live timer interval set to ${values.live} us`);
      say.message(`Follow it with: ${viewerCommand(session)}`);
    }
  }
  if (values["no-consumer"]) {
    say.message(
      "Nothing is written: --no-consumer is now spelled --no-output.",
    );
  }
  if (values["disable-consumer"]) {
    say.message(
      `Consumer disabled for session ${name}: nothing is written until ` +
        "lttng enable-consumer URL says where to.",
    );
  }
  if (shmPath !== undefined) {
    say.message(`Shared memory path set to ${shmPath}`);
  }
  say.hint(
    "Next: lttng enable-event --userspace --all, lttng start, " +
      "and at the end lttng destroy.",
  );
}

async function tellSnapshotOutput(run: Run, name: string): Promise<void> {
  let outputs;
  try {
    outputs = await run.ask((daemon) => daemon.snapshotListOutputs(name));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    refuse("Failed to list snapshot outputs.");
  }
  const url = outputs[0]?.controlUrl ?? "";
  if (url !== "") run.say.message(`Default snapshot output set to ${url}`);
  run.say.message(
    "Every channel enabled for this session will be set to mmap output and " +
      "default to overwrite mode.",
  );
}
