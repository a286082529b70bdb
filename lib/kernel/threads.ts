/** What is known of each thread: for contexts and fields that tracefs does not record. */

import type { ThreadNumber } from "./plan.ts";

/** One thread. Ids are those of the initial namespace, but for `v` ones. */
export interface Thread extends Record<ThreadNumber, number> {
  /** 16 bytes, filled up with NULs. */
  name: Uint8Array;
}

/** Finds out about a thread that the trace did not show yet. */
export type ThreadLookup = (tid: number) => Partial<Thread> | undefined;

/** Clones with this flag are threads of their parent's process. */
const CLONE_THREAD = 0x10000;

/** More than there can be tasks at once would be a leak. */
const THREADS_MAXIMUM = 65_536;

/**
 * Threads by their id. What the trace shows of forks, names and priorities is
 * told to it; all else is asked of `lookup`, once a thread.
 */
export class ThreadTable {
  #lookup: ThreadLookup;
  #threads = new Map<number, Thread>();
  /** What was known before events were lost. */
  #doubted = new Map<number, Thread>();
  /** Threads that ended, and the sweep in which it was heard. */
  readonly #freed = new Map<number, number>();
  #sweeps = 0;
  /** Each processor has an idle thread, and all of them have id 0. */
  readonly #idle: Thread[] = [];
  #cpu = 0;
  #lastTid = -1;
  #last: Thread = emptyThread(-1);

  constructor(lookup: ThreadLookup) {
    this.#lookup = lookup;
  }

  /** Threads that it knows. */
  get size(): number {
    return this.#threads.size;
  }

  /** Runs `act` on threads that are not: none is looked up, none is kept. */
  rehearse(act: () => void): void {
    const lookup = this.#lookup;
    const threads = this.#threads;
    this.#lookup = () => undefined;
    this.#threads = new Map();
    try {
      act();
    } finally {
      this.#lookup = lookup;
      this.#threads = threads;
      this.#lastTid = -1;
    }
  }

  /** The processor whose events come next. */
  set cpu(cpu: number) {
    this.#cpu = cpu;
    this.#lastTid = -1;
  }

  /** What is known of `tid`; never fails. */
  get(tid: number): Thread {
    if (tid === this.#lastTid) return this.#last;
    if (tid === 0) return this.#idle[this.#cpu] ??= idleThread(this.#cpu);
    let thread = this.#threads.get(tid);
    if (thread === undefined) {
      const known = this.#lookup(tid) ?? this.#doubted.get(tid);
      thread = { ...emptyThread(tid), ...known };
      this.#add(tid, thread);
    }
    this.#lastTid = tid;
    this.#last = thread;
    return thread;
  }

  /** `parent` made `tid`, with these flags of `clone`. */
  forked(parent: number, tid: number, flags: number): void {
    const from = this.get(parent);
    const isThread = (flags & CLONE_THREAD) !== 0;
    // In another namespace its numbers are others, and only /proc knows them;
    // a look for every fork would cost more than all the rest.
    const isInitial = from.vtid === parent;
    const known = isInitial ? {} : this.#lookup(tid) ?? {};
    this.#add(tid, {
      ...from,
      vtid: tid,
      vpid: isThread ? from.vpid : tid,
      ...known,
      pid: isThread ? from.pid : tid,
      ppid: isThread ? from.ppid : from.pid,
      name: from.name.slice(),
    });
  }

  /** `tid` is called this now: text in bytes of a page, up to a NUL. */
  renamed(tid: number, view: DataView, from: number, to: number): void {
    const { name } = this.get(tid);
    const size = Math.min(to - from, name.length - 1);
    let index = 0;
    for (; index < size; index++) {
      const byte = view.getUint8(from + index);
      if (byte === 0) break;
      name[index] = byte;
    }
    name.fill(0, index);
  }

  /** `tid` has this priority now. */
  prioritized(tid: number, prio: number): void {
    this.get(tid).prio = prio;
  }

  /**
   * `tid` is no more; its number may be another's. Other processors may have
   * events of it that are yet to be read: it stays for two more sweeps.
   */
  freed(tid: number): void {
    if (this.#threads.has(tid)) this.#freed.set(tid, this.#sweeps);
  }

  /**
   * Events were lost, those of threads too: what is known is asked again, and
   * still believed of threads that are not to be found any more.
   */
  doubt(): void {
    this.#doubted = this.#threads;
    this.#threads = new Map();
    this.#freed.clear();
    this.#lastTid = -1;
  }

  /** All processors were read once more. */
  sweep(): void {
    this.#sweeps++;
    for (const [tid, since] of this.#freed) {
      if (this.#sweeps - since < 2) continue;
      this.#freed.delete(tid);
      this.#threads.delete(tid);
      if (tid === this.#lastTid) this.#lastTid = -1;
    }
  }

  #add(tid: number, thread: Thread): void {
    if (this.#threads.size >= THREADS_MAXIMUM) {
      this.#threads.clear();
      this.#freed.clear();
    }
    this.#threads.set(tid, thread);
    this.#freed.delete(tid);
    this.#lastTid = -1;
  }
}

/** The initial pid namespace, as all Linux kernels number it. */
const INITIAL_PID_NAMESPACE = 4026531836;

/** What tracefs calls a task whose name it does not know. */
const UNKNOWN_NAME = "<...>";

/** A thread of which nothing but its id is known. */
function emptyThread(tid: number): Thread {
  const name = new Uint8Array(16);
  new TextEncoder().encodeInto(UNKNOWN_NAME, name);
  return {
    name,
    pid: tid,
    ppid: 0,
    prio: 0,
    nice: 0,
    vtid: tid,
    vpid: tid,
    vppid: 0,
    uid: 0,
    euid: 0,
    suid: 0,
    gid: 0,
    egid: 0,
    sgid: 0,
    cgroup_ns: 0,
    ipc_ns: 0,
    mnt_ns: 0,
    net_ns: 0,
    pid_ns: INITIAL_PID_NAMESPACE,
    time_ns: 0,
    user_ns: 0,
    uts_ns: 0,
  };
}

function idleThread(cpu: number): Thread {
  const name = new Uint8Array(16);
  new TextEncoder().encodeInto(`swapper/${cpu}`, name);
  return { ...emptyThread(0), name, prio: 20 };
}
