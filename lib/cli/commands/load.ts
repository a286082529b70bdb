/** `lttng load`: makes sessions that `lttng save` saved. */

import { ControlError } from "../../control/errors.ts";
import type { LoadOptions } from "../../control/loading.ts";
import { parseUrls, UrlError } from "../../control/url.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { makeCurrent } from "../lttng/current_session.ts";
import type { ReportElement } from "../lttng/report.ts";
import { hasCode, type Run } from "../lttng/run.ts";
import { CommandFailure, Status } from "../lttng/status.ts";
import { systemReason } from "../options/surroundings.ts";

export const load = defineCommand({
  name: "load",
  group: "Recording sessions",
  help: "Load recording session configurations",
  usage: [
    "[--force] [--input-path=PATH] [--override-url=URL] [--override-name=NAME] SESSION",
    "[--force] [--input-path=PATH] [--override-url=URL] [--all]",
  ],
  about: "Makes SESSION, or all sessions, as lttng save wrote them to files.",
  options: [
    HELP,
    { name: "all", short: "a", kind: "switch", help: "Load all sessions." },
    {
      name: "input-path",
      short: "i",
      kind: "value",
      valueName: "PATH",
      defaultText: "~/.lttng/sessions and /etc/lttng/sessions",
      help: "Load from this file or directory.",
    },
    {
      name: "force",
      short: "f",
      kind: "switch",
      help: "Destroy sessions of the same names first.",
    },
    {
      name: "override-url",
      kind: "value",
      valueName: "URL",
      help: "Send the traces here, whatever the files say.",
    },
    {
      name: "override-name",
      kind: "value",
      valueName: "NAME",
      help: "Call SESSION so.",
    },
    LIST_OPTIONS,
  ],
  run: async (run, values, args) => {
    await checkDaemon(run);
    const session = values.all ? undefined : args[0];
    run.refuseMore(args, values.all ? 0 : 1);
    const output = run.report.open();
    const path = values["input-path"];
    const overrideUrl = values["override-url"];
    const overrideName = values["override-name"];
    const override = overrideUrl && await checkedUrl(run, overrideUrl);
    if (overrideName !== undefined && session === undefined) {
      throw new CommandFailure(
        "Options --all and --override-name cannot be used simultaneously",
      );
    }
    const options = { session, overwrite: values.force };
    return await run.reported(async () => {
      const status = await loadAndTell(run, {
        ...options,
        path: path === undefined ? undefined : realPath(path),
        ...{ overrideUrl: override, overrideName },
      }, overrideUrl);
      report(output, { session, path, overrideName, overrideUrl });
      return status;
    });
  },
});

async function checkDaemon(run: Run): Promise<void> {
  try {
    await run.ask(() => Promise.resolve());
  } catch (error) {
    run.fail(error);
    throw new CommandFailure("");
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    throw new CommandFailure(
      `Invalid input path: ${path}: ${systemReason(error)}`,
    );
  }
}

async function checkedUrl(run: Run, url: string): Promise<string> {
  try {
    const [first] = await parseUrls(url);
    const path = first?.destination.startsWith("/") && first.destination;
    // A path becomes a URL and a path again, which gains a slash.
    return path ? `${path}/` : url;
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    for (const reason of error.reasons) run.say.error(reason);
    throw new CommandFailure("Url override is invalid", error.code);
  }
}

async function loadAndTell(
  run: Run,
  options: LoadOptions,
  overrideUrl: string | undefined,
): Promise<number> {
  const { session, overrideName } = options;
  try {
    await run.ask((daemon) => daemon.loadSession(options));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    tellFailure(run, error, overrideName ?? session);
    return Status.ERROR;
  }
  if (session === undefined) {
    run.say.message("All sessions have been loaded successfully");
  } else {
    if (!makeCurrent(run, session)) {
      run.say.warning(`Could not set ${session} as the default session`);
    }
    run.say.message(`Session ${session} has been loaded successfully`);
  }
  if (overrideName !== undefined) {
    run.say.message(`Session name overridden with ${overrideName}`);
  }
  if (overrideUrl !== undefined) {
    run.say.message(`Session output url overridden with ${overrideUrl}`);
  }
  return Status.OK;
}

function tellFailure(
  run: Run,
  error: ControlError,
  session: string | undefined,
): void {
  const { command, text, message } = error;
  if (hasCode(error, "LOAD_INVALID_CONFIG") && message !== text) {
    run.say.error("Session configuration file validation failed");
    run.say.explain(message.slice(`${text}: `.length));
  } else if (command !== undefined && command !== "CREATE_SESSION_EXT") {
    // It was made in part, and destroyed again.
    const name = session === undefined ? "" : ` ${session}`;
    run.say.error(`Failed to load session${name}: ${text}`);
  }
  run.fail(error);
}

function report(
  output: ReportElement,
  { session, path, overrideName, overrideUrl }: {
    readonly session: string | undefined;
    readonly path: string | undefined;
    readonly overrideName: string | undefined;
    readonly overrideUrl: string | undefined;
  },
): void {
  const element = output.add("load");
  element.add("session").fields({ name: session ?? "*" });
  element.fields({ path });
  element.add("overrides").fields({ name: overrideName, url: overrideUrl });
}
