/** `lttng stop`: stops recording. */

import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import {
  askDelivery,
  OUTPUT_FAILURES,
  printDelivery,
} from "../lttng/delivery.ts";
import { reportDelivery } from "../lttng/delivery_report.ts";
import { hasCode } from "../lttng/run.ts";
import { printLoss } from "../lttng/session_stats.ts";
import { Status } from "../lttng/status.ts";

export const stop = defineCommand({
  name: "stop",
  group: "Control",
  help: "Stop a recording session",
  usage: ["[--no-wait] [SESSION]"],
  about: "Stops recording, waits until everything is stored, and says what " +
    "is still on its way and what was lost.",
  examples: [["lttng stop", "Stop the current session."]],
  options: [
    HELP,
    LIST_OPTIONS,
    {
      name: "no-wait",
      short: "n",
      kind: "switch",
      help: "Do not wait until everything is stored.",
    },
  ],
  run: async (run, values, args) => {
    run.report.open();
    run.refuseMore(args, 1);
    return await run.reported(async (output) => {
      const sessions = output.add("sessions");
      const session = run.session(args[0]);
      let status: number = Status.OK;
      try {
        await run.ask((daemon) => daemon.stopTracingNoWait(session));
      } catch (error) {
        if (hasCode(error, "TRACE_ALREADY_STOPPED")) {
          run.say.warning(`Tracing already stopped for session ${session}`);
          return error.code;
        }
        // This project's session daemon stops, and says that not all is stored.
        const isStopped = hasCode(error, ...OUTPUT_FAILURES) &&
          await askDelivery(run, session) !== undefined;
        if (!isStopped) throw error;
        status = run.fail(error);
      }
      if (!values["no-wait"]) {
        run.say.part("Waiting for data availability");
        const onWait = () => run.say.part(".");
        const stored = await run.ask((daemon) =>
          daemon.waitForData(session, { onWait })
        );
        run.say.message("");
        if (!stored) run.say.warning("Some data is still on its way");
      }
      await printLoss(run, session);
      const delivery = await askDelivery(run, session);
      printDelivery(run, session, delivery, "stopped");
      run.say.message(`Tracing stopped for session ${session}`);
      const element = sessions.add("session")
        .fields({ name: session, enabled: false });
      reportDelivery(run, element, delivery);
      return status;
    });
  },
});
