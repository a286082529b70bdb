import { assertEquals } from "@std/assert";
import {
  instanceName,
  isStale,
  ownerOf,
  startTimeIn,
} from "../../lib/kernel/instance_name.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const OWNER = { pid: 42, startTime: "777", namespace: "4026531836" };

/** A system on which process 42 started at 777. */
const LOOKUP = {
  namespace: "4026531836",
  startTimeOf: (pid: number) => pid === 42 ? "777" : undefined,
};

test("ownerOf() reads what instanceName() wrote", () => {
  const name = instanceName(OWNER, 3, "auto 1/../x-channel0");
  assertEquals(name, "lttng-stream.4026531836.42.777.3.auto-1-x-channel0");
  assertEquals(ownerOf(name), OWNER);
});

test("instanceName() never exceeds a file name", () => {
  assertEquals(instanceName(OWNER, 0, "x".repeat(300)).length, 255);
});

test("ownerOf() leaves others' instances alone", () => {
  for (
    const name of [
      "foo",
      "lttng-stream",
      "lttng-stream.1.2.3",
      "lttng-stream.1.x.3.4.y",
      "perf.4026531836.42.777.0.x",
    ]
  ) assertEquals(ownerOf(name), undefined, name);
});

test("isStale() is true only where the process is known to be gone", () => {
  const nameOf = (owner: Partial<typeof OWNER>) =>
    instanceName({ ...OWNER, ...owner }, 0, "x");
  assertEquals(isStale(nameOf({}), LOOKUP), false);
  assertEquals(isStale(nameOf({ pid: 43 }), LOOKUP), true);
  // Another process has the number now.
  assertEquals(isStale(nameOf({ startTime: "778" }), LOOKUP), true);
  // A process of another namespace cannot be seen from here.
  assertEquals(isStale(nameOf({ pid: 43, namespace: "1" }), LOOKUP), false);
  assertEquals(isStale("foo", LOOKUP), false);
});

test("startTimeIn() finds field 22, whatever the process is called", () => {
  const rest = Array.from({ length: 30 }, (_, index) => index + 3).join(" ");
  assertEquals(startTimeIn(`1 (a) b) ${rest}`), "22");
});
