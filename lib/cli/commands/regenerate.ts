/** `lttng regenerate`, and its old spelling `metadata regenerate`. */

import { ControlError } from "../../control/errors.ts";
import { lttngErrorNumber } from "../../wire/lttng_error.ts";
import { defineCommand } from "../lttng/command.ts";
import {
  HELP,
  LIST_COMMANDS,
  LIST_OPTIONS,
  SESSION,
} from "../lttng/common_options.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

/** Regenerates something of a session; returns the status. */
type Action = (run: Run, session: string, isAlone: boolean) => Promise<number>;

const metadata: Action = async (run, session, isAlone) => {
  if (!isAlone) return Status.UNDEFINED;
  await run.ask((daemon) => daemon.regenerateMetadata(session));
  run.say.message(`Metadata successfully regenerated for session ${session}`);
  return Status.OK;
};

const statedump: Action = async (run, session, isAlone) => {
  if (!isAlone) return lttngErrorNumber("INVALID");
  try {
    await run.ask((daemon) => daemon.regenerateStatedump(session));
  } catch (error) {
    // The stock program says nothing here.
    if (!(error instanceof ControlError)) throw error;
    run.say.hint(`${error.text}.`);
    return error.code;
  }
  run.say.message(
    `State dump successfully regenerated for session ${session}`,
  );
  return Status.OK;
};

export const regenerate = defineCommand({
  name: "regenerate",
  group: "Recording sessions",
  help: "Regenerate specific recording session data",
  usage: ["[--session=SESSION] metadata", "[--session=SESSION] statedump"],
  about: "Writes something anew that a session wrote when it was started.",
  actions: [
    {
      name: "metadata",
      help: "All metadata, as after a change of the system's time.",
    },
    { name: "statedump", help: "The state of the system." },
  ],
  options: [HELP, SESSION, LIST_OPTIONS, LIST_COMMANDS],
  reportsEarly: true,
  run: (run, values, args) =>
    act(run, values.session, args, {
      actions: { metadata, statedump },
      missing: "No object specified for regenerate command.",
      element: "regenerate_action",
    }),
});

/** Until 2.9 the metadata had a command of their own. */
export const metadataCommand = defineCommand({
  name: "metadata",
  group: "Older spellings",
  help: "Regenerate the metadata: now lttng regenerate metadata",
  usage: ["[--session=SESSION] regenerate"],
  about: "The older spelling of lttng regenerate metadata.",
  isHidden: true,
  actions: [{ name: "regenerate", help: "Write all metadata anew." }],
  options: [HELP, SESSION, LIST_OPTIONS, LIST_COMMANDS],
  reportsEarly: true,
  run: (run, values, args) =>
    act(run, values.session, args, {
      actions: { regenerate: metadata },
      missing: "No action specified for metadata command.",
      element: "metadata_action",
    }),
});

async function act(
  run: Run,
  given: string | undefined,
  args: readonly string[],
  { actions, missing, element }: {
    readonly actions: Readonly<Record<string, Action>>;
    readonly missing: string;
    readonly element: string;
  },
): Promise<number> {
  const session = run.session(given);
  return await run.reported(async (output) => {
    const [name, ...more] = args;
    if (name === undefined) throw new CommandFailure(missing);
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) return Status.UNDEFINED;
    output.add(element).fields({ name });
    return await action(run, session, more.length === 0);
  });
}
