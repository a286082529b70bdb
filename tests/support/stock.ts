/** Tells whether the stock programs are installed, and skips or fails accordingly. */

/** Value of `LTTNG_TESTS` that turns a skip for a missing program into a failure. */
const REQUIRE_STOCK = "require-stock";

/** Whether `program` is an executable file in a directory of `PATH`. */
export function isOnPath(program: string): boolean {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const directories = (Deno.env.get("PATH") ?? "").split(separator);
  return directories.some((directory) =>
    directory !== "" && isExecutable(`${directory}/${program}`)
  );
}

function isExecutable(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && (info.mode === null || (info.mode & 0o111) !== 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/**
 * Why a test that needs `programs` cannot run here, or `undefined` when it can.
 *
 * @throws {Error} When a program is missing and `LTTNG_TESTS` is
 * `require-stock`: there, a skip is a failure.
 */
export function stockMissing(...programs: string[]): string | undefined {
  const missing = programs.filter((program) => !isOnPath(program));
  return missing.length === 0 ? undefined : notInstalled(missing.join(", "));
}

/**
 * The reason for a skip because `what` is not installed.
 *
 * @throws {Error} When `LTTNG_TESTS` is `require-stock`.
 */
export function notInstalled(what: string): string {
  const reason = `Not installed: ${what}`;
  if (Deno.env.get("LTTNG_TESTS") === REQUIRE_STOCK) {
    throw new Error(`${reason} (LTTNG_TESTS=${REQUIRE_STOCK})`);
  }
  return reason;
}

/** What a stock test needs, and how long it may take. */
export interface StockTestOptions {
  /** Programs that must be on `PATH`. */
  readonly programs: readonly string[];
  /** Another reason not to run, already in words; `undefined` runs. */
  readonly skip?: string | undefined;
}

/** Defines a test that is skipped, with the reason printed, without `programs`. */
export function stockTest(
  name: string,
  options: StockTestOptions,
  fn: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const reason = stockMissing(...options.programs) ?? options.skip;
  if (reason !== undefined) console.log(`Skipped: ${name}: ${reason}`);
  Deno.test({ name, ignore: reason !== undefined, fn });
}
