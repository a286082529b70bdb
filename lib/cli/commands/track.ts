/** `lttng track` and `lttng untrack`: which processes are recorded. */

import { ControlError } from "../../control/errors.ts";
import type { ProcessAttributeName } from "../../control/names.ts";
import type { TrackedValue } from "../../control/tracking.ts";
import { type CommandValues, defineCommand } from "../lttng/command.ts";
import {
  HELP,
  KERNEL,
  LIST_OPTIONS,
  requireDomain,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import {
  attributeTitle,
  attributeWords,
  PROCESS_ATTRIBUTES,
  reportTrackedValue,
  reportTracker,
  UST_ATTRIBUTES,
} from "../event_rules/process_attributes.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

const OPTIONS = [
  HELP,
  SESSION,
  KERNEL,
  USERSPACE,
  {
    name: "pid",
    short: "p",
    kind: "optional",
    valueName: "ID[,ID]...",
    help: "Processes; with --userspace the same as --vpid.",
    repeated: true,
  },
  {
    name: "vpid",
    kind: "optional",
    valueName: "ID[,ID]...",
    help: "Processes, by their ids in their own name space.",
    repeated: true,
  },
  {
    name: "uid",
    kind: "optional",
    valueName: "USER[,USER]...",
    help: "Users, by id or name.",
    repeated: true,
  },
  {
    name: "vuid",
    kind: "optional",
    valueName: "USER[,USER]...",
    help: "Users, by id in the process's name space, or by name.",
    repeated: true,
  },
  {
    name: "gid",
    kind: "optional",
    valueName: "GROUP[,GROUP]...",
    help: "Groups, by id or name.",
    repeated: true,
  },
  {
    name: "vgid",
    kind: "optional",
    valueName: "GROUP[,GROUP]...",
    help: "Groups, by id in the process's name space, or by name.",
    repeated: true,
  },
  { name: "all", short: "a", kind: "switch", help: "All of them." },
  LIST_OPTIONS,
] as const;

type Values = CommandValues<typeof OPTIONS>;

const USAGE = [
  "(--kernel | --userspace) [--session=SESSION] (--pid | --vpid | --uid | " +
  "--vuid | --gid | --vgid)=VALUE[,VALUE]...",
  "(--kernel | --userspace) [--session=SESSION] (--pid | …)... --all",
];

export const track = defineCommand({
  name: "track",
  group: "Resource tracking",
  help: "Allow specific processes to record events",
  usage: USAGE,
  about: "Records these processes, and no longer all; with --all, all again.",
  examples: [
    ["lttng track --userspace --vpid=1234", "Record this process alone."],
    ["lttng track --userspace --vpid --all", "Record all processes again."],
  ],
  options: OPTIONS,
  run: (run, values, args) => change(run, values, args, true),
});

export const untrack = defineCommand({
  name: "untrack",
  group: "Resource tracking",
  help: "Disallow specific processes to record events",
  usage: USAGE,
  about: "Takes back what lttng track did; with --all, records nothing.",
  options: OPTIONS,
  run: (run, values, args) => change(run, values, args, false),
});

/** What is changed, and how. */
interface Change {
  readonly run: Run;
  readonly session: string;
  readonly domain: "kernel" | "ust";
  readonly isTrack: boolean;
}

/** An attribute and its values; none is all of them. */
interface Request {
  readonly attribute: ProcessAttributeName;
  readonly lists: readonly string[] | undefined;
}

async function change(
  run: Run,
  values: Values,
  args: readonly string[],
  isTrack: boolean,
): Promise<number> {
  const domain = requireDomain(values, false) === "kernel" ? "kernel" : "ust";
  const requests = requestsOf(values);
  const session = run.session(values.session);
  run.refuseMore(args, 0);
  const output = run.report.open();
  const trackers = output.add("process_attr_trackers");
  const what = { run, session, domain, isTrack } as const;
  let status: number = Status.OK;
  let hasFailed = false;
  for (const request of requests) {
    status = await changeOne(what, trackers, request);
    if (status !== Status.OK) hasFailed = true;
    if (status === Status.FATAL) break;
  }
  run.report.close(!hasFailed);
  return status;
}

function requestsOf(values: Values): Request[] {
  const requested = PROCESS_ATTRIBUTES.filter((name) =>
    values[name].length > 0
  );
  if (requested.length === 0) {
    throw new CommandFailure(
      "At least one process attribute must be specified",
    );
  }
  return requested.map((attribute) => {
    const lists = values[attribute].filter((list) => list !== undefined);
    if (values.all && lists.length > 0) {
      throw new CommandFailure(
        "The --all option cannot be used with a list of process attribute " +
          "values",
      );
    }
    if (!values.all && lists.length === 0) {
      throw new CommandFailure(
        "No process attribute value specified for " +
          `${attributeTitle(attribute)} tracker`,
      );
    }
    return { attribute, lists: values.all ? undefined : lists };
  });
}

async function changeOne(
  what: Change,
  trackers: ReportElement,
  request: Request,
): Promise<number> {
  const { run, domain } = what;
  let { attribute } = request;
  if (domain === "ust") {
    if (attribute === "pid") attribute = "vpid";
    if (!UST_ATTRIBUTES.includes(attribute)) {
      run.say.error(
        `The ${attributeWords(attribute)} process attribute cannot be ` +
          "tracked in the user space domain.",
      );
      return Status.ERROR;
    }
  }
  const list = reportTracker(trackers, attribute);
  if (request.lists === undefined) return await setAll(what, list, attribute);
  let status: number = Status.OK;
  for (const values of request.lists) {
    status = await setValues(what, list, attribute, values);
    if (status === Status.FATAL) return Status.ERROR;
    if (status !== Status.OK) return status;
  }
  return status;
}

async function setAll(
  { run, session, domain, isTrack }: Change,
  list: ReportElement,
  attribute: ProcessAttributeName,
): Promise<number> {
  const policy = isTrack ? "include all" : "exclude all";
  const element = reportTrackedValue(list, attribute, undefined);
  let status: number = Status.OK;
  try {
    await run.ask((daemon) =>
      daemon.setTrackingPolicy(session, domain, attribute, policy)
    );
    run.say.message(
      `${attributeTitle(attribute)} tracking policy set to \`${policy}\``,
    );
  } catch (error) {
    const isMissing = hasCode(error, "SESS_NOT_FOUND");
    run.failWith(
      error,
      () =>
        isMissing
          ? `Session \`${session}\` does not exist`
          : "Unknown error encountered while setting tracking policy of " +
            `${attributeWords(attribute)} tracker to \`${policy}\``,
    );
    status = Status.FATAL;
  }
  element.fields({ success: status === Status.OK });
  return status;
}

async function setValues(
  what: Change,
  list: ReportElement,
  attribute: ProcessAttributeName,
  text: string,
): Promise<number> {
  const words = text.split(",").filter((word) => word !== "");
  try {
    if (words.length > 0) await includeSet(what, attribute);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const isMissing = hasCode(error, "SESS_NOT_FOUND");
    what.run.failWith(
      error,
      (text) => isMissing ? "Recording session does not exist" : text,
    );
    return Status.FATAL;
  }
  let status: number = Status.OK;
  for (const word of words) {
    const isNumber = /^\d/.test(word);
    const isName = /[ug]id$/.test(attribute);
    if (!isNumber && !isName) {
      reportTrackedValue(list, attribute, word);
      what.run.say.error(
        `${word} is not a valid ${attributeWords(attribute)} value; ` +
          "expected an integer",
      );
      return Status.FATAL;
    }
    const value = isNumber ? Number.parseInt(word, 10) : word;
    const element = reportTrackedValue(list, attribute, value);
    const result = await setValue(what, attribute, value, word);
    if (result !== Status.OK) status = result;
    element.fields({ success: status === Status.OK });
  }
  return status;
}

/** Makes the tracker one that has a set. */
async function includeSet(
  { run, session, domain }: Change,
  attribute: ProcessAttributeName,
): Promise<void> {
  const policy = await run.ask((daemon) =>
    daemon.getTrackingPolicy(session, domain, attribute)
  );
  if (policy === "include set") return;
  await run.ask((daemon) =>
    daemon.setTrackingPolicy(session, domain, attribute, "include set")
  );
}

async function setValue(
  { run, session, domain, isTrack }: Change,
  attribute: ProcessAttributeName,
  value: TrackedValue,
  word: string,
): Promise<number> {
  const words = attributeWords(attribute);
  const shown = typeof value === "string" ? `\`${word}\`` : word;
  try {
    await run.ask((daemon) =>
      isTrack
        ? daemon.addInclusion(session, domain, attribute, value)
        : daemon.removeInclusion(session, domain, attribute, value)
    );
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    if (hasCode(error, "PROCESS_ATTR_EXISTS")) {
      run.say.warning(`${shown} is already in the ${words} inclusion set`);
      return Status.OK;
    }
    if (hasCode(error, "PROCESS_ATTR_MISSING")) {
      run.say.warning(`${shown} is not in the ${words} the inclusion set`);
      return Status.OK;
    }
    for (const [name, title] of [["USER", "User"], ["GROUP", "Group"]]) {
      if (!hasCode(error, `${name}_NOT_FOUND`)) continue;
      run.say.error(`${title} ${shown} was not found`);
      return Status.ERROR;
    }
    const [verb, to] = isTrack ? ["adding", "to"] : ["removing", "from"];
    run.failWith(
      error,
      () =>
        `Unknown error encountered while ${verb} ${words} ${shown} ${to} ` +
        "tracker's inclusion set",
    );
    return Status.FATAL;
  }
  run.say.message(
    isTrack
      ? `Added ${word} to the ${words} tracker inclusion set`
      : `Removed ${word} from the ${words} tracker inclusion set`,
  );
  return Status.OK;
}
