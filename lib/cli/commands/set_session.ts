/** `lttng set-session`: chooses the current session. */

import { SESSION_NAME_BYTES } from "../../base/limits.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { makeCurrent } from "../lttng/current_session.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const setSession = defineCommand({
  name: "set-session",
  group: "Recording sessions",
  help: "Set the current recording session",
  usage: ["SESSION"],
  about: "Makes SESSION the current session: the one that commands mean when " +
    "no session is named. Its name is kept in ~/.lttngrc.",
  options: [HELP, LIST_OPTIONS],
  run: async (run, _values, args) => {
    const [session] = args;
    if (session === undefined) throw new CommandFailure("Missing session name");
    return await run.reported((output) => set(run, output, session));
  },
});

async function set(
  run: Run,
  output: ReportElement,
  session: string,
): Promise<number> {
  if (session.length > SESSION_NAME_BYTES) {
    throw new CommandFailure(
      "Session name too long. Length must be lower or equal to " +
        `${SESSION_NAME_BYTES}`,
    );
  }
  let sessions;
  try {
    sessions = await run.ask((daemon) => daemon.listSessions());
  } catch (error) {
    run.fail(error);
    return Status.ERROR;
  }
  if (!sessions.some(({ name }) => name === session)) {
    throw new CommandFailure(`Session '${session}' not found`);
  }
  if (!makeCurrent(run, session)) {
    throw new CommandFailure("Unable to set session name");
  }
  run.say.message(`Session set to ${session}`);
  output.add("sessions").add("session").fields({ name: session });
  return Status.OK;
}
