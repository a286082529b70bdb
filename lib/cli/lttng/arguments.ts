/**
 * Splits a command line as the stock `lttng` does: its own options as
 * `getopt_long()` has them, those of its commands as popt has them.
 */

import type { Option, OptionTable } from "../options/options.ts";

/** An option that was given, in the order of the command line. */
export interface Given {
  readonly option: Option;
  /** The argument, where there is one. */
  readonly value: string | undefined;
}

/** What is wrong with an argument. */
export interface ArgumentProblem {
  readonly kind: "unknown" | "ambiguous" | "no value" | "unwanted value";
  /** The option as it was written, with its dashes: `--sesion`, `-x`. */
  readonly written: string;
  /** The option as it is called, where it is known. */
  readonly name: string;
}

/** A command line, split. */
export interface Arguments {
  readonly given: readonly Given[];
  /** Where reading stopped, if something is wrong. */
  readonly problem: ArgumentProblem | undefined;
  /** Arguments that are not options. */
  readonly rest: readonly string[];
}

/** How a library reads command lines. */
interface Style {
  /** Long names may be cut short where that is clear. */
  readonly abbreviations: boolean;
  /** The first argument that is no option ends the options. */
  readonly stopsEarly: boolean;
  /** `-o=DIR` means `-oDIR`. */
  readonly equalsAfterLetter: boolean;
}

const GETOPT: Style = {
  abbreviations: true,
  stopsEarly: true,
  equalsAfterLetter: false,
};
const POPT: Style = {
  abbreviations: false,
  stopsEarly: false,
  equalsAfterLetter: true,
};

/** Splits what precedes a command, as `getopt_long()` does with a `+`. */
export function splitGlobal(
  table: OptionTable,
  args: readonly string[],
): Arguments {
  return new Splitter(table, args, GETOPT).split();
}

/** Splits what follows a command, as popt does. */
export function splitCommand(
  table: OptionTable,
  args: readonly string[],
): Arguments {
  return new Splitter(table, args, POPT).split();
}

class Splitter {
  readonly #table: OptionTable;
  readonly #queue: string[];
  readonly #style: Style;
  readonly #given: Given[] = [];
  #problem: ArgumentProblem | undefined;

  constructor(table: OptionTable, args: readonly string[], style: Style) {
    this.#table = table;
    this.#queue = [...args];
    this.#style = style;
  }

  split(): Arguments {
    const rest: string[] = [];
    while (this.#problem === undefined) {
      const arg = this.#queue.shift();
      if (arg === undefined || arg === "--") break;
      if (arg.startsWith("--")) this.#long(arg);
      else if (/^-./.test(arg)) this.#cluster(arg.slice(1));
      else {
        rest.push(arg);
        if (this.#style.stopsEarly) break;
      }
    }
    return {
      given: this.#given,
      problem: this.#problem,
      rest: [...rest, ...this.#queue],
    };
  }

  #long(arg: string): void {
    const equals = arg.indexOf("=");
    const written = equals < 0 ? arg : arg.slice(0, equals);
    const value = equals < 0 ? undefined : arg.slice(equals + 1);
    const option = this.#find(written);
    if (option !== undefined) {
      this.#take(option, value, written, `--${option.name}`);
    }
  }

  #find(written: string): Option | undefined {
    const name = written.slice("--".length);
    const exact = this.#table.find((option) =>
      option.name === name || option.aliases?.includes(name)
    );
    if (exact !== undefined || !this.#style.abbreviations) {
      return exact ?? this.#refuse("unknown", written, written);
    }
    const begun = this.#table.filter((option) => option.name.startsWith(name));
    if (begun.length === 1) return begun[0];
    const kind = begun.length === 0 ? "unknown" : "ambiguous";
    return this.#refuse(kind, written, written);
  }

  /** The options of a cluster such as `vvo/tmp`. */
  #cluster(letters: string): void {
    for (let left = letters; left !== "" && this.#problem === undefined;) {
      const letter = String.fromCodePoint(left.codePointAt(0) ?? 0);
      left = left.slice(letter.length);
      const written = `-${letter}`;
      const option = this.#table.find(({ short }) => short === letter);
      if (option === undefined) {
        this.#refuse("unknown", written, written);
        return;
      }
      const takesValue = option.kind === "value" || option.kind === "optional";
      if (!takesValue || left === "") {
        this.#take(option, undefined, written, written);
        continue;
      }
      const skipped = this.#style.equalsAfterLetter && left.startsWith("=");
      this.#take(option, skipped ? left.slice(1) : left, written, written);
      left = "";
    }
  }

  #take(
    option: Option,
    value: string | undefined,
    written: string,
    name: string,
  ): void {
    const takesValue = option.kind === "value" || option.kind === "optional";
    if (!takesValue && value !== undefined) {
      this.#refuse("unwanted value", written, name);
      return;
    }
    if (!takesValue || value !== undefined) {
      this.#given.push({ option, value });
      return;
    }
    const next = this.#queue[0];
    if (option.kind === "optional") {
      // As popt has it: whatever is no option is taken for the argument.
      const isArgument = next !== undefined && !next.startsWith("-");
      const taken = isArgument ? this.#queue.shift() : undefined;
      this.#given.push({ option, value: taken });
      return;
    }
    if (next === undefined) {
      this.#refuse("no value", written, name);
      return;
    }
    this.#given.push({ option, value: this.#queue.shift() });
  }

  #refuse(
    kind: ArgumentProblem["kind"],
    written: string,
    name: string,
  ): undefined {
    this.#problem = { kind, written, name };
    return undefined;
  }
}
