/** `lttng view`: prints a trace that is stored, or being recorded, here or elsewhere. */

import { TraceReadError } from "../ctf/read/model.ts";
import { writeErrorLine } from "./background.ts";
import { formatHelp } from "./help.ts";
import { followDirectory, viewDirectory } from "./view_directory.ts";
import { parseView, VIEW_OPTIONS, type ViewSettings } from "./view_options.ts";
import { OutputClosedError, writeOutput } from "./view_output.ts";

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
    usage: "lttng view [OPTION]... PATH",
    purpose: "Prints the trace in the directory PATH, or all traces below " +
      "it, in order of time: as text like babeltrace2's, as JSON or as a " +
      "summary.",
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
  const read = settings.follow ? followDirectory : viewDirectory;
  await read(settings.path, settings, onError);
  return status;
}
