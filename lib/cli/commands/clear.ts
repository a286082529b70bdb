/** `lttng clear`: throws away what was recorded. */

import type { SessionInfo } from "../../control/session_types.ts";
import { lttngErrorNumber } from "../../wire/lttng_error.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { Dots } from "../lttng/progress_dots.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { reportSession } from "../lttng/session_report.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const clear = defineCommand({
  name: "clear",
  group: "Recording sessions",
  help: "Clear a recording session",
  usage: ["[SESSION]", "--all"],
  about: "Throws away what SESSION, or the current session, has recorded so " +
    "far; it goes on recording.",
  examples: [["lttng clear", "Begin the trace of the current session anew."]],
  options: [
    HELP,
    { name: "all", short: "a", kind: "switch", help: "Clear all sessions." },
    LIST_OPTIONS,
  ],
  run: (run, values, args) =>
    run.reported(async (output) => {
      const element = output.add("sessions");
      const name = values.all ? undefined : run.session(args[0]);
      run.refuseMore(args, values.all ? 0 : 1);
      const sessions = await listSessions(run);
      if (name === undefined) return await clearAll(run, element, sessions);
      const session = sessions.find((session) => session.name === name);
      if (session === undefined) {
        throw new CommandFailure(
          `Session name ${name} not found`,
          lttngErrorNumber("SESS_NOT_FOUND"),
        );
      }
      return await clearOne(run, element, session);
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

async function clearAll(
  run: Run,
  element: ReportElement,
  sessions: readonly SessionInfo[],
): Promise<number> {
  if (sessions.length === 0) {
    run.say.message("No session found, nothing to do.");
  }
  for (const session of sessions) {
    const status = await clearOne(run, element, session);
    if (status !== Status.OK) return status;
  }
  return Status.OK;
}

async function clearOne(
  run: Run,
  element: ReportElement,
  session: SessionInfo,
): Promise<number> {
  const { name } = session;
  const dots = new Dots(run.say, `Waiting for clear of session "${name}"`);
  try {
    await dots.until(run.ask((daemon) => daemon.clearSession(name)));
  } finally {
    run.say.part(dots.end());
  }
  run.say.message(`Session "${name}" cleared`);
  reportSession(element, session);
  return Status.OK;
}
