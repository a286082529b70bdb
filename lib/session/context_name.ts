/** LTTng's names of contexts, by their numbers on the wire. */

import { type ContextBlock, ContextType } from "../wire/sessiond/recording.ts";
import { refuse } from "./errors.ts";

/** By number; empty where the number stands for more than a name. */
const NAMES: readonly string[] = [
  ...["pid", "", "procname", "prio", "nice", "vpid", "tid", "vtid"],
  ...["ppid", "vppid", "pthread_id", "hostname", "ip", "", "", ""],
  ...["interruptible", "preemptible", "need_reschedule", "migratable"],
  ...["callstack-kernel", "callstack-user", "cgroup_ns", "ipc_ns", "mnt_ns"],
  ...["net_ns", "pid_ns", "user_ns", "uts_ns", "uid", "euid", "suid", "gid"],
  ...["egid", "sgid", "vuid", "veuid", "vsuid", "vgid", "vegid", "vsgid"],
  "time_ns",
];

/**
 * What a tracer knows a context by: `perf_cpu_cycles` for a counter.
 *
 * @throws {CommandError} Where it is none of a kernel.
 */
export function contextName(block: ContextBlock): string {
  switch (block.type) {
    case ContextType.PERF:
    case ContextType.PERF_CPU:
    case ContextType.PERF_THREAD:
      return block.counterName;
    case ContextType.APPLICATION:
      return refuse("KERN_CONTEXT_FAIL", "The kernel has no applications");
    default: {
      const name = NAMES[block.type] ?? "";
      return name !== ""
        ? name
        : refuse("INVALID", `Context ${block.type} is unknown`);
    }
  }
}
