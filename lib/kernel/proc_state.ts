/** Reads the system's state from `/proc` and `/sys`: what a state dump tells of. */

import { namespaces, parseThread } from "./proc_thread.ts";
import type { Thread } from "./threads.ts";
import { type StateRecord, stateRecord } from "./statedump_events.ts";

/** Flag of a thread that the kernel itself runs. */
const PF_KTHREAD = 0x0020_0000;

/** What LTTng calls the states that `/proc` shows as letters. */
const STATUS: Readonly<Record<string, number>> = {
  R: 2, // Runs, or waits for a processor.
  S: 5,
  D: 5,
  I: 5,
  Z: 4,
  X: 7,
};

/** Execution mode: unknown. */
const MODE_UNKNOWN = 5;

/** Text of a file; `undefined` where it is gone or may not be read. */
function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** Text without what ends it in a C string. */
function cText(text: string): string {
  return text.replaceAll("\0", " ").trim();
}

/** Processes, one after the other: their threads and open files. */
export function* processRecords(): Generator<StateRecord[]> {
  for (const name of namesIn("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const records: StateRecord[] = [];
    for (const tid of namesIn(`/proc/${pid}/task`)) {
      records.push(...threadRecords(pid, Number(tid)));
    }
    records.push(...fileRecords(pid));
    yield records;
  }
}

function threadRecords(pid: number, tid: number): StateRecord[] {
  const base = `/proc/${pid}/task/${tid}`;
  const stat = readText(`${base}/stat`);
  const status = readText(`${base}/status`);
  if (stat === undefined || status === undefined) return [];
  const thread = parseThread(stat, status);
  return [
    stateRecord("process", processState(tid, stat, thread)),
    ...namespaceRecords(tid, status, thread, base),
  ];
}

/** The values of a process_state event. */
export function processState(
  tid: number,
  stat: string,
  thread: Partial<Thread>,
): Record<string, unknown> {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isKernel = (Number(fields[6]) & PF_KTHREAD) !== 0;
  const pid = thread.pid ?? tid;
  return {
    tid,
    pid,
    ppid: thread.ppid ?? 0,
    name: thread.name ?? new Uint8Array(16),
    type: isKernel ? 1 : 0,
    mode: MODE_UNKNOWN,
    submode: 0,
    status: STATUS[fields[0] ?? ""] ?? 0,
    cpu: Number(fields[36] ?? 0),
    file_table_address: fileTable(pid),
  };
}

/** The kernel's address of a table of files is not to be had: this tells them apart. */
function fileTable(pid: number): number {
  return pid;
}

function namespaceRecords(
  tid: number,
  status: string,
  thread: Partial<Thread>,
  base: string,
): StateRecord[] {
  const known = namespaces(base);
  const records: StateRecord[] = [];
  if (known.pid_ns !== undefined) {
    records.push(...pidNamespaces(tid, status, thread, known.pid_ns));
  }
  if (known.user_ns !== undefined) {
    records.push(stateRecord("userNamespace", {
      tid,
      vuid: thread.uid ?? 0,
      vgid: thread.gid ?? 0,
      ns_level: 0,
      ns_inum: known.user_ns,
    }));
  }
  const plain = [
    ["cgroupNamespace", known.cgroup_ns],
    ["ipcNamespace", known.ipc_ns],
    ["mountNamespace", known.mnt_ns],
    ["networkNamespace", known.net_ns],
    ["utsNamespace", known.uts_ns],
    ["timeNamespace", known.time_ns],
  ] as const;
  for (const [name, inode] of plain) {
    if (inode === undefined) continue;
    records.push(stateRecord(name, { tid, ns_inum: inode }));
  }
  return records;
}

/** One a level of nesting; only the innermost has a number that can be read. */
function pidNamespaces(
  tid: number,
  status: string,
  thread: Partial<Thread>,
  inode: number,
): StateRecord[] {
  const tids = idsIn(status, "NSpid");
  const pids = idsIn(status, "NStgid");
  return tids.map((vtid, level) =>
    stateRecord("pidNamespace", {
      tid,
      vtid,
      vpid: pids[level] ?? 0,
      vppid: level === 0 ? thread.ppid ?? 0 : thread.vppid ?? 0,
      ns_level: level,
      ns_inum: level === tids.length - 1 ? inode : 0,
    })
  );
}

function idsIn(status: string, key: string): number[] {
  const text = new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  return text.split(/\s+/).filter((word) => word !== "").map(Number);
}

/** How a file was opened: bits of the access mode. */
const ACCESS_MODE = 3;
const FMODE = [1, 2, 3, 0] as const;

function fileRecords(pid: number): StateRecord[] {
  const records: StateRecord[] = [];
  for (const fd of namesIn(`/proc/${pid}/fd`)) {
    const filename = linkOf(`/proc/${pid}/fd/${fd}`);
    const info = readText(`/proc/${pid}/fdinfo/${fd}`);
    if (filename === undefined || info === undefined) continue;
    const flags = parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? "0", 8);
    records.push(stateRecord("fileDescriptor", {
      file_table_address: fileTable(pid),
      fd: Number(fd),
      flags: flags >>> 0,
      fmode: FMODE[flags & ACCESS_MODE],
      filename: cText(filename),
    }));
  }
  return records;
}

