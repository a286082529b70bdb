/** What the session daemon tells of a trace on its way, and of what was lost. */

import { assert, assertEquals } from "@std/assert";
import { OutputState } from "../../lib/wire/sessiond/delivery.ts";
import { OutputType, SessionKind } from "../../lib/wire/sessiond/session.ts";
import type { StreamDelivery } from "../../lib/session/delivery.ts";
import { ENDED_SESSION_MS } from "../../lib/session/ended_sessions.ts";
import {
  type Asking,
  askingTest as test,
  descriptor,
  KERNEL,
  pathUri,
  settle,
  USER,
} from "./support/asking.ts";
import type { MemoryOutput } from "./support/memory_output.ts";

const ONE = { session: "one" };
const ROOT = { uid: 0, gid: 0 };
const STRANGER = { uid: 1001, gid: 1001 };

function deliveryOf(asking: Asking, hasEnded = false, caller = USER) {
  const request = { ...ONE, hasEnded };
  return asking.ask("SESSION_DELIVERY", request, caller);
}

function codeOf(asking: Asking, hasEnded: boolean, caller: typeof USER) {
  return asking.code("SESSION_DELIVERY", { ...ONE, hasEnded }, caller);
}

async function start(asking: Asking, isRemote: boolean): Promise<MemoryOutput> {
  if (isRemote) await asking.createRemote("one");
  else await asking.create("one");
  await asking.enable("one");
  await settle();
  await asking.ask("START_TRACE", ONE);
  return asking.outputs.opened[0]!;
}

/** Stops, and waits until the daemon waits no more; the code of the stop. */
async function stop(asking: Asking): Promise<string> {
  const code = await asking.code("STOP_TRACE", ONE);
  while ((await asking.ask("DATA_PENDING", ONE)).pending) await settle();
  return code;
}

/** A count of each stream, in their order. */
function each(
  streams: readonly StreamDelivery[],
  key: Exclude<keyof StreamDelivery, "name">,
): number[] {
  return streams.map((stream) => Number(stream[key]));
}

test("SESSION_DELIVERY of a session that stored everything says so", async (asking) => {
  await start(asking, false);
  asking.recording("one").produce(10);
  assertEquals(await stop(asking), "OK");
  const { streams, ...session } = await deliveryOf(asking);
  assertEquals(session, {
    outputState: OutputState.READY,
    hasMore: false,
    url: "file:///traces/one",
    failure: "",
  });
  assertEquals(streams.map(({ name }) => name), ["channel0_0", "channel0_1"]);
  assertEquals(each(streams, "recordedEvents"), [5, 5]);
  for (
    const key of [
      "discardedEvents",
      "givenUpPackets",
      "waitingPackets",
      "unconfirmedPackets",
    ] as const
  ) assertEquals(each(streams, key), [0, 0], key);
});

test("SESSION_DELIVERY before anything is recorded has no streams", async (asking) => {
  await asking.create("one");
  const { outputState, streams } = await deliveryOf(asking);
  assertEquals(outputState, OutputState.IDLE);
  assertEquals(streams, []);
});

test("SESSION_DELIVERY counts packets and bytes that a stop left on their way, until they are stored", async (asking) => {
  const output = await start(asking, true);
  const release = output.hold();
  asking.recording("one").produce(10);
  await stop(asking);
  const before = await deliveryOf(asking);
  assertEquals(each(before.streams, "waitingPackets"), [1, 1]);
  assert(before.streams.every(({ waitingBytes }) => waitingBytes > 0n));
  assertEquals(before.hasMore, true);
  release();
  await settle();
  const after = await deliveryOf(asking);
  assertEquals(each(after.streams, "waitingPackets"), [0, 0]);
  assertEquals(each(after.streams, "waitingBytes"), [0, 0]);
  assertEquals(each(after.streams, "recordedEvents"), [5, 5]);
  assertEquals(after.hasMore, false);
});

