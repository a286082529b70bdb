/** What the stock client has our session daemon leave in directories. */

import { assert, assertEquals } from "@std/assert";
import { readTrace } from "../support/babeltrace.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { RunningDaemon } from "./support/running_daemon.ts";

const PROGRAMS = [...SESSIOND_PROGRAMS, "babeltrace2"];

function test(name: string, fn: (daemon: RunningDaemon) => Promise<void>) {
  stockTest(name, { programs: PROGRAMS }, async () => {
    await using daemon = await RunningDaemon.start();
    await fn(daemon);
  });
}

/** Every file and directory below `path`, in order, times without digits. */
function treeOf(path: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    const shown = name.replace(/\d{8}T\d{6}[+-]\d{4}/g, "TIME")
      .replace(/\d{8}-\d{6}/, "DATETIME");
    found.push(shown);
    if (!isDirectory) continue;
    found.push(
      ...treeOf(`${path}/${name}`).map((inner) => `${shown}/${inner}`),
    );
  }
  return found.toSorted();
}

async function configure(
  daemon: RunningDaemon,
  ...channel: string[]
): Promise<string> {
  const path = `${daemon.user.home}/trace`;
  await daemon.lttng("create", "one", "--output", path);
  await daemon.lttng("enable-channel", "--kernel", "ch", ...channel);
  await daemon.lttng("enable-event", "--kernel", "fake_tick", "--channel=ch");
  return path;
}

async function start(
  daemon: RunningDaemon,
  ...channel: string[]
): Promise<string> {
  const path = await configure(daemon, ...channel);
  await daemon.lttng("start");
  return path;
}

async function end(daemon: RunningDaemon): Promise<string> {
  await daemon.lttng("stop");
  return await daemon.lttng("destroy");
}

test("a session leaves the stock tree in its directory, all of it the user's", async (daemon) => {
  const path = await start(daemon);
  daemon.tracer.recordings.get("one")!.produce(1_000);
  await end(daemon);
  assertEquals(treeOf(path), [
    "kernel",
    "kernel/ch_0",
    "kernel/ch_1",
    "kernel/index",
    "kernel/index/ch_0.idx",
    "kernel/index/ch_1.idx",
    "kernel/metadata",
  ]);
  for (
    const name of ["", "/kernel", "/kernel/ch_0", "/kernel/index/ch_0.idx"]
  ) {
    assertEquals(Deno.statSync(`${path}${name}`).uid, daemon.user.uid, name);
  }
  const { events, errors } = await readTrace(path);
  assertEquals(events.length, 1_000, errors);
});

test("a stop and another start go on in the same files", async (daemon) => {
  const path = await start(daemon);
  const recording = daemon.tracer.recordings.get("one")!;
  for (let round = 0; round < 3; round++) {
    recording.produce(100);
    await daemon.lttng("stop");
    recording.produce(100);
    await daemon.lttng("start");
  }
  await end(daemon);
  assertEquals((await readTrace(path)).events.length, 300);
});

test("a rotated session leaves whole traces in its archives", async (daemon) => {
  const path = await start(daemon);
  const recording = daemon.tracer.recordings.get("one")!;
  recording.produce(100);
  const first = await daemon.lttng("rotate");
  recording.produce(50);
  await daemon.lttng("rotate");
  recording.produce(25);
  const last = await end(daemon);
  for (const text of [first, last]) {
    assert(text.includes(`${path}/archives/`), text);
  }
  const archives = [...Deno.readDirSync(`${path}/archives`)]
    .map(({ name }) => name)
    .toSorted((a, b) => Number(a.at(-1)) - Number(b.at(-1)));
  const counts: number[] = [];
  for (const name of archives) {
    const { events } = await readTrace(`${path}/archives/${name}`);
    counts.push(events.length);
  }
  assertEquals(counts, [100, 50, 25]);
  assertEquals(treeOf(path).filter((name) => !name.includes("/")), [
    "archives",
  ]);
});

test("trace files are bounded in size and count", async (daemon) => {
  const path = await start(
    daemon,
    "--subbuf-size=4k",
    "--tracefile-size=8k",
    "--tracefile-count=2",
  );
  const recording = daemon.tracer.recordings.get("one")!;
  for (let packet = 0; packet < 7; packet++) {
    recording.produce(20);
    await recording.flush();
  }
  await end(daemon);
  assertEquals(treeOf(`${path}/kernel`), [
    ...["ch_0_0", "ch_0_1", "ch_1_0", "ch_1_1", "index"],
    ...["index/ch_0_0.idx", "index/ch_0_1.idx"],
    ...["index/ch_1_0.idx", "index/ch_1_1.idx", "metadata"],
  ]);
  // Packets 5 and 6 took the place of the first two; 3 and 4 are in the other.
  const { events, errors } = await readTrace(path);
  assertEquals(events.length, 3 * 20, errors);
});