/** Interrupts and who handles them. */
export function interruptRecords(): StateRecord[] {
  const records: StateRecord[] = [];
  for (const irq of namesIn("/sys/kernel/irq")) {
    const base = `/sys/kernel/irq/${irq}`;
    const actions = readText(`${base}/actions`)?.trim() ?? "";
    if (!/^\d+$/.test(irq) || actions === "") continue;
    const name = cText(readText(`${base}/chip_name`) ?? "");
    for (const action of actions.split(",")) {
      records.push(stateRecord("interrupt", {
        irq: Number(irq),
        name,
        action: cText(action),
        tid: 0,
      }));
    }
  }
  return records;
}

/** Network interfaces and their IPv4 addresses. */
export function networkRecords(): StateRecord[] {
  return Deno.networkInterfaces().filter(({ family }) => family === "IPv4")
    .map(({ name, address }) =>
      stateRecord("networkInterface", {
        name,
        address_ipv4: address.split(".").reduce(
          (sum, part) => sum * 256 + Number(part),
          0,
        ),
      })
    );
}

/** Disks and partitions that have a size. */
export function blockRecords(): StateRecord[] {
  const records: StateRecord[] = [];
  for (const diskname of namesIn("/sys/class/block")) {
    const base = `/sys/class/block/${diskname}`;
    const dev = /^(\d+):(\d+)/.exec(readText(`${base}/dev`) ?? "");
    if (dev === null || Number(readText(`${base}/size`) ?? 0) === 0) continue;
    const [, major, minor] = dev;
    records.push(stateRecord("blockDevice", {
      dev: Number(major) * 2 ** 20 + Number(minor),
      diskname,
    }));
  }
  return records;
}

/** Processors, of the text of `/proc/cpuinfo` on x86; none elsewhere. */
export function processorRecords(
  text: string = readText("/proc/cpuinfo") ?? "",
): StateRecord[] {
  const records: StateRecord[] = [];
  for (const block of text.split("\n\n")) {
    const value = (key: string) =>
      new RegExp(`^${key}\\s*:\\s*(.*)$`, "m").exec(block)?.[1]?.trim();
    const vendor = value("vendor_id");
    const cpu = value("processor");
    if (vendor === undefined || cpu === undefined) continue;
    records.push(stateRecord("processor", {
      architecture: "x86",
      cpu_id: Number(cpu),
      vendor,
      family: Number(value("cpu family") ?? 0),
      model: Number(value("model") ?? 0),
      model_name: value("model name") ?? "",
      physical_id: Number(value("physical id") ?? 0),
      core_id: Number(value("core id") ?? 0),
      cores: Number(value("cpu cores") ?? 0),
    }));
  }
  return records;
}
