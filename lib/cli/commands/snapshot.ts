/** `lttng snapshot`: stores what the ring buffers hold. */

import type { SnapshotDestination } from "../../control/archiving_types.ts";
import { ControlError } from "../../control/errors.ts";
import { defineCommand } from "../lttng/command.ts";
import {
  HELP,
  LIST_COMMANDS,
  LIST_OPTIONS,
  SESSION,
} from "../lttng/common_options.ts";
import { parseSize } from "../lttng/quantity.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const snapshot = defineCommand({
  name: "snapshot",
  group: "Control",
  help: "Take a recording session snapshot",
  usage: [
    "[--session=SESSION] record [--name=NAME] [--max-size=SIZE] [URL | -C URL -D URL]",
    "[--session=SESSION] add-output [--name=NAME] [--max-size=SIZE] (URL | -C URL -D URL)",
    "[--session=SESSION] del-output (ID | NAME)",
    "[--session=SESSION] list-output",
  ],
  about: "Stores what the ring buffers of a session hold: of one that was " +
    "made with lttng create --snapshot.",
  examples: [
    ["lttng snapshot record", "Store the last events."],
    [
      "lttng snapshot record net://collector",
      "Send them to a relay daemon instead.",
    ],
  ],
  actions: [
    { name: "add-output", help: "Set where snapshots go." },
    { name: "del-output", help: "Take that back." },
    { name: "list-output", help: "Say where snapshots go." },
    { name: "record", help: "Store a snapshot." },
  ],
  options: [
    HELP,
    SESSION,
    {
      name: "ctrl-url",
      short: "C",
      kind: "value",
      valueName: "URL",
      help: "Where the control connection of a relay daemon is.",
    },
    {
      name: "data-url",
      short: "D",
      kind: "value",
      valueName: "URL",
      help: "Where the data connection of a relay daemon is.",
    },
    {
      name: "name",
      short: "n",
      kind: "value",
      valueName: "NAME",
      defaultText: "snapshot-ID",
      help: "What the output or the snapshot is called.",
    },
    {
      name: "max-size",
      short: "m",
      kind: "value",
      valueName: "SIZE",
      defaultText: "no bound",
      help: "Largest size of one snapshot; k, M or G may stand behind it.",
      read: (text) => {
        const size = parseSize(text);
        if (size !== undefined) return Number(size);
        throw new CommandFailure(`Unable to handle max-size value ${text}`);
      },
    },
    LIST_OPTIONS,
    LIST_COMMANDS,
  ],
  reportsEarly: true,
  run: async (run, values, args) => {
    const session = run.session(values.session);
    const { "ctrl-url": controlUrl, "data-url": dataUrl } = values;
    return await run.reported((output) =>
      act(run, output, args, {
        session,
        controlUrl,
        dataUrl,
        name: values.name,
        // 0 is "no bound".
        maximumSize: values["max-size"] || undefined,
      })
    );
  },
});

/** What the options say. */
interface Settings {
  readonly session: string;
  readonly controlUrl: string | undefined;
  readonly dataUrl: string | undefined;
  readonly name: string | undefined;
  readonly maximumSize: number | undefined;
}

type Action = (
  run: Run,
  output: ReportElement,
  settings: Settings,
  args: readonly string[],
) => Promise<void>;

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ["add-output", addOutput],
  ["del-output", delOutput],
  ["list-output", listOutput],
  ["record", record],
]);

async function act(
  run: Run,
  output: ReportElement,
  args: readonly string[],
  settings: Settings,
): Promise<number> {
  const [name, ...more] = args;
  if (name === undefined) {
    throw new CommandFailure("No action specified for snapshot command.");
  }
  const { controlUrl, dataUrl } = settings;
  if ((controlUrl === undefined) !== (dataUrl === undefined)) {
    throw new CommandFailure(
      "URLs must be specified for both data and control",
    );
  }
  const action = ACTIONS.get(name);
  if (action === undefined) return Status.UNDEFINED;
  const element = output.add("snapshot_action").fields({ name });
  try {
    await action(run, element.add("output"), settings, more);
    return Status.OK;
  } catch (error) {
    if (hasCode(error, "SNAPSHOT_NODATA")) {
      run.say.warning(error.text);
      return Status.OK;
    }
    const status = run.fail(error);
    return error instanceof ControlError ? Status.ERROR : status;
  }
}

