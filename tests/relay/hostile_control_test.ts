/** What a bad peer gets on the control port: exact bytes, and others go on. */

import { assert, assertEquals } from "@std/assert";
import * as limits from "../../lib/base/limits.ts";
import { type CommandName, commands } from "../../lib/wire/relay.ts";
import type { RawPeer } from "../support/raw_peer.ts";
import { endsWaitingWrites } from "./support/deno.ts";
import {
  hex,
  indexRequest,
  type Producer,
  TestRelay,
} from "./support/relay.ts";

const NOTHING = new Uint8Array();
const VERSION = hex("00000002 0000000d");

/** A control connection that has said VERSION. */
async function versioned(relay: TestRelay): Promise<RawPeer> {
  const peer = await relay.connect("control");
  await peer.sendCommand(5, VERSION);
  assertEquals(await peer.read(8), hex("00000002 0000000f"));
  return peer;
}

/** A producer with a session, chunk 0 and one stream. */
async function recording(
  relay: TestRelay,
  sessionName = "demo",
): Promise<{ producer: Producer; stream: bigint; sessionId: bigint }> {
  const producer = await relay.producer();
  const { sessionId } = await producer.createSession({ sessionName });
  await producer.createChunk(0n);
  return { producer, stream: await producer.addStream("ch_0"), sessionId };
}

for (
  const size of [
    BigInt(limits.SMALL_CONTROL_PAYLOAD_BYTES + 1),
    134_217_729n,
    0xFFFF_FFFF_FFFF_FFFFn,
  ]
) {
  Deno.test(`a payload of ${size} bytes is refused before it comes`, async () => {
    await using relay = new TestRelay();
    for (const command of [1, 2, 5, 13, 22, 9999]) {
      using peer = await versioned(relay);
      await peer.sendCommand(command, NOTHING, size);
      assertEquals(await peer.readToEnd(), NOTHING, `command ${command}`);
    }
    assert(
      relay.lines.some((line) =>
        line.includes(`${size} bytes > ${limits.SMALL_CONTROL_PAYLOAD_BYTES}`)
      ),
    );
    await relay.assertServing();
  });
}

Deno.test("metadata above its limit is refused before it comes", async () => {
  await using relay = new TestRelay();
  using producer = (await recording(relay)).producer;
  await producer.control.sendCommand(
    6,
    NOTHING,
    BigInt(limits.CONTROL_PAYLOAD_BYTES + 1),
  );
  assertEquals(await producer.control.readToEnd(), NOTHING);
  await relay.assertServing();
});

Deno.test("an announced payload that never comes takes no memory", async () => {
  await using relay = new TestRelay();
  const before = Deno.memoryUsage().rss;
  const peers: RawPeer[] = [];
  for (let count = 0; count < 50; count++) {
    const peer = await versioned(relay);
    const size = BigInt(limits.CONTROL_PAYLOAD_BYTES);
    await peer.sendCommand(6, new Uint8Array(10), size);
    peers.push(peer);
  }
  await relay.assertServing();
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 200 * 1024 * 1024, `${grown} bytes more`);
  for (const peer of peers) peer.close();
});

Deno.test("half a header and then nothing delays nobody", async () => {
  await using relay = new TestRelay();
  using stalled = await relay.connect("control");
  await stalled.send(new Uint8Array(11));
  await relay.assertServing();
  await stalled.expectSilence(50);
});

const NEED_SESSION = (Object.keys(commands) as CommandName[])
  .filter((name) => commands[name].needsSession);

for (const name of NEED_SESSION) {
  Deno.test(`${name} before CREATE_SESSION closes without a reply`, async () => {
    await using relay = new TestRelay();
    using peer = await versioned(relay);
    await peer.sendCommand(commands[name].number, new Uint8Array(64));
    assertEquals(await peer.readToEnd(), NOTHING);
    using bold = await relay.connect("control");
    await bold.sendCommand(commands[name].number, new Uint8Array(64));
    assertEquals(await bold.readToEnd(), NOTHING);
    await relay.assertServing();
  });
}

