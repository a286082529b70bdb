/** Options that several commands have, a row each. */

import { CommandFailure } from "./status.ts";

/** Every command has it. */
export const HELP = {
  name: "help",
  short: "h",
  kind: "switch",
  help: "Print this help and exit.",
} as const;

/** Every command has it. */
export const LIST_OPTIONS = {
  name: "list-options",
  kind: "switch",
  help: "List the options, one a line, and exit.",
} as const;

/** Of commands with actions. */
export const LIST_COMMANDS = {
  name: "list-commands",
  kind: "switch",
  help: "List the actions, one a line, and exit.",
} as const;

export const SESSION = {
  name: "session",
  short: "s",
  kind: "value",
  valueName: "SESSION",
  defaultText: "the current session",
  help: "Which session is meant.",
} as const;

export const KERNEL = {
  name: "kernel",
  short: "k",
  kind: "switch",
  help: "The Linux kernel.",
} as const;

export const USERSPACE = {
  name: "userspace",
  short: "u",
  kind: "switch",
  help: "Programs with LTTng-UST.",
} as const;

export const JUL = {
  name: "jul",
  short: "j",
  kind: "switch",
  help: "Java programs with java.util.logging.",
} as const;

export const LOG4J = {
  name: "log4j",
  short: "l",
  kind: "switch",
  help: "Java programs with Apache log4j 1.2.",
} as const;

export const PYTHON = {
  name: "python",
  short: "p",
  kind: "switch",
  help: "Python programs with logging.",
} as const;

/** The domains as `lttng` names them, and what it calls them in messages. */
const DOMAINS = [
  ["kernel", "kernel"],
  ["userspace", "ust"],
  ["jul", "jul"],
  ["log4j", "log4j"],
  ["python", "python"],
] as const;

/** A domain, by the name that messages have for it. */
export type Domain = typeof DOMAINS[number][1];

/** Whether each domain's option is given. */
export type DomainValues = {
  readonly [Name in typeof DOMAINS[number][0]]?: boolean;
};

/** The first domain that is given. */
export function givenDomain(values: DomainValues): Domain | undefined {
  return DOMAINS.find(([option]) => values[option])?.[1];
}

/**
 * The domain that is given.
 *
 * @throws {CommandFailure} Unless there is exactly one.
 */
export function requireDomain(
  values: DomainValues,
  withAgents: boolean,
): Domain {
  const given = DOMAINS.filter(([option]) => values[option]);
  const [first] = given;
  if (first === undefined) {
    const agents = withAgents ? "/--jul/--log4j/--python" : "";
    throw new CommandFailure(
      `Please specify a domain (--kernel/--userspace${agents}).`,
    );
  }
  if (given.length > 1) {
    throw new CommandFailure("Only one domain must be specified.");
  }
  return first[1];
}
