import { assertEquals, assertMatch } from "@std/assert";
import { basicIso8601 } from "../../lib/base/clock.ts";

Deno.test("basicIso8601() is local time and its distance from UTC", {
  permissions: "none",
}, () => {
  const time = new Date(2026, 0, 2, 3, 4, 5);
  const text = basicIso8601(time);
  assertEquals(text.slice(0, 15), "20260102T030405");
  assertMatch(text.slice(15), /^[+-]\d{4}$/);
});