Deno.test("a session before VERSION is of the oldest form, and useless", async () => {
  await using relay = new TestRelay();
  using peer = await relay.connect("control");
  await peer.sendCommand(2);
  assertEquals(await peer.read(12), hex("0000000000000001 0000000a"));
  await peer.sendCommand(10, hex("0000000000000001"));
  assertEquals(await peer.readToEnd(), NOTHING);
  await relay.assertServing();
});

for (const minor of [1, 4, 10]) {
  Deno.test(`commands of chunks on a session of 2.${minor} close`, async () => {
    await using relay = new TestRelay();
    for (const command of [18, 19, 20, 21]) {
      using producer = await relay.producer(minor);
      const sessionName = `s${command}`;
      const { code } = await producer.createSession({ sessionName });
      assertEquals(code, 10);
      await producer.control.sendCommand(command, new Uint8Array(64));
      assertEquals(await producer.control.readToEnd(), NOTHING);
    }
    await relay.assertServing();
  });
}

for (const command of [0, 4, 12, 14, 15, 23, 10_000, 0xFFFF_FFFF]) {
  Deno.test(`command ${command} is unknown: 11, close`, async () => {
    await using relay = new TestRelay();
    using peer = await versioned(relay);
    await peer.sendCommand(command, new Uint8Array(5));
    assertEquals(await peer.readToEnd(), hex("0000000b"));
    await relay.assertServing();
  });
}

Deno.test("another major version gets ours, then the end", async () => {
  await using relay = new TestRelay();
  for (const version of ["00000001 00000000", "00000003 0000000d"]) {
    using peer = await relay.connect("control");
    await peer.sendCommand(5, hex(version));
    assertEquals(await peer.readToEnd(), hex("00000002 0000000f"));
  }
  await relay.assertServing();
});

const SHORT: readonly (readonly [CommandName, string, string])[] = [
  ["VERSION", "00000002 000000", ""],
  ["ADD_STREAM", "00000005", "ffffffffffffffff 0000000b"],
  ["CLOSE_STREAM", "00000000000000000000", ""],
  ["DATA_PENDING", "00", ""],
  ["QUIESCENT_CONTROL", "00", ""],
  ["BEGIN_DATA_PENDING", "", ""],
  ["END_DATA_PENDING", "00", ""],
  ["SEND_INDEX", "00".repeat(79), ""],
  ["SEND_METADATA", "00".repeat(11), ""],
  ["RESET_METADATA", "00".repeat(15), ""],
  ["ROTATE_STREAMS", "00".repeat(14), ""],
  ["ROTATE_STREAMS", `${"ff".repeat(4)}${"00".repeat(16)}`, ""],
  ["CREATE_TRACE_CHUNK", `${"00".repeat(16)}00000005 "`, "00000061"],
  ["CLOSE_TRACE_CHUNK", "00".repeat(20), ""],
  ["TRACE_CHUNK_EXISTS", "00", ""],
  ["GET_CONFIGURATION", "00".repeat(7), ""],
];

for (const [name, payload, expected] of SHORT) {
  const size = hex(payload).length;
  Deno.test(`${name} of ${size} bytes is too short`, async () => {
    await using relay = new TestRelay();
    using producer = (await recording(relay)).producer;
    await producer.control.sendCommand(commands[name].number, hex(payload));
    assertEquals(await producer.control.readToEnd(), hex(expected));
    await relay.assertServing();
  });
}

Deno.test("CREATE_TRACE_CHUNK with half a header closes without a reply", async () => {
  await using relay = new TestRelay();
  using producer = (await recording(relay)).producer;
  await producer.control.sendCommand(19, new Uint8Array(19));
  assertEquals(await producer.control.readToEnd(), NOTHING);
  await relay.assertServing();
});

