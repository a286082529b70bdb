/** `lttng enable-rotation` and `disable-rotation`: rotations by themselves. */

import type { ScheduleName } from "../../control/archiving_types.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS, SESSION } from "../lttng/common_options.ts";
import { parseSize, parseTime } from "../lttng/quantity.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { reportSchedule } from "../lttng/session_report.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

/** What messages call each kind of schedule. */
const KINDS: Readonly<Record<ScheduleName, string>> = {
  periodic: "periodic",
  size: "size-based",
};

const SCHEDULES: readonly ScheduleName[] = ["periodic", "size"];

export const enableRotation = defineCommand({
  name: "enable-rotation",
  group: "Recording session rotation",
  help: "Set a recording session rotation schedule",
  usage: ["[--session=SESSION] [--timer=TIME] [--size=SIZE]"],
  about: "Makes a session rotate by itself, as lttng rotate does: again and " +
    "again after some time, or after some bytes.",
  examples: [
    ["lttng enable-rotation --timer=10m", "Rotate every ten minutes."],
    ["lttng enable-rotation --size=100M", "Rotate every 100 MiB."],
  ],
  options: [
    HELP,
    LIST_OPTIONS,
    SESSION,
    {
      name: "timer",
      kind: "value",
      valueName: "TIME",
      help: "Rotate when this time has passed, in microseconds or with us, " +
        "ms, s, m (minutes) or h behind it.",
      repeated: true,
      read: (text) => {
        const time = /^\d/.test(text) ? parseTime(text) : undefined;
        return time ?? refuse(`Invalid value for --timer option: ${text}`);
      },
    },
    {
      name: "size",
      kind: "value",
      valueName: "SIZE",
      help: "Rotate when so many bytes are written; k, M or G may stand " +
        "behind it.",
      repeated: true,
      read: (text) =>
        parseSize(text) ?? refuse(`Invalid value for --size option: ${text}`),
    },
  ],
  run: async (run, values) => {
    const wanted = { periodic: values.timer, size: values.size };
    for (const schedule of SCHEDULES) {
      if (wanted[schedule].length <= 1) continue;
      refuse(
        `Only one ${
          KINDS[schedule]
        } rotation schedule may be set on a session.`,
      );
    }
    const session = run.session(values.session);
    return await run.reported((output) =>
      change(run, output, session, wanted, enable, "parameter")
    );
  },
});

export const disableRotation = defineCommand({
  name: "disable-rotation",
  group: "Recording session rotation",
  help: "Unset a recording session rotation schedule",
  usage: ["[--session=SESSION] [--timer] [--size]"],
  about: "Takes back what lttng enable-rotation did.",
  options: [
    HELP,
    LIST_OPTIONS,
    SESSION,
    { name: "timer", kind: "switch", help: "No longer rotate by time." },
    { name: "size", kind: "switch", help: "No longer rotate by size." },
  ],
  run: async (run, values) => {
    const session = run.session(values.session);
    const wanted = {
      periodic: values.timer ? [0n] : [],
      size: values.size ? [0n] : [],
    };
    return await run.reported((output) =>
      change(run, output, session, wanted, disable, "type")
    );
  },
});

function refuse(message: string): never {
  throw new CommandFailure(message);
}

/** Changes one schedule; returns a status, and the value that was changed. */
type Change = (
  run: Run,
  session: string,
  schedule: ScheduleName,
  value: bigint,
) => Promise<{ status: number; value: bigint | undefined }>;

async function change(
  run: Run,
  output: ReportElement,
  session: string,
  wanted: Readonly<Record<ScheduleName, readonly bigint[]>>,
  one: Change,
  what: string,
): Promise<number> {
  if (SCHEDULES.every((schedule) => wanted[schedule].length === 0)) {
    refuse(`No session rotation schedule ${what} provided.`);
  }
  const results = output.add("rotation_schedule_results");
  results.fields({ session_name: session });
  let status: number = Status.OK;
  for (const schedule of SCHEDULES) {
    for (const wish of wanted[schedule]) {
      const result = await one(run, session, schedule, wish);
      const element = results.add("rotation_schedule_result");
      const parent = element.add("rotation_schedule");
      reportSchedule(parent, schedule, result.value);
      element.fields({ success: result.status === Status.OK });
      if (status === Status.OK) status = result.status;
    }
  }
  return status;
}

const enable: Change = async (run, session, schedule, value) => {
  const kind = KINDS[schedule];
  if (value === 0n) refuse(`Invalid value for ${kind} option`);
  try {
    await run.ask((daemon) =>
      daemon.addRotationSchedule(session, schedule, Number(value))
    );
  } catch (error) {
    run.failWith(
      error,
      () =>
        hasCode(error, "ROTATION_SCHEDULE_SET")
          ? `A ${kind} rotation schedule is already set on session ${session}`
          : hasCode(error, "INVALID")
          ? `Invalid parameter for ${kind} rotation schedule`
          : `Failed to enable ${kind} rotation schedule on session ${session}`,
    );
    return { status: Status.ERROR, value };
  }
  const unit = schedule === "periodic" ? "us" : "bytes written";
  run.say.message(
    `Enabled ${kind} rotations every ${value} ${unit} on session ${session}`,
  );
  return { status: Status.OK, value };
};

const disable: Change = async (run, session, schedule) => {
  const kind = KINDS[schedule];
  let value: bigint | undefined;
  try {
    const schedules = await run.ask((daemon) =>
      daemon.listRotationSchedules(session)
    );
    const set = schedules[schedule];
    if (set !== undefined) value = BigInt(set);
  } catch (error) {
    run.failWith(
      error,
      () => `Failed to list rotation schedules of session ${session}`,
    );
    throw new CommandFailure("");
  }
  if (value === undefined) {
    run.say.error(
      `No ${kind} rotation schedule active on session ${session}`,
    );
    return { status: Status.ERROR, value };
  }
  try {
    await run.ask((daemon) => daemon.removeRotationSchedule(session, schedule));
  } catch (error) {
    run.failWith(
      error,
      () =>
        hasCode(error, "ROTATION_SCHEDULE_NOT_SET")
          ? `No ${kind} rotation schedule set on session ${session}`
          : `Failed to disable ${kind} rotation schedule on session ${session}`,
    );
    return { status: Status.ERROR, value };
  }
  run.say.message(`Disabled ${kind} rotation on session ${session}`);
  return { status: Status.OK, value };
};
