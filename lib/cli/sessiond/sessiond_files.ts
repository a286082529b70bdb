/** The run directory of a session daemon, and the lock that keeps others out. */

import { lockFile } from "../../os/file_access.ts";
import { pathReason, StartError } from "../daemon/run_files.ts";
import type { SessiondSettings } from "./sessiond_settings.ts";

/**
 * Makes the run directory: for all to enter where it is root's, else for the
 * user alone.
 *
 * @throws {StartError} When it cannot be made.
 */
export function prepareSessiondDirectory(
  { runDirectory, isRoot }: SessiondSettings,
  group: number | undefined,
): void {
  try {
    const mode = isRoot ? 0o755 : 0o700;
    Deno.mkdirSync(runDirectory, { recursive: true, mode });
    if (isRoot) Deno.chmodSync(runDirectory, mode);
    if (group !== undefined) Deno.chownSync(runDirectory, 0, group);
  } catch (cause) {
    throw new StartError(
      `Cannot create the run directory ${runDirectory}: ${
        pathReason(cause)
      }: choose another with LTTNG_RUNDIR`,
      { cause },
    );
  }
}

/**
 * Keeps other session daemons away until disposed.
 *
 * @throws {StartError} When there is one.
 */
export function lockRunDirectory(
  { lockFile: path }: SessiondSettings,
): Disposable {
  let lock: Disposable | undefined;
  try {
    lock = lockFile(path);
  } catch (cause) {
    throw new StartError(`Cannot lock ${path}: ${pathReason(cause)}`, {
      cause,
    });
  }
  if (lock !== undefined) return lock;
  throw new StartError(
    `A session daemon is running already: it holds ${path}`,
  );
}
