import { assert, assertEquals } from "@std/assert";
import type { EventTable } from "../../lib/kernel/cpu_reader.ts";
import { EventCatalog } from "../../lib/kernel/naming.ts";
import { planEvent } from "../../lib/kernel/plan.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { compileWriter } from "../../lib/kernel/transcode.ts";
import { warmUp } from "../../lib/kernel/warm_up.ts";
import { formats, layout } from "./support/golden.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

test("warmUp() runs the writer of every event, whatever it is", () => {
  const threads = new ThreadTable(() => {
    throw new Error("asked");
  });
  const options = { littleEndian: true, context: [], threads };
  const runs = new Map<string, number>();
  const events: EventTable = [];
  const catalog = new EventCatalog([...formats.values()]);
  for (const event of catalog.events) {
    const format = [...formats.values()].find(({ system, name }) =>
      system === event.system && name === event.name
    )!;
    const plan = planEvent(event, format, layout);
    const write = compileWriter(plan, options);
    runs.set(plan.name, 0);
    events[plan.id] = {
      size: plan.size,
      event: {
        id: 0,
        write: (cursor, record) => {
          runs.set(plan.name, runs.get(plan.name)! + 1);
          write(cursor, record);
        },
      },
    };
  }
  threads.rehearse(() => warmUp(events, layout, 20));
  assertEquals(threads.size, 0);
  const idle = [...runs].filter(([, count]) => count === 0);
  assertEquals(idle, []);
  assert(runs.size > 100);
});

test("warmUp() does nothing where there are no events", () => {
  warmUp([], layout, 10_000);
});