test("a cleared session has only what came after", async (daemon) => {
  const path = await start(daemon);
  const recording = daemon.tracer.recordings.get("one")!;
  recording.produce(100);
  await daemon.lttng("clear");
  recording.produce(50);
  await end(daemon);
  assertEquals((await readTrace(path)).events.length, 50);
});

test("events that found no room are counted, in the list and in the trace", async (daemon) => {
  const path = await start(daemon, "--subbuf-size=4k", "--num-subbuf=2");
  const recording = daemon.tracer.recordings.get("one")!;
  // One turn of the event loop: nobody empties the sub-buffers meanwhile.
  recording.produce(5_000);
  const stopped = await daemon.lttng("stop");
  assert(/Warning: \d+ events were discarded/.test(stopped), stopped);
  const list = await daemon.lttng("list", "one");
  const discarded = Number(/Discarded events: (\d+)/.exec(list)?.[1]);
  await daemon.lttng("destroy");
  const { events, discardedEvents } = await readTrace(path);
  assertEquals(events.length + discarded, 5_000);
  assertEquals(discardedEvents, discarded);
});

test("a snapshot is a trace of its own", async (daemon) => {
  const path = `${daemon.user.home}/snap`;
  await daemon.lttng("create", "snap", "--snapshot", "--output", path);
  await daemon.lttng("enable-event", "--kernel", "fake_tick");
  await daemon.lttng("start");
  const recording = daemon.tracer.recordings.get("snap")!;
  recording.produce(100);
  await daemon.lttng("snapshot", "record");
  recording.produce(100);
  await daemon.lttng("snapshot", "record", "--name", "mine");
  await daemon.lttng("destroy");
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).toSorted();
  assertEquals(names.map((name) => name.replace(/\d{8}-\d{6}/, "TIME")), [
    "mine-TIME-1",
    "snapshot-1-TIME-0",
  ]);
  const [mine = "", first = ""] = names;
  assertEquals((await readTrace(`${path}/${first}`)).events.length, 100);
  assertEquals((await readTrace(`${path}/${mine}`)).events.length, 200);
});

test("a saved session is loaded by the stock client, whole", async (daemon) => {
  await configure(
    daemon,
    "--subbuf-size=64k",
    "--overwrite",
    "--switch-timer=1s",
  );
  await daemon.lttng(
    "enable-event",
    "--kernel",
    "-c",
    "ch",
    "--syscall",
    "openat",
  );
  await daemon.lttng(
    ...[
      "enable-event",
      "--kernel",
      "-c",
      "ch",
      "a*",
      "--filter",
      "n < 5 && n>1",
    ],
  );
  await daemon.lttng("add-context", "--kernel", "-t", "pid", "-t", "procname");
  await daemon.lttng("track", "--kernel", "--pid=1,2");
  await daemon.lttng("enable-rotation", "--timer=60s");
  const before = await daemon.lttng("list", "one");
  const saved = `${daemon.user.home}/saved`;
  await daemon.lttng("save", "one", "--output-path", saved);
  await daemon.lttng("destroy", "one");
  await daemon.lttng("load", "one", "--input-path", saved);
  const loaded = await daemon.lttng("list", "one");
  // The stock client sends a log level with what it loads.
  assertEquals(loaded, before);
  assertEquals(
    daemon.tracer.recordings.get("one")!.channels[0]!.contexts,
    ["pid", "procname"],
  );
});

if (Deno.uid() === 0) {
  test("a user cannot have root's daemon write where the user could not", async (daemon) => {
    const path = await Deno.makeTempDir();
    await Deno.chmod(path, 0o755);
    try {
      await daemon.lttng("create", "one", "--output", `${path}/trace`);
      await daemon.lttng("enable-event", "--kernel", "fake_tick");
      const { code, stderr } = await daemon.tryLttng("start");
      assertEquals(code, 149, stderr);
      const save = await daemon.tryLttng("save", "--output-path", path);
      assertEquals(save.code, 86, save.stderr);
      assertEquals([...Deno.readDirSync(path)], []);
    } finally {
      await Deno.remove(path, { recursive: true });
    }
  });
}
