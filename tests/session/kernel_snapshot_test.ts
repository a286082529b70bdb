/** Snapshots of this machine's kernel, taken by the stock client of our session daemon. */

import { assert, assertEquals } from "@std/assert";
import { parseRingCounters } from "../../lib/kernel/loss.ts";
import { Tracefs } from "../../lib/kernel/tracefs.ts";
import { instancesOf, tracefsMissing } from "../kernel/support/tracefs.ts";
import { run, waitFor } from "../support/process.ts";
import { type RelayKind, startRelay } from "../support/relay_process.ts";
import { stockMissing, stockTest } from "../support/stock.ts";
import { endCounts } from "./support/kernel_counts.ts";
import { OpeningShell } from "./support/opening_shell.ts";
import { ROOT_DAEMON_PROGRAMS, RootDaemon } from "./support/root_daemon.ts";

const PROGRAMS = [...ROOT_DAEMON_PROGRAMS, "babeltrace2", "bash", "taskset"];
/** Most events of a system call in a page of a ring buffer: 64 KiB of 32 bytes. */
const PAGE_EVENTS = 2_048;

function test(
  name: string,
  fn: (daemon: RootDaemon) => Promise<void>,
  skipped?: string,
): void {
  const skip = (Deno.uid() === 0 ? tracefsMissing() : "Needs root") ?? skipped;
  stockTest(name, { programs: PROGRAMS, skip }, async () => {
    await using daemon = await RootDaemon.start();
    await fn(daemon);
  });
}

/** Begins to record how `shell` opens files. */
async function start(
  { lttng }: { lttng: (...args: string[]) => Promise<string> },
  shell: OpeningShell,
  create: readonly string[],
  channel: readonly string[] = [],
): Promise<void> {
  await lttng("create", "snap", ...create);
  if (channel.length > 0) {
    await lttng("enable-channel", "--kernel", "ch", ...channel);
  }
  const named = channel.length > 0 ? ["--channel=ch"] : [];
  await lttng("enable-event", "--kernel", "--syscall", "openat", ...named);
  await lttng("track", "--kernel", `--pid=${shell.child.pid}`);
  await lttng("start");
}

function clientOf(daemon: RootDaemon) {
  return { lttng: (...args: string[]) => daemon.lttng(...args) };
}

/** What babeltrace2 prints of a snapshot. */
async function readSnapshot(
  path: string,
): Promise<{ lines: string[]; errors: string }> {
  const { code, stdout, stderr } = await run({
    command: ["babeltrace2", "--clock-cycles", "--no-delta", path],
  });
  assertEquals(code, 0, stderr);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { lines, errors: stderr };
}

/** Its events, which have the system's state beside them. */
async function eventsIn(
  path: string,
): Promise<{ events: string[]; errors: string }> {
  const { lines, errors } = await readSnapshot(path);
  assert(
    lines.some((line) => line.includes("lttng_statedump_end")),
    "no state dump",
  );
  return { events: lines.filter((line) => line.includes("openat:")), errors };
}

/** The only directory below `path` whose name begins like that. */
function directoryIn(path: string, prefix: string): string {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name)
    .filter((name) => name.startsWith(prefix));
  assertEquals(names.length, 1, `${prefix} in ${path}`);
  return `${path}/${names[0]}`;
}

/** Sums of the counters of the daemon's only channel, as tracefs has them. */
function tracefsCounters({ child }: RootDaemon) {
  const [name] = instancesOf(child.pid);
  const path = `${Tracefs.open().path}/instances/${name}/per_cpu`;
  const sum = { entries: 0, overrun: 0, dropped: 0, read: 0 };
  for (const { name } of Deno.readDirSync(path)) {
    const counters = parseRingCounters(
      Deno.readTextFileSync(`${path}/${name}/stats`),
    );
    sum.entries += counters.entries;
    sum.overrun += counters.overrun;
    sum.dropped += counters.dropped;
    sum.read += counters.read;
  }
  return sum;
}

test("snapshots overlap, go on after a stop, and are empty after a clear", async (daemon) => {
  await using shell = new OpeningShell();
  const path = `${daemon.home}/snap`;
  const { lttng } = clientOf(daemon);
  await start({ lttng }, shell, ["--snapshot", "--output", path]);
  const record = async (name: string) => {
    await lttng("snapshot", "record", `--name=${name}`);
    return (await eventsIn(directoryIn(path, name))).events;
  };
  await shell.open("/etc/hostname", 500);
  // Nobody reads before a snapshot is taken.
  const before = tracefsCounters(daemon);
  assertEquals([before.entries >= 1_000, before.read], [true, 0]);
  const first = await record("first");
  assertEquals(first.length, 1_000);
  await shell.open("/no/such", 250);
  const second = await record("second");
  assertEquals(second.length, 1_500);
  assertEquals(second.slice(0, 1_000), first);
  assert(second.at(-1)!.includes("ret = -2"), second.at(-1));
  await shell.open("/etc/hostname", 50);
  await lttng("stop");
  await shell.open("/etc/hostname", 500);
  const third = await record("third");
  assertEquals([third.length, third.slice(0, 1_500)], [1_600, second]);
  await lttng("start");
  await shell.open("/no/such", 10);
  assertEquals((await record("fourth")).length, 1_620);
  await shell.open("/etc/hostname", 10);
  await lttng("stop");
  await lttng("clear");
  assertEquals(tracefsCounters(daemon).entries, 0);
  await lttng("snapshot", "record", "--name=fifth");
  // Not even of the system's state.
  assertEquals((await readSnapshot(directoryIn(path, "fifth"))).lines, []);
  await lttng("destroy");
  assertEquals(instancesOf(daemon.child.pid), []);
});

