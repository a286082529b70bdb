/** How long processes have run, to the nanosecond. */

/** Nanoseconds that all threads of these processes have had a processor. */
export function processorTime(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const text = Deno.readTextFileSync(
        `/proc/${pid}/task/${name}/schedstat`,
      );
      sum += Number(text.split(" ")[0]);
    }
  }
  return sum;
}

/** A process and the children that it has now. */
export function withChildren(pid: number): number[] {
  const pids = [pid];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(parent) === pid) pids.push(Number(name));
    } catch {
      // It has ended.
    }
  }
  return pids;
}
