/** An event class: a name, a log level and the fields that each event of it has. */

import { struct } from "./declare.ts";
import type { FieldDeclarations, StructType, ValuesOf } from "./types.ts";

/** LTTng's log levels by name, as the numbers that stand in metadata. */
export const LOG_LEVELS = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug_system: 7,
  debug_program: 8,
  debug_process: 9,
  debug_module: 10,
  debug_unit: 11,
  debug_function: 12,
  debug_line: 13,
  debug: 14,
} as const;

/** The name of one of LTTng's log levels. */
export type EventLogLevel = keyof typeof LOG_LEVELS;

/** A declared event, ready to be recorded: see {@linkcode defineEvent}. */
export interface EventClass<
  Fields extends FieldDeclarations = FieldDeclarations,
> {
  /** By custom `provider:event`. */
  readonly name: string;
  /** How much the event matters. */
  readonly logLevel: EventLogLevel;
  /** Its fields. */
  readonly payload: StructType<ValuesOf<Fields>>;
}

/** What may be said of an event class beside its name and fields. */
export interface EventOptions {
  /** Default `debug_line`, as for an LTTng-UST tracepoint without a level. */
  logLevel?: EventLogLevel;
}

/** The longest event name that LTTng knows, in bytes. */
const MAX_NAME_LENGTH = 255;

/**
 * Declares an event. By custom its name is `provider:event`.
 *
 * ```ts
 * import { defineEvent, string, u16, u64 } from "@lttng/stream";
 *
 * const request = defineEvent("http:request", {
 *   method: string,
 *   path: string,
 *   status: u16,
 *   durationNs: u64,
 * }, { logLevel: "info" });
 * ```
 *
 * @throws {RangeError} where the name or a field's name cannot be.
 */
export function defineEvent<const Fields extends FieldDeclarations>(
  name: string,
  fields: Fields,
  options: EventOptions = {},
): EventClass<Fields> {
  const length = new TextEncoder().encode(name).length;
  if (length < 1 || length > MAX_NAME_LENGTH) {
    throw new RangeError(
      `Cannot declare an event: its name has ${length} bytes, ` +
        `not 1..${MAX_NAME_LENGTH}`,
    );
  }
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(name)) {
    throw new RangeError(
      `Cannot declare an event: its name ${JSON.stringify(name)} ` +
        `has a control character`,
    );
  }
  const logLevel = options.logLevel ?? "debug_line";
  if (!Object.hasOwn(LOG_LEVELS, logLevel)) {
    throw new RangeError(
      `Cannot declare event "${name}": there is no log level "${logLevel}"`,
    );
  }
  return { name, logLevel, payload: struct(fields) };
}
