/** What can go wrong between a client and its session daemon. */

import { lttngErrorCode, lttngErrorNumber } from "../wire/lttng_error.ts";
import type { SessiondCommandName } from "../wire/sessiond/commands.ts";

/** What a {@linkcode ControlError} may be told beyond its code. */
export interface ControlErrorOptions extends ErrorOptions {
  /** What was wrong in particular, for a person. */
  readonly detail?: string | undefined;
  /** The command that was refused. */
  readonly command?: SessiondCommandName | undefined;
}

/**
 * A command failed: the session daemon refused it, could not be reached, or
 * the request was found wrong before it was sent. The codes are LTTng's
 * (`lttng/lttng-error.h`); `message` is `text`, followed by what is known
 * beyond it.
 */
export class ControlError extends Error {
  override name = "ControlError";
  /** LTTng error code: 23. */
  readonly code: number;
  /** The code's name: `LTTNG_ERR_SESS_NOT_FOUND`. */
  readonly symbol: string;
  /** What `lttng_strerror()` says of the code: `Session name not found`. */
  readonly text: string;
  /** The command that was refused, where one was. */
  readonly command: SessiondCommandName | undefined;

  constructor(code: number, options: ControlErrorOptions = {}) {
    const { symbol, text } = lttngErrorCode(code);
    const { detail, command, cause } = options;
    super(detail === undefined ? text : `${text}: ${detail}`, { cause });
    this.code = code;
    this.symbol = symbol;
    this.text = text;
    this.command = command;
  }
}

/** A {@linkcode ControlError} by the name of its code: `"INVALID"`. */
export function controlError(
  name: string,
  detail?: string,
  options: ControlErrorOptions = {},
): ControlError {
  return new ControlError(lttngErrorNumber(name), { ...options, detail });
}

/** Whether `error` is a {@linkcode ControlError} of the code so named. */
export function isControlError(error: unknown, name: string): boolean {
  return error instanceof ControlError &&
    error.code === lttngErrorNumber(name);
}
