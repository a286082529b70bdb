/** What a bad peer gets on the data port: the end, and no say in others' streams. */

import { assert, assertEquals } from "@std/assert";
import { PACKET_BYTES } from "../../lib/base/limits.ts";
import { waitFor } from "../support/process.ts";
import { type Producer, TestRelay } from "./support/relay.ts";

const NOTHING = new Uint8Array();
const CONTENT = new TextEncoder().encode("a packet");

async function recording(
  relay: TestRelay,
  sessionName = "demo",
): Promise<{ producer: Producer; stream: bigint }> {
  const producer = await relay.producer();
  await producer.createSession({ sessionName });
  await producer.createChunk(0n);
  return { producer, stream: await producer.addStream("ch_0") };
}

/** Polls until the relay daemon's log has a line with `text` in it. */
async function logged(relay: TestRelay, text: string): Promise<void> {
  await waitFor(
    `a line with ${text}`,
    () => relay.lines.some((line) => line.includes(text)),
  );
}

function header(streamId: bigint, netSequenceNumber = 0n, dataSize = 8) {
  return { streamId, netSequenceNumber, dataSize, paddingSize: 0 };
}

for (const stream of [0n, 1n, 0xFFFF_FFFF_FFFF_FFFFn]) {
  Deno.test(`a packet for stream ${stream}, which is not there, is the end`, async () => {
    await using relay = new TestRelay();
    using peer = await relay.connect("data");
    await peer.sendData(header(stream), CONTENT);
    assertEquals(await peer.readToEnd(), NOTHING);
    await logged(relay, `No such stream: ${stream}`);
    await relay.assertServing();
  });
}

Deno.test("half a data header and then nothing delays nobody", async () => {
  await using relay = new TestRelay();
  using peer = await relay.connect("data");
  await peer.send(new Uint8Array(31));
  await relay.assertServing();
  await peer.expectSilence(50);
});

Deno.test("a second data connection cannot inject into a stream", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay);
  using _ = producer;
  await producer.packet(stream, 0n, CONTENT);
  assertEquals(await producer.index(stream, 0n), 10);
  await waitFor("the packet", () => isStored(relay, 8));

  using stranger = await relay.connect("data");
  await stranger.sendData(header(stream, 1n), CONTENT);
  assertEquals(await stranger.readToEnd(), NOTHING);
  await logged(relay, "has a data connection already");

  await producer.packet(stream, 1n, CONTENT);
  assertEquals(await producer.index(stream, 1n), 10);
  await waitFor("the second packet", () => isStored(relay, 16));
  await relay.assertServing();
});

Deno.test("one data connection cannot serve two sessions", async () => {
  await using relay = new TestRelay();
  const victim = await recording(relay, "victim");
  const thief = await recording(relay, "thief");
  using _ = victim.producer;
  using __ = thief.producer;
  await thief.producer.packet(thief.stream, 0n, CONTENT);
  await thief.producer.packet(victim.stream, 0n, CONTENT);
  assertEquals(await thief.producer.data.readToEnd(), NOTHING);
  await logged(relay, "belongs to another session");
  await victim.producer.packet(victim.stream, 0n, CONTENT);
  assertEquals(await victim.producer.index(victim.stream, 0n), 10);
  await waitFor("the victim's packet", () => isStored(relay, 8, "victim"));
});

const REFUSED = [
  {
    name: "a packet that is too large",
    send: { dataSize: 0xFFFF_FFFF, paddingSize: 0xFFFF_FFFF },
    line: `a packet of ${2 * 0xFFFF_FFFF} bytes > ${PACKET_BYTES}`,
  },
  {
    name: "a padding that is too large",
    send: { dataSize: 1, paddingSize: PACKET_BYTES },
    line: `a packet of ${PACKET_BYTES + 1} bytes > ${PACKET_BYTES}`,
  },
];

