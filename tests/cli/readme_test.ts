/** The pages say what the programs do. */

import { assertEquals } from "@std/assert";
import { PAGES, withSections } from "../../tools/readme.ts";

for (const page of PAGES) {
  Deno.test(`${page} has the tables of options, variables and commands`, () => {
    const text = Deno.readTextFileSync(page);
    assertEquals(
      text,
      withSections(text),
      "Run `deno run -RW tools/readme.ts`",
    );
  });
}