test("SESSION_DELIVERY counts what was sent and not confirmed, of the stream that it is", async (asking) => {
  const output = await start(asking, true);
  output.missing = ["channel0_1"];
  asking.recording("one").produce(10);
  await stop(asking);
  const before = await deliveryOf(asking);
  assertEquals(each(before.streams, "unconfirmedPackets"), [0, 1]);
  assert(before.streams[1]!.unconfirmedBytes > 0n);
  output.missing = [];
  const after = await deliveryOf(asking);
  assertEquals(each(after.streams, "unconfirmedPackets"), [0, 0]);
  assertEquals(each(after.streams, "unconfirmedBytes"), [0, 0]);
});

test("SESSION_DELIVERY answers in time where the output does not say what it has stored", async (asking) => {
  const output = await start(asking, true);
  output.missing = ["channel0_0", "channel0_1"];
  asking.recording("one").produce(10);
  await stop(asking);
  const { waitUntilStored } = output;
  const answer = Promise.withResolvers<readonly string[]>();
  output.waitUntilStored = () => answer.promise;
  const { streams } = await deliveryOf(asking);
  assertEquals(each(streams, "unconfirmedPackets"), [1, 1]);
  output.waitUntilStored = waitUntilStored;
  answer.resolve([]);
});

test("SESSION_DELIVERY says as long as a relay daemon is absent, though a command was told", async (asking) => {
  asking.outputs.failure = "Connection\nrefused";
  await asking.createRemote("one");
  await asking.enable("one");
  await settle();
  assertEquals(await asking.code("START_TRACE", ONE), "RELAYD_CONNECT_FAIL");
  for (let time = 0; time < 2; time++) {
    const { outputState, url, failure } = await deliveryOf(asking);
    assertEquals(outputState, OutputState.FAILED);
    assertEquals(url, "net://127.0.0.1");
    assert(failure.includes("127.0.0.1, ports 5342 and 5343"), failure);
    assert(failure.includes("Connection refused"), failure);
  }
  asking.outputs.failure = undefined;
  while (asking.outputs.opened.length === 0) await settle();
  await settle();
  const { outputState, failure } = await deliveryOf(asking);
  assertEquals([outputState, failure], [OutputState.READY, ""]);
});

test("SESSION_DELIVERY cuts a reason that is too long, between characters", async (asking) => {
  asking.outputs.failure = "é".repeat(2_000);
  await asking.createRemote("one");
  await asking.enable("one");
  await settle();
  const { failure } = await deliveryOf(asking);
  const { length } = new TextEncoder().encode(failure);
  assert(length > 1_000 && length <= 1_024, `${length}`);
});

test("SESSION_DELIVERY of a session whose relay daemon vanished counts what was given up", async (asking) => {
  const output = await start(asking, true);
  output.missing = ["channel0_0", "channel0_1"];
  asking.recording("one").produce(10);
  await asking.recording("one").flush();
  output.hold();
  asking.recording("one").produce(10);
  output.break("The relay daemon closed the connection");
  await settle();
  assertEquals(await stop(asking), "RELAYD_CONNECT_FAIL");
  const { outputState, failure, streams } = await deliveryOf(asking);
  assertEquals(outputState, OutputState.LOST);
  assertEquals(failure, "The relay daemon closed the connection");
  assertEquals(each(streams, "recordedEvents"), [5, 5]);
  assertEquals(each(streams, "discardedEvents"), [5, 5]);
  assertEquals(each(streams, "unconfirmedPackets"), [1, 1]);
  const { entries } = await asking.ask("LIST_CHANNELS", {
    ...ONE,
    domain: KERNEL,
  });
  const given = each(streams, "givenUpPackets").reduce((a, b) => a + b);
  assert(given > 0);
  assertEquals(entries[0]?.discardedEvents, 10n);
  assertEquals(entries[0]?.lostPackets, BigInt(given + 2));
});

