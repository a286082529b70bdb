import { assert, assertEquals } from "@std/assert";
import { RelayVersionError } from "../../lib/stream/errors.ts";
import { OutputType, SessionKind } from "../../lib/wire/sessiond/session.ts";
import { metadataText } from "../tracer/memory_sink.ts";
import {
  type Asking,
  askingTest as test,
  descriptor,
  pathUri,
  settle,
} from "./support/asking.ts";
import type { MemoryOutput } from "./support/memory_output.ts";

const ONE = { session: "one" };
const SECOND = 1_000_000_000n;

async function start(asking: Asking): Promise<MemoryOutput> {
  await asking.enable("one");
  await settle();
  await asking.ask("START_TRACE", ONE);
  await settle();
  asking.recording("one").clockOffset = 7n * SECOND;
  return asking.outputs.opened[0]!;
}

function regenerate(asking: Asking): Promise<string> {
  return asking.code("REGENERATE_METADATA", ONE);
}

/** What an output's metadata says of its one clock: ns since 1970. */
function offsetIn({ metadata }: MemoryOutput): bigint {
  const text = metadata.map(metadataText).join("");
  const offsets = [...text.matchAll(/offset = (\d+);/g)];
  assertEquals(offsets.length, 1, text);
  return BigInt(offsets[0]![1]!);
}

test("REGENERATE_METADATA has all metadata replaced, of the clock as it is now", async (asking) => {
  await asking.create("one");
  const output = await start(asking);
  assertEquals(offsetIn(output), 0n);
  const before = output.metadata.map(metadataText).join("");
  assertEquals(await regenerate(asking), "OK");
  assertEquals(output.count("new metadata"), 1);
  assertEquals(offsetIn(output), 7n * SECOND);
  const after = output.metadata.map(metadataText).join("");
  assertEquals(withoutOffset(after), withoutOffset(before));
});

function withoutOffset(text: string): string {
  return text.replace(/offset = \d+/, "offset");
}

test("REGENERATE_METADATA is for sessions that record", async (asking) => {
  assertEquals(await regenerate(asking), "SESS_NOT_FOUND");
  await asking.create("one");
  assertEquals(await regenerate(asking), "SESSION_NOT_STARTED");
  await start(asking);
  await asking.ask("STOP_TRACE", ONE);
  assertEquals(await regenerate(asking), "SESSION_NOT_STARTED");
});

test("REGENERATE_METADATA is not for live sessions, recording or not", async (asking) => {
  await asking.ask(
    "CREATE_SESSION_EXT",
    descriptor({
      kind: SessionKind.LIVE,
      outputType: OutputType.NETWORK,
      name: "one",
      liveTimer: 250_000n,
    }),
  );
  assertEquals(await regenerate(asking), "LIVE_SESSION");
  const output = await start(asking);
  assertEquals(await regenerate(asking), "LIVE_SESSION");
  assertEquals(output.count("new metadata"), 0);
});

test("REGENERATE_METADATA is refused where the relay daemon is too old", async (asking) => {
  await asking.createRemote("one");
  const output = await start(asking);
  output.refusesReplacing = new RelayVersionError("It is of 2.7");
  assertEquals(await regenerate(asking), "RELAYD_VERSION_FAIL");
  assertEquals(offsetIn(output), 0n);
  assertSaid(asking, "It is of 2.7");
  assertEquals(await asking.code("STOP_TRACE", ONE), "OK");
});

test("REGENERATE_METADATA reaches a relay daemon that comes later", async (asking) => {
  asking.outputs.failure = "Connection refused";
  await asking.createRemote("one");
  await asking.enable("one");
  await settle();
  assertEquals(await asking.code("START_TRACE", ONE), "RELAYD_CONNECT_FAIL");
  await asking.ask("START_TRACE", ONE);
  asking.recording("one").clockOffset = 7n * SECOND;
  assertEquals(await regenerate(asking), "OK");
  asking.outputs.failure = undefined;
  while (asking.outputs.opened.length === 0) await settle();
  await settle();
  const output = asking.outputs.opened[0]!;
  assertEquals(output.count("new metadata"), 0);
  assertEquals(offsetIn(output), 7n * SECOND);
});

