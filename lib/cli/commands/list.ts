/** `lttng list` and `lttng status`. */

import type { SessionDelivery } from "../../control/delivery_types.ts";
import { ControlError } from "../../control/errors.ts";
import { defineCommand } from "../lttng/command.ts";
import {
  givenDomain,
  HELP,
  JUL,
  KERNEL,
  LIST_OPTIONS,
  LOG4J,
  PYTHON,
  USERSPACE,
} from "../lttng/common_options.ts";
import {
  listFields,
  listKernel,
  listPrograms,
  listSyscalls,
} from "../list/instrumentation.ts";
import {
  listSession,
  type SessionListOptions,
  sessionState,
} from "../list/session.ts";
import {
  askDelivery,
  lossLine,
  outputLine,
  wayLine,
} from "../lttng/delivery.ts";
import { reportDelivery } from "../lttng/delivery_report.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { reportSession } from "../lttng/session_report.ts";
import { Status } from "../lttng/status.ts";

export const list = defineCommand({
  name: "list",
  group: "Status",
  help: "List recording sessions and instrumentation points",
  usage: [
    "",
    "[--kernel] [--syscall] [--userspace] [--fields] [--jul] [--log4j] [--python]",
    "[--kernel | --userspace] [--domain] [--channel=CHANNEL] SESSION",
  ],
  about: "Lists the sessions; or, with a domain, what can be recorded there; " +
    "or what SESSION is and records.",
  examples: [
    ["lttng list", "Which sessions are there?"],
    ["lttng list --userspace --fields", "What can running programs record?"],
    ["lttng list demo", "What does the session demo record?"],
  ],
  options: [
    HELP,
    KERNEL,
    JUL,
    LOG4J,
    PYTHON,
    USERSPACE,
    {
      name: "channel",
      short: "c",
      kind: "value",
      valueName: "CHANNEL",
      help: "List this channel of the session alone.",
    },
    {
      name: "domain",
      short: "d",
      kind: "switch",
      help: "List the domains of the session alone.",
    },
    {
      name: "fields",
      short: "f",
      kind: "switch",
      help: "List the fields of tracepoints too.",
    },
    {
      name: "syscall",
      short: "S",
      kind: "switch",
      help: "List system calls instead of the kernel's tracepoints.",
    },
    LIST_OPTIONS,
  ],
  run: async (run, values, args) => {
    const output = run.report.open();
    run.refuseMore(args, 1);
    if (values.syscall && !values.kernel) {
      run.say.warning("--syscall will only work with the Kernel domain (-k)");
      return Status.ERROR;
    }
    const [session] = args;
    return await told(run, async () => {
      if (session !== undefined) {
        await listSession(run, output, session, {
          channel: values.channel,
          onlyDomains: values.domain,
          domain: givenDomain(values),
        });
        return;
      }
      if (givenDomain(values) === undefined) await listSessions(run, output);
      if (values.kernel && values.syscall) await listSyscalls(run, output);
      else if (values.kernel) await listKernel(run, output);
      if (values.userspace && values.fields) await listFields(run, output);
      else if (values.userspace) await listPrograms(run, output, "ust");
      const agents = { ...values, kernel: false, userspace: false };
      const agent = givenDomain(agents);
      if (agent !== undefined && agent !== "kernel") {
        await listPrograms(run, output, agent);
      }
    });
  },
});

export const status = defineCommand({
  name: "status",
  group: "Status",
  help: "Show the status of the current recording session",
  usage: [""],
  about: "Lists what the current session is and records.",
  options: [HELP, LIST_OPTIONS],
  run: async (run, _values, args) => {
    if (args.length > 0) {
      run.say.error("This command does not accept positional arguments.\n");
      return Status.UNDEFINED;
    }
    const session = run.session(undefined);
    run.report.command = "list";
    const output = run.report.open();
    const all: SessionListOptions = {
      channel: undefined,
      onlyDomains: false,
      domain: undefined,
    };
    return await told(run, () => listSession(run, output, session, all));
  },
});

/** Whatever the session daemon refuses: the status is 1. */
async function told(run: Run, body: () => Promise<void>): Promise<number> {
  try {
    await body();
    return Status.OK;
  } catch (error) {
    const status = run.fail(error);
    return error instanceof ControlError ? Status.ERROR : status;
  }
}

/** What an operator should know of one session among others. */
function printOverview(
  run: Run,
  delivery: SessionDelivery | undefined,
  enabled: boolean,
): void {
  if (delivery === undefined) return;
  const phase = enabled ? "recording" : "stopped";
  const lines = [
    outputLine(delivery, phase),
    wayLine(delivery, phase),
    lossLine(delivery),
  ];
  for (const line of lines) {
    if (line !== undefined) run.say.message(`    ${line}`);
  }
}

async function listSessions(run: Run, output: ReportElement): Promise<void> {
  const sessions = await run.ask((daemon) => daemon.listSessions());
  const element = output.add("sessions");
  if (sessions.length === 0) {
    run.say.message("Currently no available recording session");
    run.say.hint("Make one: lttng create.");
    return;
  }
  run.say.message("Available recording sessions:");
  for (const [index, session] of sessions.entries()) {
    const { name, enabled, snapshotMode, path, liveTimerInterval } = session;
    const state = sessionState(enabled, snapshotMode);
    run.say.message(`  ${index + 1}) ${name} [${state}]`);
    if (path !== "") run.say.message(`    Trace output: ${path}`);
    if (liveTimerInterval !== 0) {
      run.say.message(`    Live timer interval: ${liveTimerInterval} us`);
    }
    const delivery = await askDelivery(run, name);
    printOverview(run, delivery, enabled);
    run.say.message("");
    reportDelivery(run, reportSession(element, session), delivery);
  }
  run.say.message("\nUse lttng list <session_name> for more details");
}
