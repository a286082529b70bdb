/** Events that tell of the system's state when recording began, as LTTng-modules declares them. */

import { defineEvent, type EventClass } from "../ctf/event_class.ts";
import { integer, string, u32 } from "../ctf/declare.ts";
import { TASK_NAME_SIZE, textArray } from "./plan.ts";

const i32 = integer(32, { signed: true });
const u8 = integer(8);
const u16 = integer(16);
const address = integer(64, { base: 16 });

const taskName = textArray(TASK_NAME_SIZE);

/** A namespace of a thread that has no more to it than its number. */
function namespaceEvent(name: string) {
  return defineEvent(`lttng_statedump_process_${name}_ns`, {
    tid: i32,
    ns_inum: u32,
  });
}

/** All of them, by what they tell of. */
export const STATE_EVENTS = {
  start: defineEvent("lttng_statedump_start", {}),
  end: defineEvent("lttng_statedump_end", {}),
  process: defineEvent("lttng_statedump_process_state", {
    tid: i32,
    pid: i32,
    ppid: i32,
    name: taskName,
    type: i32,
    mode: i32,
    submode: i32,
    status: i32,
    cpu: u32,
    file_table_address: address,
  }),
  pidNamespace: defineEvent("lttng_statedump_process_pid_ns", {
    tid: i32,
    vtid: i32,
    vpid: i32,
    vppid: i32,
    ns_level: i32,
    ns_inum: u32,
  }),
  userNamespace: defineEvent("lttng_statedump_process_user_ns", {
    tid: i32,
    vuid: u32,
    vgid: u32,
    ns_level: i32,
    ns_inum: u32,
  }),
  cgroupNamespace: namespaceEvent("cgroup"),
  ipcNamespace: namespaceEvent("ipc"),
  mountNamespace: namespaceEvent("mnt"),
  networkNamespace: namespaceEvent("net"),
  utsNamespace: namespaceEvent("uts"),
  timeNamespace: namespaceEvent("time"),
  fileDescriptor: defineEvent("lttng_statedump_file_descriptor", {
    file_table_address: address,
    fd: i32,
    flags: integer(32, { base: 8 }),
    fmode: integer(32, { base: 16 }),
    filename: string,
  }),
  interrupt: defineEvent("lttng_statedump_interrupt", {
    irq: u32,
    name: string,
    action: string,
    tid: i32,
  }),
  networkInterface: defineEvent("lttng_statedump_network_interface", {
    name: string,
    address_ipv4: integer(32, { byteOrder: "be" }),
  }),
  blockDevice: defineEvent("lttng_statedump_block_device", {
    dev: u32,
    diskname: string,
  }),
  processor: defineEvent("lttng_statedump_cpu_topology", {
    architecture: string,
    cpu_id: u16,
    vendor: string,
    family: u8,
    model: u8,
    model_name: string,
    physical_id: u16,
    core_id: u16,
    cores: u16,
  }),
} as const;

/** Name of one of them. */
export type StateEventName = keyof typeof STATE_EVENTS;

/** One event of a state dump. */
export interface StateRecord {
  readonly event: EventClass;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A record of one of the events; values as its declaration says. */
export function stateRecord(
  name: StateEventName,
  values: Readonly<Record<string, unknown>> = {},
): StateRecord {
  return { event: STATE_EVENTS[name] as EventClass, values };
}
