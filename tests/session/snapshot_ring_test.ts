import { assertEquals, assertRejects } from "@std/assert";
import type { PacketInfo } from "../../lib/ctf/sink.ts";
import { SnapshotRing } from "../../lib/session/snapshot_ring.ts";

/** A pure test. */
function test(name: string, run: () => Promise<void>): void {
  Deno.test(name, { permissions: "none" }, run);
}

const BYTES = 4096;

/** A ring with one stream, and how to give it the packets of these numbers. */
async function oneStream(packets: number, overwrite = true) {
  const ring = new SnapshotRing(() => ({ packets, overwrite }));
  const stream = await ring.openStream("channel0_0");
  return {
    ring,
    async write(...numbers: number[]): Promise<void> {
      for (const number of numbers) {
        await stream.writePacket(new Uint8Array(BYTES), packet(number));
      }
    },
    numbers(sizeMaximum = 0n): number[] {
      const [only] = ring.content(sizeMaximum).streams;
      return only!.packets.map(({ info }) => Number(info.packetSequenceNumber));
    },
  };
}

function packet(number: number): PacketInfo {
  return {
    packetSize: BigInt(BYTES * 8),
    contentSize: BigInt(BYTES * 8),
    timestampBegin: 0n,
    timestampEnd: 0n,
    eventsDiscarded: 0n,
    streamClassId: 0n,
    streamInstanceId: 0n,
    packetSequenceNumber: BigInt(number),
  };
}

test("SnapshotRing keeps the newest packets, for each snapshot again", async () => {
  const { ring, write, numbers } = await oneStream(3);
  await write(0, 1);
  assertEquals(numbers(), [0, 1]);
  await write(2, 3);
  assertEquals([numbers(), numbers()], [[1, 2, 3], [1, 2, 3]]);
  ring.clear();
  assertEquals(numbers(), []);
});

test("SnapshotRing keeps nothing from before packets that were overwritten", async () => {
  const { write, numbers } = await oneStream(4);
  await write(0, 1, 3);
  assertEquals(numbers(), [3]);
  await write(4);
  assertEquals(numbers(), [3, 4]);
});

test("SnapshotRing refuses what comes after it is full, in discard mode", async () => {
  const { write, numbers } = await oneStream(2, false);
  await write(0, 1);
  await assertRejects(() => write(2), Error, "full");
  assertEquals(numbers(), [0, 1]);
});

test("SnapshotRing gives the newest packets that fit", async () => {
  const { write, numbers } = await oneStream(4);
  await write(0, 1, 2, 3);
  assertEquals(numbers(BigInt(2 * BYTES)), [2, 3]);
  assertEquals(numbers(BigInt(BYTES - 1)), []);
});

test("SnapshotRing.keepAll() keeps all of one read, until the next", async () => {
  const { ring, write, numbers } = await oneStream(2);
  await write(0);
  await ring.keepAll(() => write(1, 2, 3));
  assertEquals(numbers(), [1, 2, 3]);
  await ring.keepAll(() => write(4));
  assertEquals(numbers(), [3, 4]);
});

test("SnapshotRing.keepAll() keeps all of one read in discard mode, and nothing after", async () => {
  const { ring, write, numbers } = await oneStream(2, false);
  await ring.keepAll(() => write(0, 1, 2));
  await assertRejects(() => ring.keepAll(() => write(3)), Error, "full");
  assertEquals(numbers(), [0, 1, 2]);
});
