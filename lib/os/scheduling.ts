/** How the system schedules the calling thread. */

import { Libc, nativeBuffer } from "./libc.ts";

const SCHED_FIFO = 1;
/** What the thread starts does not inherit its priority. */
const SCHED_RESET_ON_FORK = 0x4000_0000;

/** The calling thread, in calls that take a thread's id. */
const SELF = 0;

/**
 * Has the calling thread run before all that is not real-time: first come,
 * first served, at `priority` 1 (the least) to 99. Threads and processes that
 * it starts are ordinary ones.
 *
 * @throws {SystemError} EPERM without CAP_SYS_NICE.
 * @throws {NativeLibraryError} where there is no such call.
 */
export function setRealTimePriority(priority: number): void {
  using libc = Libc.open();
  const parameters = nativeBuffer(4);
  new Int32Array(parameters.buffer)[0] = priority;
  libc.check(
    "sched_setscheduler",
    libc.call.sched_setscheduler(
      SELF,
      SCHED_FIFO | SCHED_RESET_ON_FORK,
      parameters,
    ),
  );
}
