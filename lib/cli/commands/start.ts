/** `lttng start`: starts recording. */

import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { hasCode } from "../lttng/run.ts";
import { Status } from "../lttng/status.ts";

export const start = defineCommand({
  name: "start",
  group: "Control",
  help: "Start a recording session",
  usage: ["[SESSION]"],
  about: "Starts recording: what the event rules of SESSION, or of the " +
    "current session, match.",
  examples: [["lttng start", "Start the current session."]],
  options: [HELP, LIST_OPTIONS],
  run: async (run, _values, args) => {
    run.refuseMore(args, 1);
    return await run.reported(async (output) => {
      const sessions = output.add("sessions");
      const session = run.session(args[0]);
      try {
        await run.ask((daemon) => daemon.startTracing(session));
      } catch (error) {
        if (!hasCode(error, "TRACE_ALREADY_STARTED")) throw error;
        run.say.warning(`Tracing already started for session ${session}`);
        return error.code;
      }
      run.say.message(`Tracing started for session ${session}`);
      sessions.add("session").fields({ name: session, enabled: true });
      return Status.OK;
    });
  },
});
