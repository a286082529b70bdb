/** What may go wrong while our session daemon records this machine's kernel. */

import { assert, assertEquals } from "@std/assert";
import { Tracefs } from "../../lib/kernel/tracefs.ts";
import { instancesOf, tracefsMissing } from "../kernel/support/tracefs.ts";
import { countEvents } from "../support/babeltrace.ts";
import { ChildProgram, waitFor } from "../support/process.ts";
import { startRelay } from "../support/relay_process.ts";
import { stockTest } from "../support/stock.ts";
import { endCounts, kernelCounts } from "./support/kernel_counts.ts";
import { OpeningShell } from "./support/opening_shell.ts";
import { ROOT_DAEMON_PROGRAMS, RootDaemon } from "./support/root_daemon.ts";

const PROGRAMS = [
  ...ROOT_DAEMON_PROGRAMS,
  ...["babeltrace2", "bash", "chrt", "dd", "taskset"],
];
const PATIENCE_MS = 60_000;
/** Code of the stock client's LTTNG_ERR_RELAYD_CONNECT_FAIL. */
const RELAYD_CONNECT_FAIL = 104;

function test(name: string, fn: (daemon: RootDaemon) => Promise<void>): void {
  const skip = Deno.uid() === 0 ? tracefsMissing() : "Needs root";
  stockTest(name, { programs: PROGRAMS, skip }, async () => {
    await using daemon = await RootDaemon.start();
    await fn(daemon);
  });
}

/** Has a session record system calls, of one process where that is said. */
async function record(
  daemon: RootDaemon,
  name: string,
  output: readonly string[],
  calls: string,
  pid?: number,
): Promise<void> {
  const inSession = `--session=${name}`;
  await daemon.lttng("create", name, ...output);
  await daemon.lttng(
    ...["enable-channel", "--kernel", "ch", inSession],
    ...["--subbuf-size=64k", "--num-subbuf=4"],
  );
  await daemon.lttng(
    ...["enable-event", "--kernel", "--syscall", calls],
    ...["--channel=ch", inSession],
  );
  if (pid !== undefined) {
    await daemon.lttng("track", "--kernel", inSession, `--pid=${pid}`);
  }
  await daemon.lttng("start", name);
}

/** Reads and writes so many single bytes, at real-time priority. */
async function readUrgently(count: number, cpu: number): Promise<void> {
  await using program = new ChildProgram({
    command: [
      ...["chrt", "--fifo", "50", "taskset", "--cpu-list", `${cpu}`],
      ...["dd", "if=/dev/zero", "of=/dev/null", "bs=1", `count=${count}`],
    ],
  });
  assertEquals((await program.ended).code, 0, program.stderr);
}

test("a relay daemon that is killed while the kernel is recorded costs no other session", async (daemon) => {
  await using shell = new OpeningShell();
  await using other = await startRelay("ours");
  const killed = await startRelay("ours");
  const { pid } = shell.child;
  await record(daemon, "one", ["--set-url", killed.url()], "openat", pid);
  await shell.open("/etc/hostname", 5_000);
  await waitFor(
    "packets have come",
    async () => (await countEvents(killed.output)).events > 0,
    PATIENCE_MS,
  );
  killed.child.signal("SIGKILL");
  await killed.child.ended;
  await shell.open("/etc/hostname", 20_000);
  await waitFor(
    "the daemon knows",
    () => /lost|closed/.test(daemon.child.stderr),
  );
  const { code } = await daemon.tryLttng("stop", "one");
  assertEquals(code, RELAYD_CONNECT_FAIL);
  await record(daemon, "two", ["--set-url", other.url()], "openat", pid);
  await shell.open("/etc/hostname", 500);
  await daemon.lttng("stop", "two");
  const { produced } = kernelCounts(daemon.child.pid, "one", "ch");
  assertEquals(produced, 50_000);
  await daemon.lttng("destroy", "--all");
  const { recorded, discarded } = endCounts(daemon.child.stderr, "one");
  assertEquals(recorded + discarded, produced);
  assert(discarded > 0);
  assertEquals((await countEvents(other.output)).events, 1_000);
  await killed[Symbol.asyncDispose]();
});

