/**
 * `deno task ok`: the gate before a commit. Format, lint, layers, types, the
 * tests that need nothing but Deno, and the examples of the documentation.
 */

import { run, step } from "./run.ts";

const deno = Deno.execPath();
const PURE = ["tests/layers_test.ts", "tests/base", "tests/wire"];

step("format");
await run(deno, ["fmt", "--check"]);
step("lint");
await run(deno, ["lint"]);
step("types");
await run(deno, ["check", "."]);
step("documentation examples");
await run(deno, [
  "test",
  "--doc",
  "--allow-all",
  "--trace-leaks",
  "mod.ts",
  "lib",
  "README.md",
  "docs/tracer.md",
]);
step("layers, protocol and bounds");
await run(deno, ["test", "--allow-all", "--trace-leaks", ...PURE]);
if (!Deno.args.includes("--no-tests")) {
  step("all tests");
  await run(deno, ["run", "--allow-all", "tools/test.ts"]);
}
console.log("\nok");
