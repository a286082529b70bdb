/** What a follower tells of metadata and packets, and in which order. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as limits from "../../lib/base/limits.ts";
import { ALL_ONES } from "../../lib/base/ids.ts";
import { WireError } from "../../lib/wire/struct.ts";
import {
  MetadataStatus,
  NextIndexFlag,
  NextIndexStatus,
  PacketStatus,
} from "../../lib/wire/live.ts";
import {
  FakeRelay,
  inactive,
  index,
  metadata,
  metadataStream,
  status,
  stream,
} from "./support/fake_relay.ts";
import {
  BEGINNING,
  follow,
  newStreams,
  NO_NEW,
  oneTrace,
} from "./support/follow.ts";

const EMPTY = { status: MetadataStatus.OK, metadata: new Uint8Array() };
const FORGOTTEN = { status: MetadataStatus.ERROR, metadata: new Uint8Array() };
const LOST = { status: PacketStatus.ERROR, flags: 0, packet: new Uint8Array() };

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

// ---- Metadata -----------------------------------------------------------------

test("metadata is fetched until there is no more", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [metadataStream(1n)]);
  relay.then(relay.metadata, 1n, metadata("a"), metadata("b"), metadata("c"));
  assertEquals(run.texts(1), [
    "session 5",
    "stream 1",
    ...["metadata 1 a", "metadata 1 b", "metadata 1 c"],
  ]);
});

for (const [name, number] of Object.entries(NextIndexStatus)) {
  test(`NEW_METADATA with ${name} brings metadata first`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.metadata, 1n, NO_NEW, metadata("more"));
    relay.then(relay.indexes, 2n, {
      ...index(0n),
      status: number,
      flags: NextIndexFlag.NEW_METADATA,
    });
    const texts = run.texts(1);
    assertEquals(texts.slice(0, 5), [...BEGINNING, "metadata 1 more"]);
  });
}

test("metadata that no index speaks of is not asked for", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  run.items(5);
  // Twice at the beginning: the text, and that there is no more.
  assertEquals(relay.count("GET_METADATA"), 2);
});

test("a packet waits for its trace's first metadata, others do not", () => {
  const relay = new FakeRelay();
  const other = { traceId: 8n };
  const run = follow(relay, [
    ...[metadataStream(1n), stream(2n)],
    ...[metadataStream(3n, other), stream(4n, other)],
  ]);
  relay.then(relay.metadata, 3n, metadata("other"));
  relay.then(relay.indexes, 2n, index(0n), index(10n));
  relay.then(relay.indexes, 4n, index(5n));
  assertEquals(run.texts(2).slice(5), ["metadata 3 other", "packet 4 at 5"]);
  relay.then(relay.metadata, 1n, metadata("late"));
  assertEquals(run.texts(2), [
    ...["metadata 1 late", "packet 2 at 0", "packet 2 at 10"],
  ]);
  // While it waited it was not asked what comes next.
  assertEquals(relay.indexesAsked.filter((id) => id === 2n).length, 4);
});

test("OK without metadata is asked again before the next packet", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.metadata, 1n, NO_NEW, EMPTY, EMPTY, metadata("more"));
  relay.then(
    relay.indexes,
    2n,
    index(0n, { flags: NextIndexFlag.NEW_METADATA }),
  );
  assertEquals(run.texts(5), [
    ...BEGINNING,
    ...["metadata 1 more", "packet 2 at 0"],
  ]);
});

test("a server that says OK without metadata for ever stops one trace", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [
    ...[metadataStream(1n), stream(2n)],
    stream(4n, { traceId: 8n }),
  ]);
  relay.then(relay.metadata, 1n, ...Array(1_000).fill(EMPTY));
  relay.then(relay.indexes, 2n, index(0n));
  relay.then(relay.indexes, 4n, index(5n));
  assertEquals(run.texts(10).slice(4), ["packet 4 at 5"]);
  assert(relay.count("GET_METADATA") < 50);
});

test("ERROR ends metadata, and packets go on", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [stream(2n), metadataStream(1n)]);
  relay.then(relay.metadata, 1n, metadata("text"), NO_NEW, FORGOTTEN);
  relay.then(
    relay.indexes,
    2n,
    index(0n, { flags: NextIndexFlag.NEW_METADATA }),
    index(10n, { flags: NextIndexFlag.NEW_METADATA }),
  );
  assertEquals(run.texts(1), [
    ...BEGINNING,
    "stream-ended 1 hang-up",
    "packet 2 at 0",
    "packet 2 at 10",
  ]);
});

test("ERROR before any metadata is told as an error, and packets go on", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [stream(2n), metadataStream(1n)]);
  relay.then(relay.metadata, 1n, FORGOTTEN);
  relay.then(relay.indexes, 2n, index(0n));
  assertEquals(run.texts(1).slice(3), [
    "stream-ended 1 error",
    "packet 2 at 0",
  ]);
});

test("metadata of a trace whose data has ended is fetched until ERROR", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, status(NextIndexStatus.HANG_UP));
  relay.then(
    relay.metadata,
    1n,
    ...[NO_NEW, NO_NEW, metadata("rest"), NO_NEW, FORGOTTEN],
  );
  assertEquals(run.texts(6), [
    ...BEGINNING,
    "stream-ended 2 hang-up",
    "metadata 1 rest",
    "stream-ended 1 hang-up",
  ]);
  const asked = relay.count("GET_METADATA");
  run.items(5);
  assertEquals(relay.count("GET_METADATA"), asked);
});

// ---- Packets ----------------------------------------------------------------------

test("a packet is fetched in pieces of the request size", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay), { requestBytes: 1000 });
  relay.then(
    relay.indexes,
    2n,
    index(0n, { offset: 100n, packetSize: 8n * 2500n }),
  );
  const packet = run.items(1).find((item) => item.kind === "packet");
  assertEquals(
    packet?.bytes,
    Uint8Array.from({ length: 2500 }, (_, i) => (100 + i) & 0xFF),
  );
  const asked = relay.asked.flatMap((command) =>
    command.name === "GET_PACKET" ? [command.request] : []
  );
  assertEquals(asked, [
    { streamId: 2n, offset: 100n, length: 1000 },
    { streamId: 2n, offset: 1100n, length: 1000 },
    { streamId: 2n, offset: 2100n, length: 500 },
  ]);
});

for (const number of [PacketStatus.ERROR, PacketStatus.END_OF_FILE]) {
  test(`a packet with status ${number} is lost, and the next is not`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.indexes, 2n, index(0n), index(10n));
    relay.packets.push({ ...LOST, status: number });
    assertEquals(run.texts(1).slice(4), [
      "packet-lost 2 at 0 unavailable",
      "packet 2 at 10",
    ]);
  });
}

test("a packet whose second piece is lost is lost whole", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay), { requestBytes: 4 });
  relay.then(relay.indexes, 2n, index(0n));
  const piece = Uint8Array.of(1, 2, 3, 4);
  relay.packets.push({ status: 1, flags: 0, packet: piece }, LOST);
  assertEquals(run.texts(1).slice(4), ["packet-lost 2 at 0 unavailable"]);
});

test("a packet that is still coming is asked for again, not for ever", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n), index(10n));
  const retry = { ...LOST, status: PacketStatus.RETRY };
  relay.packets.push(...Array(9).fill(retry), {
    status: PacketStatus.OK,
    flags: 0,
    packet: new Uint8Array(8),
  });
  relay.packets.push(...Array(10).fill(retry));
  assertEquals(run.texts(20).slice(4), [
    "packet 2 at 0",
    "packet-lost 2 at 10 unavailable",
  ]);
});

test("an old relay daemon's packet comes once its flags are heeded", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n));
  relay.then(relay.metadata, 1n, NO_NEW, metadata("more"));
  relay.then(relay.newStreams, 5n, newStreams(stream(7n)));
  relay.packets.push(
    { ...LOST, flags: NextIndexFlag.NEW_METADATA },
    { ...LOST, flags: NextIndexFlag.NEW_STREAM },
  );
  assertEquals(run.texts(1).slice(4), [
    ...["metadata 1 more", "stream 7", "packet 2 at 0"],
  ]);
});

test("a packet of another length than asked for makes no sense", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n));
  relay.packets.push({ status: 1, flags: 0, packet: new Uint8Array(7) });
  assertThrows(
    () => run.items(1),
    WireError,
    "7 bytes, not the 8 that were asked for",
  );
});

const HUGE = 8n * (BigInt(limits.LIVE_PACKET_BYTES) + 1n);
const ODD_INDEXES = [
  ["without a size", { packetSize: 0n, contentSize: 0n }, "bad-index"],
  ["of half a byte", { packetSize: 68n }, "bad-index"],
  ["with more content than size", { contentSize: 65n }, "bad-index"],
  ["beyond what a file can be", { offset: ALL_ONES - 7n }, "bad-index"],
  ["larger than the limit", { packetSize: HUGE }, "too-large"],
] as const;

for (const [name, changes, reason] of ODD_INDEXES) {
  test(`a packet ${name} is lost without being asked for`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.indexes, 2n, index(0n, changes), index(10n));
    assertEquals(run.texts(1).slice(4), [
      `packet-lost 2 at 0 ${reason}`,
      "packet 2 at 10",
    ]);
    assertEquals(relay.count("GET_PACKET"), 1);
  });
}

test("times of an index that contradicts itself are not believed", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(
    relay.indexes,
    2n,
    index(0n, { packetSize: 0n, timestampEnd: ALL_ONES }),
    inactive(20n),
  );
  assertEquals(run.texts(1).at(-1), "inactive 2 until 20");
});
