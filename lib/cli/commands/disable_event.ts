/** `lttng disable-event`: disables event rules. */

import type { EventTypeName } from "../../control/names.ts";
import type { Given } from "../lttng/arguments.ts";
import { defineCommand } from "../lttng/command.ts";
import {
  type Domain,
  HELP,
  JUL,
  KERNEL,
  LIST_OPTIONS,
  LOG4J,
  PYTHON,
  requireDomain,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import { DEFAULT_CHANNEL, shownChannel } from "../event_rules/event_rules.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

/** The options that choose a type. */
const TYPES: Readonly<Record<string, EventTypeName>> = {
  all: "all",
  tracepoint: "tracepoint",
  syscall: "syscall",
  probe: "probe",
  function: "function",
};

export const disableEvent = defineCommand({
  name: "disable-event",
  group: "Recording event rules",
  help: "Disable recording event rules",
  usage: [
    "DOMAIN [--session=SESSION] [--channel=CHANNEL] EVENT[,EVENT]...",
    "DOMAIN [--session=SESSION] [--channel=CHANNEL] --all-events",
  ],
  about: "Disables event rules by their names, as lttng status shows them. " +
    "DOMAIN is --kernel, --userspace, --jul, --log4j or --python.",
  options: [
    HELP,
    SESSION,
    {
      name: "all-events",
      short: "a",
      kind: "switch",
      help: "Disable all event rules.",
    },
    {
      name: "channel",
      short: "c",
      kind: "value",
      valueName: "CHANNEL",
      defaultText: DEFAULT_CHANNEL,
      help: "Those of this channel.",
    },
    JUL,
    LOG4J,
    PYTHON,
    KERNEL,
    USERSPACE,
    { name: "syscall", kind: "switch", help: "The kernel's system calls." },
    { name: "probe", kind: "switch", help: "The kernel's probes." },
    { name: "tracepoint", kind: "switch", help: "The kernel's tracepoints." },
    {
      name: "function",
      kind: "switch",
      help: "The kernel's functions.",
    },
    { name: "all", kind: "switch", help: "Rules of all types: the default." },
    LIST_OPTIONS,
  ],
  run: async (run, values, args, given) => {
    const type = givenType(given);
    const domain = requireDomain(values, true);
    if (domain !== "kernel" && type !== "all") {
      throw new CommandFailure(
        "Disabling userspace and agent (-j | -l | -p) event(s) based on " +
          "instrumentation type is not supported.\n",
      );
    }
    const isAll = values["all-events"];
    const [names] = args;
    if (names === undefined && !isAll) {
      throw new CommandFailure("Missing event name(s).\n");
    }
    run.refuseMore(args, 1);
    const session = run.session(values.session);
    const target = { session, domain, type, channel: values.channel };
    return await run.reported(async (output) => {
      const channel = output.add("channel").fields({
        name: target.channel ?? DEFAULT_CHANNEL,
      });
      const events = channel.add("events");
      return isAll
        ? await disableAll(run, events, target)
        : await disableNamed(run, events, target, names ?? "");
    });
  },
});

/** Which rules are meant. */
interface Target {
  readonly session: string;
  readonly domain: Domain;
  readonly type: EventTypeName;
  readonly channel: string | undefined;
}

/** The type that is given; different ones are refused. */
function givenType(given: readonly Given[]): EventTypeName {
  const types = given.flatMap(({ option }) => TYPES[option.name] ?? []);
  // The stock program takes --all back in silence when it comes first.
  const [first, ...others] = types.slice(
    types.findIndex((type) => type !== "all"),
  );
  if (others.some((type) => type !== first)) {
    throw new CommandFailure("Multiple event type not supported.");
  }
  return first ?? "all";
}

/** "all" is "any" in messages. */
function typeWord(type: EventTypeName): string {
  return type === "all" ? "any" : type;
}

async function disableAll(
  run: Run,
  events: ReportElement,
  { session, domain, type, channel }: Target,
): Promise<number> {
  let status: number = Status.OK;
  try {
    await run.ask((daemon) =>
      daemon.disableEvent(session, domain, "", { channel, type })
    );
    run.say.message(
      `All ${domain} events of type ${typeWord(type)} are disabled in ` +
        `channel ${channel ?? DEFAULT_CHANNEL}`,
    );
  } catch (error) {
    status = run.fail(error);
  }
  report(events, "*", status === Status.OK);
  return status;
}

async function disableNamed(
  run: Run,
  events: ReportElement,
  { session, domain, type, channel }: Target,
  names: string,
): Promise<number> {
  let last: number = Status.OK;
  let hasFailed = false;
  for (const name of names.split(",").filter((name) => name !== "")) {
    last = Status.OK;
    try {
      await run.ask((daemon) =>
        daemon.disableEvent(session, domain, name, { channel, type })
      );
      run.say.message(
        `${domain} ${name} of type ${typeWord(type)} disabled in channel ` +
          `${channel ?? DEFAULT_CHANNEL} for session ${session}`,
      );
    } catch (error) {
      last = run.failWith(
        error,
        (text) =>
          `${name} of type ${typeWord(type)} : ${text} ` +
          `(channel ${shownChannel(error, channel)}, session ${session})`,
      );
      hasFailed = true;
    }
    report(events, name, last === Status.OK);
  }
  if (last !== Status.OK) return last;
  return hasFailed ? Status.WARNING : Status.OK;
}

function report(events: ReportElement, name: string, isDone: boolean): void {
  events.add("event").fields({ name, enabled: !isDone, success: isDone });
}
