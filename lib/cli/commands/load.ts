/** `lttng load`: makes sessions that `lttng save` saved. */

import { controlError } from "../../control/errors.ts";
import { homeDirectory } from "../../control/home.ts";
import { formatUri, parseUrls, UrlError } from "../../control/url.ts";
import { lttngErrorNumber } from "../../wire/lttng_error.ts";
import { defineCommand } from "../command.ts";
import { HELP, LIST_OPTIONS } from "../common_options.ts";
import { makeCurrent } from "../current_session.ts";
import {
  loadFrom,
  type LoadOptions,
  SYSTEM_DIRECTORY,
} from "../load_sessions.ts";
import type { ReportElement } from "../report.ts";
import type { Run } from "../run.ts";
import type { SavedOutput } from "../saved_file.ts";
import { CommandFailure, Status } from "../status.ts";
import { systemReason } from "../surroundings.ts";

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
      defaultText: `~/.lttng/sessions, then ${SYSTEM_DIRECTORY}`,
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
    const options = {
      path: path === undefined ? undefined : realPath(path),
      session,
      overwrite: values.force,
      overrideOutput: await overrideOf(run, overrideUrl),
      overrideName,
    };
    if (overrideName !== undefined && session === undefined) {
      throw new CommandFailure(
        "Options --all and --override-name cannot be used simultaneously",
      );
    }
    return await run.reported(async () => {
      const status = await loadAndTell(run, options, overrideUrl);
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

async function overrideOf(
  run: Run,
  url: string | undefined,
): Promise<SavedOutput | undefined> {
  if (url === undefined) return undefined;
  try {
    const [first, second] = await parseUrls(url);
    if (first?.destination.startsWith("/")) {
      // As the stock program writes such a URL.
      const path = `${first.destination}/`;
      return { path, controlUri: undefined, dataUri: undefined };
    }
    return {
      path: undefined,
      controlUri: first && formatUri(first),
      dataUri: second && formatUri(second),
    };
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    for (const reason of error.reasons) run.say.error(reason);
    throw new CommandFailure(
      "Url override is invalid",
      lttngErrorNumber("INVALID"),
    );
  }
}

async function loadAndTell(
  run: Run,
  options: LoadOptions,
  overrideUrl: string | undefined,
): Promise<number> {
  const { session, overrideName } = options;
  try {
    await loadAll(run, options);
  } catch (error) {
    run.fail(error);
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

async function loadAll(run: Run, options: LoadOptions): Promise<void> {
  const { path, session } = options;
  const home = homeDirectory();
  const paths = path !== undefined ? [path] : [
    ...(home === undefined ? [] : [`${home}/.lttng/sessions`]),
    SYSTEM_DIRECTORY,
  ];
  let isFound = false;
  for (const place of paths) {
    if (session !== undefined && isFound) return;
    if (await loadFrom(run, place, options)) isFound = true;
  }
  if (!isFound && session !== undefined) {
    throw controlError("LOAD_SESSION_NOENT");
  }
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
