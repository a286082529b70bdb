/** Random bytes on every port: no crash, nothing outside, still serving. */

import { assertEquals } from "@std/assert";
import { commandHeader, commands, dataHeader } from "../../lib/wire/relay.ts";
import type { RawPeer } from "../support/raw_peer.ts";
import { Random, SEED } from "./support/random.ts";
import { TestRelay } from "./support/relay.ts";

const ROUNDS = 60;
const NUMBERS = Object.values(commands).map((command) => command.number);

/** Sends, ends, and waits for the other end; the relay may hang up any time. */
async function throwAt(peer: RawPeer, ...pieces: Uint8Array[]): Promise<void> {
  try {
    for (const piece of pieces) await peer.send(piece);
    await peer.closeWrite();
  } catch {
    // It hung up already, as it may.
  }
  try {
    await peer.readToEnd();
  } catch (error) {
    // A reset is an end; that nothing comes at all is not.
    if (/in vain/.test(String(error))) throw error;
  }
  peer.close();
}

for (const port of ["control", "data", "live"] as const) {
  Deno.test(`the ${port} port takes random bytes`, async () => {
    console.log(`LTTNG_SEED=${SEED}`);
    const random = new Random(SEED);
    await using relay = new TestRelay();
    for (let round = 0; round < ROUNDS; round++) {
      const peer = await relay.connect(port);
      await throwAt(peer, random.bytes(random.below(3000)));
    }
    await relay.assertServing();
    assertEquals(relay.outside(), []);
  });
}

Deno.test("the control port takes random payloads of real commands", async () => {
  console.log(`LTTNG_SEED=${SEED}`);
  const random = new Random(SEED + 1);
  await using relay = new TestRelay();
  for (let round = 0; round < ROUNDS; round++) {
    const minor = 1 + random.below(15);
    using producer = await relay.producer(minor);
    const session = minor < 4 ? { sessionName: "", hostname: "" } : {
      sessionName: `s${round}`,
    };
    await producer.createSession(session);
    if (minor >= 11) await producer.createChunk(0n);
    const pieces = Array.from({ length: 20 }, () => {
      const payload = random.bytes(random.pick([0, 4, 8, 12, 16, 21, 80, 327]));
      // Lengths and handles that are small are more often taken as real.
      for (let at = 0; at < payload.length; at++) {
        if (random.below(4) > 0) payload[at] = random.below(2);
      }
      const header = commandHeader.encode({
        circuitId: 0n,
        dataSize: BigInt(payload.length),
        command: random.pick(NUMBERS),
        commandVersion: 0,
      });
      return Uint8Array.from([...header, ...payload]);
    });
    await throwAt(producer.control, ...pieces);
  }
  await relay.assertServing();
  assertEquals(relay.outside(), []);
});

Deno.test("the data port takes random headers of a real stream", async () => {
  console.log(`LTTNG_SEED=${SEED}`);
  const random = new Random(SEED + 2);
  await using relay = new TestRelay();
  for (let round = 0; round < ROUNDS; round++) {
    using producer = await relay.producer();
    await producer.createSession({ sessionName: `s${round}` });
    await producer.createChunk(0n);
    const streamId = await producer.addStream("ch_0");
    const pieces = Array.from({ length: 10 }, () => {
      const header = dataHeader.encode({
        circuitId: BigInt(random.below(9)),
        streamId,
        netSequenceNumber: BigInt(random.below(12)),
        dataSize: random.pick([0, 1, 8, 100, 70_000, 0xFFFF_FFFF]),
        paddingSize: random.pick([0, 1, 4096, 100_000, 0xFFFF_FFFF]),
      });
      return Uint8Array.from([...header, ...random.bytes(random.below(200))]);
    });
    await throwAt(producer.data, ...pieces);
  }
  await relay.assertServing();
  assertEquals(relay.outside(), []);
});
