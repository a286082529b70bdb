/** Our session daemon, driven by the stock client, with relay daemons of both kinds. */

import { assert, assertEquals } from "@std/assert";
import { readTrace } from "../support/babeltrace.ts";
import { waitFor } from "../support/process.ts";
import {
  type RelayKind,
  type RelayProcess,
  startRelay,
} from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockMissing, stockTest } from "../support/stock.ts";
import { ThrottledLink } from "../support/throttle.ts";
import { HOSTNAME, RunningDaemon } from "./support/running_daemon.ts";

const PROGRAMS = [...SESSIOND_PROGRAMS, "babeltrace2"];
/** The bound of a stop, and what a busy machine may add to it. */
const STOP_MILLISECONDS = 5_000;
const PATIENCE_MILLISECONDS = 4_000;

interface World {
  readonly daemon: RunningDaemon;
  readonly relay: RelayProcess;
}

/** A test with each kind of relay daemon. */
function eachRelay(name: string, fn: (world: World) => Promise<void>): void {
  for (const kind of ["ours", "stock"] as const satisfies RelayKind[]) {
    const skip = kind === "stock" ? stockMissing("lttng-relayd") : undefined;
    stockTest(
      `${name} (${kind} relay daemon)`,
      { programs: PROGRAMS, skip },
      async () => {
        await using relay = await startRelay(kind);
        await using daemon = await RunningDaemon.start();
        await fn({ daemon, relay });
      },
    );
  }
}

/** Creates a session that goes to `ports`, with small sub-buffers. */
async function createRemote(
  daemon: RunningDaemon,
  name: string,
  ports: { control: number; data: number },
  ...more: string[]
): Promise<void> {
  const url = `net://127.0.0.1:${ports.control}:${ports.data}`;
  await daemon.lttng("create", name, "--set-url", url, ...more);
  await daemon.lttng(
    "enable-channel",
    "--kernel",
    "ch",
    "--subbuf-size=4k",
    "--num-subbuf=8",
  );
  await daemon.lttng("enable-event", "--kernel", "fake_tick", "--channel=ch");
}

/** The events of a trace, and those that it says were lost. */
async function countEvents(directory: string): Promise<number> {
  const { events, discardedEvents } = await readTrace(directory);
  return events.length + discardedEvents;
}

/** The only directory of sessions called `name` of a relay daemon. */
function directoryOf(relay: RelayProcess, name: string): string {
  const host = `${relay.output}/${HOSTNAME}`;
  const found = [...Deno.readDirSync(host)].map((entry) => entry.name)
    .filter((one) => one.startsWith(name));
  assertEquals(found.length, 1, `${found}`);
  return `${host}/${found[0]}`;
}

