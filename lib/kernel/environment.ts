/** What a kernel trace says of where and by what it was recorded, as LTTng-modules says it. */

import { basicIso8601 } from "../base/clock.ts";
import { VERSION } from "../base/version.ts";
import type { ClockDescription, Environment } from "../ctf/metadata.ts";
import { SystemClocks } from "../os/clock.ts";

/** What is known of the machine. */
export interface Machine {
  readonly hostname: string;
  /** `uname -r`. */
  readonly release: string;
  /** `uname -v`. */
  readonly version: string;
  /** The same for one boot: its clocks compare. */
  readonly bootId: string;
  /** Of the hardware; `undefined` where it has none or hides it. */
  readonly productUuid: string | undefined;
}

/** What this machine is. */
export function thisMachine(): Machine {
  return {
    hostname: Deno.hostname(),
    release: firstLine("/proc/sys/kernel/osrelease") ?? Deno.osRelease(),
    version: firstLine("/proc/sys/kernel/version") ?? "",
    bootId: firstLine("/proc/sys/kernel/random/boot_id") ??
      "00000000-0000-0000-0000-000000000000",
    productUuid: firstLine("/sys/class/dmi/id/product_uuid"),
  };
}

function firstLine(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).split("\n", 1)[0];
  } catch {
    return undefined;
  }
}

/**
 * The `env` block. Analyses know the events of a trace by the name and version
 * of its tracer, so it names the one whose names and fields these are; what
 * really recorded is said beside it.
 */
export function kernelEnvironment(
  machine: Machine,
  traceName: string,
  now: Date,
): Environment {
  const { hostname, release, version, productUuid } = machine;
  return {
    hostname,
    domain: "kernel",
    sysname: "Linux",
    kernel_release: release,
    kernel_version: version,
    tracer_name: "lttng-modules",
    tracer_major: 2,
    tracer_minor: 13,
    tracer_patchlevel: 0,
    trace_buffering_scheme: "global",
    trace_name: traceName,
    trace_creation_datetime: basicIso8601(now),
    ...(productUuid === undefined ? {} : { product_uuid: productUuid }),
    tracer_impl: "lttng-stream",
    tracer_impl_version: VERSION,
    tracer_backend: "ftrace",
    event_naming: "lttng-modules-2.13",
  };
}

/** When `CLOCK_MONOTONIC` was 0, by the time of day now; ns since 1970. */
export function measuredOffset(): bigint {
  using clocks = new SystemClocks();
  return clocks.monotonicOffset();
}

/** `CLOCK_MONOTONIC`, which all tracers of one boot share. */
export function kernelClock(
  machine: Machine,
  offset: bigint,
): ClockDescription {
  return {
    name: "monotonic",
    uuid: machine.bootId,
    description: "Monotonic Clock",
    frequency: 1_000_000_000n,
    offset,
  };
}
