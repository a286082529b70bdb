/** What `/proc` says of a thread. */

import type { Thread } from "./threads.ts";
import type { ThreadNumber } from "./plan.ts";

/** Name and numbers of a thread that is there now; `undefined` when it is not. */
export function lookUpThread(tid: number): Partial<Thread> | undefined {
  try {
    const base = `/proc/${tid}`;
    const stat = Deno.readTextFileSync(`${base}/stat`);
    const status = Deno.readTextFileSync(`${base}/status`);
    return { ...parseThread(stat, status), ...namespaces(base) };
  } catch {
    // It has ended, or may not be looked at.
    return undefined;
  }
}

/** What `stat` and `status` of a thread say. */
export function parseThread(stat: string, status: string): Partial<Thread> {
  const name = new Uint8Array(16);
  // The name may hold spaces and parentheses: it ends at the last one.
  const open = stat.indexOf("(");
  const close = stat.lastIndexOf(")");
  new TextEncoder().encodeInto(
    plainName(stat.slice(open + 1, close)),
    name.subarray(0, 15),
  );
  const fields = stat.slice(close + 2).split(" ").map(Number);
  const ids = innermost(status);
  const [uid = 0, euid = 0, suid = 0] = numbers(status, "Uid");
  const [gid = 0, egid = 0, sgid = 0] = numbers(status, "Gid");
  return {
    name,
    pid: numbers(status, "Tgid")[0] ?? 0,
    ppid: numbers(status, "PPid")[0] ?? 0,
    prio: fields[15] ?? 0,
    nice: fields[16] ?? 0,
    ...ids,
    uid,
    euid,
    suid,
    gid,
    egid,
    sgid,
  };
}

/**
 * The name as events have it: `/proc` adds to a worker's what it works on,
 * `kworker/u8:2-events`.
 */
function plainName(name: string): string {
  return /^(kworker\/u?\d+:\d+H?)[-+]/.exec(name)?.[1] ?? name;
}

/** Ids in the namespace that the thread itself is in. */
function innermost(status: string): Pick<Thread, "vtid" | "vpid" | "vppid"> {
  const vtids = numbers(status, "NSpid");
  const own = numbers(status, "Pid")[0] ?? 0;
  const vtid = vtids.at(-1) ?? own;
  const vpid = numbers(status, "NStgid").at(-1) ?? own;
  const ppid = numbers(status, "PPid")[0] ?? 0;
  // A parent outside of the namespace has no id in it.
  return { vtid, vpid, vppid: vtids.length > 1 && vpid === 1 ? 0 : ppid };
}

function numbers(status: string, key: string): number[] {
  const text = new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)?.[1];
  if (text === undefined) return [];
  return text.trim().split(/\s+/).map(Number);
}

const NAMESPACES: Readonly<Record<string, ThreadNumber>> = {
  cgroup: "cgroup_ns",
  ipc: "ipc_ns",
  mnt: "mnt_ns",
  net: "net_ns",
  pid: "pid_ns",
  time: "time_ns",
  user: "user_ns",
  uts: "uts_ns",
};

/** The numbers of the namespaces below `base`, those that can be read. */
export function namespaces(
  base: string,
): Partial<Record<ThreadNumber, number>> {
  const found: Partial<Record<ThreadNumber, number>> = {};
  for (const [link, property] of Object.entries(NAMESPACES)) {
    try {
      const target = Deno.readLinkSync(`${base}/ns/${link}`);
      const inode = /\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) found[property] = Number(inode);
    } catch {
      // Another user's, or gone: its number stays unknown.
    }
  }
  return found;
}
