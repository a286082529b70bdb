import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { printPreamble } from "../../lib/ctf/metadata.ts";
import {
  kernelClock,
  kernelEnvironment,
  type Machine,
} from "../../lib/kernel/environment.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const MACHINE: Machine = {
  hostname: "host",
  release: "6.18.0",
  version: "#1 SMP",
  bootId: "8c5ebb8a-3c2b-4d55-b1bc-0f1d9e2b7a10",
  productUuid: undefined,
};

test("kernelEnvironment() says what analyses look for, and who recorded", () => {
  const time = new Date(2026, 0, 2, 3, 4, 5);
  const environment = kernelEnvironment(MACHINE, "auto", time);
  assertMatch(
    String(environment["trace_creation_datetime"]),
    /^20260102T030405[+-]\d{4}$/,
  );
  assertEquals({ ...environment, trace_creation_datetime: "" }, {
    hostname: "host",
    domain: "kernel",
    sysname: "Linux",
    kernel_release: "6.18.0",
    kernel_version: "#1 SMP",
    tracer_name: "lttng-modules",
    tracer_major: 2,
    tracer_minor: 13,
    tracer_patchlevel: 0,
    trace_buffering_scheme: "global",
    trace_name: "auto",
    trace_creation_datetime: "",
    tracer_impl: "lttng-stream",
    tracer_impl_version: "0.1.0",
    tracer_backend: "ftrace",
    event_naming: "lttng-modules-2.13",
  });
});

test("kernelEnvironment() has the machine's UUID where there is one", () => {
  const machine = { ...MACHINE, productUuid: "u" };
  const environment = kernelEnvironment(machine, "auto", new Date());
  assertEquals(environment["product_uuid"], "u");
});

test("kernelClock() is the one that all tracers of one boot share", () => {
  const text = printPreamble({
    uuid: MACHINE.bootId,
    byteOrder: "le",
    environment: {},
    clock: kernelClock(MACHINE, 1_700_000_000_123_456_789n),
  });
  for (
    const line of [
      'name = "monotonic";',
      `uuid = "${MACHINE.bootId}";`,
      'description = "Monotonic Clock";',
      "freq = 1000000000;",
      "offset = 1700000000123456789;",
    ]
  ) assertStringIncludes(text, line);
});
