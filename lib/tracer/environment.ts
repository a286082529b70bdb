/** What a trace says of where it was recorded. */

import { basicIso8601 } from "../base/clock.ts";
import type { Environment } from "../ctf/metadata.ts";

/** What {@linkcode traceEnvironment} is told. */
export interface EnvironmentOptions {
  /** Name of the trace. */
  name: string;
  /** Unset: asked of the system, and left out where that is not permitted. */
  hostname: string | undefined;
  /** Added after the rest. */
  more: Environment;
}

/**
 * The `env` block. `domain` is `typescript`: readers that know what an `ust`
 * trace holds must not look for it here.
 */
export function traceEnvironment(
  options: EnvironmentOptions,
  now: Date,
): Environment {
  const hostname = options.hostname ?? permittedHostname();
  return {
    domain: "typescript",
    tracer_name: "lttng-stream-typescript",
    tracer_major: 0,
    tracer_minor: 1,
    trace_name: options.name,
    trace_creation_datetime: basicIso8601(now),
    ...(hostname === undefined ? {} : { hostname }),
    vpid: Deno.pid,
    ...options.more,
  };
}

/** The host's name where asking for it does not ask the user first. */
function permittedHostname(): string | undefined {
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "hostname",
  });
  return state === "granted" ? Deno.hostname() : undefined;
}
