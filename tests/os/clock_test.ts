import { assert } from "@std/assert";
import { SystemClocks } from "../../lib/os/clock.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };

Deno.test("SystemClocks.monotonic() never goes back", LINUX, () => {
  using clocks = new SystemClocks();
  let last = clocks.monotonic();
  for (let count = 0; count < 1_000; count++) {
    const now = clocks.monotonic();
    assert(now >= last, `${now} < ${last}`);
    last = now;
  }
});

Deno.test(
  "SystemClocks.monotonic() is the clock that /proc/uptime shows",
  LINUX,
  () => {
    using clocks = new SystemClocks();
    const before = clocks.monotonic() / 1e9;
    const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
    const after = clocks.monotonic() / 1e9;
    // The file counts sleep too, and hundredths only: a machine that slept is off.
    assert(uptime >= before - 0.02, `${uptime} < ${before}`);
    assert(after >= before);
  },
);

Deno.test(
  "SystemClocks.monotonicOffset() leads from one clock to the other",
  LINUX,
  () => {
    using clocks = new SystemClocks();
    const offset = clocks.monotonicOffset();
    const before = Date.now();
    const now = Number((offset + BigInt(clocks.monotonic())) / 1_000_000n);
    const after = Date.now();
    // Date is cut to milliseconds, and clocks may be set meanwhile.
    assert(now >= before - 2 && now <= after + 2, `${before} ${now} ${after}`);
  },
);
