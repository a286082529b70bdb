import { assert, assertEquals, assertThrows } from "@std/assert";
import { Cursor } from "../../lib/ctf/cursor.ts";
import {
  CONTEXT_NAMES,
  ContextError,
  needsThreads,
  planContext,
} from "../../lib/kernel/contexts.ts";
import { PageReader } from "../../lib/kernel/page.ts";
import { ThreadTable } from "../../lib/kernel/threads.ts";
import { compileWriter } from "../../lib/kernel/transcode.ts";
import { decodeFields } from "./support/decode.ts";
import { makePage, payload, usualLayout } from "./support/make_page.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

/** Contexts of an event that thread `tid` made with these flags. */
function contexts(
  names: readonly string[],
  { tid = 7, flags = 0, preempt = 0, cpu = 0 } = {},
): Record<string, unknown> {
  const bytes = payload(1, 8, { tid });
  bytes[2] = flags;
  bytes[3] = preempt;
  const page = new PageReader(usualLayout);
  const made = makePage({
    time: 1n,
    records: [{ kind: "data", delta: 0, payload: bytes }],
  });
  page.begin(new DataView(made.buffer));
  assert(page.next());
  const name = new Uint8Array(16);
  new TextEncoder().encodeInto("a task", name);
  const threads = new ThreadTable(() => ({
    name,
    pid: 6,
    ppid: 1,
    prio: 20,
    uid: 1000,
    pid_ns: 4026531836,
  }));
  threads.cpu = cpu;
  const context = names.map((name) => planContext(name, "my-host"));
  const cursor = new Cursor(4096);
  cursor.bytes.fill(0xAA);
  const options = { littleEndian: true, context, threads };
  compileWriter({ fields: [] }, options)(cursor, page);
  const written = cursor.bytes.subarray(0, cursor.position);
  return Object.fromEntries(decodeFields(context, written));
}

test("planContext() takes ids and names from record and table", () => {
  const names = ["tid", "procname", "pid", "ppid", "prio", "uid", "pid_ns"];
  assertEquals(contexts([...names, "hostname"]), {
    tid: 7n,
    procname: "a task",
    pid: 6n,
    ppid: 1n,
    prio: 20n,
    uid: 1000n,
    pid_ns: 4026531836n,
    hostname: "my-host",
  });
});

test("planContext() knows idle threads by their processor", () => {
  assertEquals(contexts(["tid", "procname", "pid"], { tid: 0, cpu: 2 }), {
    tid: 0n,
    procname: "swapper/2",
    pid: 0n,
  });
});

test("planContext() takes the kernel's state from the flags", () => {
  const names = [
    "interruptible",
    "preemptible",
    "need_reschedule",
    "migratable",
  ];
  const shown = (flags: number, preempt: number) =>
    Object.values(contexts(names, { flags, preempt }));
  assertEquals(shown(0, 0), [1n, 1n, 0n, 1n]);
  assertEquals(shown(0x01, 0), [0n, 0n, 0n, 1n]);
  assertEquals(shown(0x04, 0x02), [1n, 0n, 1n, 1n]);
  assertEquals(shown(0, 0x10), [1n, 1n, 0n, 0n]);
});

test("planContext() makes a field of every context that it names", () => {
  for (const name of CONTEXT_NAMES) {
    assertEquals(planContext(name, "h").name, name.replace("-", "_"));
  }
  assertEquals(
    Object.keys(contexts(CONTEXT_NAMES)).length,
    CONTEXT_NAMES.length,
  );
});

test("planContext() says why it has no other", () => {
  for (
    const [name, reason] of [
      ["perf:cpu-cycles", "does not record performance counters"],
      ["toString", "this tracer records tid, procname"],
    ] as const
  ) assertThrows(() => planContext(name, "h"), ContextError, reason);
});

test("needsThreads() tells contexts that need the table of threads", () => {
  assertEquals(needsThreads([planContext("tid", "h")]), false);
  assertEquals(needsThreads([planContext("procname", "h")]), true);
});
