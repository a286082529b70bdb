/** What the kernel analyses of Trace Compass need of a trace, as tables. */

import type { FieldClass, StructClass } from "../../../lib/ctf/read/model.ts";

/**
 * Fields and their kinds, in LTTng-modules 2.13's order: `i32` and `u32` are
 * integers, `x64` one that is shown as an address, `char[16]` text of a fixed
 * size. An analysis takes a value for an integer or for text without asking.
 */
type Fields = Readonly<Record<string, string>>;

/** An event that analyses read. */
export interface EventNeed {
  readonly analyses: string;
  readonly event: string;
  readonly fields: Fields;
  /** The load of the test is sure to have it. */
  readonly occurs?: true;
}

const STATES = "control flow, resources";
const DISKS = "input and output";
const LATENCY = "system call latency";
const PATH = "critical path";
const MEMORY = "kernel memory";
const INTERRUPTS = "interrupts";

const TASK: Fields = { comm: "char[16]", tid: "i32", prio: "i32" };
const WAKING: Fields = { ...TASK, target_cpu: "i32" };
const SOFTIRQ: Fields = { vec: "u32" };
const SECTORS: Fields = { dev: "u32", sector: "u64", nr_sector: "u32" };
const REQUEST: Fields = {
  ...SECTORS,
  bytes: "u32",
  tid: "i32",
  rwbs: "u32",
  comm: "char[16]",
};
const BIO: Fields = { ...SECTORS, rwbs: "u32", tid: "i32", comm: "char[16]" };
const RESULT: Fields = { ret: "i64" };

