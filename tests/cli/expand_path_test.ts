/** Paths that `lttng create --output` takes. */

import { assertEquals } from "@std/assert";
import { expandPath } from "../../lib/cli/lttng/expand_path.ts";

Deno.test("expandPath() resolves what is there and keeps what is not", async () => {
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${base}/real`);
    await Deno.symlink(`${base}/real`, `${base}/link`);
    assertEquals(expandPath(`${base}/link`), `${base}/real`);
    assertEquals(expandPath(`${base}/link/a/../b/./c/`), `${base}/real/b/c`);
    assertEquals(expandPath("a/b"), `${await Deno.realPath(".")}/a/b`);
    assertEquals(expandPath("/"), "/");
    assertEquals(expandPath("/no/such/../x"), "/no/x");
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});
