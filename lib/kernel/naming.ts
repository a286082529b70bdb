/** What LTTng calls the kernel's events, whose names tracefs and LTTng do not share. */

/** An event of tracefs: `sched:sched_switch`. */
export interface TracefsEvent {
  readonly system: string;
  readonly name: string;
}

/** What kind of event it is to LTTng. */
export type KernelEventKind =
  | "tracepoint"
  | "syscall entry"
  | "syscall exit"
  /** Made on demand: never in a catalogue. */
  | "probe";

/** An event under both names. */
export interface CatalogEvent extends TracefsEvent {
  readonly kind: KernelEventKind;
  /** As LTTng calls it: `irq_softirq_entry`, `syscall_entry_openat`. */
  readonly lttngName: string;
}

const SYSCALL_SYSTEM = "syscalls";
const SYSCALL_ENTRY = "sys_enter_";
const SYSCALL_EXIT = "sys_exit_";

/** Begins the systems of events that were made on demand. */
export const PROBE_GROUP = "lttng_probe_";

/** Systems whose events are tracefs's own business, not tracepoints. */
const HIDDEN_SYSTEMS: readonly string[] = [
  "ftrace",
  "raw_syscalls",
  "syscalls",
];

/** `ftrace:print` is what a program wrote into `trace_marker`. */
const LOGGER: TracefsEvent = { system: "ftrace", name: "print" };

/** Turns a name of one system into LTTng's. */
type Rule = (name: string) => string;

function prefixed(prefix: string): Rule {
  return (name) => name.startsWith(prefix) ? name : prefix + name;
}

/** Puts `to` in the place of the beginning `from`, where there is one. */
function replaced(...pairs: readonly (readonly [string, string])[]): Rule {
  return (name) => {
    for (const [from, to] of pairs) {
      if (name.startsWith(from)) return to + name.slice(from.length);
    }
    return name;
  };
}

/** LTTng-modules 2.13; a system that is not here keeps its names. */
const RULES: Readonly<Record<string, Rule>> = {
  irq: replaced(["softirq_", "irq_softirq_"]),
  timer: replaced(["hrtimer_", "timer_hrtimer_"], [
    "itimer_",
    "timer_itimer_",
  ]),
  power: (name) => name.startsWith("power_") ? name : `power_${name}`,
  kmem: (name) => name.startsWith("kmem_cache_") ? name : `kmem_${name}`,
  net: replaced(["netif_", "net_if_"], ["napi_gro_", "net_napi_gro_"]),
  skb: replaced(["consume_skb", "skb_consume"], ["kfree_skb", "skb_kfree"]),
  exceptions: replaced(["page_fault_", "x86_exceptions_page_fault_"]),
  irq_vectors: (name) => {
    if (!/_(entry|exit)$/.test(name)) return name;
    return `x86_irq_vectors_${name.replace(/^x86_platform_ipi/, "ipi")}`;
  },
  kvmmmu: (name) => `kvm_mmu_${name.replace(/^kvm_mmu_/, "")}`,
  preemptirq: prefixed("preemptirq_"),
  printk: prefixed("printk_"),
  compaction: replaced(["mm_compaction_", "compaction_"]),
  vmscan: replaced(["mm_shrink_slab_", "mm_vmscan_shrink_slab_"]),
  writeback: prefixed("writeback_"),
  random: prefixed("random_"),
  btrfs: prefixed("btrfs_"),
};

/** LTTng's name of a tracepoint, before names that clash are told apart. */
export function tracepointName({ system, name }: TracefsEvent): string {
  return RULES[system]?.(name) ?? name;
}

/** `sched:sched_switch`. */
export function tracefsName({ system, name }: TracefsEvent): string {
  return `${system}:${name}`;
}

/** Every event that a kernel offers, under LTTng's names. */
export class EventCatalog {
  readonly #byName = new Map<string, CatalogEvent>();

