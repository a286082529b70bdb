/** The threads of processes that are to be tracked. */

import { KernelTracingError } from "./tracefs.ts";

/**
 * Ids of all threads that these processes have now.
 *
 * @throws {KernelTracingError} where one of them is not there.
 */
export function threadsOf(pids: readonly number[]): number[] {
  const tids: number[] = [];
  for (const pid of pids) {
    try {
      for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
        tids.push(Number(name));
      }
    } catch (error) {
      throw new KernelTracingError(
        `Cannot track process ${pid}: there is none`,
        { cause: error },
      );
    }
  }
  return tids;
}
