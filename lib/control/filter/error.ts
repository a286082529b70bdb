/** What is wrong with a filter, and where. */

import { lttngErrorNumber } from "../../wire/lttng_error.ts";
import { ControlError } from "../errors.ts";

/** A place in a filter's text, in UTF-16 code units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A filter that means nothing: error code FILTER_INVAL. */
export class FilterError extends ControlError {
  override name = "FilterError";
  /** Where in the filter it went wrong, in UTF-16 code units. */
  readonly offset: number;
  /** How much of the filter is wrong from there. */
  readonly length: number;

  constructor(
    /** What is wrong, in words. */
    readonly reason: string,
    span: Span,
  ) {
    super(lttngErrorNumber("FILTER_INVAL"), {
      detail: `at ${span.start + 1}: ${reason}`,
    });
    this.offset = span.start;
    this.length = span.end - span.start;
  }
}
