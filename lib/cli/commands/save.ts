/** `lttng save`: writes the configuration of sessions to files. */

import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import type { ReportElement } from "../lttng/report.ts";
import type { Run } from "../lttng/run.ts";
import { Status } from "../lttng/status.ts";

export const save = defineCommand({
  name: "save",
  group: "Recording sessions",
  help: "Save recording session configurations",
  usage: ["[--force] [--output-path=DIR] [SESSION]", "[OPTION]... --all"],
  about: "Writes what SESSION, or every session, is and records to a file " +
    "that lttng load reads.",
  examples: [
    ["lttng save demo", "Write ~/.lttng/sessions/demo.lttng."],
    ["lttng save --all --output-path=/backup", "Write all sessions there."],
  ],
  options: [
    HELP,
    { name: "all", short: "a", kind: "switch", help: "Save all sessions." },
    {
      name: "output-path",
      short: "o",
      kind: "value",
      valueName: "DIR",
      defaultText: "~/.lttng/sessions",
      help: "Write to this directory, an absolute path.",
    },
    {
      name: "force",
      short: "f",
      kind: "switch",
      help: "Replace files that are there.",
    },
    LIST_OPTIONS,
  ],
  run: async (run, values, args) => {
    const session = values.all ? undefined : args[0];
    run.refuseMore(args, values.all ? 0 : 1);
    const directory = values["output-path"];
    const { force } = values;
    return await run.reported((output) =>
      saveSessions(run, output, session, directory, force)
    );
  },
});

async function saveSessions(
  run: Run,
  output: ReportElement,
  session: string | undefined,
  directory: string | undefined,
  overwrite: boolean,
): Promise<number> {
  let status: number = Status.OK;
  const options = { session, directory, overwrite };
  try {
    await run.ask((daemon) => daemon.saveSession(options));
    const what = session === undefined
      ? "All sessions have been saved successfully"
      : `Session ${session} saved successfully`;
    const where = directory === undefined ? "" : ` in ${directory}`;
    run.say.message(`${what}${where}.`);
  } catch (error) {
    status = run.fail(error);
  }
  const element = output.add("save");
  element.add("session").fields({ name: session ?? "*" });
  element.fields({ path: directory });
  return status;
}
