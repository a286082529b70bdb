/**
 * The option table: one row an option, from which come parsing, errors,
 * configuration files, environment variables, `--help` and the README's table.
 */

import { parseArgs } from "@std/cli/parse-args";
import type { ConfigEntry } from "../daemon/config_file.ts";
import { nearest } from "./nearest.ts";

/** One option of a program. */
export interface Option {
  /** Long name, without `--`; also the key in configuration files. */
  readonly name: string;
  /** One letter, without `-`. */
  readonly short?: string;
  /**
   * Given or not; with an argument; with one or without; or given several
   * times.
   */
  readonly kind: "switch" | "value" | "optional" | "count";
  /** What the argument is called in help, such as `URL`. */
  readonly valueName?: string;
  /** Other long names, of older versions, which help does not show. */
  readonly aliases?: readonly string[];
  /** The stock program has no such option: `--list-options` leaves it out. */
  readonly isOurs?: true;
  /** The default, in words. */
  readonly defaultText?: string;
  /** Environment variable that sets it; everything else wins over that. */
  readonly environment?: string;
  /** `false` where a configuration file's key is ignored. */
  readonly inConfigFile?: false;
  /** One or two sentences. */
  readonly help: string;
}

/** The options of one program or command, in the order of its help. */
export type OptionTable = readonly Option[];

/** What a table's options are worth, by long name. */
export type OptionValues<Table extends OptionTable> = {
  [Row in Table[number] as Row["name"]]: Row["kind"] extends
    "value" | "optional" ? string | undefined
    : Row["kind"] extends "count" ? number
    : boolean;
};

/** An option given in one place, such as a file; later layers win. */
export interface OptionLayer {
  readonly given: ReadonlyMap<string, GivenOption>;
}

/** What was given, and how a message names where. */
export interface GivenOption {
  /**
   * Text of a `value` or an `optional`, which is empty without one; how often
   * for a `switch` or `count`.
   */
  readonly value: string | number;
  /** Such as `--output` or `output in /etc/lttng/lttng.conf`. */
  readonly origin: string;
}

/** All layers together. */
export interface MergedOptions<Table extends OptionTable> {
  readonly values: OptionValues<Table>;
  /** Where the option's value comes from; `--name` where it was not given. */
  origin(name: Table[number]["name"]): string;
}

/** A mistake of whoever wrote the command line, a file or a variable. */
export class OptionError extends Error {
  override name = "OptionError";
}

/** What a command line says. */
export interface CommandLine {
  readonly layer: OptionLayer;
  /** Arguments that are not options. */
  readonly rest: readonly string[];
}

/**
 * Reads a command line as `getopt_long` does: `--name=value`, `--name value`,
 * `-nvalue`, `-n value`, clusters such as `-vvv`, unambiguous beginnings of long
 * names, and `--` before arguments that only look like options.
 *
 * @throws {OptionError} When an option is unknown or ambiguous, lacks its value
 * or has one too many.
 */
export function parseCommandLine(
  table: OptionTable,
  args: readonly string[],
): CommandLine {
  const { options, rest } = canonicalArguments(table, args);
  const parsed = parseArgs(options, {
    string: [...names(table, "value"), ...names(table, "optional")],
    boolean: [...names(table, "switch"), ...names(table, "count")],
    collect: names(table, "count"),
  });
  const given = new Map<string, GivenOption>();
  for (const { name } of table) {
    const value = parsed[name];
    const origin = `--${name}`;
    if (typeof value === "string") given.set(name, { value, origin });
    if (value === true) given.set(name, { value: 1, origin });
    if (Array.isArray(value) && value.length > 0) {
      given.set(name, { value: value.length, origin });
    }
  }
  return { layer: { given }, rest };
}

/** The layer of the table's environment variables. */
export function environmentLayer(
  table: OptionTable,
  read: (variable: string) => string | undefined,
): OptionLayer {
  const given = new Map<string, GivenOption>();
  for (const option of table) {
    if (option.environment === undefined) continue;
    const text = read(option.environment);
    if (text === undefined || text === "") continue;
    give(given, option, text, option.environment);
  }
  return { given };
}

/** The layer of a configuration file, and a line for each unknown key. */
export function configLayer(
  table: OptionTable,
  entries: readonly ConfigEntry[],
  path: string,
): { layer: OptionLayer; warnings: string[] } {
  const given = new Map<string, GivenOption>();
  const warnings: string[] = [];
  for (const { key, value, line } of entries) {
    const option = table.find((row) => row.name === key);
    if (option === undefined) {
      warnings.push(
        `Ignored unknown key: ${key} in ${path}, line ${line}` +
          didYouMean(nearest(key, table.map((row) => row.name))),
      );
    } else if (option.inConfigFile !== false) {
      give(given, option, value, `${key} in ${path}`);
    }
  }
  return { layer: { given }, warnings };
}

/**
 * Lays `layers` over each other, the last on top. A switch that one layer gave
 * stays on, and counts add up, as in LTTng.
 */