test("a session daemon that is killed under load leaves no tracing that runs, and a trace that reads", async (daemon) => {
  const path = `${daemon.home}/trace`;
  const { pid } = daemon.child;
  await record(daemon, "one", ["--output", path], "read,write");
  await using load = new ChildProgram({
    command: ["dd", "if=/dev/zero", "of=/dev/null", "bs=1"],
  });
  await waitFor(
    "packets are stored",
    async () => (await countEvents(path)).events > 0,
    PATIENCE_MS,
  );
  await daemon.child.kill();
  const [name] = instancesOf(pid);
  const instance = `${Tracefs.open().path}/instances/${name}`;
  await waitFor(
    "tracing is off",
    () => Deno.readTextFileSync(`${instance}/tracing_on`).trim() === "0",
    PATIENCE_MS,
  );
  assert(load.running);
  assert((await countEvents(path)).events > 0);
  await using next = await RootDaemon.start();
  await record(next, "two", ["--output", `${next.home}/trace`], "read,write");
  assertEquals(instancesOf(pid), []);
  await next.lttng("destroy");
  assert((await countEvents(`${next.home}/trace`)).events > 0);
});

test("readers that get no processor lose events, and count each of them", async (daemon) => {
  const path = `${daemon.home}/trace`;
  await record(daemon, "one", ["--output", path], "read,write");
  const cpus = Array.from(
    { length: navigator.hardwareConcurrency },
    (_, cpu) => cpu,
  );
  await Promise.all(cpus.map((cpu) => readUrgently(300_000, cpu)));
  await daemon.lttng("stop");
  const { produced, lost } = kernelCounts(daemon.child.pid, "one", "ch");
  await daemon.lttng("destroy");
  const { recorded, discarded } = endCounts(daemon.child.stderr, "one");
  assert(produced >= 4 * 300_000 * cpus.length, `${produced}`);
  assert(lost > 0, "the readers kept up");
  assertEquals([discarded, recorded + discarded], [lost, produced]);
  assertEquals(await countEvents(path), { events: recorded, told: discarded });
});

test("two sessions have each their own events, all of them", async (daemon) => {
  await using first = new OpeningShell();
  await using second = new OpeningShell();
  const path = (name: string) => `${daemon.home}/${name}`;
  const begin = (name: string, { child }: OpeningShell) =>
    record(daemon, name, ["--output", path(name)], "openat", child.pid);
  await begin("one", first);
  await first.open("/etc/hostname", 1_000);
  await begin("two", second);
  await Promise.all([
    first.open("/etc/hostname", 2_000),
    second.open("/etc/hostname", 2_000),
  ]);
  await daemon.lttng("stop", "one");
  await second.open("/etc/hostname", 100);
  await daemon.lttng("destroy", "--all");
  assertEquals((await countEvents(path("one"))).events, 6_000);
  assertEquals((await countEvents(path("two"))).events, 4_200);
});

test("ten sessions, one after the other, leave nothing behind", async (daemon) => {
  await using shell = new OpeningShell();
  const { pid } = daemon.child;
  async function cycle(number: number): Promise<void> {
    const name = `s${number}`;
    const output = ["--output", `${daemon.home}/${name}`];
    await record(daemon, name, output, "openat", shell.child.pid);
    await shell.open("/etc/hostname", 2_000);
    await daemon.lttng("stop", name);
    await daemon.lttng("destroy", name);
    const { recorded, discarded } = endCounts(daemon.child.stderr, name);
    assertEquals([recorded, discarded], [4_000, 0]);
  }
  function leftovers(): number[] {
    const files = [...Deno.readDirSync(`/proc/${pid}/fd`)];
    return [instancesOf(pid).length, files.length, threadsOf(pid).length];
  }
  // Caches fill, threads of the engine start.
  for (let number = 0; number < 3; number++) await cycle(number);
  const before = leftovers();
  const memory = residentKib(pid);
  for (let number = 3; number < 13; number++) await cycle(number);
  await waitFor(
    `no more than ${before}`,
    () => leftovers().every((count, index) => count <= before[index]!),
    PATIENCE_MS,
  );
  // The engine takes its time; a worker of each that stays would be more.
  const grown = residentKib(pid) - memory;
  assert(grown < 64 * 1_024, `${grown} KiB more`);
});

/** Names of its threads, but for the pool that comes and goes with the work. */
function threadsOf(pid: number): string[] {
  const path = `/proc/${pid}/task`;
  const names = [...Deno.readDirSync(path)].map(({ name }) =>
    Deno.readTextFileSync(`${path}/${name}/comm`)
  );
  return names.filter((name) => !name.startsWith("tokio"));
}

function residentKib(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
