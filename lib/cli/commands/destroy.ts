/** `lttng destroy`: ends a session; its trace stays. */

import type { SessionDelivery } from "../../control/delivery_types.ts";
import type { Destruction, SessionInfo } from "../../control/session_types.ts";
import { lttngErrorNumber } from "../../wire/lttng_error.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { forgetIfCurrent } from "../lttng/current_session.ts";
import {
  askDelivery,
  deliverySince,
  lossOf,
  printDelivery,
} from "../lttng/delivery.ts";
import { reportDelivery } from "../lttng/delivery_report.ts";
import { Dots } from "../lttng/progress_dots.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { printArchive, reportSession } from "../lttng/session_report.ts";
import { lossText, lossWarning } from "../lttng/session_stats.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const destroy = defineCommand({
  name: "destroy",
  group: "Recording sessions",
  help: "Destroy recording sessions",
  usage: ["[--no-wait] [SESSION]", "[--no-wait] --all"],
  about: "Stops SESSION, or the current session, waits until everything is " +
    "stored, ends it, and says what did not arrive. Its trace stays where it is.",
  examples: [
    ["lttng destroy", "Stop and end the current session."],
    ["lttng destroy --all", "Stop and end all sessions."],
  ],
  options: [
    HELP,
    { name: "all", short: "a", kind: "switch", help: "Destroy all sessions." },
    LIST_OPTIONS,
    {
      name: "no-wait",
      short: "n",
      kind: "switch",
      help: "Do not wait until everything is stored.",
    },
  ],
  run: (run, values, args) =>
    run.reported(async (output) => {
      const element = output.add("sessions");
      const wait = !values["no-wait"];
      const sessions = await listSessions(run);
      const status = values.all
        ? await destroyAll(run, element, sessions, wait)
        : await destroyNamed(run, element, sessions, wait, args[0]);
      if (status === Status.OK) run.refuseMore(args, values.all ? 0 : 1);
      return status;
    }),
});

async function listSessions(run: Run): Promise<SessionInfo[]> {
  try {
    return await run.ask((daemon) => daemon.listSessions());
  } catch (error) {
    run.fail(error);
    throw new CommandFailure("");
  }
}

async function destroyAll(
  run: Run,
  element: ReportElement,
  sessions: readonly SessionInfo[],
  wait: boolean,
): Promise<number> {
  if (sessions.length === 0) {
    run.say.message("No session found, nothing to do.");
  }
  let status: number = Status.OK;
  for (const session of sessions) {
    const code = await destroyOne(run, element, session, wait);
    if (code !== Status.OK) status = Status.ERROR;
  }
  return status;
}

async function destroyNamed(
  run: Run,
  element: ReportElement,
  sessions: readonly SessionInfo[],
  wait: boolean,
  given: string | undefined,
): Promise<number> {
  const name = run.session(given);
  const session = sessions.find((session) => session.name === name);
  if (session === undefined) {
    throw new CommandFailure(
      `Session name ${name} not found`,
      lttngErrorNumber("SESS_NOT_FOUND"),
    );
  }
  return await destroyOne(run, element, session, wait);
}

async function destroyOne(
  run: Run,
  element: ReportElement,
  session: SessionInfo,
  wait: boolean,
): Promise<number> {
  const { name } = session;
  let delivery: SessionDelivery | undefined;
  const dots = new Dots(run.say, `Destroying session ${name}`);
  try {
    delivery = await destroyAndTell(run, session, wait, dots);
  } catch (error) {
    run.say.part(dots.end());
    if (error instanceof CommandFailure) return run.fail(error);
    return run.failWith(
      error,
      (text) => `${text} during the destruction of session "${name}"`,
    );
  }
  forgetIfCurrent(run, name);
  reportDelivery(run, reportSession(element, session), delivery);
  return Status.OK;
}

/** Destroys a session; what became of its trace, where that is known. */
async function destroyAndTell(
  run: Run,
  session: SessionInfo,
  wait: boolean,
  dots: Dots,
): Promise<SessionDelivery | undefined> {
  const { name } = session;
  const wasStopped = await stop(run, name);
  if (wait) {
    const onWait = () => dots.add();
    await run.ask((daemon) => daemon.waitForData(name, { onWait }));
  }
  const before = await askDelivery(run, name);
  const loss = wasStopped ? undefined : await lossWarning(run, name);
  if (wait) {
    const end = run.ask((daemon) => daemon.destroySession(name));
    tellEnd(run, name, await dots.until(end), dots);
  } else {
    await run.ask((daemon) => daemon.destroySessionNoWait(name));
  }
  run.say.message(`${dots.end()}Session ${name} destroyed`);
  const after = wait && before !== undefined
    ? await askDelivery(run, name, { hasEnded: true })
    : undefined;
  if (before === undefined || after === undefined) {
    if (loss !== undefined) run.say.message(loss);
    return undefined;
  }
  // The stop told of the rest.
  const news = wasStopped ? deliverySince(before, after) : after;
  // Snapshot sessions overwrite on purpose.
  const warning = session.snapshotMode ? undefined : lossText(lossOf(news));
  if (warning !== undefined) run.say.message(warning);
  printDelivery(run, name, news, "destroyed");
  return after;
}

/** Stops a session; whether it had been stopped before. */
async function stop(run: Run, name: string): Promise<boolean> {
  try {
    await run.ask((daemon) => daemon.stopTracingNoWait(name));
    return false;
  } catch (error) {
    if (hasCode(error, "TRACE_ALREADY_STOPPED")) return true;
    // It is destroyed all the same.
    run.fail(error);
    return false;
  }
}

function tellEnd(run: Run, name: string, end: Destruction, dots: Dots): void {
  const { rotationState, location } = end;
  if (rotationState === "no rotation") return;
  if (location !== undefined) printArchive(run.say, location, name);
  else {
    run.say.error(
      `${dots.end()}Failed to get the location of the rotation performed ` +
        "during the session's destruction",
    );
  }
}
