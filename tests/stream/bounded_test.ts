/** Waits end by themselves. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Deadline, deadlineOf } from "../../lib/stream/bounded.ts";

const never = new Promise<void>(() => {});

Deno.test("Deadline.reaches() tells what came in time from what did not", {
  permissions: "none",
}, async () => {
  const deadline = new Deadline(30, undefined);
  assertEquals(await deadline.reaches(Promise.resolve()), true);
  assertEquals(await deadline.reaches(never), false);
  assertEquals(deadline.leftMs, 0);
  assert(deadline.passedMs >= 30);
});

Deno.test("Deadline.reaches() passes on a failure", {
  permissions: "none",
}, async () => {
  const deadline = new Deadline(1000, undefined);
  await assertRejects(
    () => deadline.reaches(Promise.reject(new Error("No"))),
    Error,
    "No",
  );
});

Deno.test("Deadline.reaches() ends with the reason of its signal", {
  permissions: "none",
}, async () => {
  const abort = new AbortController();
  const deadline = new Deadline(60_000, abort.signal);
  const waiting = deadline.reaches(never);
  abort.abort(new Error("Enough"));
  await assertRejects(() => waiting, Error, "Enough");
  await assertRejects(() => deadline.sleep(1000), Error, "Enough");
});

Deno.test("Deadline.sleep() does not sleep beyond the deadline", {
  permissions: "none",
}, async () => {
  const deadline = new Deadline(40, undefined);
  assertEquals(await deadline.sleep(5), true);
  assertEquals(await deadline.sleep(60_000), false);
  assertEquals(await deadline.sleep(60_000), false);
});

Deno.test("deadlineOf() allows ten seconds unless told otherwise", {
  permissions: "none",
}, () => {
  assertEquals(deadlineOf({}).timeoutMs, 10_000);
  assertEquals(deadlineOf({ timeoutMs: 5 }).timeoutMs, 5);
});
