import { assertEquals, assertThrows } from "@std/assert";
import { EventRules } from "../../lib/kernel/event_rules.ts";
import {
  type FilterExpression,
  UnknownFieldError,
} from "../../lib/kernel/filter.ts";
import type { KernelEventRule } from "../../lib/kernel/kernel_tracer.ts";
import { type CatalogEvent, EventCatalog } from "../../lib/kernel/naming.ts";
import { planEvent } from "../../lib/kernel/plan.ts";
import { KernelTracingError } from "../../lib/kernel/tracefs.ts";
import { formats, layout } from "./support/golden.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const catalog = new EventCatalog([...formats.values()]);

function rules(): EventRules {
  return new EventRules(catalog, (event: CatalogEvent) => {
    const format = [...formats.values()].find(({ system, name }) =>
      system === event.system && name === event.name
    )!;
    return { format, plan: planEvent(event, format, layout) };
  });
}

function equals(name: string, number: bigint): FilterExpression {
  return {
    kind: "binary",
    operator: "==",
    left: {
      kind: "path",
      root: "payload",
      elements: [{ name, index: undefined }],
    },
    right: { kind: "integer", number },
  };
}

function tracepoint(
  pattern: string,
  rest: Partial<KernelEventRule> = {},
): KernelEventRule {
  return { kind: "tracepoint", pattern, ...rest } as KernelEventRule;
}

function names(changes: readonly { event: CatalogEvent }[]): string[] {
  return changes.map(({ event }) => event.lttngName).sort();
}

test("EventRules.add() finds events by pattern, and leaves some out", () => {
  const all = names(rules().add(tracepoint("sched_*")));
  const some = names(
    rules().add(tracepoint("sched_*", { exclusions: ["sched_w*"] })),
  );
  assertEquals(some, all.filter((name) => !name.startsWith("sched_w")));
  assertEquals(some.length < all.length, true);
});

test("EventRules.add() takes a system call's entry, exit or both", () => {
  const added = (phase: "entry" | "exit" | "both") =>
    names(rules().add({ kind: "syscall", pattern: "openat", phase }));
  assertEquals(added("entry"), ["syscall_entry_openat"]);
  assertEquals(added("exit"), ["syscall_exit_openat"]);
  assertEquals(added("both"), ["syscall_entry_openat", "syscall_exit_openat"]);
});

test("EventRules.add() leaves out events without the field of a filter", () => {
  const filter = equals("tid", 5n);
  const changes = rules().add(tracepoint("sched_*", { filter }));
  assertEquals(names(changes).includes("sched_switch"), false);
  const wakeup = changes.find(({ event }) => event.name === "sched_wakeup");
  assertEquals(wakeup?.filter, "pid == 5");
  assertThrows(
    () => rules().add(tracepoint("sched_switch", { filter })),
    UnknownFieldError,
  );
});

test("EventRules records an event where any of its rules holds", () => {
  const all = rules();
  all.add(tracepoint("sched_switch", { filter: equals("next_tid", 1n) }));
  const [second] = all.add(
    tracepoint("sched_sw*", { filter: equals("next_tid", 2n) }),
  );
  assertEquals(second!.filter, "(next_pid == 1) || (next_pid == 2)");
  const third = all.add(tracepoint("sched_switc*"));
  assertEquals([third[0]!.isWanted, third[0]!.filter], [true, undefined]);
  const [left] = all.remove(tracepoint("sched_switc*"));
  assertEquals(left!.filter, "(next_pid == 1) || (next_pid == 2)");
  all.remove(tracepoint("sched_sw*"));
  const [gone] = all.remove(tracepoint("sched_switch"));
  assertEquals(gone!.isWanted, false);
  assertEquals(all.isEnabled({ system: "sched", name: "sched_switch" }), false);
});

test("EventRules refuses what is not there", () => {
  assertThrows(
    () => rules().add({ kind: "syscall", pattern: "nothing" }),
    KernelTracingError,
    'Cannot enable "nothing": this kernel has no such system call: ' +
      '"lttng list --kernel --syscall" shows what it has',
  );
  assertThrows(
    () => rules().remove(tracepoint("sched_switch")),
    KernelTracingError,
    "no tracepoint was enabled under this name",
  );
});
