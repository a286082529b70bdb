/** `lttng help`: the help of `lttng` or of a command. */

import { commandHelp } from "../lttng/command_help.ts";
import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { nearest } from "../options/nearest.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const help = defineCommand({
  name: "help",
  group: "Miscellaneous",
  help: "Show the help of a command",
  usage: ["[COMMAND]"],
  about: "Prints the help of COMMAND, or of lttng itself.",
  options: [HELP, LIST_OPTIONS],
  run: (run, _values, args) => {
    const [name] = args;
    if (name === undefined) {
      run.say.print(run.program.help());
      return Promise.resolve(Status.OK);
    }
    const command = run.program.commands.find((command) =>
      command.name === name
    );
    if (command === undefined) {
      const near = nearest(name, run.program.commands.map(({ name }) => name));
      throw new CommandFailure(
        `Unknown command "${name}"`,
        Status.ERROR,
        near === undefined ? "See lttng --help." : `Did you mean ${near}?`,
      );
    }
    run.say.print(commandHelp(command));
    return Promise.resolve(Status.OK);
  },
});
