/**
 * Metadata written anew by the stock client's word: what babeltrace2 and our
 * reader make of the traces, in directories and at relay daemons of both kinds.
 */

import { assert, assertEquals } from "@std/assert";
import { ScriptedRelay } from "../stream/scripted_relay.ts";
import { run } from "../support/process.ts";
import { type RelayKind, startRelay } from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockMissing, stockTest } from "../support/stock.ts";
import { HOSTNAME, RunningDaemon } from "./support/running_daemon.ts";

const PROGRAMS = [...SESSIOND_PROGRAMS, "babeltrace2"];
const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const SECOND = 1_000_000_000n;
/** Seconds since 1970: no machine of these tests was started then, or later. */
const [WRONG, RIGHT] = [1_000_000n, 3_000_000_000n];

function test(name: string, fn: (daemon: RunningDaemon) => Promise<void>) {
  stockTest(name, { programs: PROGRAMS }, async () => {
    await using daemon = await RunningDaemon.start();
    await fn(daemon);
  });
}

/** Sets when the clock of a session's events was 0. */
function setClock(daemon: RunningDaemon, session: string, seconds: bigint) {
  const recording = daemon.tracer.recordings.get(session)!;
  recording.clockOffset = seconds * SECOND;
  return recording;
}

/** Starts a session, by a clock that is wrong. */
async function start(
  daemon: RunningDaemon,
  session: string,
  ...options: string[]
) {
  await daemon.lttng("create", session, ...options);
  await daemon.lttng("enable-event", "--kernel", "fake_tick");
  const recording = setClock(daemon, session, WRONG);
  await daemon.lttng("start");
  return recording;
}

/** Corrects the clock, and has all metadata written anew. */
async function regenerate(
  daemon: RunningDaemon,
  session: string,
): Promise<void> {
  setClock(daemon, session, RIGHT);
  const said = await daemon.lttng("regenerate", "metadata");
  assertEquals(
    said,
    `Metadata successfully regenerated for session ${session}\n`,
  );
}

/** How many events both readers find, all of them after `offset` seconds. */
async function countAfter(offset: bigint, directory: string): Promise<number> {
  const options = ["--clock-seconds", "--no-delta", directory];
  const stock = await run({ command: ["babeltrace2", ...options] });
  const deno = [Deno.execPath(), "run", "--quiet", "-A", CLI, "view"];
  const ours = await run({ command: [...deno, ...options] });
  assertEquals([stock.code, ours.code], [0, 0], stock.stderr + ours.stderr);
  assertEquals(ours.stdout, stock.stdout);
  const seconds = [...stock.stdout.matchAll(/^\[(\d+)\.\d+\]/gm)]
    .map((match) => BigInt(match[1]!));
  // Their clock was 0 when this process began.
  const age = BigInt(Math.ceil(performance.now() / 1_000));
  for (const second of seconds) {
    assert(second >= offset && second <= offset + age, `${second}`);
  }
  return seconds.length;
}

/** The directory of a session of a relay daemon. */
function directoryOf(output: string, session: string): string {
  const host = `${output}/${HOSTNAME}`;
  const [found, ...more] = [...Deno.readDirSync(host)].map(({ name }) => name)
    .filter((name) => name.startsWith(session));
  assertEquals(more, []);
  return `${host}/${found}`;
}

/** Archived chunks, the first one first. */
function archivesIn(directory: string): string[] {
  return [...Deno.readDirSync(`${directory}/archives`)]
    .map(({ name }) => `${directory}/archives/${name}`)
    .toSorted((a, b) => Number(a.at(-1)) - Number(b.at(-1)));
}

test("a directory's events have the time of the corrected clock, all of them", async (daemon) => {
  const path = `${daemon.user.home}/trace`;
  const recording = await start(daemon, "one", "--output", path);
  recording.produce(100);
  await recording.flush();
  assertEquals(await countAfter(WRONG, path), 100);
  await regenerate(daemon, "one");
  assertEquals(await countAfter(RIGHT, path), 100);
  recording.produce(50);
  await recording.addMetadata("/* more */\n");
  await daemon.lttng("stop");
  await daemon.lttng("destroy");
  assertEquals(await countAfter(RIGHT, path), 150);
  const { uid, mode } = Deno.statSync(`${path}/kernel/metadata`);
  assertEquals(uid, daemon.user.uid);
  assertEquals((mode ?? 0) & 0o007, 0);
});

test("a rotated session's archives keep the time that they had", async (daemon) => {
  const path = `${daemon.user.home}/trace`;
  const recording = await start(daemon, "one", "--output", path);
  recording.produce(100);
  await daemon.lttng("rotate");
  recording.produce(50);
  await regenerate(daemon, "one");
  await daemon.lttng("rotate");
  recording.produce(25);
  await daemon.lttng("destroy");
  const [first = "", second = "", third = ""] = archivesIn(path);
  assertEquals(await countAfter(WRONG, first), 100);
  assertEquals(await countAfter(RIGHT, second), 50);
  assertEquals(await countAfter(RIGHT, third), 25);
});

