/** `lttng view`, as a row of the table of commands. */

import type { Command } from "../lttng/command.ts";
import { OptionError } from "../options/options.ts";
import { CommandFailure, Status } from "../lttng/status.ts";
import { runView, viewHelp } from "../view/view.ts";
import { VIEW_OPTIONS } from "../view/view_options.ts";

export const view: Command = {
  name: "view",
  group: "Miscellaneous",
  help: "Launch a trace reader",
  usage: ["[OPTION]... [PATH|URL|SESSION]"],
  about: "Prints a trace in order of time: of a directory, a live session or " +
    "a session of this machine.",
  options: VIEW_OPTIONS,
  ownHelp: viewHelp,
  execute: async (run, args) => {
    if (args.some((argument) => argument === "--help" || argument === "-h")) {
      run.say.print(viewHelp());
      return Status.OK;
    }
    try {
      return await runView(args);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      throw new CommandFailure(error.message);
    }
  },
};
