import { assert, assertEquals } from "@std/assert";
import { makeObserver, observationOf } from "../../lib/kernel/observers.ts";
import { PageReader } from "../../lib/kernel/page.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { formats, layout, pages, traceEvents } from "./support/golden.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** The table after all recorded pages, in which nothing is looked up. */
function observed(): ThreadTable {
  const threads = new ThreadTable(() => undefined);
  const observers = new Map(
    [...formats.values()].map((format) => {
      const observation = observationOf(format);
      return [
        format.id,
        observation && makeObserver(observation, layout),
      ] as const;
    }),
  );
  const page = new PageReader(layout);
  for (const { cpu, bytes } of pages) {
    threads.cpu = cpu;
    page.begin(new DataView(bytes.buffer));
    while (page.next()) {
      observers.get(page.view.getUint16(page.at, true))?.(page, threads);
    }
  }
  return threads;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/\0+$/, "");
}

function number(text: string | undefined): number {
  return Number(/\((-?\d+)\)/.exec(text ?? "")?.[1]);
}

test("makeObserver() follows the names of the recorded tasks", () => {
  const threads = observed();
  const renames = traceEvents.filter(({ name }) => name === "task_rename");
  assert(renames.length > 0);
  const last = new Map(renames.map(({ tid, fields }) => [
    tid,
    fields.get("newcomm"),
  ]));
  for (const [tid, name] of last) {
    assertEquals(text(threads.get(tid).name), name, `${tid}`);
  }
});

test("makeObserver() knows the parents of the recorded forks", () => {
  const threads = observed();
  const forks = traceEvents.filter(({ name }) => name === "task_newtask");
  assert(forks.length > 0);
  let checked = 0;
  for (const { tid, fields } of forks) {
    const child = number(fields.get("pid"));
    const thread = threads.get(child);
    if (thread.ppid === 0) continue;
    assertEquals([thread.pid, thread.ppid], [child, tid]);
    checked++;
  }
  assert(checked > 0);
});

test("makeObserver() follows priorities of tasks that are switched to", () => {
  const threads = observed();
  const [shell] = traceEvents.filter(({ name, fields }) =>
    name === "sched_switch" && fields.get("next_comm") === "sh"
  );
  const tid = number(shell!.fields.get("next_pid"));
  assertEquals(threads.get(tid).prio, 20);
});

test("observationOf() leaves alone events that tell nothing of threads", () => {
  const wakeup = [...formats.values()].find(({ name }) =>
    name === "sched_wakeup"
  );
  assertEquals(observationOf(wakeup!), undefined);
});
