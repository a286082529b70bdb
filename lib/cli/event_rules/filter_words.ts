/** Shows where a filter is wrong. */

import type { FilterError } from "../../control/filter/error.ts";
import type { Console } from "../lttng/console.ts";

/** Prints the filter, a line under what is wrong, and why it is. */
export function explainFilter(
  say: Console,
  filter: string,
  { offset, length, reason }: FilterError,
): void {
  // Line feeds and tabs would put the line elsewhere.
  const text = filter.replaceAll(/\s/g, " ");
  const before = " ".repeat(width(text.slice(0, offset)));
  const wrong = width(text.slice(offset, offset + length));
  say.explain(`  ${text}`);
  say.explain(`  ${before}^${"~".repeat(Math.max(wrong - 1, 0))} ${reason}`);
}

/** How many characters a person sees. */
function width(text: string): number {
  return [...text].length;
}