export function mergeLayers<const Table extends OptionTable>(
  table: Table,
  layers: readonly OptionLayer[],
): MergedOptions<Table> {
  const values: Record<string, string | number | boolean | undefined> = {};
  const origins = new Map<string, string>();
  for (const { name, kind } of table) {
    const given = layers.flatMap(({ given }) => given.get(name) ?? []);
    const last = given.at(-1);
    if (last !== undefined) origins.set(name, last.origin);
    const times = given.reduce((sum, { value }) => sum + Number(value), 0);
    if (kind === "value" || kind === "optional") values[name] = last?.value;
    else values[name] = kind === "count" ? times : times > 0;
  }
  return {
    values: values as OptionValues<Table>,
    origin: (name) => origins.get(name) ?? `--${name}`,
  };
}

/**
 * Reads the words that LTTng takes for a switch: true, yes, on or a number that
 * is not 0; false, no, off or 0. Anything else is `undefined`.
 */
export function parseSwitch(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (/^\d+$/.test(word)) return Number(word) !== 0;
  if (["true", "yes", "on"].includes(word)) return true;
  if (["false", "no", "off"].includes(word)) return false;
  return undefined;
}

/** Adds what `text`, from a file or a variable, says of `option`. */
function give(
  given: Map<string, GivenOption>,
  option: Option,
  text: string,
  origin: string,
): void {
  if (option.kind === "value" || option.kind === "optional") {
    if (text === "") throw new OptionError(`${origin}: No value`);
    given.set(option.name, { value: text, origin });
    return;
  }
  const on = parseSwitch(text);
  if (on === undefined) {
    throw new OptionError(
      `${origin}: Neither yes nor no: "${text}": use true, yes, on, 1 or false, no, off, 0`,
    );
  }
  // A false switch cannot undo an earlier true: it is as if it were not there.
  if (!on) return;
  const times = option.kind === "count" && /^\d+$/.test(text)
    ? Number(text)
    : 1;
  given.set(option.name, { value: times, origin });
}

/** `args` with each option in the one form `--name` or `--name=value`. */
function canonicalArguments(
  table: OptionTable,
  args: readonly string[],
): { options: string[]; rest: string[] } {
  const options: string[] = [];
  const rest: string[] = [];
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === "--") return { options, rest: [...rest, ...queue] };
    if (arg.startsWith("--")) options.push(longOption(table, arg, queue));
    else if (/^-./.test(arg)) options.push(...shortOptions(table, arg, queue));
    else rest.push(arg);
  }
  return { options, rest };
}

function longOption(
  table: OptionTable,
  arg: string,
  queue: string[],
): string {
  const equals = arg.indexOf("=");
  const written = equals < 0 ? arg : arg.slice(0, equals);
  const option = findLong(table, written.slice("--".length));
  if (option.kind === "value") {
    const value = equals < 0 ? queue.shift() : arg.slice(equals + 1);
    return withValue(option, value);
  }
  if (option.kind === "optional") {
    return `--${option.name}=${equals < 0 ? "" : arg.slice(equals + 1)}`;
  }
  if (equals < 0) return `--${option.name}`;
  throw new OptionError(`Option takes no value: --${option.name}`);
}

function findLong(table: OptionTable, written: string): Option {
  const exact = table.find(({ name, aliases }) =>
    name === written || aliases?.includes(written)
  );
  if (exact !== undefined) return exact;
  const begun = table.filter(({ name }) => name.startsWith(written));
  const [only] = begun;
  if (only === undefined) {
    throw new OptionError(
      `Unknown option: --${written}${
        didYouMean(nearest(written, table.map(({ name }) => name)), "--")
      }: see --help`,
    );
  }
  if (begun.length === 1) return only;
  const candidates = begun.map(({ name }) => `--${name}`).join(", ");
  throw new OptionError(`Ambiguous option: --${written}: ${candidates}`);
}

/** The options of a cluster such as `-vvo/tmp`. */
function shortOptions(
  table: OptionTable,
  arg: string,
  queue: string[],
): string[] {
  const options: string[] = [];
  let letters = arg.slice(1);
  while (letters !== "") {
    const letter = String.fromCodePoint(letters.codePointAt(0) ?? 0);
    letters = letters.slice(letter.length);
    const option = table.find(({ short }) => short === letter);
    if (option === undefined) {
      throw new OptionError(`Unknown option: -${letter}: see --help`);
    }
    if (option.kind === "optional") {
      options.push(`--${option.name}=${letters}`);
      return options;
    }
    if (option.kind !== "value") {
      options.push(`--${option.name}`);
      continue;
    }
    options.push(withValue(option, letters === "" ? queue.shift() : letters));
    letters = "";
  }
  return options;
}

function withValue(option: Option, value: string | undefined): string {
  if (value !== undefined && value !== "") return `--${option.name}=${value}`;
  throw new OptionError(
    `Option needs a value: --${option.name}=${option.valueName ?? "VALUE"}`,
  );
}

function names(table: OptionTable, kind: Option["kind"]): string[] {
  return table.filter((row) => row.kind === kind).map(({ name }) => name);
}

function didYouMean(name: string | undefined, dashes = ""): string {
  return name === undefined ? "" : `: did you mean ${dashes}${name}?`;
}
