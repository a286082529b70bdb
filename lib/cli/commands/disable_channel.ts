/** `lttng disable-channel`: keeps channels from recording. */

import { defineCommand } from "../lttng/command.ts";
import {
  HELP,
  KERNEL,
  LIST_OPTIONS,
  requireDomain,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const disableChannel = defineCommand({
  name: "disable-channel",
  group: "Channels",
  help: "Disable channels",
  usage: [
    "(--kernel | --userspace) [--session=SESSION] CHANNEL[,CHANNEL]...",
  ],
  about: "Keeps channels from recording until lttng enable-channel enables " +
    "them again.",
  options: [HELP, SESSION, KERNEL, USERSPACE, LIST_OPTIONS],
  run: async (run, values, args) => {
    const domain = requireDomain(values, false) === "kernel" ? "kernel" : "ust";
    const [names] = args;
    if (names === undefined) {
      throw new CommandFailure("Missing channel name(s).");
    }
    run.refuseMore(args, 1);
    const session = run.session(values.session);
    return await run.reported(async (output) => {
      const channels = output.add("channels");
      let status: number = Status.OK;
      for (const name of names.split(",").filter((name) => name !== "")) {
        const isDone = await disable(run, channels, session, domain, name);
        if (!isDone) status = Status.WARNING;
      }
      return status;
    });
  },
});

async function disable(
  run: Run,
  channels: ReportElement,
  session: string,
  domain: "kernel" | "ust",
  name: string,
): Promise<boolean> {
  let isDone = true;
  try {
    await run.ask((daemon) => daemon.disableChannel(session, domain, name));
    run.say.message(
      `${domain} channel ${name} disabled for session ${session}`,
    );
  } catch (error) {
    run.failWith(
      error,
      (text) => `Channel ${name}: ${text} (session ${session})`,
    );
    isDone = false;
  }
  channels.add("channel").fields({ name, enabled: !isDone, success: isDone });
  return isDone;
}
