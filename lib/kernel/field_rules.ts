/** LTTng's fields of the events that analyses read, and which of tracefs's they come from. */

import { enumeration, integer } from "../ctf/declare.ts";
import type { EnumerationType, IntegerType } from "../ctf/types.ts";
import type { ThreadNumber } from "./plan.ts";

/** Where a field comes from, beside what it becomes. */
interface Origin {
  /** Names to look for, best first; unset: the field's own. */
  readonly from?: string | readonly string[];
  /** Left out where the kernel does not have it; else it is there, as 0. */
  readonly optional?: boolean;
}

/** What becomes of one field. */
export type FieldRule =
  & Origin
  & (
    /** Of the type that tracefs declares. */
    | { readonly kind: "same" }
    | {
      readonly kind: "integer";
      readonly type: IntegerType | EnumerationType;
      /** Added to the value. */
      readonly add?: number;
    }
    /** 16 bytes of text, whatever tracefs has. */
    | { readonly kind: "task name" }
    /** LTTng's bits for tracefs's letters. */
    | { readonly kind: "request bits" }
    | { readonly kind: "text sequence" }
    | {
      readonly kind: "thread";
      readonly type: IntegerType;
      readonly property: ThreadNumber;
    }
    | { readonly kind: "list of one" }
    | {
      readonly kind: "constant";
      readonly type: IntegerType | EnumerationType;
      readonly value: number;
    }
  );

/** Fields of one event, in LTTng's order. */
type EventRules = Readonly<Record<string, FieldRule>>;

/** Real-time priorities lie below 0 in LTTng (`MAX_RT_PRIO`). */
const PRIORITY_SHIFT = -100;

const i32 = integer(32, { signed: true });
const u32 = integer(32);
const u64 = integer(64);
const i64 = integer(64, { signed: true });
const address64 = integer(64, { base: 16 });

/** An address, which readers show in hexadecimal. */
const address: FieldRule = { kind: "integer", type: address64 };
const same: FieldRule = { kind: "same" };
const optional: FieldRule = { kind: "same", optional: true };
const comm: FieldRule = { kind: "task name" };
const rwbs: FieldRule = { kind: "request bits" };
const ownTid: FieldRule = { kind: "integer", type: i32, from: "common_pid" };

function number(
  type: IntegerType,
  from: string | readonly string[] | undefined = undefined,
): FieldRule {
  return { kind: "integer", type, ...(from === undefined ? {} : { from }) };
}

function priority(from: string): FieldRule {
  return { kind: "integer", type: i32, from, add: PRIORITY_SHIFT };
}

/** Name, id and priority of the task that an event is about. */
const TASK: EventRules = {
  comm,
  tid: number(i32, "pid"),
  prio: priority("prio"),
};

const WAKING: EventRules = { ...TASK, target_cpu: number(i32) };

const DELAY: EventRules = {
  comm,
  tid: number(i32, "pid"),
  delay: number(u64),
};

const SECTORS: EventRules = {
  dev: number(u32),
  sector: number(u64),
  nr_sector: number(u32),
};

const REQUEST: EventRules = {
  ...SECTORS,
  bytes: number(u32),
  tid: ownTid,
  rwbs,
  comm,
};

const BIO: EventRules = { ...SECTORS, rwbs, tid: ownTid, comm };

/** tracefs has nothing of a packet's headers: LTTng's word for that is 0. */
const HEADER_TYPE: FieldRule = {
  kind: "constant",
  type: enumeration(integer(8), { _unknown: 0, _ipv4: 4, _ipv6: 6 }),
  value: 0,
};

const PACKET: EventRules = {
  skbaddr: same,
  len: number(u32),
  name: same,
  network_header_type: HEADER_TYPE,
};

const ALLOCATION: EventRules = {
  call_site: address,
  ptr: same,
  bytes_req: same,
  bytes_alloc: same,
  gfp_flags: number(u32),
  node: { kind: "integer", type: i32, optional: true },
  accounted: optional,
};

/** tracefs does not show a page's address. */
const NO_PAGE: FieldRule = { kind: "constant", type: u64, value: 0 };

const FAULT: EventRules = {
  address,
  ip: address,
  error_code: number(integer(8)),
};

