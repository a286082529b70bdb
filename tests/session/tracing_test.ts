import { assert, assertEquals } from "@std/assert";
import { OutputType, SessionKind } from "../../lib/wire/sessiond/session.ts";
import { RotationState } from "../../lib/wire/sessiond/session_state.ts";
import {
  type Asking,
  askingTest as test,
  channelRequest,
  descriptor,
  eventRequest,
  KERNEL,
  settle,
} from "./support/asking.ts";
import type { ChunkLocation } from "../../lib/session/output.ts";
import type { MemoryOutput } from "./support/memory_output.ts";

const ONE = { session: "one" };

/** A session in a directory, recording. */
async function startLocal(asking: Asking): Promise<MemoryOutput> {
  await asking.create("one");
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  return asking.outputs.opened[0]!;
}

/** A session with a relay daemon, recording. */
async function startRemote(asking: Asking): Promise<MemoryOutput> {
  await asking.createRemote("one");
  await asking.enable("one");
  await settle();
  await asking.ask("START_TRACE", ONE);
  return asking.outputs.opened[0]!;
}

/** Waits until the session has nothing under way after its stop. */
async function stopped(asking: Asking): Promise<void> {
  await asking.ask("STOP_TRACE", ONE);
  while ((await asking.ask("DATA_PENDING", ONE)).pending) await settle();
}

test("START_TRACE and STOP_TRACE say what is so already", async (asking) => {
  await asking.create("one");
  assertEquals(await asking.code("START_TRACE", ONE), "NO_CHANNEL");
  assertEquals(await asking.code("STOP_TRACE", ONE), "TRACE_ALREADY_STOPPED");
  await asking.enable("one");
  assertEquals(await asking.code("START_TRACE", ONE), "OK");
  assertEquals(
    await asking.code("START_TRACE", ONE),
    "TRACE_ALREADY_STARTED",
  );
  await stopped(asking);
  assertEquals(await asking.code("START_TRACE", ONE), "OK");
});

test("START_TRACE has streams and metadata written before any packet", async (asking) => {
  const output = await startLocal(asking);
  asking.recording("one").produce(10);
  await stopped(asking);
  const firstPacket = output.actions.findIndex((one) =>
    one.startsWith("packet")
  );
  assertEquals(output.actions.slice(0, firstPacket), [
    "stream channel0_0",
    "stream channel0_1",
    "metadata",
  ]);
});

test("START_TRACE says where no directory can be made, and may be tried again", async (asking) => {
  asking.outputs.failure = "No space left on device";
  await asking.create("one");
  await asking.enable("one");
  assertEquals(
    await asking.code("START_TRACE", ONE),
    "CREATE_TRACE_CHUNK_FAIL_CONSUMER",
  );
  assert(asking.lines.some((line) => line.includes("No space left")));
  asking.outputs.failure = undefined;
  assertEquals(await asking.code("START_TRACE", ONE), "OK");
});

test("STOP_TRACE returns while packets are on their way, and says which are not stored in time", async (asking) => {
  const output = await startLocal(asking);
  const release = output.hold();
  asking.recording("one").produce(10);
  await asking.ask("STOP_TRACE", ONE);
  assertEquals((await asking.ask("DATA_PENDING", ONE)).pending, true);
  while ((await asking.ask("DATA_PENDING", ONE)).pending) await settle();
  const line = asking.lines.find((one) => one.includes("not stored within"));
  assert(line?.includes("stream channel0_0 (1 packets waiting, 0 sent)"), line);
  release();
});

test("STOP_TRACE counts what the sink refuses as discarded events of the channel", async (asking) => {
  const output = await startLocal(asking);
  output.hold();
  asking.recording("one").produce(10);
  await asking.ask("STOP_TRACE", ONE);
  output.break("No space left on device");
  while ((await asking.ask("DATA_PENDING", ONE)).pending) await settle();
  const { entries } = await asking.ask("LIST_CHANNELS", {
    ...ONE,
    domain: KERNEL,
  });
  assertEquals(entries[0]?.discardedEvents, 10n);
});

test("DESTROY_SESSION ends in time though the output takes nothing", async (asking) => {
  const output = await startLocal(asking);
  output.hold();
  const recording = asking.recording("one");
  recording.produce(10);
  void recording.flush();
  await settle();
  recording.produce(6);
  await asking.ask("DESTROY_SESSION", ONE);
  assertEquals(asking.daemon.sessionCount, 0);
  assert(output.isClosed);
  // A packet of each stream was begun, and is the output's.
  const [line] = asking.lines.filter((line) => line.includes("one destroyed"));
  assertEquals(
    line?.replace(/^.*?: /, ""),
    "10 events recorded, 6 discarded, 2 packets lost, " +
      "2 sent but not confirmed",
  );
});

