/** How the system schedules the threads of this process. */

import { Libc, nativeBuffer } from "./libc.ts";

const SCHED_FIFO = 1;
/** What the thread starts does not inherit its priority. */
const SCHED_RESET_ON_FORK = 0x4000_0000;

/** The calling thread, in calls that take a thread's id. */
const SELF = 0;

/** Threads of the engine: they compile and collect garbage for all others. */
const ENGINE_THREAD = /^V8 /;

/**
 * Has the calling thread run before all that is not real-time: first come,
 * first served, at `priority` 1 (the least) to 99. Threads and processes that
 * it starts are ordinary ones.
 *
 * @throws {SystemError} EPERM without CAP_SYS_NICE.
 * @throws {NativeLibraryError} where there is no such call.
 */
export function setRealTimePriority(priority: number): void {
  setPriorities(priority, [SELF]);
}

/**
 * The same for the engine's own threads, of the whole process and for good:
 * where they wait for ordinary threads, a real-time one runs code that is not
 * compiled yet, at many times the cost.
 *
 * @throws {SystemError} EPERM without CAP_SYS_NICE.
 * @throws {NativeLibraryError} where there is no such call.
 */
export function setEnginePriority(priority: number): void {
  const threads: number[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    if (ENGINE_THREAD.test(nameOf(name))) threads.push(Number(name));
  }
  setPriorities(priority, threads);
}

/** The name of a thread; empty where it has ended. */
function nameOf(thread: string): string {
  try {
    return Deno.readTextFileSync(`/proc/self/task/${thread}/comm`);
  } catch (error) {
    if ((error as { code?: string }).code === "ESRCH") return "";
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function setPriorities(priority: number, threads: readonly number[]): void {
  using libc = Libc.open();
  const parameters = nativeBuffer(4);
  new Int32Array(parameters.buffer)[0] = priority;
  for (const thread of threads) {
    libc.check(
      "sched_setscheduler",
      libc.call.sched_setscheduler(
        thread,
        SCHED_FIFO | SCHED_RESET_ON_FORK,
        parameters,
      ),
    );
  }
}
