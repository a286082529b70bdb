/** Log levels by name, as `--loglevel` takes them and lists show them. */

import type { Domain } from "./common_options.ts";

/** Each level of UST, with the words that stand for it. */
const UST: readonly (readonly [number, string, ...string[]])[] = [
  [0, "TRACE_EMERG", "EMERG"],
  [1, "TRACE_ALERT", "ALERT"],
  [2, "TRACE_CRIT", "CRIT"],
  [3, "TRACE_ERR", "ERR"],
  [4, "TRACE_WARNING", "WARNING"],
  [5, "TRACE_NOTICE", "NOTICE"],
  [6, "TRACE_INFO", "INFO"],
  [7, "TRACE_DEBUG_SYSTEM", "DEBUG_SYSTEM", "SYSTEM"],
  [8, "TRACE_DEBUG_PROGRAM", "DEBUG_PROGRAM", "PROGRAM"],
  [9, "TRACE_DEBUG_PROCESS", "DEBUG_PROCESS", "PROCESS"],
  [10, "TRACE_DEBUG_MODULE", "DEBUG_MODULE", "MODULE"],
  [11, "TRACE_DEBUG_UNIT", "DEBUG_UNIT", "UNIT"],
  [12, "TRACE_DEBUG_FUNCTION", "DEBUG_FUNCTION", "FUNCTION"],
  [13, "TRACE_DEBUG_LINE", "DEBUG_LINE", "LINE"],
  [14, "TRACE_DEBUG", "DEBUG"],
];

const JUL: typeof UST = [
  [2_147_483_647, "JUL_OFF", "OFF"],
  [1000, "JUL_SEVERE", "SEVERE"],
  [900, "JUL_WARNING", "WARNING"],
  [800, "JUL_INFO", "INFO"],
  [700, "JUL_CONFIG", "CONFIG"],
  [500, "JUL_FINE", "FINE"],
  [400, "JUL_FINER", "FINER"],
  [300, "JUL_FINEST", "FINEST"],
  [-2_147_483_648, "JUL_ALL", "ALL"],
];

const LOG4J: typeof UST = [
  [2_147_483_647, "LOG4J_OFF", "OFF"],
  [50_000, "LOG4J_FATAL", "FATAL"],
  [40_000, "LOG4J_ERROR", "ERROR"],
  [30_000, "LOG4J_WARN", "WARN"],
  [20_000, "LOG4J_INFO", "INFO"],
  [10_000, "LOG4J_DEBUG", "DEBUG"],
  [5_000, "LOG4J_TRACE", "TRACE"],
  [-2_147_483_648, "LOG4J_ALL", "ALL"],
];

const PYTHON: typeof UST = [
  [50, "PYTHON_CRITICAL", "CRITICAL"],
  [40, "PYTHON_ERROR", "ERROR"],
  [30, "PYTHON_WARNING", "WARNING"],
  [20, "PYTHON_INFO", "INFO"],
  // The stock program misspells the name with the prefix.
  [10, "PYTHON_DEBUG", "DEBUG", "PYTNON_DEBUG"],
  [0, "PYTHON_NOTSET", "NOTSET"],
];

const LEVELS: Readonly<Record<Domain, typeof UST>> = {
  kernel: UST,
  ust: UST,
  jul: JUL,
  log4j: LOG4J,
  python: PYTHON,
};

/** The level that `--loglevel` means by a word; `undefined` for none. */
export function parseLogLevel(
  domain: Domain,
  word: string,
): number | undefined {
  const name = word.toUpperCase();
  return LEVELS[domain].find(([, ...words]) => words.includes(name))?.[0];
}

/** What lists call a level; empty for none. */
export function logLevelName(domain: Domain, level: number): string {
  if (level === -1) return "";
  return LEVELS[domain].find(([value]) => value === level)?.[1] ?? "UNKNOWN";
}

/** The words of a domain's levels, for an error. */
export function logLevelWords(domain: Domain): string[] {
  return LEVELS[domain].map(([, name, word]) => word ?? name);
}

/** The level that rules without one have in reports. */
export function defaultLogLevel(domain: Domain): number {
  if (domain === "python") return 10;
  return domain === "jul" || domain === "log4j" ? -2_147_483_648 : -1;
}