test("a snapshot has the newest events, as many as tracefs says that there are", async (daemon) => {
  await using shell = new OpeningShell();
  const path = `${daemon.home}/snap`;
  const { lttng } = clientOf(daemon);
  await start({ lttng }, shell, ["--snapshot", "--output", path], [
    "--subbuf-size=64k",
    "--num-subbuf=4",
  ]);
  for (const name of ["first", "second"]) {
    await shell.open("/etc/hostname", 10_000);
    await shell.open("/no/such", 1);
    await lttng("stop");
    const { entries, overrun, read } = tracefsCounters(daemon);
    assert(overrun > 0 && entries > 0);
    await lttng("snapshot", "record", `--name=${name}`);
    const { events, errors } = await eventsIn(directoryIn(path, name));
    // The page that was being written at the first has a rest, from before what
    // was overwritten: that is not in the second.
    const rest = name === "first" ? 0 : PAGE_EVENTS;
    assert(events.length <= entries && events.length >= entries - rest, errors);
    assert(events.at(-1)!.includes("ret = -2"), events.at(-1));
    assertEquals(errors, "");
    assertEquals(tracefsCounters(daemon).read, read + entries);
    await lttng("start");
  }
  // It is a flight recorder: nothing is lost.
  const destroyed = await lttng("destroy");
  assert(!destroyed.includes("Warning"), destroyed);
  assertEquals(endCounts(daemon.child.stderr, "snap").discarded, 0);
});

test("a snapshot has the oldest events, and tells of the others, in discard mode", async (daemon) => {
  await using shell = new OpeningShell();
  const path = `${daemon.home}/snap`;
  const { lttng } = clientOf(daemon);
  await start({ lttng }, shell, ["--snapshot", "--output", path], [
    ...["--discard", "--subbuf-size=4k", "--num-subbuf=16"],
  ]);
  await shell.open("/no/such", 1);
  await shell.open("/etc/hostname", 10_000);
  await lttng("stop");
  const { entries, dropped } = tracefsCounters(daemon);
  await lttng("snapshot", "record");
  const { events, errors } = await eventsIn(directoryIn(path, "snapshot-1"));
  assertEquals(events.length, entries, errors);
  assertEquals(entries + dropped, 20_002);
  assert(events[1]!.includes("ret = -2"), events[1]);
  const told = [...errors.matchAll(/discarded (\d+) events/g)]
    .reduce((sum, [, count]) => sum + Number(count), 0);
  assertEquals(told, dropped, errors);
  await lttng("destroy");
});

for (const kind of ["ours", "stock"] as const satisfies RelayKind[]) {
  test(
    `a snapshot goes to a relay daemon that was added as an output (${kind})`,
    async (daemon) => {
      await using relay = await startRelay(kind);
      await using shell = new OpeningShell();
      const { lttng } = clientOf(daemon);
      await start({ lttng }, shell, ["--no-output"], [
        ...["--overwrite", "--output=mmap"],
      ]);
      await lttng("snapshot", "add-output", "--name=far", relay.url());
      const counts: number[] = [];
      for (let snapshot = 0; snapshot < 2; snapshot++) {
        await shell.open("/etc/hostname", 300);
        await lttng("snapshot", "record");
        const host = directoryIn(relay.output, "");
        const session = directoryIn(host, "snap");
        const path = [...Deno.readDirSync(session)].map(({ name }) => name)
          .filter((name) => name.endsWith(`-${snapshot}`));
        const { events, errors } = await eventsIn(`${session}/${path[0]}`);
        assertEquals(errors, "");
        counts.push(events.length);
      }
      assertEquals(counts, [600, 1_200]);
      await lttng("destroy");
    },
    kind === "stock" ? stockMissing("lttng-relayd") : undefined,
  );
}

test("many snapshots leave nothing open", async (daemon) => {
  await using shell = new OpeningShell();
  const { lttng } = clientOf(daemon);
  await start({ lttng }, shell, [
    ...["--snapshot", "--output", `${daemon.home}/snap`],
  ]);
  const open = () =>
    [...Deno.readDirSync(`/proc/${daemon.child.pid}/fd`)].length;
  await lttng("snapshot", "record");
  const before = open();
  for (let snapshot = 0; snapshot < 10; snapshot++) {
    await shell.open("/etc/hostname", 10);
    await lttng("snapshot", "record");
  }
  await waitFor("its descriptors are closed", () => open() <= before);
  await lttng("destroy");
});