for (const { name, send, line } of REFUSED) {
  Deno.test(`${name} is the end of the connection`, async () => {
    await using relay = new TestRelay();
    const { producer, stream } = await recording(relay);
    using _ = producer;
    await producer.data.sendData(
      { streamId: stream, netSequenceNumber: 0n, ...send },
      NOTHING,
    );
    assertEquals(await producer.data.readToEnd(), NOTHING);
    await logged(relay, line);
    assertEquals(await producer.index(stream, 0n), 11);
    await relay.assertServing();
  });
}

Deno.test("a packet that comes twice is the end of the connection", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay);
  using _ = producer;
  await producer.packet(stream, 0n, CONTENT);
  await producer.packet(stream, 0n, CONTENT);
  assertEquals(await producer.data.readToEnd(), NOTHING);
  await logged(relay, "packet 0 came twice");
  await relay.assertServing();
});

Deno.test("data for a metadata stream is the end of the connection", async () => {
  await using relay = new TestRelay();
  const { producer } = await recording(relay);
  using _ = producer;
  const metadata = await producer.addStream("metadata");
  await producer.packet(metadata, 0n, CONTENT);
  assertEquals(await producer.data.readToEnd(), NOTHING);
  await logged(relay, "a data packet for metadata");
  await relay.assertServing();
});

Deno.test("a thousand empty packets are a thousand packets", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay);
  using _ = producer;
  for (let at = 0n; at < 1000n; at++) {
    await producer.packet(stream, at, NOTHING);
  }
  for (let at = 0n; at < 1000n; at++) {
    assertEquals(await producer.index(stream, at), 10);
  }
  const index = `${relay.output}/vm/demo/kernel/index/ch_0.idx`;
  await waitFor("1000 entries", () => {
    return sizeOf(index) === 16 + 1000 * 72;
  });
  await relay.assertServing();
});

Deno.test("a packet that comes byte by byte is stored", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay);
  using _ = producer;
  const bytes: number[] = [];
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(8, stream);
  view.setUint32(24, CONTENT.length);
  view.setUint32(28, 4);
  bytes.push(...new Uint8Array(view.buffer), ...CONTENT);
  for (const byte of bytes) {
    await producer.data.send(Uint8Array.of(byte));
    await new Promise((later) => setTimeout(later, 2));
  }
  assertEquals(await producer.index(stream, 0n), 10);
  await waitFor("the packet", () => isStored(relay, 12));
});

Deno.test("one stalled peer delays nine fast ones not at all", async () => {
  await using relay = new TestRelay();
  const stalled = await recording(relay, "stalled");
  using _ = stalled.producer;
  await stalled.producer.data.sendData(
    header(stalled.stream, 0n, 1_000_000),
    new Uint8Array(500_000),
  );
  await stalled.producer.control.send(new Uint8Array(20));
  const packet = new Uint8Array(100_000).fill(7);
  const begin = Date.now();
  await Promise.all(Array.from({ length: 9 }, async (_, at) => {
    const { producer, stream } = await recording(relay, `fast-${at}`);
    using _producer = producer;
    for (let number = 0n; number < 20n; number++) {
      await producer.packet(stream, number, packet);
      assertEquals(await producer.index(stream, number), 10);
    }
    await waitFor(
      `fast-${at}`,
      () => isStored(relay, 2_000_000, `fast-${at}`),
    );
  }));
  assert(Date.now() - begin < 10_000, `${Date.now() - begin} ms`);
});

for (const port of ["control", "data", "live"] as const) {
  Deno.test(`200 connections to the ${port} port come and go`, async () => {
    await using relay = new TestRelay();
    for (let at = 0; at < 200; at++) {
      const peer = await relay.connect(port);
      if (at % 3 === 0) await peer.send(new Uint8Array(at % 30));
      if (at % 5 === 0) await peer.closeWrite();
      peer.close();
    }
    await relay.assertServing();
  });
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return -1;
  }
}

function isStored(relay: TestRelay, size: number, session = "demo"): boolean {
  return sizeOf(`${relay.output}/vm/${session}/kernel/ch_0`) === size;
}
