/** Errors of the kernel tracer, with the codes that clients are told. */

import { errorText } from "../base/errors.ts";
import { ContextError } from "../kernel/contexts.ts";
import { FilterError } from "../kernel/filter.ts";
import { CommandError } from "./errors.ts";
import { TracerError } from "./tracer.ts";

/** What `act` gives; what it throws has the code for the client. */
export function coded<T>(symbol: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw codedError(symbol, error);
  }
}

/** An error with the code for the client: that of its kind, or `symbol`. */
export function codedError(symbol: string, error: unknown): unknown {
  if (error instanceof TracerError || error instanceof CommandError) {
    return error;
  }
  const code = error instanceof FilterError
    ? "FILTER_INVAL"
    : error instanceof ContextError
    ? "KERN_CONTEXT_UNAVAILABLE"
    : symbol;
  return new TracerError(code, errorText(error), { cause: error });
}
