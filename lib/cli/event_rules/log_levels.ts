/** Log levels as lists show them. */

import { formatLogLevel, logLevelNames } from "../../control/log_levels.ts";
import type { Domain } from "../lttng/common_options.ts";

/** What lists call a level; empty for none. */
export function logLevelName(domain: Domain, level: number): string {
  if (level === -1) return "";
  // The kernel's levels are called like those of programs.
  const named = domain === "kernel" ? "ust" : domain;
  return formatLogLevel(named, level) ?? "UNKNOWN";
}

/** The words of a domain's levels, for an error. */
export function logLevelWords(domain: Domain): string[] {
  return [...logLevelNames(domain).keys()];
}

/** The level that rules without one have in reports. */
export function defaultLogLevel(domain: Domain): number {
  if (domain === "python") return 10;
  return domain === "jul" || domain === "log4j" ? -0x8000_0000 : -1;
}
