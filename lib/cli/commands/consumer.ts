/** The commands of LTTng 2.1 that chose where a trace goes. */

import { ControlError } from "../../control/errors.ts";
import { UrlError } from "../../control/url.ts";
import { type CommandValues, defineCommand } from "../lttng/command.ts";
import {
  HELP,
  KERNEL,
  LIST_OPTIONS,
  SESSION,
  USERSPACE,
} from "../lttng/common_options.ts";
import type { Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

const ENABLE_OPTIONS = [
  HELP,
  LIST_OPTIONS,
  SESSION,
  KERNEL,
  USERSPACE,
  {
    name: "set-url",
    short: "U",
    kind: "value",
    valueName: "URL",
    aliases: ["set-uri"],
    help: "Set where the trace goes.",
  },
  {
    name: "ctrl-url",
    short: "C",
    kind: "value",
    valueName: "URL",
    aliases: ["ctrl-uri"],
    help: "Set where the control connection goes: tcp://HOST[:PORT][/DIR].",
  },
  {
    name: "data-url",
    short: "D",
    kind: "value",
    valueName: "URL",
    aliases: ["data-uri"],
    help: "Set where the data connection goes: tcp://HOST[:PORT].",
  },
  {
    name: "enable",
    short: "e",
    kind: "switch",
    help: "With --set-url, --ctrl-url or --data-url: write the trace there.",
  },
] as const;

type EnableValues = CommandValues<typeof ENABLE_OPTIONS>;

export const enableConsumer = defineCommand({
  name: "enable-consumer",
  group: "Older spellings",
  help: "Set where a session's trace goes (LTTng 2.0 and 2.1)",
  usage: ["[--session=SESSION] [URL]", "[--session=SESSION] [OPTION]..."],
  about: "Sets where the trace of a session goes, before the session is " +
    "started. The destination is the session's: with --kernel or --userspace " +
    "it is set for all of it too. Since LTTng 2.2 what a session records is " +
    "always written; there is nothing else to enable.",
  examples: [
    ["lttng enable-consumer net://collector", "Send it to a relay daemon."],
  ],
  isHidden: true,
  isOurs: true,
  options: ENABLE_OPTIONS,
  run: async (run, values, args) => {
    run.refuseMore(args, 1);
    const session = run.session(values.session);
    return await told(
      run,
      session,
      () => enable(run, session, values, args[0]),
    );
  },
});

export const disableConsumer = defineCommand({
  name: "disable-consumer",
  group: "Older spellings",
  help: "Write nothing of a session (LTTng 2.0 and 2.1)",
  usage: ["[--session=SESSION]"],
  about: "No session daemon since LTTng 2.2 can keep a session from being " +
    "written: this command says so and does nothing.",
  isHidden: true,
  isOurs: true,
  options: [HELP, LIST_OPTIONS, SESSION, KERNEL, USERSPACE],
  run: async (run, values, args) => {
    run.refuseMore(args, 0);
    const session = run.session(values.session);
    return await told(run, session, () =>
      Promise.reject(
        new CommandFailure(
          `Disabling consumer for session ${session}: Operation not ` +
            "supported: what a session records is always written since LTTng " +
            "2.2. Make it anew with: lttng create --no-output",
        ),
      ));
  },
});

/** Whatever is refused: the status is 1. */
async function told(
  run: Run,
  session: string,
  body: () => Promise<number>,
): Promise<number> {
  try {
    await checkSession(run, session);
    return await body();
  } catch (error) {
    if (error instanceof UrlError) {
      for (const reason of error.reasons) run.say.error(reason);
      run.say.error("Unrecognized URL format.");
      return Status.ERROR;
    }
    const status = run.fail(error);
    return error instanceof ControlError ? Status.ERROR : status;
  }
}

async function checkSession(run: Run, session: string): Promise<void> {
  const sessions = await run.ask((daemon) => daemon.listSessions());
  if (sessions.some(({ name }) => name === session)) return;
  throw new CommandFailure(`Session '${session}' not found`);
}

async function enable(
  run: Run,
  session: string,
  values: EnableValues,
  argument: string | undefined,
): Promise<number> {
  const { "set-url": url, "ctrl-url": control, "data-url": data } = values;
  for (const single of [argument, url]) {
    if (single === undefined) continue;
    await run.ask((daemon) => daemon.setConsumerUri(session, single));
    run.say.message(`URL ${single} set for session ${session}.`);
  }
  if (control !== undefined || data !== undefined) {
    await run.ask((daemon) => daemon.setConsumerUri(session, control, data));
    if (control !== undefined) {
      run.say.message(`Control URL ${control} set for session ${session}.`);
    }
    if (data !== undefined) {
      run.say.message(`Data URL ${data} set for session ${session}.`);
    }
  }
  const isOnlySet = url !== undefined || control !== undefined ||
    data !== undefined;
  if (values.enable || !isOnlySet) {
    const path = await destination(run, session);
    run.say.message(
      `Consumer enabled successfully: session ${session} writes to ${path}`,
    );
  }
  return Status.OK;
}

async function destination(run: Run, session: string): Promise<string> {
  const sessions = await run.ask((daemon) => daemon.listSessions());
  const path = sessions.find(({ name }) => name === session)?.path ?? "";
  if (path !== "") return path;
  throw new CommandFailure(
    `Enabling consumer for session ${session}: it has no output: name one: ` +
      "lttng enable-consumer URL",
  );
}