/** By `system:name`, in LTTng-modules 2.13's order. */
export const FIELD_RULES: Readonly<Record<string, EventRules>> = {
  "sched:sched_switch": {
    prev_comm: comm,
    prev_tid: number(i32, "prev_pid"),
    prev_prio: priority("prev_prio"),
    prev_state: number(i64),
    next_comm: comm,
    next_tid: number(i32, "next_pid"),
    next_prio: priority("next_prio"),
  },
  "sched:sched_waking": WAKING,
  "sched:sched_wakeup": WAKING,
  "sched:sched_wakeup_new": WAKING,
  "sched:sched_migrate_task": {
    ...TASK,
    orig_cpu: number(i32),
    dest_cpu: number(i32),
  },
  "sched:sched_process_fork": {
    parent_comm: comm,
    parent_tid: number(i32, "parent_pid"),
    parent_pid: {
      kind: "thread",
      type: i32,
      from: "parent_pid",
      property: "pid",
    },
    parent_ns_inum: {
      kind: "thread",
      type: u32,
      from: "parent_pid",
      property: "pid_ns",
    },
    child_comm: comm,
    child_tid: number(i32, "child_pid"),
    vtids: { kind: "list of one", from: "child_pid" },
    child_pid: {
      kind: "thread",
      type: i32,
      from: "child_pid",
      property: "pid",
    },
    child_ns_inum: {
      kind: "thread",
      type: u32,
      from: "child_pid",
      property: "pid_ns",
    },
  },
  "sched:sched_process_exec": {
    filename: same,
    tid: number(i32, "pid"),
    old_tid: number(i32, "old_pid"),
  },
  "sched:sched_process_exit": { ...TASK, group_dead: optional },
  "sched:sched_process_free": TASK,
  "sched:sched_process_wait": TASK,
  "sched:sched_wait_task": TASK,
  "sched:sched_stat_runtime": {
    comm,
    tid: number(i32, "pid"),
    runtime: number(u64),
    vruntime: optional,
  },
  "sched:sched_stat_wait": DELAY,
  "sched:sched_stat_sleep": DELAY,
  "sched:sched_stat_iowait": DELAY,
  "sched:sched_stat_blocked": DELAY,
  "sched:sched_pi_setprio": {
    comm,
    tid: number(i32, "pid"),
    oldprio: priority("oldprio"),
    newprio: priority("newprio"),
  },
  "timer:hrtimer_start": {
    hrtimer: same,
    function: same,
    expires: same,
    softexpires: same,
    mode: number(u32),
    was_armed: optional,
  },
  "block:block_rq_insert": REQUEST,
  "block:block_rq_issue": REQUEST,
  "block:block_rq_merge": REQUEST,
  "block:block_rq_complete": { ...SECTORS, error: number(i32), rwbs },
  "block:block_rq_requeue": { ...SECTORS, rwbs },
  "block:block_bio_queue": BIO,
  "block:block_bio_frontmerge": BIO,
  "block:block_bio_backmerge": BIO,
  "block:block_getrq": BIO,
  "block:block_plug": { tid: ownTid, comm },
  "block:block_unplug": { nr_rq: number(i32), tid: ownTid, comm },
  "net:net_dev_queue": PACKET,
  "net:netif_receive_skb": PACKET,
  "net:netif_rx": PACKET,
  "net:net_dev_xmit": {
    skbaddr: same,
    rc: number(i32),
    len: number(u32),
    name: same,
  },
  "net:netif_receive_skb_entry": { skbaddr: same },
  "net:netif_rx_entry": { skbaddr: same },
  "power:cpu_idle": { state: number(u32), cpu_id: number(u32) },
  "power:cpu_frequency": { state: number(u32), cpu_id: number(u32) },
  "kmem:mm_page_alloc": {
    page: NO_PAGE,
    pfn: number(u64),
    order: number(u32),
    gfp_flags: number(u32),
    migratetype: number(i32),
  },
  "kmem:mm_page_free": {
    page: NO_PAGE,
    pfn: number(u64),
    order: number(u32),
  },
  "kmem:kmalloc": ALLOCATION,
  "kmem:kmem_cache_alloc": ALLOCATION,
  "kmem:kfree": { call_site: address, ptr: same },
  "kmem:kmem_cache_free": { call_site: address, ptr: same, name: optional },
  "exceptions:page_fault_user": FAULT,
  "exceptions:page_fault_kernel": FAULT,
  "signal:signal_generate": {
    sig: same,
    errno: same,
    code: same,
    comm,
    pid: same,
    group: same,
    result: same,
  },
  "signal:signal_deliver": {
    sig: same,
    errno: same,
    code: same,
    sa_handler: same,
    sa_flags: same,
  },
  "workqueue:workqueue_queue_work": {
    work: same,
    function: same,
    req_cpu: number(u32),
  },
  "printk:console": { msg: { kind: "text sequence" } },
  "ftrace:print": { msg: { kind: "text sequence", from: "buf" } },
};