  /** From the lines of `available_events`. */
  static parse(text: string): EventCatalog {
    const events: TracefsEvent[] = [];
    for (const line of text.split("\n")) {
      const at = line.indexOf(":");
      if (at <= 0) continue;
      events.push({ system: line.slice(0, at), name: line.slice(at + 1) });
    }
    return new EventCatalog(events);
  }

  /** Names that two systems share get the system's name before them. */
  constructor(events: readonly TracefsEvent[]) {
    const tracepoints: TracefsEvent[] = [];
    for (const event of events) {
      const syscall = asSyscall(event);
      if (syscall !== undefined) this.#byName.set(syscall.lttngName, syscall);
      else if (!isHidden(event)) tracepoints.push(event);
    }
    const uses = new Map<string, number>();
    for (const event of tracepoints) {
      const name = tracepointName(event);
      uses.set(name, (uses.get(name) ?? 0) + 1);
    }
    for (const event of tracepoints) {
      const name = tracepointName(event);
      const lttngName = uses.get(name)! > 1 ? `${event.system}_${name}` : name;
      this.#byName.set(lttngName, { ...event, kind: "tracepoint", lttngName });
    }
    // Not among the available events, as it is always there.
    this.#byName.set("lttng_logger", {
      ...LOGGER,
      kind: "tracepoint",
      lttngName: "lttng_logger",
    });
  }

  /** The event that LTTng calls `name`. */
  get(name: string): CatalogEvent | undefined {
    return this.#byName.get(name);
  }

  /** All of them. */
  get events(): IterableIterator<CatalogEvent> {
    return this.#byName.values();
  }

  /** Tracepoints whose LTTng name matches `pattern`, where `*` is anything. */
  tracepoints(pattern: string): CatalogEvent[] {
    return this.#matching(
      pattern,
      (event) => event.kind === "tracepoint" ? event.lttngName : undefined,
    );
  }

  /** Entries and exits of the system calls whose name matches `pattern`. */
  syscalls(pattern: string): CatalogEvent[] {
    return this.#matching(pattern, syscallName);
  }

  #matching(
    pattern: string,
    nameOf: (event: CatalogEvent) => string | undefined,
  ): CatalogEvent[] {
    const matches = globMatcher(pattern);
    return [...this.#byName.values()].filter((event) => {
      const name = nameOf(event);
      return name !== undefined && matches(name);
    });
  }
}

/** `openat` of `syscall_entry_openat`; `undefined` for tracepoints. */
export function syscallName(event: CatalogEvent): string | undefined {
  switch (event.kind) {
    case "syscall entry":
      return event.name.slice(SYSCALL_ENTRY.length);
    case "syscall exit":
      return event.name.slice(SYSCALL_EXIT.length);
    case "tracepoint":
    case "probe":
      return undefined;
  }
}

function isHidden({ system }: TracefsEvent): boolean {
  return HIDDEN_SYSTEMS.includes(system) || system.startsWith(PROBE_GROUP);
}

function asSyscall(event: TracefsEvent): CatalogEvent | undefined {
  if (event.system !== SYSCALL_SYSTEM) return undefined;
  const { name } = event;
  if (name.startsWith(SYSCALL_ENTRY)) {
    const lttngName = `syscall_entry_${name.slice(SYSCALL_ENTRY.length)}`;
    return { ...event, kind: "syscall entry", lttngName };
  }
  if (name.startsWith(SYSCALL_EXIT)) {
    const lttngName = `syscall_exit_${name.slice(SYSCALL_EXIT.length)}`;
    return { ...event, kind: "syscall exit", lttngName };
  }
  return undefined;
}

/**
 * Whether a name matches LTTng's `pattern`: `*` is any text, `\` takes the
 * meaning from what follows it.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  let source = "";
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === "*") {
      source += ".*";
      continue;
    }
    const literal = character === "\\" && index + 1 < pattern.length
      ? pattern[++index]!
      : character;
    source += literal.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
  }
  const expression = new RegExp(`^${source}$`, "s");
  return (name) => expression.test(name);
}
