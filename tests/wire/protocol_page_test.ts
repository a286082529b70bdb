/** `docs/protocol.md` says what the command tables say. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { protocolPage } from "../../tools/protocol_page.ts";

// Read here, with the permissions of the run: the tests have none.
const page = Deno.readTextFileSync(
  new URL("../../docs/protocol.md", import.meta.url),
);

Deno.test("docs/protocol.md is what tools/protocol_page.ts prints", {
  permissions: "none",
}, () => {
  assertEquals(page, protocolPage());
});

Deno.test("protocolPage() has offsets, sizes and lengths of every layout", {
  permissions: "none",
}, () => {
  const text = protocolPage().replaceAll(/ +/g, " ");
  assertStringIncludes(text, "| 18 | ROTATE_STREAMS | 2.11 |");
  assertStringIncludes(text, "Request since 2.4, 327 bytes:");
  assertStringIncludes(text, "| 319 | 4 | `liveTimer` | u32 |");
  assertStringIncludes(text, "Request since 2.15, 63 bytes and more:");
  assertStringIncludes(
    text,
    "| 0 | 4 | `channelNameLength` | u32, bytes of `channelName` |",
  );
  assertStringIncludes(text, "Stream entry, 4371 bytes:");
});
