/** What a command of `lttng` is: a row of the table of commands. */

import { type ArgumentProblem, type Given, splitCommand } from "./arguments.ts";
import type { Console } from "./console.ts";
import { commandHelp } from "./command_help.ts";
import { formatOptionList } from "../options/help.ts";
import { hintForProblem } from "./hints.ts";
import type { Option } from "../options/options.ts";
import type { Run } from "./run.ts";
import { CommandFailure, Status } from "./status.ts";

/** Under which heading `lttng` lists a command. */
export type CommandGroup =
  | "Recording sessions"
  | "Channels"
  | "Recording event rules"
  | "Status"
  | "Control"
  | "Recording session rotation"
  | "Resource tracking"
  | "Triggers"
  | "Miscellaneous"
  | "Older spellings";

/** An option of a command: a row of its table. */
export interface CommandOption extends Option {
  /** Every argument counts, not only the last. */
  readonly repeated?: true;
  /**
   * Makes a value of the argument, where the option stands on the command line.
   *
   * @throws {CommandFailure} When it makes no sense.
   */
  readonly read?: (text: string, say: Console) => unknown;
  /** The value of an `optional` that is given without an argument. */
  readonly withoutArgument?: unknown;
}

/** The options of a command, in the order of `--list-options`. */
export type CommandOptions = readonly CommandOption[];

type ArgumentOf<Row> =
  | (Row extends { read: (...args: never[]) => infer V } ? V : string)
  | (Row extends { kind: "optional" }
    ? Row extends { withoutArgument: infer V } ? V : undefined
    : never);

type ValueOf<Row extends CommandOption> = Row["kind"] extends "switch" ? boolean
  : Row["kind"] extends "count" ? number
  : Row extends { repeated: true } ? readonly ArgumentOf<Row>[]
  : ArgumentOf<Row> | undefined;

/** What a command's options are worth, by long name. */
export type CommandValues<Table extends CommandOptions> = {
  readonly [Row in Table[number] as Row["name"]]: ValueOf<Row>;
};

/** An action of a command such as `snapshot`. */
export interface CommandAction {
  readonly name: string;
  readonly help: string;
}

/** What a command says of itself. */
export interface CommandText {
  readonly name: string;
  readonly group: CommandGroup;
  /** What it does, in a few words. */
  readonly help: string;
  /** What may follow its name, a line each. */
  readonly usage: readonly string[];
  /** What it does, in some sentences. */
  readonly about: string;
  /** Whole command lines, and what they do. */
  readonly examples?: readonly (readonly [string, string])[];
  readonly actions?: readonly CommandAction[];
  /** `lttng` without arguments does not show it. */
  readonly isHidden?: true;
  /** The stock program has no such command. */
  readonly isOurs?: true;
  /** Help that does not come from the row. */
  readonly ownHelp?: () => string;
}

/** A command of `lttng`. */
export interface Command extends CommandText {
  readonly options: CommandOptions;
  /** Runs it with what follows its name; returns its exit status. */
  execute(run: Run, args: readonly string[]): Promise<number>;
}

/** A command as its file declares it. */
export interface CommandSpec<Table extends CommandOptions> extends CommandText {
  readonly options: Table;
  /** The report begins before the options are read. */
  readonly reportsEarly?: true;
  run(
    run: Run,
    values: CommandValues<Table>,
    args: readonly string[],
    given: readonly Given[],
  ): Promise<number>;
}

/** Makes a row of the table of commands. */
export function defineCommand<const Table extends CommandOptions>(
  spec: CommandSpec<Table>,
): Command {
  const command: Command = {
    ...spec,
    execute: (run, args) => execute(spec, command, run, args),
  };
  return command;
}

async function execute<Table extends CommandOptions>(
  spec: CommandSpec<Table>,
  command: Command,
  run: Run,
  args: readonly string[],
): Promise<number> {
  if (spec.reportsEarly) run.report.open();
  const { given, problem, rest } = splitCommand(spec.options, args);
  const values = emptyValues(spec.options);
  for (const { option, value } of given) {
    const answer = answerTo(option, command);
    if (answer !== undefined) {
      run.say.print(answer);
      return Status.OK;
    }
    take(values, option, value, run.say);
  }
  if (problem !== undefined) {
    refuse(problem, command);
  }
  const checked = values as CommandValues<Table>;
  const status = await spec.run(run, checked, rest, given);
  if (status === Status.UNDEFINED) {
    throw undefinedArgument(command, `See lttng ${command.name} --help.`);
  }
  return status;
}

function refuse(problem: ArgumentProblem, command: Command): never {
  const { name, options } = command;
  const hint = hintForProblem(problem, options, `lttng ${name} --help`);
  throw undefinedArgument(command, hint);
}

function undefinedArgument({ name }: Command, hint: string): CommandFailure {
  return new CommandFailure(
    `Unrecognized argument used with '${name}' command`,
    Status.UNDEFINED,
    hint,
  );
}

/** What is printed instead of running the command. */
function answerTo(option: Option, command: Command): string | undefined {
  switch (option.name) {
    case "help":
      return commandHelp(command);
    case "list-options":
      return formatOptionList(command.options);
    case "list-commands":
      return (command.actions ?? []).map(({ name }) => `${name}\n`).join("");
  }
  return undefined;
}

function emptyValues(table: CommandOptions): Record<string, unknown> {
  return Object.fromEntries(table.map((option) => [
    option.name,
    option.kind === "switch"
      ? false
      : option.kind === "count"
      ? 0
      : option.repeated
      ? []
      : undefined,
  ]));
}

function take(
  values: Record<string, unknown>,
  option: CommandOption,
  text: string | undefined,
  say: Console,
): void {
  const { name, kind, read, withoutArgument, repeated } = option;
  if (kind === "switch") values[name] = true;
  else if (kind === "count") values[name] = Number(values[name]) + 1;
  else {
    const value = text === undefined
      ? withoutArgument
      : read === undefined
      ? text
      : read(text, say);
    if (repeated) (values[name] as unknown[]).push(value);
    else values[name] = value;
  }
}