Deno.test("a CREATE_SESSION that cannot be read gets 25, and may try again", async () => {
  await using relay = new TestRelay();
  using producer = await relay.producer();
  await producer.control.sendCommand(2, new Uint8Array(58));
  assertEquals(
    await producer.control.read(16),
    hex("0000000000000000 00000019 00000000"),
  );
  assertEquals((await producer.createSession()).code, 10);
  await relay.assertServing();
});

Deno.test("a payload longer than needed is no fault", async () => {
  await using relay = new TestRelay();
  using peer = await relay.connect("control");
  await peer.sendCommand(5, Uint8Array.from([...VERSION, 1, 2, 3]));
  assertEquals(await peer.read(8), hex("00000002 0000000f"));
  await peer.sendCommand(3, new Uint8Array(100));
  assertEquals(await peer.read(4), hex("0000000a"));
});

Deno.test("a second CREATE_SESSION gets 25, then the end", async () => {
  await using relay = new TestRelay();
  using producer = (await recording(relay)).producer;
  await producer.send("CREATE_SESSION", {
    ...(await import("./support/relay.ts")).sessionRequest(),
    sessionName: "second",
  });
  assertEquals(
    await producer.control.readToEnd(),
    hex("0000000000000000 00000019 00000000"),
  );
  await relay.assertServing();
});

Deno.test("streams and sessions of another connection are out of reach", async () => {
  await using relay = new TestRelay();
  const victim = await recording(relay, "victim");
  using _ = victim.producer;
  const streamId = victim.stream;
  const attempts: readonly (readonly [CommandName, object, string])[] = [
    ["SEND_INDEX", indexRequest(streamId, 0n), "0000000b"],
    ["CLOSE_STREAM", { streamId, lastNetSequenceNumber: 0n }, "0000000b"],
    ["DATA_PENDING", { streamId, lastNetSequenceNumber: 0n }, "ffffffff"],
    ["RESET_METADATA", { streamId, version: 1n }, "0000000b"],
    ["ROTATE_STREAMS", {
      newChunkId: undefined,
      positions: [{ streamId, rotateAtSequenceNumber: 0n }],
    }, "00000061"],
    ["SEND_METADATA", {
      streamId,
      paddingSize: 0,
      metadata: new Uint8Array(4),
    }, ""],
  ];
  for (const [at, [name, request, expected]] of attempts.entries()) {
    using thief = (await recording(relay, `thief-${at}`)).producer;
    await thief.send(name, request as never);
    assertEquals(await thief.control.readToEnd(), hex(expected), name);
  }
  assertEquals(await victim.producer.index(streamId, 0n), 10);
  await relay.assertServing();
});

Deno.test("another session's BEGIN_DATA_PENDING changes nothing there", async () => {
  await using relay = new TestRelay();
  const victim = await recording(relay, "victim");
  using _ = victim.producer;
  const { sessionId } = victim;
  await victim.producer.call("BEGIN_DATA_PENDING", { sessionId });
  await victim.producer.call("DATA_PENDING", {
    streamId: victim.stream,
    lastNetSequenceNumber: 0xFFFF_FFFF_FFFF_FFFFn,
  });
  using thief = (await recording(relay, "thief")).producer;
  assertEquals(
    (await thief.call("BEGIN_DATA_PENDING", { sessionId })).code,
    10,
  );
  const { code } = await victim.producer.call("END_DATA_PENDING", {
    sessionId,
  });
  assertEquals(code, 0);
});

Deno.test("a flood of indexes ends in 11 and the end of that peer", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay);
  using _ = producer;
  const most = limits.PENDING_INDEXES_PER_STREAM;
  for (let at = 0; at < most; at++) {
    await producer.send("SEND_INDEX", indexRequest(stream, BigInt(at)));
  }
  const replies = await producer.control.read(4 * most);
  assert(replies.every((byte, at) => byte === (at % 4 === 3 ? 10 : 0)));
  await producer.send("SEND_INDEX", indexRequest(stream, BigInt(most)));
  assertEquals(await producer.control.readToEnd(), hex("0000000b"));
  assert(relay.lines.some((line) => line.includes(`${most + 1} packets`)));
  await relay.assertServing();
});