test("DESTROY_SESSION frees the name at once, and refuses what waited", async (asking) => {
  const output = await startLocal(asking);
  output.hold();
  asking.recording("one").produce(10);
  const destroying = asking.ask("DESTROY_SESSION", ONE);
  assertEquals(await asking.code("STOP_TRACE", ONE), "SESS_NOT_FOUND");
  await asking.create("one");
  const { rotationState } = await destroying;
  assertEquals(rotationState, RotationState.NO_ROTATION);
});

test("no command waits for a relay daemon", async (asking) => {
  asking.outputs.connectRelay = () => new Promise(() => {});
  await asking.createRemote("one");
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  asking.recording("one").produce(10);
  await asking.ask("STOP_TRACE", ONE);
  await asking.ask("DESTROY_SESSION", ONE);
  assertEquals(asking.daemon.sessionCount, 0);
});

test("a relay daemon that is absent is told once, and tried again", async (asking) => {
  asking.outputs.failure = "Connection refused";
  await asking.createRemote("one");
  await asking.enable("one");
  await settle();
  assertEquals(await asking.code("START_TRACE", ONE), "RELAYD_CONNECT_FAIL");
  assertEquals(await asking.code("START_TRACE", ONE), "OK");
  asking.recording("one").produce(10);
  asking.outputs.failure = undefined;
  while (asking.outputs.opened.length === 0) await settle();
  await stopped(asking);
  const [output] = asking.outputs.opened;
  assertEquals(output?.count("packet"), 2);
  const { entries } = await asking.ask("LIST_CHANNELS", {
    ...ONE,
    domain: KERNEL,
  });
  assertEquals(entries[0]?.discardedEvents, 0n);
});

test("a relay daemon that vanishes is told at the stop, which stops", async (asking) => {
  const output = await startRemote(asking);
  output.break("The relay daemon closed the connection");
  await settle();
  asking.recording("one").produce(10);
  assertEquals(await asking.code("STOP_TRACE", ONE), "RELAYD_CONNECT_FAIL");
  assertEquals(await asking.code("STOP_TRACE", ONE), "TRACE_ALREADY_STOPPED");
  assert(asking.lines.some((line) => line.includes("closed the connection")));
});

test("a session that lost its relay daemon finds it again with the next start", async (asking) => {
  const output = await startRemote(asking);
  asking.recording("one").produce(10);
  await asking.recording("one").flush();
  output.break("The relay daemon closed the connection");
  await settle();
  await asking.code("STOP_TRACE", ONE);
  while ((await asking.ask("DATA_PENDING", ONE)).pending) await settle();
  assertEquals(await asking.code("START_TRACE", ONE), "OK");
  await settle();
  asking.recording("one").produce(10);
  await stopped(asking);
  assertEquals(asking.outputs.opened[1]?.actions, [
    "stream channel0_0",
    "stream channel0_1",
    "metadata",
    "packet channel0_0",
    "packet channel0_1",
  ]);
  const { entries } = await asking.ask("LIST_CHANNELS", {
    ...ONE,
    domain: KERNEL,
  });
  // Sent, and never confirmed by the one that vanished.
  assertEquals(entries[0]?.lostPackets, 2n);
});

test("START_TRACE does not begin a directory anew that could not be written", async (asking) => {
  const output = await startLocal(asking);
  output.break("No space left on device");
  await settle();
  assertEquals(await asking.code("STOP_TRACE", ONE), "FILE_CREATION_ERROR");
  while ((await asking.ask("DATA_PENDING", ONE)).pending) await settle();
  assertEquals(
    await asking.code("START_TRACE", ONE),
    "CREATE_TRACE_CHUNK_FAIL_CONSUMER",
  );
  assertEquals(asking.outputs.opened.length, 1);
  assert(asking.lines.some((line) => line.includes("create another session")));
});

test("DESTROY_SESSION does not wait for what takes too long", async (asking) => {
  await asking.ask(
    "CREATE_SESSION_EXT",
    descriptor({ kind: SessionKind.SNAPSHOT, name: "one" }),
  );
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  asking.outputs.writeSnapshot = () => new Promise(() => {});
  const output = {
    ...{ id: 0, maximumSize: 0n, name: "" },
    controlUrl: "",
    dataUrl: "",
  };
  void asking.code("SNAPSHOT_RECORD", { ...ONE, output });
  await settle();
  assertEquals(await asking.code("DESTROY_SESSION", ONE), "OK");
  assert(asking.recording("one").isClosed);
});

test("a relay daemon that vanishes leaves other sessions alone", async (asking) => {
  const output = await startRemote(asking);
  output.break("gone");
  await settle();
  await asking.createRemote("two");
  await asking.enable("two");
  await settle();
  await asking.ask("START_TRACE", { session: "two" });
  asking.recording("two").produce(10);
  await asking.ask("STOP_TRACE", { session: "two" });
  await settle();
  assertEquals(asking.outputs.opened[1]?.count("packet"), 2);
});

