/** `lttng rotate`: archives what was recorded so far. */

import { SESSIOND_DONE_TIMEOUT_MS } from "../../base/limits.ts";
import type { Rotation } from "../../control/archiving_types.ts";
import { poll } from "../../control/poll.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { printArchive, reportArchive } from "../lttng/session_report.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const rotate = defineCommand({
  name: "rotate",
  group: "Recording session rotation",
  help: "Archive the current trace chunk of a recording session",
  usage: ["[--no-wait] [SESSION]"],
  about: "Moves what SESSION, or the current session, has recorded so far to " +
    "an archive that can be read, processed and removed; it goes on recording.",
  examples: [["lttng rotate", "Archive what the current session recorded."]],
  options: [
    HELP,
    LIST_OPTIONS,
    {
      name: "no-wait",
      short: "n",
      kind: "switch",
      help: "Do not wait until the archive is there.",
    },
  ],
  run: async (run, values, args) => {
    const session = run.session(args[0]);
    return await run.reported((output) =>
      rotateSession(run, output, session, !values["no-wait"])
    );
  },
});

async function rotateSession(
  run: Run,
  output: ReportElement,
  session: string,
  wait: boolean,
): Promise<number> {
  const rotation = await begin(run, session, wait);
  if (rotation === undefined) return Status.WARNING;
  const { state, location } = rotation;
  if (state === "error") {
    throw new CommandFailure("Failed to retrieve rotation state.");
  }
  if (state === "ongoing") {
    run.say.message(`Rotation ongoing for session ${session}`);
  } else if (location !== undefined) {
    printArchive(run.say, location, session);
  }
  const element = output.add("rotation").fields({
    session_name: session,
    state: state.toUpperCase(),
  });
  if (location !== undefined) reportArchive(element, location);
  return Status.OK;
}

/** Starts the rotation, and waits for it; `undefined` if it cannot be. */
async function begin(
  run: Run,
  session: string,
  wait: boolean,
): Promise<Pick<Rotation, "state" | "location"> | undefined> {
  let id: bigint;
  try {
    id = await run.ask((daemon) => daemon.rotateSessionNoWait(session));
  } catch (error) {
    if (hasCode(error, "SESSION_NOT_STARTED")) {
      run.say.warning(`Tracing session ${session} not started yet`);
      return undefined;
    }
    run.fail(error);
    throw new CommandFailure("");
  }
  if (!wait) return { state: "ongoing", location: undefined };
  run.say.part("Waiting for rotation to complete");
  try {
    return await finish(run, session, id);
  } catch (error) {
    run.say.debug(1, String(error));
    throw new CommandFailure("Failed to query the state of the rotation.");
  } finally {
    run.say.message("");
  }
}

async function finish(run: Run, session: string, id: bigint) {
  const ended = await poll(async () => {
    const info = await run.ask((daemon) => daemon.rotationInfo(session, id));
    return info.state === "ongoing" ? undefined : info;
  }, {
    timeoutMs: SESSIOND_DONE_TIMEOUT_MS,
    onWait: () => run.say.part("."),
  });
  return ended ?? { state: "ongoing" as const, location: undefined };
}
