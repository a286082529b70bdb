/** The README says what the programs do. */

import { assertEquals } from "@std/assert";
import { withSections } from "../../tools/readme.ts";

Deno.test("the README has the options and variables of relayd", () => {
  const readme = Deno.readTextFileSync("README.md");
  assertEquals(
    readme,
    withSections(readme),
    "Run `deno run -RW tools/readme.ts`",
  );
});