Deno.test("an index that comes twice gets 11, then the end", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay);
  using _ = producer;
  assertEquals(await producer.index(stream, 0n), 10);
  await producer.send("SEND_INDEX", indexRequest(stream, 0n));
  assertEquals(await producer.control.readToEnd(), hex("0000000b"));
  await relay.assertServing();
});

Deno.test("two producers cannot have one output directory", async () => {
  await using relay = new TestRelay();
  using _ = (await recording(relay)).producer;
  using second = await relay.producer();
  const refused = { code: 25, sessionId: 0n, outputPath: "" };
  for (const basePath of ["demo", "demo/archives", "demo/ust/uid"]) {
    const reply = await second.createSession({ basePath });
    assertEquals({ ...reply }, refused);
  }
  assertEquals({ ...await second.createSession() }, refused);
  const reply = await second.createSession({ sessionName: "mine" });
  assertEquals(reply.code, 10);
  await relay.assertServing();
});

Deno.test("a peer that sends byte by byte is served", async () => {
  await using relay = new TestRelay();
  using peer = await relay.connect("control");
  const header = "0000000000000000 0000000000000008 00000005 00000000";
  for (const byte of hex(`${header} 00000002 0000000d`)) {
    await peer.send(Uint8Array.of(byte));
    await new Promise((later) => setTimeout(later, 2));
  }
  assertEquals(await peer.read(8), hex("00000002 0000000f"));
});

Deno.test("many commands in one piece are answered in order", async () => {
  await using relay = new TestRelay();
  using peer = await versioned(relay);
  const configuration =
    "0000000000000000 0000000000000008 00000016 00000000 0000000000000000";
  const start = "0000000000000000 0000000000000000 00000003 00000000";
  await peer.send(hex(`${configuration} ${start}`.repeat(100)));
  const expected = hex("0000000a 0000000000000001 0000000a".repeat(100));
  assertEquals(await peer.read(expected.length), expected);
});

Deno.test("all that came before a peer's end of sending is answered", async () => {
  await using relay = new TestRelay();
  using peer = await versioned(relay);
  const request = hex(
    "0000000000000000 0000000000000008 00000016 00000000 0000000000000000",
  );
  const count = 20_000;
  const all = new Uint8Array(count * request.length);
  for (let at = 0; at < count; at++) all.set(request, at * request.length);
  // The replies do not fit the socket: they wait until the peer reads.
  const sending = peer.send(all).then(() => peer.closeWrite());
  await new Promise((later) => setTimeout(later, 100));
  const replies = await peer.readToEnd();
  await sending;
  assertEquals(replies.length, count * 12);
});

if (!endsWaitingWrites) {
  console.log(
    `Skipped: a peer that never reads: Deno ${Deno.version.deno} ends no ` +
      "connection in which a write waits",
  );
}

async function cutsOffDeafPeer(): Promise<void> {
  await using relay = new TestRelay({ socketTimeoutMs: 300 });
  using deaf = await versioned(relay);
  const request =
    "0000000000000000 0000000000000008 00000016 00000000 0000000000000000";
  const flood = hex(request.repeat(2000));
  const sending = (async () => {
    for (;;) await deaf.send(flood);
  })().catch((error) => error as Error);
  await relay.assertServing();
  const error = await sending;
  assertEquals(/in vain/.test(error.message), false, error.message);
  await relay.assertServing();
}

Deno.test({
  name: "a peer that never reads its replies is cut off, alone",
  ignore: !endsWaitingWrites,
  fn: cutsOffDeafPeer,
});
