/** The commands of triggers, which only the stock program has. */

import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

/** A command that says where to find what it does not do. */
function elsewhere(name: string, help: string) {
  return defineCommand({
    name,
    group: "Triggers",
    help,
    usage: [""],
    about: "Triggers are not supported: use the lttng of lttng-tools, which " +
      "works with the same session daemon.",
    options: [HELP, LIST_OPTIONS],
    run: () =>
      Promise.reject(
        new CommandFailure(
          "Triggers are not supported: use the lttng of lttng-tools, which " +
            "works with the same session daemon",
          Status.UNSUPPORTED,
        ),
      ),
  });
}

export const addTrigger = elsewhere("add-trigger", "Add a trigger");
export const removeTrigger = elsewhere("remove-trigger", "Remove a trigger");
export const listTriggers = elsewhere("list-triggers", "List triggers");