test("a packet that an output took with it is given up once another is found", async (asking) => {
  const output = await start(asking, true);
  output.missing = ["channel0_0", "channel0_1"];
  asking.recording("one").produce(10);
  await asking.recording("one").flush();
  output.break("The relay daemon closed the connection");
  await settle();
  await stop(asking);
  await asking.ask("START_TRACE", ONE);
  await settle();
  const { outputState, streams } = await deliveryOf(asking);
  assertEquals(outputState, OutputState.READY);
  assertEquals(each(streams, "unconfirmedPackets"), [0, 0]);
  assertEquals(each(streams, "givenUpPackets"), [1, 1]);
});

test("SESSION_DELIVERY of a session that is gone says what did not arrive", async (asking) => {
  const output = await start(asking, true);
  asking.recording("one").produce(6);
  await asking.recording("one").flush();
  output.hold();
  asking.recording("one").produce(10);
  void asking.recording("one").flush();
  await settle();
  asking.recording("one").produce(4);
  await asking.ask("DESTROY_SESSION", ONE);
  assertEquals(await codeOf(asking, false, USER), "SESS_NOT_FOUND");
  const { outputState, hasMore, streams } = await deliveryOf(asking, true);
  assertEquals([outputState, hasMore], [OutputState.READY, false]);
  // The packets that were begun are the output's, which says nothing of them.
  assertEquals(each(streams, "recordedEvents"), [8, 8]);
  assertEquals(each(streams, "discardedEvents"), [2, 2]);
  assert(streams.every(({ unconfirmedPackets }) => unconfirmedPackets > 0n));
  assert(streams.every(({ givenUpPackets }) => givenUpPackets > 0n));
  assertEquals(each(streams, "waitingPackets"), [0, 0]);
});

test("SESSION_DELIVERY tells a session from the one of its name before", async (asking) => {
  await start(asking, true);
  asking.recording("one").produce(10);
  await asking.ask("DESTROY_SESSION", ONE);
  await asking.create("one");
  assertEquals((await deliveryOf(asking)).streams, []);
  const { streams } = await deliveryOf(asking, true);
  assertEquals(each(streams, "recordedEvents"), [5, 5]);
});

test("SESSION_DELIVERY is for a session's owner and root, also once it is gone", async (asking) => {
  await asking.create("one");
  assertEquals(await codeOf(asking, false, STRANGER), "EPERM");
  assertEquals(await codeOf(asking, false, ROOT), "OK");
  assertEquals(await codeOf(asking, true, USER), "SESS_NOT_FOUND");
  await asking.ask("DESTROY_SESSION", ONE);
  assertEquals(await codeOf(asking, true, USER), "OK");
  assertEquals(await codeOf(asking, true, ROOT), "OK");
  assertEquals(await codeOf(asking, true, STRANGER), "EPERM");
  // Theirs of that name ends later, and hides nothing.
  await asking.create("one", STRANGER);
  await asking.ask("DESTROY_SESSION", ONE, STRANGER);
  assertEquals(await codeOf(asking, true, USER), "OK");
  assertEquals(await codeOf(asking, true, STRANGER), "OK");
});

test("SESSION_DELIVERY forgets a session that is gone after a while", async (asking) => {
  await asking.create("one");
  await asking.ask("DESTROY_SESSION", ONE);
  asking.time += ENDED_SESSION_MS - 1;
  assertEquals(await codeOf(asking, true, USER), "OK");
  asking.time += 1;
  assertEquals(await codeOf(asking, true, USER), "SESS_NOT_FOUND");
});

test("SESSION_DELIVERY of a snapshot session has counts and no output", async (asking) => {
  const { request } = {
    request: descriptor({
      name: "one",
      kind: SessionKind.SNAPSHOT,
      outputType: OutputType.LOCAL,
      uris: [pathUri("/traces/one")],
    }),
  };
  await asking.ask("CREATE_SESSION_EXT", request);
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  asking.recording("one").produce(10);
  await stop(asking);
  const { outputState, url, streams } = await deliveryOf(asking);
  assertEquals([outputState, url], [OutputState.NONE, ""]);
  assertEquals(each(streams, "recordedEvents"), [5, 5]);
});