test("ROTATE_SESSION archives what was recorded before, and is asked for its state", async (asking) => {
  const output = await startLocal(asking);
  asking.recording("one").produce(10);
  const { rotationId } = await asking.ask("ROTATE_SESSION", ONE);
  assertEquals(rotationId, 0n);
  await settle();
  const info = await asking.ask("ROTATION_GET_INFO", { ...ONE, rotationId });
  assertEquals(info.rotationState, RotationState.COMPLETED);
  assertEquals(info.path, "/archive/0");
  const actions = output.actions.slice(3);
  assertEquals(actions, [
    "packet channel0_0",
    "packet channel0_1",
    "rotate",
  ]);
  const next = await asking.ask("ROTATE_SESSION", ONE);
  assertEquals(next.rotationId, 1n);
  await settle();
  const old = await asking.ask("ROTATION_GET_INFO", { ...ONE, rotationId });
  assertEquals(old.rotationState, RotationState.EXPIRED);
});

test("ROTATE_SESSION is refused where it cannot be", async (asking) => {
  await asking.create("one");
  assertEquals(await asking.code("ROTATE_SESSION", ONE), "START_SESSION_ONCE");
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  await stopped(asking);
  assertEquals(await asking.code("ROTATE_SESSION", ONE), "OK");
  await settle();
  assertEquals(
    await asking.code("ROTATE_SESSION", ONE),
    "ROTATION_MULTIPLE_AFTER_STOP",
  );
  await asking.ask("START_TRACE", ONE);
  await stopped(asking);
  await asking.ask("CLEAR_SESSION", ONE);
  assertEquals(
    await asking.code("ROTATE_SESSION", ONE),
    "ROTATION_AFTER_STOP_CLEAR",
  );
});

test("ROTATE_SESSION is refused while one is under way", async (asking) => {
  const output = await startLocal(asking);
  const { promise, resolve } = Promise.withResolvers<ChunkLocation>();
  output.rotate = () => promise;
  assertEquals(await asking.code("ROTATE_SESSION", ONE), "OK");
  assertEquals(await asking.code("ROTATE_SESSION", ONE), "ROTATION_PENDING");
  const rotationId = 0n;
  const info = await asking.ask("ROTATION_GET_INFO", { ...ONE, rotationId });
  assertEquals(info.rotationState, RotationState.ONGOING);
  resolve({ kind: "local", path: "/archive" });
});

test("ROTATE_SESSION that fails says so when asked, and in the log", async (asking) => {
  const output = await startLocal(asking);
  output.rotate = () => Promise.reject(new Error("No space left on device"));
  const { rotationId } = await asking.ask("ROTATE_SESSION", ONE);
  await settle();
  const info = await asking.ask("ROTATION_GET_INFO", { ...ONE, rotationId });
  assertEquals(info.rotationState, RotationState.ERROR);
  assert(
    asking.lines.some((line) => line.includes("rotation 0 failed: No space")),
  );
});

test("DESTROY_SESSION archives the last chunk of a session that was rotated", async (asking) => {
  const output = await startLocal(asking);
  await asking.ask("ROTATE_SESSION", ONE);
  await stopped(asking);
  const { rotationState, location } = await asking.ask("DESTROY_SESSION", ONE);
  assertEquals(rotationState, RotationState.COMPLETED);
  assertEquals(location?.path, "/archive/1");
  assertEquals(output.actions.at(-1), "archive");
});

test("rotation schedules rotate after a time and at a size", async (asking) => {
  const output = await startLocal(asking);
  const schedule = (type: number, value: bigint, set = true) =>
    asking.code("ROTATION_SET_SCHEDULE", { ...ONE, type, set, value });
  assertEquals(await schedule(1, 10_000_000n), "OK");
  assertEquals(await schedule(1, 5_000_000n), "ROTATION_SCHEDULE_SET");
  asking.timers.get(10_000)!();
  await settle();
  assertEquals(output.count("rotate"), 1);
  assertEquals(await schedule(1, 10_000_000n, false), "OK");
  assertEquals(
    await schedule(1, 10_000_000n, false),
    "ROTATION_SCHEDULE_NOT_SET",
  );
  assertEquals(asking.timers.has(10_000), false);
  assertEquals(await schedule(0, 1n), "OK");
  const check = asking.timers.get(500)!;
  check();
  await settle();
  assertEquals(output.count("rotate"), 1);
  asking.recording("one").produce(10);
  await asking.recording("one").flush();
  check();
  await settle();
  assertEquals(output.count("rotate"), 2);
  assertEquals(await schedule(7, 1n), "INVALID");
  assertEquals(await schedule(0, 0n), "INVALID");
  const set = await asking.ask("LIST_ROTATION_SCHEDULES", ONE);
  assertEquals(set, { periodic: undefined, size: 1n });
});

