/** Viewers on real sockets: reply sizes, large replies, viewers that do not read. */

import { assertEquals } from "@std/assert";
import { viewerHeader } from "../../lib/wire/live.ts";
import type { RawPeer } from "../support/raw_peer.ts";
import {
  hex,
  indexRequest,
  type Producer,
  sessionRequest,
  TestRelay,
} from "./support/relay.ts";

const MIB = 1024 * 1024;
const CONNECT = hex("ffffffffffffffff 00000002 00000004 00000001");

function command(number: number, payload = ""): Uint8Array {
  return bytesOf(number, hex(payload));
}

function bytesOf(number: number, payload: Uint8Array): Uint8Array {
  const dataSize = BigInt(payload.length);
  const header = { dataSize, command: number, commandVersion: 0 };
  return Uint8Array.from([...viewerHeader.encode(header), ...payload]);
}

function u64(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

interface Recording extends Disposable {
  producer: Producer;
  session: bigint;
  metadata: bigint;
  data: bigint;
}

/** A live session with one packet of `size` bytes and a little metadata. */
async function record(relay: TestRelay, size: number): Promise<Recording> {
  const producer = await relay.producer();
  const { sessionId } = await producer.createSession(
    sessionRequest({ liveTimer: 100_000 }),
  );
  await producer.createChunk(0n);
  const metadata = await producer.addStream("metadata");
  const data = await producer.addStream("ch_0");
  await producer.call("STREAMS_SENT", {});
  await producer.send("SEND_METADATA", {
    streamId: metadata,
    paddingSize: 0,
    metadata: hex("61626364"),
  });
  await producer.packet(data, 0n, content(size));
  const bits = BigInt(size) * 8n;
  await producer.call("SEND_INDEX", {
    ...indexRequest(data, 0n),
    packetSize: bits,
    contentSize: bits,
  });
  return {
    producer,
    session: sessionId,
    metadata,
    data,
    [Symbol.dispose]: () => producer[Symbol.dispose](),
  };
}

function content(size: number): Uint8Array {
  return new Uint8Array(size).map((_, index) => index % 251);
}

/** A viewer that is attached to the recording. */
async function attach(
  relay: TestRelay,
  { session }: Recording,
): Promise<RawPeer> {
  const viewer = await relay.connect("live");
  await viewer.send(
    bytesOf(1, CONNECT),
    command(8),
    command(3, u64(session) + u64(0n) + "00000001"),
  );
  const replies = await viewer.read(20 + 4 + 8 + 2 * 4371);
  assertEquals(replies.subarray(20, 32), hex("00000001 00000001 00000002"));
  return viewer;
}

/** Asks until the first index is there: its data may still be on the way. */
async function firstIndex(viewer: RawPeer, data: bigint): Promise<Uint8Array> {
  for (let attempt = 0; attempt < 500; attempt++) {
    await viewer.send(command(4, u64(data)));
    const reply = await viewer.read(64);
    if (reply[59] === 1) return reply;
    await new Promise((again) => setTimeout(again, 10));
  }
  throw new Error("No index came");
}

Deno.test("every viewer command is answered in its order and size", async () => {
  await using relay = new TestRelay();
  using recording = await record(relay, 8);
  const { session, metadata, data } = recording;
  using viewer = await attach(relay, recording);
  const index = await firstIndex(viewer, data);
  assertEquals(index.subarray(0, 16), hex(u64(0n) + u64(64n)));
  await viewer.send(
    command(2),
    command(6, u64(metadata)),
    command(5, u64(data) + u64(0n) + "00000008"),
    command(5, u64(data) + u64(1n) + "00000008"),
    command(4, u64(data)),
    command(7, u64(session)),
    command(9, u64(session)),
    command(4, u64(data)),
  );
  const list = await viewer.read(4 + 339);
  assertEquals(
    list.subarray(0, 24),
    hex(`00000001 ${u64(session)} 000186a0 00000001 00000002`),
  );
  assertEquals(
    await viewer.read(16),
    hex(`${u64(4n)} 00000001 61626364`),
  );
  assertEquals(
    await viewer.read(20),
    Uint8Array.from([...hex("00000001 00000008 00000000"), ...content(8)]),
  );
  assertEquals(await viewer.read(12), hex("00000003 00000000 00000000"));
  const nothing = "00".repeat(56);
  assertEquals(await viewer.read(64), hex(`${nothing} 00000002 00000000`));
  assertEquals(await viewer.read(8), hex("00000001 00000000"));
  assertEquals(await viewer.read(4), hex("00000001"));
  assertEquals(await viewer.read(64), hex(`${nothing} 00000004 00000000`));
  await viewer.expectSilence(20);
});

Deno.test("a packet larger than one piece of a reply arrives whole", async () => {
  await using relay = new TestRelay();
  const size = 3 * MIB + 5;
  using recording = await record(relay, size);
  using viewer = await attach(relay, recording);
  await firstIndex(viewer, recording.data);
  const length = size.toString(16).padStart(8, "0");
  await viewer.send(command(5, u64(recording.data) + u64(0n) + length));
  const reply = await viewer.read(12 + size);
  assertEquals(reply.subarray(0, 12), hex(`00000001 ${length} 00000000`));
  const expected = content(size);
  assertEquals(
    reply.subarray(12).findIndex((byte, at) => byte !== expected[at]),
    -1,
  );
});

Deno.test("a viewer that does not read delays nobody", async () => {
  await using relay = new TestRelay();
  const size = 3 * MIB;
  using recording = await record(relay, size);
  const { data, producer } = recording;
  using slow = await attach(relay, recording);
  await firstIndex(slow, data);
  const length = size.toString(16).padStart(8, "0");
  const request = command(5, u64(data) + u64(0n) + length);
  await slow.send(...Array.from({ length: 20 }, () => request));
  using viewer = await attach(relay, recording);
  await firstIndex(viewer, data);
  await producer.packet(data, 1n, content(8));
  await producer.index(data, 1n);
  const second = await firstIndex(viewer, data);
  assertEquals(second.subarray(0, 8), hex(u64(BigInt(size))));
  await relay.assertServing();
  // Nothing of its own is lost either.
  const reply = await slow.read(12);
  assertEquals(reply, hex(`00000001 ${length} 00000000`));
});

Deno.test("a viewer that leaves while it is answered harms nobody", async () => {
  await using relay = new TestRelay();
  using recording = await record(relay, 3 * MIB);
  {
    using viewer = await attach(relay, recording);
    await firstIndex(viewer, recording.data);
    await viewer.send(
      command(5, u64(recording.data) + u64(0n) + "00300000"),
    );
  }
  using viewer = await attach(relay, recording);
  await firstIndex(viewer, recording.data);
  await relay.assertServing();
});