test("REGENERATE_METADATA is refused where the output is lost", async (asking) => {
  await asking.createRemote("one");
  const output = await start(asking);
  output.break("It vanished");
  await settle();
  for (let time = 0; time < 2; time++) {
    assertEquals(await regenerate(asking), "RELAYD_CONNECT_FAIL");
  }
  assertSaid(asking, "its metadata stays as it is: It vanished");
  assertEquals(offsetIn(output), 0n);
});

test("REGENERATE_METADATA says what kept an output from it, and the session goes on", async (asking) => {
  await asking.create("one");
  const output = await start(asking);
  output.failsReplacing = new Error("No space left on device");
  assertEquals(await regenerate(asking), "FILE_CREATION_ERROR");
  assertSaid(asking, "The metadata stays as it is: No space left on device");
  assertEquals(offsetIn(output), 0n);
  output.failsReplacing = undefined;
  assertEquals(await regenerate(asking), "OK");
  assertEquals(offsetIn(output), 7n * SECOND);
});

test("REGENERATE_METADATA says what the tracer says", async (asking) => {
  await asking.create("one");
  const output = await start(asking);
  asking.recording("one").regenerateMetadata = () =>
    Promise.reject(new Error("No clock"));
  assertEquals(await regenerate(asking), "KERN_META_FAIL");
  assertSaid(asking, "The metadata stays as it is: No clock");
  assertEquals(offsetIn(output), 0n);
});

test("REGENERATE_METADATA does not wait for a slow output, nor do other commands", async (asking) => {
  await asking.createRemote("one");
  const output = await start(asking);
  const release = output.hold();
  assertEquals(await regenerate(asking), "OK");
  assertSaid(asking, "the new metadata is still on its way");
  assertEquals(await asking.code("REGENERATE_STATEDUMP", ONE), "OK");
  assertEquals(offsetIn(output), 0n);
  release();
  await settle();
  assertEquals(offsetIn(output), 7n * SECOND);
});

test("REGENERATE_METADATA tells in the log of a failure that came late", async (asking) => {
  await asking.createRemote("one");
  const output = await start(asking);
  output.failsReplacing = new Error("It hung up");
  const release = output.hold();
  assertEquals(await regenerate(asking), "OK");
  release();
  await settle();
  assertSaid(asking, "may have reached the relay daemon: It hung up");
});

test("REGENERATE_METADATA replaces the metadata of later snapshots", async (asking) => {
  await asking.ask(
    "CREATE_SESSION_EXT",
    descriptor({
      kind: SessionKind.SNAPSHOT,
      name: "one",
      uris: [pathUri("/traces/one")],
    }),
  );
  await asking.enable("one");
  await asking.ask("START_TRACE", ONE);
  const output = { id: 0, maximumSize: 0n, name: "" };
  const block = { ...output, controlUrl: "", dataUrl: "" };
  await asking.ask("SNAPSHOT_RECORD", { ...ONE, output: block });
  asking.recording("one").clockOffset = 7n * SECOND;
  assertEquals(await regenerate(asking), "OK");
  await asking.ask("SNAPSHOT_RECORD", { ...ONE, output: block });
  const [before = "", after = ""] = asking.outputs.snapshots
    .map(({ content }) => metadataText(content.metadata));
  assert(before.includes("offset = 0;"), before);
  assert(after.includes("offset = 7000000000;"), after);
  assertEquals(withoutOffset(after), withoutOffset(before));
});

function assertSaid({ lines }: Asking, text: string): void {
  assert(lines.some((line) => line.includes(text)), lines.join("\n"));
}
