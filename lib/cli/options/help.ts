/** What an option table looks like to a reader: `--help`, Markdown, a list. */

import type { Option, OptionTable } from "./options.ts";

/** A variable that is not another way to give an option. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly help: string;
}

/** The parts of a program's help. */
export interface HelpText {
  /** Such as `relayd [OPTION]…`. */
  readonly usage: string;
  /** What the program does. */
  readonly purpose: string;
  readonly options: OptionTable;
  readonly environment: readonly EnvironmentVariable[];
  /** More lists, such as of commands or examples. */
  readonly sections?: readonly HelpSection[];
  /** Last lines, such as where configuration files are. */
  readonly notes: readonly string[];
}

/** A list of things and what they mean. */
export interface HelpSection {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}

/** Widest line of help, in columns. */
const COLUMNS = 79;
/** Where the meaning of an option starts. */
const MEANING_COLUMN = 8;

/** The text of `--help`, with its final line feed. */
export function formatHelp(text: HelpText): string {
  const lines = [
    `Usage: ${text.usage}`,
    "",
    ...wrap(text.purpose, 0),
  ];
  const sections: HelpSection[] = [
    {
      title: "Options",
      rows: text.options.map((row) => [formatForms(row), meaning(row)]),
    },
    {
      title: "Environment",
      rows: text.environment.map(({ name, help }) => [name, help]),
    },
    ...text.sections ?? [],
  ];
  for (const { title, rows } of sections) {
    if (rows.length === 0) continue;
    lines.push("", `${title}:`);
    for (const [form, help] of rows) {
      lines.push(`  ${form}`, ...wrap(help, MEANING_COLUMN));
    }
  }
  for (const note of text.notes) lines.push("", ...wrap(note, 0));
  return lines.join("\n") + "\n";
}

/** The options as a Markdown table. */
export function formatMarkdownOptions(options: OptionTable): string {
  const rows = options.map((option) => [
    `\`${formatForms(option)}\``,
    option.defaultText === undefined ? "" : markdown(option.defaultText),
    markdown(
      option.help +
        (option.environment === undefined
          ? ""
          : ` Variable: \`${option.environment}\`.`),
    ),
  ]);
  return markdownTable(["Option", "Default", "Meaning"], rows);
}

/** Environment variables as a Markdown table. */
export function formatMarkdownEnvironment(
  variables: readonly EnvironmentVariable[],
): string {
  const rows = variables.map(({ name, help }) => [
    `\`${name}\``,
    markdown(help),
  ]);
  return markdownTable(["Variable", "Meaning"], rows);
}

/** Every long option and its letter, one a line, as `--list-options` prints. */
export function formatOptionList(options: OptionTable): string {
  return options.filter(({ isOurs }) => !isOurs).map(({ name, short }) =>
    `--${name}\n` + (short === undefined ? "" : `-${short}\n`)
  ).join("");
}

/** Such as `-o, --output=DIR`. */
export function formatForms({ name, short, kind, valueName }: Option): string {
  const argument = valueName ?? "VALUE";
  const value = kind === "value"
    ? `=${argument}`
    : kind === "optional"
    ? `[=${argument}]`
    : "";
  return (short === undefined ? "" : `-${short}, `) + `--${name}${value}`;
}

function meaning({ help, defaultText, environment }: Option): string {
  return help +
    (defaultText === undefined ? "" : ` Default: ${defaultText}.`) +
    (environment === undefined ? "" : ` Variable: ${environment}.`);
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((content) => " ".repeat(indent) + content);
}

function markdown(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** Columns padded as `deno fmt` pads them, so that it leaves the table alone. */
/** A table in Markdown. */
export function markdownTable(head: string[], rows: string[][]): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? "").length))
  );
  function line(cells: string[]): string {
    const padded = cells.map((cell, column) =>
      cell.padEnd(widths[column] ?? 0)
    );
    return `| ${padded.join(" | ")} |\n`;
  }
  return line(head) + line(widths.map((width) => "-".repeat(width))) +
    rows.map(line).join("");
}
