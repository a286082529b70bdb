/** The help of a command, from its row. */

import type { Command } from "./command.ts";
import { formatHelp } from "../options/help.ts";

/** The text of `lttng COMMAND --help`. */
export function commandHelp(command: Command): string {
  if (command.ownHelp !== undefined) return command.ownHelp();
  const { name, usage, about, options, examples = [], actions = [] } = command;
  return formatHelp({
    usage: usage.map((line) => `lttng ${name} ${line}`.trimEnd()).join(
      "\n       ",
    ),
    purpose: about,
    options: options.filter(({ name }) => !name.startsWith("list-")),
    environment: [],
    sections: [
      { title: "Actions", rows: actions.map(({ name, help }) => [name, help]) },
      { title: "Examples", rows: examples },
    ],
    notes: [],
  });
}
