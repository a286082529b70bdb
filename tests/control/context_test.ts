/** Context fields: what is sent for a name is what `lttng` sends. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { contextNames, parseContext } from "../../lib/control/context.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { contextBlock } from "../../lib/wire/sessiond/recording.ts";
import { readPairs } from "../wire/golden.ts";

// Read here, with the permissions of the run: the tests have none.
const recorded = readPairs("sessiond/contexts.txt");

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("parseContext() makes what the stock client makes of every name", () => {
  assert(recorded.length > 100);
  for (const [name, bytes] of recorded) {
    assertEquals(contextBlock.encode(parseContext(name)), bytes?.slice(), name);
  }
});

test("contextNames() has the names that lttng lists", () => {
  const listed = recorded.map(([name]) => name)
    .filter((name) => !name.startsWith("$app") && !name.includes(":raw:"));
  assertEquals(contextNames().toSorted(), listed.toSorted());
});

test("parseContext() refuses names that are unknown", () => {
  for (
    const name of [
      ...["", "bogus", "VPID", "perf:cpu", "perf:core:cycles"],
      ...["perf:thread:bogus", "perf:thread:raw:1a8:x", "perf:cpu:raw:r1a8"],
      ...["$app.provider", "$app.:name", "$ctx.vpid"],
    ]
  ) {
    const error = assertThrows(() => parseContext(name), ControlError);
    assertEquals(
      error.message,
      `Invalid parameter: unknown context type ${name}`,
    );
  }
});
