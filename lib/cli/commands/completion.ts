/** `lttng completion`: lets a shell complete commands and options. */

import { defineCommand } from "../lttng/command.ts";
import { HELP, LIST_OPTIONS } from "../lttng/common_options.ts";
import { completionScript, SHELLS } from "../lttng/completion.ts";
import { CommandFailure, Status } from "../lttng/status.ts";

export const completion = defineCommand({
  name: "completion",
  group: "Miscellaneous",
  help: "Print a script that lets a shell complete commands and options",
  usage: [`(${SHELLS.join(" | ")})`],
  about: "Prints a script for a shell, which completes commands, options and " +
    "the names of sessions.",
  examples: [
    ["source <(lttng completion bash)", "In ~/.bashrc, or once by hand."],
    ["source <(lttng completion zsh)", "In ~/.zshrc, after compinit."],
    ["lttng completion fish | source", "In ~/.config/fish/config.fish."],
  ],
  isOurs: true,
  options: [HELP, LIST_OPTIONS],
  run: (run, _values, args) => {
    const [name] = args;
    const shell = SHELLS.find((shell) => shell === name);
    if (shell === undefined) {
      throw new CommandFailure(
        name === undefined ? "Missing shell" : `Unknown shell: ${name}`,
        Status.ERROR,
        `Use one of ${SHELLS.join(", ")}.`,
      );
    }
    run.refuseMore(args, 1);
    run.say.print(
      completionScript(shell, run.program.commands, run.program.options),
    );
    return Promise.resolve(Status.OK);
  },
});
