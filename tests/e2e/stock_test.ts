/** Whether a missing stock program skips a test or, where required, fails it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../support/process.ts";
import { stockMissing } from "../support/stock.ts";

Deno.test("stockMissing() finds what is installed", () => {
  assertEquals(
    stockMissing(Deno.build.os === "windows" ? "cmd.exe" : "sh"),
    undefined,
  );
});

Deno.test("stockMissing() names what is missing, and throws where required", async () => {
  const module = new URL("../support/stock.ts", import.meta.url).href;
  const script = `import { stockMissing } from "${module}";
    console.log(stockMissing("no-such-program"));`;
  const command = [Deno.execPath(), "eval", script];

  const skipped = await run({ command, env: { LTTNG_TESTS: "" } });
  assertEquals(skipped.stdout.trim(), "Not installed: no-such-program");

  const failed = await run({ command, env: { LTTNG_TESTS: "require-stock" } });
  assertEquals(failed.code, 1);
  assertStringIncludes(failed.stderr, "Not installed: no-such-program");
});
