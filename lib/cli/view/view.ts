/** `lttng view`: prints a trace that is stored, or being recorded, here or elsewhere. */

import { TraceReadError } from "../../ctf/read/model.ts";
import { writeErrorLine } from "../daemon/background.ts";
import { formatHelp } from "../options/help.ts";
import { followDirectory, viewDirectory } from "./view_directory.ts";
import { viewLive } from "./view_live.ts";
import { parseView, VIEW_OPTIONS, type ViewSettings } from "./view_options.ts";
import { OutputClosedError, writeOutput } from "./view_output.ts";
import { findTarget } from "./view_target.ts";

/**
 * Runs `lttng view` with what follows on the command line; returns its exit
 * status: 1 where something could not be read.
 *
 * @throws {OptionError} When the command line makes no sense.
 */
export async function runView(args: readonly string[]): Promise<number> {
  const settings = parseView(args, Deno.stdout.isTerminal());
  try {
    if (settings === "help") {
      writeOutput(new TextEncoder().encode(viewHelp()));
      return 0;
    }
    return await view(settings);
  } catch (error) {
    if (error instanceof OutputClosedError) return 0;
    if (!(error instanceof TraceReadError)) throw error;
    writeErrorLine(`Error: ${error.message}`);
    return 1;
  }
}

/** The text of `lttng view --help`. */
export function viewHelp(): string {
  return formatHelp({
    usage: "lttng view [OPTION]... [PATH|URL|SESSION]",
    purpose: "Prints a trace in order of time: as text like babeltrace2's, " +
      "as JSON or as a summary. PATH is a directory with a trace, or with " +
      "traces below it. URL is net://HOST[:PORT]/host/TARGET/SESSION: a live " +
      "session at a relay daemon, which is followed to its end; " +
      "net://HOST[:PORT] lists those that are there. SESSION is a session of " +
      "this machine's session daemon; without anything, the current one.",
    options: VIEW_OPTIONS,
    environment: [],
    notes: [],
  });
}

async function view(settings: ViewSettings): Promise<number> {
  let status = 0;
  function onError(error: TraceReadError): void {
    writeErrorLine(`Error: ${error.message}`);
    status = 1;
  }
  const target = await findTarget(settings.target);
  using stop = new StopSignal();
  if (target.kind === "live") {
    await viewLive(target.url, settings, onError, stop.signal);
  } else if (settings.follow) {
    await followDirectory(target.path, settings, onError, stop.signal);
  } else {
    stop[Symbol.dispose]();
    await viewDirectory(target.path, settings, onError);
  }
  return status;
}

/** Ctrl-C ends what would go on for ever, in order. */
class StopSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop = () => this.#controller.abort();

  constructor() {
    Deno.addSignalListener("SIGINT", this.#stop);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#stop);
  }
}
