/** Splits the rows of the table of cases, and evens out what may differ. */

import type { ProgramResult } from "../../support/process.ts";
import type { StockUser } from "../../support/sessiond_user.ts";

/** Splits a line at blanks, but for those in quotes, as a shell would. */
export function splitWords(line: string): string[] {
  const words = line.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, a = "", b = "") => a + b)
  );
}

/** What may differ between two runs of the same command: times and places. */
const EVENED: readonly (readonly [RegExp, string])[] = [
  [/\d{8}-\d{6}/g, "TIME"],
  [/\d{8}T\d{6}[+-]\d{4}/g, "TIME"],
  // How long something takes.
  [
    /(Waiting for data availability|Waiting for rotation to complete)\.+/g,
    "$1",
  ],
  [/^Destroying session \S+?\.+(\n)?/gm, ""],
  [/^Waiting for clear of session "[^"]*"\.+\n/gm, ""],
  [/^\n(?=Session \S+ destroyed$)/gm, ""],
  // Process ids of applications.
  [/PID: \d+/g, "PID: N"],
  [/<pid><id>\d+/g, "<pid><id>N"],
  // Additions of ours.
  [/^Follow it with: .*\n/gm, ""],
];

/** What is said of a wrong filter, in front of and behind the error itself. */
const FILTER_WORDS = [
  /^(error .*|Parse error|Generate IR error|Validation error|\[error\] .*|Unsupported .*|Cannot .*)\n/gm,
  /^ {2}.*\n/gm,
];

/** A result without what may differ. */
export function evened(
  { code, stdout, stderr }: ProgramResult,
  user: StockUser,
): ProgramResult {
  return {
    code,
    stdout: sortedEvents(even(stdout, user)),
    stderr: withoutFilterWords(even(stderr, user)),
  };
}

/** A text without times and places. */
export function even(text: string, { home, uid }: StockUser): string {
  let result = text.replaceAll(home, "HOME").replaceAll(`${uid}`, "UID");
  for (const [pattern, word] of EVENED) result = result.replace(pattern, word);
  return result;
}

function withoutFilterWords(text: string): string {
  if (!text.includes("Invalid filter bytecode")) return text;
  return FILTER_WORDS.reduce(
    (result, pattern) => result.replace(pattern, ""),
    text,
  );
}

/** Session daemons list event rules in no order. */
function sortedEvents(text: string): string {
  return text
    .replace(
      /(Recording event rules:\n|Events \(Logger name\):\n-+\n)((?: {4,}\S.*\n)+)/g,
      (_, title: string, rules: string) =>
        title + rules.split("\n").slice(0, -1).sort().join("\n") + "\n",
    )
    .replace(
      /<events>(.*?)<\/events>/g,
      (_, events: string) =>
        `<events>${events.split(/(?=<event>)/).sort().join("")}</events>`,
    );
}
