/** The reference of commands as Markdown, from their rows. */

import type { Command } from "./command.ts";
import { formatMarkdownOptions } from "../options/help.ts";

/** The reference of all commands. */
export function formatMarkdownCommands(commands: readonly Command[]): string {
  return commands.toSorted((a, b) => a.name < b.name ? -1 : 1)
    .map(formatMarkdownCommand).join("\n");
}

function formatMarkdownCommand(command: Command): string {
  const { name, usage, about, actions = [], examples = [] } = command;
  const options = command.options.filter(({ name }) =>
    name !== "help" && !name.startsWith("list-")
  );
  const parts = [
    `### lttng ${name}\n`,
    `${wrapped(about)}\n`,
    block(usage.map((line) => `lttng ${name} ${line}`.trimEnd())),
    ...(actions.length === 0 ? [] : [
      actions.map(({ name, help }) => `- \`${name}\`: ${help}\n`).join(""),
    ]),
    ...(examples.length === 0 ? [] : [
      block(examples.flatMap(([line, meaning]) => [`# ${meaning}`, line])),
    ]),
    ...(options.length === 0 ? [] : [formatMarkdownOptions(options)]),
  ];
  return parts.join("\n");
}

function block(lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n`;
}

/** Widest line of text, in columns. */
const COLUMNS = 80;

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = "";
  // What Markdown would take for markup stands for itself.
  for (const word of text.replaceAll(/[*_<>|]/g, "\\$&").split(" ")) {
    if (line !== "" && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}
