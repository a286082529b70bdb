/** `docs/sessiond.md` says what the command tables say. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { sessiondPage } from "../../tools/sessiond_page.ts";

// Read here, with the permissions of the run: the tests have none.
const page = Deno.readTextFileSync(
  new URL("../../docs/sessiond.md", import.meta.url),
);

Deno.test("docs/sessiond.md is what tools/sessiond_page.ts prints", {
  permissions: "none",
}, () => {
  assertEquals(page, sessiondPage());
});

Deno.test("sessiondPage() has numbers, offsets and sizes", {
  permissions: "none",
}, () => {
  const text = sessiondPage().replaceAll(/ +/g, " ");
  assertStringIncludes(text, "| 2.12.9 or later | 13152 | 20 |");
  assertStringIncludes(text, "| 13 | 11 | LIST_SESSIONS | 0 |");
  assertStringIncludes(
    text,
    "| 4944 | 4 | `eventLength` | u32, bytes of `event` |",
  );
  assertStringIncludes(text, "Channel since 2.15, 110 bytes and more:");
});
