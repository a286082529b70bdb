/** Tests that need this machine's tracefs, and what they make in it. */

import { KernelTracingError, Tracefs } from "../../../lib/kernel/tracefs.ts";

/** Why the kernel cannot be traced here; `undefined` where it can. */
export function tracefsMissing(): string | undefined {
  try {
    const { path } = Tracefs.open();
    // Reading alone is not enough, and making nothing is the best of tests.
    Deno.openSync(`${path}/trace_marker`, { write: true }).close();
    return undefined;
  } catch (error) {
    if (error instanceof KernelTracingError) return error.message;
    return String(error);
  }
}

const missing = tracefsMissing();

/** Defines a test that is skipped, with the reason printed, without tracefs. */
export function tracefsTest(
  name: string,
  fn: (context: Deno.TestContext) => void | Promise<void>,
  options: { readonly skip?: string | undefined } = {},
): void {
  const reason = missing ?? options.skip;
  if (reason !== undefined) console.log(`Skipped: ${name}: ${reason}`);
  Deno.test({ name, ignore: reason !== undefined, fn });
}

/** Instances that `pid` made, this process where it is not said. */
export function instancesOf(pid: number = Deno.pid): string[] {
  const { path } = Tracefs.open();
  return [...Deno.readDirSync(`${path}/instances`)].map(({ name }) => name)
    .filter((name) => name.split(".")[2] === String(pid));
}