/** Events by the analyses that read them. */
export const EVENT_NEEDS: readonly EventNeed[] = [
  {
    analyses: `${STATES}, CPU usage, ${PATH}`,
    event: "sched_switch",
    fields: {
      prev_comm: "char[16]",
      prev_tid: "i32",
      prev_prio: "i32",
      prev_state: "i64",
      next_comm: "char[16]",
      next_tid: "i32",
      next_prio: "i32",
    },
    occurs: true,
  },
  {
    analyses: STATES,
    event: "sched_waking",
    fields: WAKING,
    occurs: true,
  },
  {
    analyses: `${STATES}, ${PATH}`,
    event: "sched_wakeup",
    fields: WAKING,
    occurs: true,
  },
  {
    analyses: `${STATES}, ${PATH}`,
    event: "sched_wakeup_new",
    fields: WAKING,
    occurs: true,
  },
  {
    analyses: STATES,
    event: "sched_migrate_task",
    fields: { ...TASK, orig_cpu: "i32", dest_cpu: "i32" },
  },
  {
    analyses: STATES,
    event: "sched_pi_setprio",
    fields: { comm: "char[16]", tid: "i32", oldprio: "i32", newprio: "i32" },
  },
  {
    analyses: `${STATES}, ${PATH}`,
    event: "sched_process_fork",
    fields: {
      parent_comm: "char[16]",
      parent_tid: "i32",
      parent_pid: "i32",
      parent_ns_inum: "u32",
      child_comm: "char[16]",
      child_tid: "i32",
      vtids: "list of i32",
      child_pid: "i32",
      child_ns_inum: "u32",
    },
    occurs: true,
  },
  {
    analyses: `${STATES}, ${PATH}`,
    event: "sched_process_exec",
    fields: { filename: "string", tid: "i32", old_tid: "i32" },
    occurs: true,
  },
  {
    analyses: `${STATES}, ${PATH}`,
    event: "sched_process_exit",
    fields: TASK,
    occurs: true,
  },
  { analyses: STATES, event: "sched_process_free", fields: TASK, occurs: true },
  {
    analyses: `${STATES}, ${INTERRUPTS}`,
    event: "irq_handler_entry",
    fields: { irq: "i32", name: "string" },
  },
  {
    analyses: `${STATES}, ${INTERRUPTS}`,
    event: "irq_handler_exit",
    fields: { irq: "i32", ret: "i32" },
  },
  ...["raise", "entry", "exit"].map((what): EventNeed => ({
    analyses: `${STATES}, ${PATH}`,
    event: `irq_softirq_${what}`,
    fields: SOFTIRQ,
    occurs: true,
  })),
  ...["local_timer", "reschedule", "call_function", "call_function_single"]
    .flatMap((vector): EventNeed[] =>
      ["entry", "exit"].map((what) => ({
        analyses: STATES,
        event: `x86_irq_vectors_${vector}_${what}`,
        fields: { vector: "i32" },
      }))
    ),
  {
    analyses: STATES,
    event: "power_cpu_frequency",
    fields: { state: "u32", cpu_id: "u32" },
  },
  {
    analyses: PATH,
    event: "timer_hrtimer_start",
    fields: {
      hrtimer: "x64",
      function: "x64",
      expires: "i64",
      softexpires: "i64",
      mode: "u32",
    },
    occurs: true,
  },
  {
    analyses: PATH,
    event: "timer_hrtimer_expire_entry",
    fields: { hrtimer: "x64", now: "i64", function: "x64" },
    occurs: true,
  },
  ...["cancel", "expire_exit"].map((what): EventNeed => ({
    analyses: PATH,
    event: `timer_hrtimer_${what}`,
    fields: { hrtimer: "x64" },
    occurs: true,
  })),
  {
    analyses: PATH,
    event: "net_if_receive_skb",
    fields: { skbaddr: "x64", len: "u32", name: "string" },
  },
  {
    analyses: PATH,
    event: "net_dev_queue",
    fields: { skbaddr: "x64", len: "u32", name: "string" },
  },
  { analyses: DISKS, event: "block_rq_insert", fields: REQUEST },
  { analyses: DISKS, event: "block_rq_issue", fields: REQUEST },
  {
    analyses: DISKS,
    event: "block_rq_complete",
    fields: { ...SECTORS, error: "i32", rwbs: "u32" },
  },
  { analyses: DISKS, event: "block_bio_frontmerge", fields: BIO },
  { analyses: DISKS, event: "block_bio_backmerge", fields: BIO },
  {
    analyses: MEMORY,
    event: "kmem_mm_page_alloc",
    fields: {
      page: "u64",
      pfn: "u64",
      order: "u32",
      gfp_flags: "u32",
      migratetype: "i32",
    },
    occurs: true,
  },
  {
    analyses: MEMORY,
    event: "kmem_mm_page_free",
    fields: { page: "u64", pfn: "u64", order: "u32" },
    occurs: true,
  },
  {
    analyses: `${DISKS}, ${LATENCY}`,
    event: "syscall_entry_read",
    fields: { fd: "u32", buf: "x64", count: "u64" },
    occurs: true,
  },
  {
    analyses: `${DISKS}, ${LATENCY}`,
    event: "syscall_exit_read",
    fields: RESULT,
    occurs: true,
  },
  {
    analyses: `${DISKS}, ${LATENCY}`,
    event: "syscall_entry_write",
    fields: { fd: "u32", buf: "x64", count: "u64" },
    occurs: true,
  },
  {
    analyses: `${DISKS}, ${LATENCY}`,
    event: "syscall_exit_write",
    fields: RESULT,
    occurs: true,
  },
  {
    analyses: LATENCY,
    event: "syscall_exit_openat",
    fields: RESULT,
    occurs: true,
  },
  {
    analyses: "futex contention",
    event: "syscall_entry_futex",
    fields: { uaddr: "x64", op: "i32", val: "u32" },
    occurs: true,
  },
  {
    analyses: "futex contention",
    event: "syscall_exit_futex",
    fields: RESULT,
    occurs: true,
  },
  {
    analyses: `${STATES}, ${PATH}`,
    event: "lttng_statedump_process_state",
    fields: {
      tid: "i32",
      pid: "i32",
      ppid: "i32",
      name: "char[16]",
      type: "i32",
      mode: "i32",
      submode: "i32",
      status: "i32",
      cpu: "u32",
      file_table_address: "x64",
    },
    occurs: true,
  },
  {
    analyses: DISKS,
    event: "lttng_statedump_block_device",
    fields: { dev: "u32", diskname: "string" },
  },
  {
    analyses: DISKS,
    event: "lttng_statedump_file_descriptor",
    fields: {
      file_table_address: "x64",
      fd: "i32",
      flags: "o32",
      fmode: "x32",
      filename: "string",
    },
    occurs: true,
  },
];

/** A kind of field, in the words of {@linkcode Fields}. */
export function kindOf(field: FieldClass): string {
  switch (field.kind) {
    case "integer": {
      const letter = { 2: "b", 8: "o", 10: "u", 16: "x" }[field.base];
      return `${field.signed ? "i" : letter}${field.size}`;
    }
    case "enumeration":
      return `enum of ${kindOf(field.container)}`;
    case "array":
      return `${kindOf(field.element)}[${field.length}]`;
    case "sequence":
      return `list of ${kindOf(field.element)}`;
    case "text":
      return `char[${field.length}]`;
    default:
      return field.kind;
  }
}

/** Those of a struct's fields that `names` has, and their kinds. */
export function kindsOf(
  { members }: StructClass,
  names: readonly string[],
): Fields {
  return Object.fromEntries(
    members.filter(({ name }) => names.includes(name)).map((member) => [
      member.name,
      kindOf(member.class),
    ]),
  );
}
