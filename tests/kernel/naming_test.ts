import { assertEquals } from "@std/assert";
import {
  EventCatalog,
  globMatcher,
  syscallName,
  tracepointName,
} from "../../lib/kernel/naming.ts";
import { tracefsTest } from "./support/tracefs.ts";
import { Tracefs } from "../../lib/kernel/tracefs.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("tracepointName() follows the names of LTTng-modules", () => {
  const names = {
    "sched:sched_switch": "sched_switch",
    "irq:irq_handler_entry": "irq_handler_entry",
    "irq:softirq_entry": "irq_softirq_entry",
    "timer:timer_start": "timer_start",
    "timer:hrtimer_start": "timer_hrtimer_start",
    "timer:itimer_state": "timer_itimer_state",
    "power:cpu_idle": "power_cpu_idle",
    "power:power_domain_target": "power_domain_target",
    "kmem:kmalloc": "kmem_kmalloc",
    "kmem:kmem_cache_alloc": "kmem_cache_alloc",
    "kmem:mm_page_alloc": "kmem_mm_page_alloc",
    "net:netif_receive_skb": "net_if_receive_skb",
    "net:napi_gro_frags_entry": "net_napi_gro_frags_entry",
    "net:net_dev_queue": "net_dev_queue",
    "skb:kfree_skb": "skb_kfree",
    "skb:consume_skb": "skb_consume",
    "skb:skb_copy_datagram_iovec": "skb_copy_datagram_iovec",
    "exceptions:page_fault_user": "x86_exceptions_page_fault_user",
    "irq_vectors:local_timer_entry": "x86_irq_vectors_local_timer_entry",
    "irq_vectors:x86_platform_ipi_exit": "x86_irq_vectors_ipi_exit",
    "irq_vectors:vector_alloc": "vector_alloc",
    "printk:console": "printk_console",
    "compaction:mm_compaction_begin": "compaction_begin",
    "vmscan:mm_shrink_slab_start": "mm_vmscan_shrink_slab_start",
    "vmscan:mm_vmscan_kswapd_wake": "mm_vmscan_kswapd_wake",
    "writeback:writeback_start": "writeback_start",
    "writeback:wbc_writepage": "writeback_wbc_writepage",
    "random:urandom_read": "random_urandom_read",
    "xfs:xfs_read_agf": "xfs_read_agf",
  };
  for (const [event, expected] of Object.entries(names)) {
    const [system, name] = event.split(":") as [string, string];
    assertEquals(tracepointName({ system, name }), expected, event);
  }
});

const CATALOG = EventCatalog.parse([
  "sched:sched_switch",
  "sched:sched_wakeup",
  "one:begin",
  "two:begin",
  "syscalls:sys_enter_openat",
  "syscalls:sys_exit_openat",
  "syscalls:sys_enter_open",
  "raw_syscalls:sys_enter",
  "ftrace:function",
  "",
].join("\n"));

test("EventCatalog names system calls as LTTng does", () => {
  const entry = CATALOG.get("syscall_entry_openat")!;
  assertEquals([entry.system, entry.name, entry.kind, syscallName(entry)], [
    "syscalls",
    "sys_enter_openat",
    "syscall entry",
    "openat",
  ]);
  assertEquals(CATALOG.get("syscall_exit_openat")!.kind, "syscall exit");
});

test("EventCatalog tells events of one name apart by their systems", () => {
  assertEquals(CATALOG.get("begin"), undefined);
  assertEquals(CATALOG.get("one_begin")!.system, "one");
  assertEquals(CATALOG.get("two_begin")!.system, "two");
});

test("EventCatalog leaves out what is tracefs's own", () => {
  assertEquals(CATALOG.tracepoints("*").map(({ lttngName }) => lttngName), [
    "sched_switch",
    "sched_wakeup",
    "one_begin",
    "two_begin",
    "lttng_logger",
  ]);
});

test("EventCatalog finds by patterns of LTTng's names", () => {
  assertEquals(CATALOG.tracepoints("sched_*").length, 2);
  assertEquals(CATALOG.tracepoints("openat").length, 0);
  assertEquals(CATALOG.syscalls("openat").length, 2);
  assertEquals(CATALOG.syscalls("open*").length, 3);
});

test("globMatcher() takes only the star for a pattern", () => {
  assertEquals(globMatcher("a.c")("abc"), false);
  assertEquals(globMatcher("a*c")("abbc"), true);
  assertEquals(globMatcher("a\\*c")("abc"), false);
  assertEquals(globMatcher("a\\*c")("a*c"), true);
  assertEquals(globMatcher("a?[b]")("a?[b]"), true);
  assertEquals(globMatcher("a")("ab"), false);
});

tracefsTest("EventCatalog has every event of this machine once", () => {
  const tracefs = Tracefs.open();
  const lines = tracefs.read("available_events").trim().split("\n");
  const hidden = lines.filter((line) =>
    /^(raw_syscalls|ftrace|lttng_probe_\w+):/.test(line)
  );
  const events = [...tracefs.catalog().events];
  assertEquals(events.length, lines.length - hidden.length + 1);
});
