/** A tracer where there is none. */

import { type Tracer, TracerError } from "./tracer.ts";

/** Refuses everything, with the reason. */
export function unavailableTracer(reason: string): Tracer {
  const refuse = (): never => {
    throw new TracerError("KERN_NA", reason);
  };
  return {
    unavailable: reason,
    tracepoints: refuse,
    syscalls: refuse,
    fields: refuse,
    open: refuse,
  };
}
