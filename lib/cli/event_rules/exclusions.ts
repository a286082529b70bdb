/** The names that `lttng enable-event --exclude` leaves out. */

import { SYMBOL_NAME_BYTES } from "../../base/limits.ts";
import type { Console } from "../lttng/console.ts";
import { splitEscaped } from "./probes.ts";
import { CommandFailure } from "../lttng/status.ts";

/**
 * Reads a list of exclusions for the event `name`; says which of them are of
 * no use.
 *
 * @throws {CommandFailure} When they cannot be, or leave nothing.
 */
export function parseExclusions(
  say: Console,
  name: string,
  text: string,
): string[] {
  const exclusions = splitEscaped(text, ",");
  if (!isPattern(name)) {
    throw new CommandFailure(
      `Event ${name}: Exclusions can only be used with a globbing pattern`,
    );
  }
  if (isBeginning(name)) {
    for (const exclusion of exclusions) {
      if (!isPattern(exclusion) || isBeginning(exclusion)) {
        compare(say, name, exclusion);
      }
    }
  }
  return exclusions.map((exclusion) => shortened(say, exclusion));
}

/** Whether a star in it stands for anything. */
function isPattern(text: string): boolean {
  return unescaped(text).includes("*");
}

/** Whether its only star is its last character. */
function isBeginning(text: string): boolean {
  const plain = unescaped(text);
  return plain.endsWith("*") && plain.indexOf("*") === plain.length - 1;
}

/** Without what stands behind a backslash. */
function unescaped(text: string): string {
  return text.replaceAll(/\\./g, "");
}

/**
 * Compares two beginnings: the exclusion must be the longer one, else it covers
 * all or nothing of what the name matches.
 */
function compare(say: Console, name: string, exclusion: string): void {
  const text = (index: number, word: string) => word[index] ?? "";
  for (let i = 0;; i++) {
    const isEscape = text(i, name) === "\\";
    if (isEscape) {
      if (text(i, exclusion) !== "\\") break;
      i++;
    } else if (text(i, exclusion) === "*") {
      throw new CommandFailure(
        `Event ${name}: ${exclusion} excludes all events from ${name}`,
      );
    } else if (text(i, name) === "*") return;
    if (text(i, exclusion) !== text(i, name)) break;
  }
  say.warning(
    `Event ${name}: ${exclusion} does not exclude any events from ${name}`,
  );
}

function shortened(say: Console, exclusion: string): string {
  const bytes = new TextEncoder().encode(exclusion);
  if (bytes.length < SYMBOL_NAME_BYTES) return exclusion;
  say.warning(`Event exclusion "${exclusion}" will be truncated`);
  return new TextDecoder().decode(bytes.subarray(0, SYMBOL_NAME_BYTES - 1));
}