/** Runs `act`, and gives how long it took, in ms. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}

eachRelay(
  "a session streams to a relay daemon with nothing lost",
  async ({ daemon, relay }) => {
    await createRemote(daemon, "one", relay.ports);
    await daemon.lttng("start");
    const recording = daemon.tracer.recordings.get("one")!;
    for (let round = 0; round < 20; round++) {
      recording.produce(200);
      await recording.flush();
    }
    await daemon.lttng("stop");
    await daemon.lttng("destroy");
    const directory = directoryOf(relay, "one");
    const { events, errors } = await readTrace(directory);
    assertEquals(events.length, 4_000, errors);
    const files = [...Deno.readDirSync(`${directory}/kernel`)]
      .map(({ name }) => name).toSorted();
    assertEquals(files, ["ch_0", "ch_1", "index", "metadata"]);
  },
);

eachRelay(
  "a session that is rotated leaves its chunks in the relay daemon's archives",
  async ({ daemon, relay }) => {
    await createRemote(daemon, "one", relay.ports);
    await daemon.lttng("start");
    const recording = daemon.tracer.recordings.get("one")!;
    recording.produce(100);
    const rotated = await daemon.lttng("rotate");
    assert(rotated.includes("is now readable"), rotated);
    recording.produce(50);
    await daemon.lttng("stop");
    const destroyed = await daemon.lttng("destroy");
    assert(destroyed.includes("is now readable"), destroyed);
    const archives = `${directoryOf(relay, "one")}/archives`;
    const counts = await Promise.all(
      [...Deno.readDirSync(archives)].map(({ name }) => name).toSorted()
        .map((name) => countEvents(`${archives}/${name}`)),
    );
    assertEquals(counts.toSorted((a, b) => b - a), [100, 50]);
  },
);

eachRelay(
  "a session that is cleared goes on with what comes after",
  async ({ daemon, relay }) => {
    await createRemote(daemon, "one", relay.ports);
    await daemon.lttng("start");
    const recording = daemon.tracer.recordings.get("one")!;
    recording.produce(100);
    await daemon.lttng("clear");
    recording.produce(50);
    await daemon.lttng("stop");
    await daemon.lttng("destroy");
    assertEquals(await countEvents(directoryOf(relay, "one")), 50);
  },
);

eachRelay(
  "a snapshot goes to a relay daemon",
  async ({ daemon, relay }) => {
    const { control, data } = relay.ports;
    const url = `net://127.0.0.1:${control}:${data}`;
    await daemon.lttng("create", "snap", "--snapshot", "--set-url", url);
    await daemon.lttng("enable-event", "--kernel", "fake_tick");
    await daemon.lttng("start");
    daemon.tracer.recordings.get("snap")!.produce(100);
    await daemon.lttng("snapshot", "record");
    await daemon.lttng("destroy");
    assertEquals(await countEvents(directoryOf(relay, "snap")), 100);
  },
);

stockTest(
  "a session that lost its relay daemon goes on with the next start",
  { programs: PROGRAMS },
  async () => {
    const output = await Deno.makeTempDir();
    try {
      await using daemon = await RunningDaemon.start();
      const first = await startRelay("ours", { output });
      const { ports } = first;
      await createRemote(daemon, "one", ports);
      await daemon.lttng("start");
      const recording = daemon.tracer.recordings.get("one")!;
      recording.produce(100);
      await recording.flush();
      await waitFor("the first relay daemon has stored it", async () => {
        return await countEvents(directoryOf(first, "one")) === 100;
      });
      await first[Symbol.asyncDispose]();
      const { code } = await daemon.tryLttng("stop");
      assertEquals(code, 104);
      await using _second = await startRelay("ours", { output, ports });
      await daemon.lttng("start");
      recording.produce(50);
      await daemon.lttng("stop");
      await daemon.lttng("destroy");
      const counts: number[] = [];
      for (const { name } of Deno.readDirSync(`${output}/${HOSTNAME}`)) {
        const path = `${output}/${HOSTNAME}/${name}`;
        counts.push((await readTrace(path)).events.length);
      }
      assertEquals(counts.toSorted((a, b) => b - a), [100, 50]);
    } finally {
      await Deno.remove(output, { recursive: true });
    }
  },
);

stockTest(
  "metadata is not behind a queue of packets at 50 kbit/s",
  { programs: PROGRAMS },
  async () => {
    await using relay = await startRelay("ours");
    await using link = new ThrottledLink(relay.ports, 50_000);
    await using daemon = await RunningDaemon.start();
    await createRemote(daemon, "slow", link.ports);
    await daemon.lttng("start");
    const recording = daemon.tracer.recordings.get("slow")!;
    await waitFor("the relay daemon has metadata", () => sizeOf(relay) > 0);
    const before = sizeOf(relay);
    for (let round = 0; round < 20; round++) {
      recording.produce(2_000, "event of a busy machine");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const underWay = link.bytes;
    await recording.addMetadata("/* more */\n");
    await waitFor("the new metadata is stored", () => sizeOf(relay) > before);
    // Far less than the packets before it, which are still on their way.
    assert(link.bytes - underWay < 40_000, `${link.bytes - underWay}`);
    await daemon.tryLttng("destroy");
  },
);

function sizeOf(relay: RelayProcess): number {
  try {
    return Deno.statSync(`${directoryOf(relay, "slow")}/kernel/metadata`).size;
  } catch {
    return 0;
  }
}

stockTest(
  "a relay daemon that is absent, refuses or vanishes costs no other session",
  { programs: PROGRAMS },
  async () => {
    await using relay = await startRelay("ours");
    await using daemon = await RunningDaemon.start();
    const absent = { control: 1, data: 1 };
    // Told once, at the first command that comes after.
    const told = await createRemote(daemon, "absent", absent)
      .then(() => "", (error) => error.message);
    assert(told.includes("Unable to connect to lttng-relayd"), told);
    await daemon.lttng("enable-event", "--kernel", "fake_tick", "--channel=ch");
    await daemon.lttng("start", "absent");
    daemon.tracer.recordings.get("absent")!.produce(1_000);
    const vanishing = await startRelay("ours");
    await createRemote(daemon, "vanishing", vanishing.ports);
    await daemon.lttng("start", "vanishing");
    await vanishing[Symbol.asyncDispose]();
    daemon.tracer.recordings.get("vanishing")!.produce(1_000);
    await createRemote(daemon, "fine", relay.ports);
    await daemon.lttng("start", "fine");
    daemon.tracer.recordings.get("fine")!.produce(100);
    const bound = STOP_MILLISECONDS + PATIENCE_MILLISECONDS;
    for (const name of ["fine", "absent", "vanishing"]) {
      const stop = await timed(() => daemon.tryLttng("stop", name));
      assert(stop < bound, `stop of ${name} took ${stop} ms`);
    }
    const lost = await daemon.lttng("list", "vanishing");
    assert(/Discarded events: [1-9]/.test(lost), lost);
    assert(
      daemon.lines.some((line) =>
        /absent: not stored within 5000 ms: stream ch_0/.test(line)
      ),
      daemon.lines.join("\n"),
    );
    const destroy = await timed(() => daemon.tryLttng("destroy", "--all"));
    assert(destroy < 3 * bound, `destroy took ${destroy} ms`);
    assertEquals(await countEvents(directoryOf(relay, "fine")), 100);
  },
);
