/** What two peers agree on, and how errors read. */

import { assertEquals } from "@std/assert";
import { errorText } from "../../lib/base/errors.ts";
import { agreedMinor, NEWEST_MINOR } from "../../lib/base/ids.ts";

Deno.test(
  "agreedMinor() is the smaller of the two",
  { permissions: "none" },
  () => {
    assertEquals(Number(agreedMinor(NEWEST_MINOR, 4)), 4);
    assertEquals(Number(agreedMinor(NEWEST_MINOR, 99)), 15);
    assertEquals(Number(agreedMinor(11, NEWEST_MINOR)), 11);
    assertEquals(Number(agreedMinor(NEWEST_MINOR, 0)), 0);
  },
);

Deno.test(
  "errorText() reads whatever was thrown",
  { permissions: "none" },
  () => {
    assertEquals(errorText(new RangeError("2 > 1")), "2 > 1");
    assertEquals(errorText("plain"), "plain");
    assertEquals(errorText(undefined), "undefined");
  },
);