test("CLEAR_SESSION clears what was recorded before it", async (asking) => {
  const output = await startLocal(asking);
  asking.recording("one").produce(10);
  await asking.ask("CLEAR_SESSION", ONE);
  assertEquals(output.actions.slice(-3), [
    "packet channel0_0",
    "packet channel0_1",
    "clear",
  ]);
});

test("a snapshot has the newest packets of each stream", async (asking) => {
  const kind = SessionKind.SNAPSHOT;
  await asking.ask("CREATE_SESSION_EXT", descriptor({ kind, name: "one" }));
  await asking.ask(
    "ENABLE_CHANNEL",
    channelRequest("one", { subBufferCount: 2n }),
  );
  await asking.ask("ENABLE_EVENT", eventRequest("one", {}, "ch"));
  const record = (maximumSize: bigint, controlUrl = "", name = "") =>
    asking.code("SNAPSHOT_RECORD", {
      ...ONE,
      output: { id: 0, maximumSize, name, controlUrl, dataUrl: "" },
    });
  assertEquals(await record(0n), "START_SESSION_ONCE");
  await asking.ask("START_TRACE", ONE);
  const recording = asking.recording("one");
  for (let packet = 0; packet < 5; packet++) {
    recording.produce(2);
    await recording.flush();
  }
  assertEquals(await record(1_000n), "MAX_SIZE_INVALID");
  assertEquals(await record(0n), "OK");
  assertEquals(await record(2n * 4096n, "/elsewhere", "mine"), "OK");
  const [all, newest] = asking.outputs.snapshots;
  const numbers = ({ content }: typeof all & object) =>
    content.streams.map(({ packets }) =>
      packets.map(({ info }) => info.packetSequenceNumber)
    );
  assertEquals(numbers(all!), [[3n, 4n], [3n, 4n]]);
  assertEquals(numbers(newest!), [[4n], [4n]]);
  assert(/\/snapshot-1-\d{8}-\d{6}-0$/.test(all!.path), all!.path);
  assert(/^\/elsewhere\/mine-\d{8}-\d{6}-1$/.test(newest!.path), newest!.path);
});

test("snapshot commands are for sessions without an output", async (asking) => {
  await asking.create("one");
  const output = {
    ...{ id: 0, maximumSize: 0n, name: "" },
    ...{ controlUrl: "/x", dataUrl: "" },
  };
  const refused = "NOT_SNAPSHOT_SESSION";
  assertEquals(await asking.code("SNAPSHOT_LIST_OUTPUT", ONE), refused);
  assertEquals(
    await asking.code("SNAPSHOT_ADD_OUTPUT", { ...ONE, output }),
    refused,
  );
  const request = descriptor({ name: "none", outputType: OutputType.NONE });
  await asking.ask("CREATE_SESSION_EXT", request);
  const session = "none";
  for (const controlUrl of ["", "x", "/a/../b", "http://x"]) {
    const bad = { ...output, controlUrl };
    assertEquals(
      await asking.code("SNAPSHOT_ADD_OUTPUT", { session, output: bad }),
      "INVALID",
    );
  }
  const named = { ...output, name: "a/b" };
  assertEquals(
    await asking.code("SNAPSHOT_ADD_OUTPUT", { session, output: named }),
    "INVALID",
  );
  assertEquals(
    await asking.code("SNAPSHOT_ADD_OUTPUT", { session, output }),
    "OK",
  );
});

test("a live session flushes, and tells viewers of silent streams", async (asking) => {
  await asking.ask(
    "CREATE_SESSION_EXT",
    descriptor({
      kind: SessionKind.LIVE,
      outputType: OutputType.NETWORK,
      name: "one",
      liveTimer: 250_000n,
    }),
  );
  await asking.enable("one");
  await settle();
  await asking.ask("START_TRACE", ONE);
  const beat = asking.timers.get(250)!;
  asking.recording("one").produce(1);
  beat();
  await settle();
  const [output] = asking.outputs.opened;
  assertEquals(output?.count("packet channel0_0"), 1);
  beat();
  await settle();
  assert(output!.actions.includes("beacon channel0_0"));
  assert(output!.actions.includes("beacon channel0_1"));
  await stopped(asking);
  assertEquals(asking.timers.has(250), false);
});

test("REGENERATE_STATEDUMP asks the tracer, while it records", async (asking) => {
  await asking.create("one");
  assertEquals(
    await asking.code("REGENERATE_STATEDUMP", ONE),
    "SESSION_NOT_STARTED",
  );
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  await asking.ask("REGENERATE_STATEDUMP", ONE);
  assertEquals(asking.recording("one").stateDumps, 1);
});