test("a snapshot has the time of the clock when it was taken", async (daemon) => {
  const path = `${daemon.user.home}/snap`;
  const recording = await start(daemon, "snap", "--snapshot", "-o", path);
  recording.produce(100);
  await daemon.lttng("snapshot", "record", "--name=first");
  await regenerate(daemon, "snap");
  await daemon.lttng("snapshot", "record", "--name=second");
  await daemon.lttng("destroy");
  const [first = "", second = ""] = [...Deno.readDirSync(path)]
    .map(({ name }) => `${path}/${name}`).toSorted();
  assertEquals(await countAfter(WRONG, first), 100);
  assertEquals(await countAfter(RIGHT, second), 100);
});

test("a clock cannot be corrected where nothing is recorded, or viewers follow", async (daemon) => {
  const path = `${daemon.user.home}/trace`;
  await daemon.lttng("create", "one", "--output", path);
  const answers = async () => {
    const { code, stderr } = await daemon.tryLttng("regenerate", "metadata");
    return [code, stderr.trim()];
  };
  assertEquals(await answers(), [118, "Error: Session not started"]);
  await daemon.lttng("enable-event", "--kernel", "fake_tick");
  await daemon.lttng("start");
  await daemon.lttng("stop");
  assertEquals(await answers(), [118, "Error: Session not started"]);
  await using relay = await startRelay("ours");
  await start(daemon, "live", "--live", "--set-url", relay.url());
  assertEquals(await answers(), [
    119,
    "Error: Live sessions are not supported",
  ]);
});

for (const kind of ["ours", "stock"] as const satisfies RelayKind[]) {
  const skip = kind === "stock" ? stockMissing("lttng-relayd") : undefined;
  stockTest(
    `a relay daemon's trace has the time of the corrected clock (${kind})`,
    { programs: PROGRAMS, skip },
    async () => {
      await using relay = await startRelay(kind);
      await using daemon = await RunningDaemon.start();
      const recording = await start(daemon, "one", "--set-url", relay.url());
      recording.produce(100);
      await recording.flush();
      await regenerate(daemon, "one");
      recording.produce(50);
      await recording.addMetadata("/* more */\n");
      await daemon.lttng("stop");
      await daemon.lttng("destroy");
      const directory = directoryOf(relay.output, "one");
      assertEquals(await countAfter(RIGHT, directory), 150);
    },
  );

  stockTest(
    `a relay daemon's archives keep the time that they had (${kind})`,
    { programs: PROGRAMS, skip },
    async () => {
      await using relay = await startRelay(kind);
      await using daemon = await RunningDaemon.start();
      const recording = await start(daemon, "one", "--set-url", relay.url());
      recording.produce(100);
      // Taken by the relay daemon: only then is there a chunk to archive.
      await recording.flush();
      await daemon.lttng("rotate");
      recording.produce(50);
      await regenerate(daemon, "one");
      await daemon.lttng("rotate");
      recording.produce(25);
      await daemon.lttng("destroy");
      const archives = archivesIn(directoryOf(relay.output, "one"));
      const [first = "", second = "", third = ""] = archives;
      assertEquals(await countAfter(WRONG, first), 100);
      assertEquals(await countAfter(RIGHT, second), 50);
      assertEquals(await countAfter(RIGHT, third), 25);
    },
  );
}

/** A session with a relay daemon that does as it is told. */
async function withScripted(
  daemon: RunningDaemon,
  relay: ScriptedRelay,
): Promise<void> {
  const { controlPort, dataPort } = relay.address;
  const url = `net://127.0.0.1:${controlPort}:${dataPort}`;
  await start(daemon, "one", "--set-url", url);
}

test("a relay daemon before 2.8 is not asked, and the session goes on", async (daemon) => {
  await using relay = new ScriptedRelay({ minor: 7 });
  await withScripted(daemon, relay);
  const { code, stderr } = await daemon.tryLttng("regenerate", "metadata");
  assertEquals(
    [code, stderr.trim()],
    [105, "Error: Relay daemon not compatible"],
  );
  assert(daemon.lines.join("\n").includes("2.7 was agreed"));
  assertEquals(relay.count("RESET_METADATA"), 0);
  await daemon.lttng("stop");
});

test("a relay daemon that hangs up meanwhile is told of", async (daemon) => {
  await using relay = new ScriptedRelay({
    onCommand: (name) => name === "RESET_METADATA" ? "hang up" : undefined,
  });
  await withScripted(daemon, relay);
  const { code } = await daemon.tryLttng("regenerate", "metadata");
  assertEquals(code, 104);
  assert(daemon.lines.join("\n").includes("Not all of the new metadata"));
});
