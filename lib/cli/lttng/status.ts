/** How a command of `lttng` ends. */

/**
 * Exit statuses of commands. Some commands end with an LTTng error code
 * instead, as those of the stock program do.
 */
export const Status = {
  OK: 0,
  ERROR: 1,
  /** Such an option or action is unknown. */
  UNDEFINED: 2,
  FATAL: 3,
  WARNING: 4,
  UNSUPPORTED: 5,
} as const;

/** Ends a command; `message` is printed as an error unless it is empty. */
export class CommandFailure extends Error {
  override name = "CommandFailure";

  constructor(
    message: string,
    readonly status: number = Status.ERROR,
    /** What to do next. */
    readonly hint?: string,
  ) {
    super(message);
  }
}
