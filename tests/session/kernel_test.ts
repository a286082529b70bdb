/**
 * Our session daemon as root, with this machine's kernel, driven by the stock
 * client.
 */

import { assert, assertEquals } from "@std/assert";
import { instancesOf, tracefsMissing } from "../kernel/support/tracefs.ts";
import { readTrace } from "../support/babeltrace.ts";
import { ChildProgram, run, waitFor } from "../support/process.ts";
import { startRelay } from "../support/relay_process.ts";
import { stockTest } from "../support/stock.ts";
import { ROOT_DAEMON_PROGRAMS, RootDaemon } from "./support/root_daemon.ts";

const PROGRAMS = [...ROOT_DAEMON_PROGRAMS, "babeltrace2"];
const PATIENCE_MS = 60_000;

function test(name: string, fn: (daemon: RootDaemon) => Promise<void>): void {
  const skip = Deno.uid() === 0 ? tracefsMissing() : "Needs root";
  stockTest(name, { programs: PROGRAMS, skip }, async () => {
    await using daemon = await RootDaemon.start();
    await fn(daemon);
  });
}

/** A shell that opens a file `count` times, once it is told to. */
function opener(count: number): ChildProgram {
  const script = `read line; for ((n = 0; n < ${count}; n++)); do ` +
    `: < /etc/hostname; done; echo done; read line`;
  return new ChildProgram({ command: ["bash", "-c", script] });
}

test("the stock client lists what the kernel can record", async (daemon) => {
  const tracepoints = await daemon.lttng("list", "--kernel");
  assert(tracepoints.includes("      sched_switch (type: tracepoint)"));
  const calls = await daemon.lttng("list", "--kernel", "--syscall");
  assert(calls.includes("      openat [64-bit]"), calls);
});

test("the stock client records the system calls of one process, none lost", async (daemon) => {
  const count = 2_000;
  await using shell = opener(count);
  const path = `${daemon.home}/trace`;
  await daemon.lttng("create", "one", "--output", path);
  await daemon.lttng("enable-event", "--kernel", "--syscall", "openat");
  await daemon.lttng("track", "--kernel", `--pid=${shell.pid}`);
  await daemon.lttng("add-context", "--kernel", "--type=procname");
  await daemon.lttng("start");
  await shell.writeLine("go");
  await waitFor(
    "the shell has opened its files",
    () => shell.stdout.includes("done"),
    PATIENCE_MS,
  );
  const stopped = await daemon.lttng("stop");
  assert(!stopped.includes("Warning"), stopped);
  await daemon.lttng("destroy");
  const { events, errors, discardedEvents } = await readTrace(path);
  assertEquals(discardedEvents, 0, errors);
  const entries = events.filter((event) =>
    event.includes("syscall_entry_openat") &&
    event.includes('procname = "bash"')
  );
  assertEquals(entries.length, count, errors);
});

test("the stock client filters system calls by the text they are given", async (daemon) => {
  const path = `${daemon.home}/trace`;
  const filter = `filename == "${daemon.home}/wanted*"`;
  await daemon.lttng("create", "one", "--output", path);
  await daemon.lttng(
    ...["enable-event", "--kernel", "--syscall", "openat"],
    ...["--filter", filter],
  );
  await daemon.lttng("start");
  const files = ["wanted", "unwanted", "wanted2"];
  const { code } = await run({
    command: ["cat", ...files.map((file) => `${daemon.home}/${file}`)],
  });
  assertEquals(code, 1, "cat found what is not there");
  await daemon.lttng("stop");
  await daemon.lttng("destroy");
  const { events, errors } = await readTrace(path);
  const entries = events.filter((event) =>
    event.includes("syscall_entry_openat")
  );
  assertEquals(entries.length, 2, errors);
});

test("a kernel session goes to a relay daemon, is rotated and cleared", async (daemon) => {
  await using relay = await startRelay("ours");
  const { control, data } = relay.ports;
  const url = `net://127.0.0.1:${control}:${data}`;
  await daemon.lttng("create", "remote", "--set-url", url);
  await daemon.lttng("enable-event", "--kernel", "sched_switch");
  await daemon.lttng("start");
  const rotated = await daemon.lttng("rotate");
  assert(rotated.includes("is now readable"), rotated);
  await daemon.lttng("clear");
  await daemon.lttng("stop");
  await daemon.lttng("destroy");
  const [host] = [...Deno.readDirSync(relay.output)];
  const directory = `${relay.output}/${host?.name}`;
  const { events, code, errors } = await readTrace(directory);
  assertEquals(code, 0, errors);
  assert(events.length > 0);
});

test("the metadata of a kernel session is written anew while it records", async (daemon) => {
  const path = `${daemon.home}/trace`;
  await daemon.lttng("create", "one", "--output", path);
  await daemon.lttng("enable-event", "--kernel", "sched_switch");
  await daemon.lttng("start");
  const metadata = `${path}/kernel/metadata`;
  const { ino, size } = Deno.statSync(metadata);
  const said = await daemon.lttng("regenerate", "metadata");
  assert(said.includes("Metadata successfully regenerated"), said);
  const after = Deno.statSync(metadata);
  assert(after.ino !== ino);
  assert(after.size >= size);
  await daemon.lttng("stop");
  await daemon.lttng("destroy");
  const { events, code, errors } = await readTrace(path);
  assertEquals(code, 0, errors);
  assert(events.length > 0);
});

test("a kernel snapshot has events of all processors", async (daemon) => {
  const path = `${daemon.home}/snap`;
  await daemon.lttng("create", "snap", "--snapshot", "--output", path);
  await daemon.lttng("enable-event", "--kernel", "sched_switch");
  await daemon.lttng("start");
  await run({ command: ["ls", "-lR", "/etc"] });
  await daemon.lttng("snapshot", "record");
  await daemon.lttng("destroy");
  const { events, code, errors } = await readTrace(path);
  assertEquals(code, 0, errors);
  assert(events.some((event) => event.includes("sched_switch")), errors);
});

test("what the kernel cannot do is refused with the stock code, and said why", async (daemon) => {
  await daemon.lttng("create", "one", "--output", `${daemon.home}/one`);
  const event = (...args: string[]) =>
    daemon.tryLttng("enable-event", "--kernel", ...args);
  assertEquals((await event("no_such_event")).code, 43);
  assertEquals(
    (await event("sched_switch", "--filter", "no_such == 1")).code,
    106,
  );
  const context = await daemon.tryLttng(
    ...["add-context", "--kernel", "--type=perf:cpu:cycles"],
  );
  assert(context.stderr.includes("Context unavailable"), context.stderr);
  for (const why of ["no such tracepoint", "no_such", "perf_cpu_cycles"]) {
    assert(daemon.child.stderr.includes(why), daemon.child.stderr);
  }
  await daemon.lttng("destroy");
});

test("the end of the daemon leaves nothing in tracefs", async (daemon) => {
  const { pid } = daemon.child;
  await daemon.lttng("create", "one", "--output", `${daemon.home}/one`);
  await daemon.lttng("enable-event", "--kernel", "sched_switch");
  await daemon.lttng("start");
  assertEquals(instancesOf(pid).length, 1);
  const { code } = await daemon.child.stop();
  assertEquals(code, 0, daemon.child.stderr);
  assertEquals(instancesOf(pid), []);
  const { events } = await readTrace(`${daemon.home}/one`);
  assert(events.length > 0);
});
