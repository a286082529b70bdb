/** What a session daemon refuses with. */

import { lttngErrorCode, lttngErrorNumber } from "../wire/lttng_error.ts";

/** The symbol of an error code, without `LTTNG_ERR_`: one of `wire/lttng_error.ts`. */
export type ErrorSymbol = string;

/** A request that is answered with an error code; nothing else comes of it. */
export class CommandError extends Error {
  override name = "CommandError";
  /** The code, as it travels in the reply. */
  readonly code: number;

  constructor(
    readonly symbol: ErrorSymbol,
    /** What was wrong and what to do, for the log; else the code's own text. */
    readonly detail?: string,
    options?: ErrorOptions,
  ) {
    const code = lttngErrorNumber(symbol);
    super(detail ?? lttngErrorCode(code).text, options);
    this.code = code;
  }
}

/** Throws the error of a request that is refused. */
export function refuse(symbol: ErrorSymbol, detail?: string): never {
  throw new CommandError(symbol, detail);
}
