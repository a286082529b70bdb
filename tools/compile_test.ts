/**
 * `deno task compile:test`: compiles both executables and runs the end-to-end
 * tests against them instead of against the sources.
 */

import { run, step } from "./run.ts";

const deno = Deno.execPath();
const COMPILE_ENV = "../shared/tools/compile-env";
const DIRECTORY = "dist";
/** Tests that say little about how the programs are packed. */
const LEFT_OUT = ["cut", "live_change", "rotation", "view"]
  .map((name) => `${name}_test.ts`);
/** What runs whole programs. */
const TESTS = [
  ...[...Deno.readDirSync("tests/e2e")].map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts") && !LEFT_OUT.includes(name))
    .sort().map((name) => `tests/e2e/${name}`),
  "tests/cli/own_session_test.ts",
  "tests/cli/relayd_process_test.ts",
  "tests/cli/view_test.ts",
];

const env = await compileEnvironment();
step("compile");
await run(deno, ["run", "--allow-all", "tools/compile.ts"], env);
step("end-to-end tests of the executables");
await run(deno, ["run", "--allow-all", "tools/test.ts", ...TESTS], {
  RELAYD_BIN: `${Deno.cwd()}/${DIRECTORY}/relayd`,
  LTTNG_BIN: `${Deno.cwd()}/${DIRECTORY}/lttng`,
});

/**
 * Where Deno's own download is out of reach, a script beside the project may
 * name a base executable and a Deno that fits it.
 */
async function compileEnvironment(): Promise<Record<string, string>> {
  if (Deno.env.has("DENORT_BIN")) return {};
  try {
    await Deno.stat(COMPILE_ENV);
  } catch {
    return {};
  }
  const { success, stdout } = await new Deno.Command(COMPILE_ENV, {
    stderr: "inherit",
  }).output();
  if (!success) return {};
  const assignments = new TextDecoder().decode(stdout).matchAll(
    /^([A-Z_]+)=(.*)$/gm,
  );
  return Object.fromEntries(
    [...assignments].map(([, name = "", value = ""]) => [name, value]),
  );
}
