/** Log levels by their names: of applications, and of their loggers. */

import { controlError } from "./errors.ts";
import type { DomainName } from "./names.ts";

/** Levels from the most severe to the least, with what precedes their names. */
interface Levels {
  readonly prefix: string;
  readonly numbers: Readonly<Record<string, number>>;
}

const LEAST = -0x8000_0000;
const OFF = 0x7FFF_FFFF;

const log4j: Levels = {
  prefix: "LOG4J_",
  numbers: {
    ...{ OFF, FATAL: 50_000, ERROR: 40_000, WARN: 30_000, INFO: 20_000 },
    ...{ DEBUG: 10_000, TRACE: 5_000, ALL: LEAST },
  },
};

const levels: Readonly<Partial<Record<DomainName, Levels>>> = {
  ust: {
    prefix: "TRACE_",
    numbers: {
      ...{ EMERG: 0, ALERT: 1, CRIT: 2, ERR: 3, WARNING: 4, NOTICE: 5 },
      ...{ INFO: 6, DEBUG_SYSTEM: 7, DEBUG_PROGRAM: 8, DEBUG_PROCESS: 9 },
      ...{ DEBUG_MODULE: 10, DEBUG_UNIT: 11, DEBUG_FUNCTION: 12 },
      ...{ DEBUG_LINE: 13, DEBUG: 14 },
    },
  },
  jul: {
    prefix: "JUL_",
    numbers: {
      ...{ OFF, SEVERE: 1000, WARNING: 900, INFO: 800, CONFIG: 700 },
      ...{ FINE: 500, FINER: 400, FINEST: 300, ALL: LEAST },
    },
  },
  log4j,
  python: {
    prefix: "PYTHON_",
    numbers: {
      ...{ CRITICAL: 50, ERROR: 40, WARNING: 30, INFO: 20, DEBUG: 10 },
      NOTSET: 0,
    },
  },
};

/** The levels of a domain by name; none where it has no levels. */
export function logLevelNames(domain: DomainName): ReadonlyMap<string, number> {
  return new Map(Object.entries(levels[domain]?.numbers ?? {}));
}

/**
 * The number of a level: `INFO`, `TRACE_INFO`, `info`; for applications also
 * `SYSTEM` to `LINE`, which are `DEBUG_SYSTEM` to `DEBUG_LINE`.
 *
 * @throws {ControlError} INVALID for a name that is unknown.
 */
export function parseLogLevel(domain: DomainName, name: string): number {
  const known = levels[domain];
  const upper = name.toUpperCase();
  const bare = known !== undefined && upper.startsWith(known.prefix)
    ? upper.slice(known.prefix.length)
    : upper;
  for (
    const candidate of [bare, ...domain === "ust" ? [`DEBUG_${bare}`] : []]
  ) {
    const number = known?.numbers[candidate];
    if (number !== undefined && Object.hasOwn(known!.numbers, candidate)) {
      return number;
    }
  }
  throw controlError("INVALID", `unknown log level ${name}`);
}

/** The whole name of a level: `TRACE_INFO`; `undefined` for an unknown one. */
export function formatLogLevel(
  domain: DomainName,
  level: number,
): string | undefined {
  const known = levels[domain];
  if (known === undefined) return undefined;
  const name = Object.entries(known.numbers)
    .find(([, number]) => number === level)?.[0];
  return name && `${known.prefix}${name}`;
}