/** Where it goes: the argument counts before the options. */
function destination(
  { controlUrl, dataUrl, name, maximumSize }: Settings,
  argument: string | undefined,
): SnapshotDestination {
  return { name, maximumSize, url: argument ?? controlUrl, dataUrl };
}

async function addOutput(
  run: Run,
  output: ReportElement,
  settings: Settings,
  [url]: readonly string[],
): Promise<void> {
  const { session, controlUrl, maximumSize } = settings;
  if (url === undefined && controlUrl === undefined) {
    throw new CommandFailure(
      "An output destination must be specified to add a snapshot output.",
    );
  }
  const to = destination(settings, url);
  let id: number;
  try {
    id = await run.ask((daemon) => daemon.snapshotAddOutput(session, to));
  } catch (error) {
    if (!hasCode(error, "SNAPSHOT_UNSUPPORTED")) throw error;
    throw new CommandFailure(
      `Session "${session}" contains a channel that is incompatible with the ` +
        "snapshot functionality.\nMake sure all channels are configured in " +
        "'mmap' output mode.",
    );
  }
  const name = settings.name ?? `snapshot-${id}`;
  const bound = maximumSize === undefined
    ? ""
    : ` (max size: ${maximumSize} bytes)`;
  run.say.message(`Snapshot output successfully added for session ${session}`);
  run.say.message(`  [${id}] ${name}: ${to.url}${bound}`);
  output.add("snapshot").fields({
    ...{ id, name, ctrl_url: to.url, session_name: session },
    max_size: maximumSize ?? UNSET,
  });
}

/** What LTTng says for "no bound". */
const UNSET = 2n ** 64n - 1n;

async function delOutput(
  run: Run,
  output: ReportElement,
  { session }: Settings,
  [argument]: readonly string[],
): Promise<void> {
  if (argument === undefined) {
    throw new CommandFailure(
      "A snapshot output name or id must be provided to delete a snapshot " +
        "output.",
    );
  }
  const [digits = ""] = /^\s*[+-]?\d+/.exec(argument) ?? [];
  const id = Number(digits);
  const isName = digits === "" || id === 0;
  if (!isName && digits.length < argument.length) {
    throw new CommandFailure(`Argument ${argument} not recognized`);
  }
  const which = isName ? argument.slice(digits.length) : id >>> 0;
  await run.ask((daemon) => daemon.snapshotDelOutput(session, which));
  const what = isName ? which : `id ${which}`;
  run.say.message(
    `Snapshot output ${what} successfully deleted for session ${session}`,
  );
  output.add("snapshot").fields({
    [isName ? "name" : "id"]: which,
    session_name: session,
  });
}

async function listOutput(
  run: Run,
  output: ReportElement,
  { session }: Settings,
): Promise<void> {
  const outputs = await run.ask((daemon) =>
    daemon.snapshotListOutputs(session)
  );
  run.say.message(`Snapshot output list for session ${session}`);
  const list = output.add("session").fields({ name: session })
    .add("snapshots");
  for (const { id, name, controlUrl, dataUrl, maximumSize } of outputs) {
    const bound = maximumSize === undefined
      ? ""
      : ` (max size: ${maximumSize} bytes)`;
    run.say.message(`    [${id}] ${name}: ${controlUrl}${bound}`);
    list.add("snapshot").fields({
      ...{ id, name, ctrl_url: controlUrl, data_url: dataUrl },
      max_size: maximumSize ?? 0,
    });
  }
  if (outputs.length === 0) run.say.message("    None");
}

async function record(
  run: Run,
  output: ReportElement,
  settings: Settings,
  args: readonly string[],
): Promise<void> {
  const { session, controlUrl, dataUrl } = settings;
  const url = args.length === 1 ? args[0] : undefined;
  const to = destination(settings, url);
  try {
    await run.ask((daemon) => daemon.snapshotRecord(session, to));
  } catch (error) {
    if (hasCode(error, "MAX_SIZE_INVALID")) {
      run.say.error(
        "Invalid snapshot size. Cannot fit at least one packet per stream.",
      );
    }
    throw error;
  }
  run.say.message(`Snapshot recorded successfully for session ${session}`);
  if (url !== undefined) run.say.message(`Snapshot written at: ${url}`);
  else if (controlUrl !== undefined) {
    run.say.message(
      `Snapshot written to ctrl: ${controlUrl}, data: ${dataUrl}`,
    );
  }
  output.add("snapshot").fields(
    url !== undefined
      ? { ctrl_url: url }
      : { ctrl_url: controlUrl, data_url: dataUrl },
  );
}
