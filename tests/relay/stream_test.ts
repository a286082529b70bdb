/** Data and index of a packet find each other, in whatever order they come. */

import { assertEquals, assertThrows } from "@std/assert";
import { FatalPeerError } from "../../lib/base/errors.ts";
import { ALL_ONES } from "../../lib/base/ids.ts";
import { assertRefused } from "./support/refused.ts";
import { packet, packets, UST_PATH, World } from "./support/world.ts";

const OUTPUT = "vm/demo";
const DATA = `${OUTPUT}/${UST_PATH}/ch_0`;
const INDEX = `${OUTPUT}/${UST_PATH}/index/ch_0.idx`;

Deno.test("a data file is there as soon as ADD_STREAM, its index with data", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  assertEquals(world.tree(), [DATA]);
  assertEquals(world.read(DATA).length, 0);
  consumer.data(stream, 0n);
  assertEquals(world.tree(), [DATA, INDEX]);
  assertEquals(world.entries(INDEX), []);
});

Deno.test("an index after its data is stored", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.data(stream, 0n, 8, 24);
  consumer.index(stream, 0n, { eventsDiscarded: 3n });
  assertEquals(
    world.read(DATA),
    Uint8Array.from([...packet(0n), ...new Array(24).fill(0)]),
  );
  assertEquals(world.entries(INDEX), [{
    offset: 0n,
    packetSize: 64n,
    contentSize: 64n,
    timestampBegin: 0n,
    timestampEnd: 9n,
    eventsDiscarded: 3n,
    streamId: 0n,
    streamInstanceId: 0n,
    packetSequenceNumber: 0n,
  }]);
});

Deno.test("an index before its data is stored when the data is whole", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, 0n);
  consumer.beginData(stream, 0n, 8);
  consumer.payload(stream, 0n, 4);
  assertEquals(consumer.pending(stream, 0n), 1);
  consumer.payload(stream, 0n, 4);
  consumer.endData(stream);
  assertEquals(world.entries(INDEX).length, 1);
  assertEquals(consumer.pending(stream, 0n), 0);
});

Deno.test("many packets may wait for their indexes", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  for (let at = 0n; at < 50n; at++) consumer.data(stream, at, 8, 8);
  assertEquals(world.entries(INDEX), []);
  for (let at = 0n; at < 50n; at++) consumer.index(stream, at);
  const offsets = world.entries(INDEX).map((entry) => entry.offset);
  assertEquals(offsets, Array.from({ length: 50 }, (_, at) => BigInt(at * 16)));
});

Deno.test("many indexes may wait for their packets", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  for (let at = 0n; at < 50n; at++) consumer.index(stream, at);
  assertEquals(world.tree(), [DATA]);
  for (let at = 0n; at < 50n; at++) consumer.data(stream, at);
  const numbers = world.entries(INDEX).map((it) => it.packetSequenceNumber);
  assertEquals(numbers, Array.from({ length: 50 }, (_, at) => BigInt(at)));
});

Deno.test("an empty packet is a packet", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.data(stream, 0n, 0);
  consumer.index(stream, 0n);
  consumer.packets(stream, 1n, 1n);
  const offsets = world.entries(INDEX).map((entry) => entry.offset);
  assertEquals(offsets, [0n, 0n]);
});

Deno.test("a packet that came already is refused while it waits", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.data(stream, 0n);
  assertThrows(() => consumer.data(stream, 0n), FatalPeerError, "came twice");
});

Deno.test("an index that came already is refused while it waits", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, 0n);
  assertRefused(() => consumer.index(stream, 0n), { code: 11, text: "twice" });
});

Deno.test("data for a metadata stream is refused", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("metadata");
  assertRefused(() => consumer.data(stream, 0n), { text: "metadata" });
});

Deno.test("metadata for a data stream is refused without a reply", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  assertRefused(() => consumer.metadata(stream, "x"), {
    text: "is not a metadata stream",
  });
});

Deno.test("metadata is stored with its padding", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("metadata");
  consumer.metadata(stream, "ab", 3);
  consumer.metadata(stream, "c");
  const path = `${OUTPUT}/${UST_PATH}/metadata`;
  assertEquals(world.read(path), new TextEncoder().encode("ab\0\0\0c"));
  assertEquals(consumer.stream(stream).metadataReceived, 6);
  assertEquals(world.tree(), [path]);
});

Deno.test("RESET_METADATA begins an empty file", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("metadata");
  consumer.metadata(stream, "old and long");
  consumer.call("RESET_METADATA", { streamId: stream, version: 1n });
  consumer.metadata(stream, "new");
  const path = `${OUTPUT}/${UST_PATH}/metadata`;
  assertEquals(world.read(path), new TextEncoder().encode("new"));
});

Deno.test("RESET_METADATA is refused for data and for live sessions", () => {
  using world = new World();
  const consumer = world.recording();
  const data = consumer.addStream();
  const reset = (streamId: bigint) =>
    consumer.call("RESET_METADATA", { streamId, version: 1n });
  assertRefused(() => reset(data), { code: 11, text: "not a metadata stream" });
  assertRefused(() => reset(99n), { code: 11, text: "no stream 99" });
  const live = world.recording({ sessionName: "live", liveTimer: 500_000 });
  const metadata = live.addStream("metadata");
  assertRefused(
    () => live.call("RESET_METADATA", { streamId: metadata, version: 1n }),
    { code: 11, text: "is live" },
  );
});

Deno.test("a beacon is not stored, and tells time and stream class", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, ALL_ONES, { packetSize: 0n, timestampEnd: 77n });
  assertEquals(world.tree(), [DATA]);
  assertEquals(consumer.stream(stream).beaconTimestamp, 77n);
  assertEquals(consumer.stream(stream).ctfStreamId, 0n);
  consumer.packets(stream, 0n, 0n);
  assertEquals(consumer.stream(stream).beaconTimestamp, undefined);
});

Deno.test("a beacon is ignored while a packet is half there", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, 0n);
  consumer.index(stream, 0n, { packetSize: 0n, timestampEnd: 77n });
  assertEquals(consumer.stream(stream).beaconTimestamp, undefined);
});

Deno.test("a snapshot stores no indexes", () => {
  using world = new World();
  const consumer = world.consumer();
  consumer.createSession({ snapshot: 1 });
  consumer.createChunk(0n, undefined, "snapshot-1");
  const stream = consumer.addStream();
  consumer.data(stream, 0n);
  consumer.index(stream, 0n);
  assertEquals(world.tree(), [`${OUTPUT}/snapshot-1/${UST_PATH}/ch_0`]);
});

for (const minor of [1, 2, 3] as const) {
  Deno.test(`a peer of 2.${minor} stores no indexes`, () => {
    using world = new World();
    const consumer = world.recording({}, minor);
    const stream = consumer.addStream("ch_0", { path: "/vm/demo/kernel" });
    consumer.data(stream, 0n);
    assertEquals(world.tree(), ["vm/demo/kernel/ch_0"]);
    assertEquals(world.read("vm/demo/kernel/ch_0"), packets(0n));
    assertEquals(consumer.pending(stream, 0n), 0);
  });
}

for (const [minor, entry] of [[4, 56], [7, 56], [8, 72], [10, 72]] as const) {
  Deno.test(`a peer of 2.${minor} gets index entries of ${entry} bytes`, () => {
    using world = new World();
    const consumer = world.recording({}, minor);
    const stream = consumer.addStream("ch_0", { path: "/vm/demo/kernel" });
    consumer.packets(stream, 0n, 0n);
    const index = world.read("vm/demo/kernel/index/ch_0.idx");
    assertEquals(index.length, 16 + entry);
    assertEquals(index[15], entry);
    assertEquals(index[11], minor < 8 ? 0 : 1);
  });
}

Deno.test("a pending packet is pending until data and index are there", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  assertEquals(consumer.pending(stream, ALL_ONES), 0);
  assertEquals(consumer.pending(stream, 0n), 1);
  consumer.data(stream, 0n);
  assertEquals(consumer.pending(stream, 0n), 1);
  consumer.index(stream, 0n);
  assertEquals(consumer.pending(stream, 0n), 0);
  assertEquals(consumer.pending(stream, 1n), 1);
  consumer.packets(stream, 1n, 5n);
  assertEquals(consumer.pending(stream, 5n), 0);
  assertEquals(consumer.pending(stream, 6n), 1);
});

Deno.test("DATA_PENDING compares as signed numbers", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  const last = 0x7FFF_FFFF_FFFF_FFFFn;
  consumer.data(stream, last);
  consumer.index(stream, last, { timestampEnd: 0n });
  assertEquals(consumer.pending(stream, last), 0);
  assertEquals(consumer.pending(stream, last + 1n), 1);
  assertEquals(consumer.pending(stream, last - 1n), 0);
});

Deno.test("DATA_PENDING for an unknown stream says all ones and closes", () => {
  using world = new World();
  const consumer = world.recording();
  for (const stream of [99n, ALL_ONES]) {
    assertRefused(() => consumer.pending(stream, 0n), {
      code: 0xFFFF_FFFF,
      text: "No such stream",
    });
  }
});

Deno.test("END_DATA_PENDING is about streams that were not asked for", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  const metadata = consumer.addStream("metadata");
  const sessionId = consumer.session.id;
  const end = () => consumer.call("END_DATA_PENDING", { sessionId }).code;
  consumer.call("BEGIN_DATA_PENDING", { sessionId });
  assertEquals(end(), 1);
  consumer.pending(stream, ALL_ONES);
  assertEquals(end(), 1);
  consumer.call("QUIESCENT_CONTROL", { streamId: metadata });
  assertEquals(end(), 0);
  consumer.call("BEGIN_DATA_PENDING", { sessionId });
  assertEquals(end(), 1);
  consumer.closeStream(metadata);
  consumer.index(stream, 0n);
  consumer.closeStream(stream, 0n);
  assertEquals(end(), 1, "packet 0 of the closing stream is on the wire");
  consumer.data(stream, 0n);
  assertEquals(end(), 0);
});

Deno.test("BEGIN and END_DATA_PENDING leave other sessions alone", () => {
  using world = new World();
  const consumer = world.recording();
  const other = world.recording({ sessionName: "other" });
  const stream = other.addStream();
  other.pending(stream, ALL_ONES);
  const foreign = { sessionId: other.session.id };
  assertEquals(consumer.call("BEGIN_DATA_PENDING", foreign).code, 10);
  assertEquals(consumer.call("END_DATA_PENDING", foreign).code, 0);
  assertEquals(other.call("END_DATA_PENDING", foreign).code, 0);
  assertEquals(consumer.call("END_DATA_PENDING", { sessionId: 99n }).code, 0);
});

Deno.test("QUIESCENT_CONTROL answers for an unknown stream too", () => {
  using world = new World();
  const consumer = world.recording();
  assertEquals(consumer.call("QUIESCENT_CONTROL", { streamId: 9n }).code, 10);
});

Deno.test("STREAMS_SENT publishes what was added, at once", () => {
  using world = new World();
  const consumer = world.recording();
  const first = consumer.addStream("ch_0");
  const second = consumer.addStream("metadata");
  assertEquals(consumer.stream(first).published, false);
  assertEquals(consumer.call("STREAMS_SENT", {}).code, 10);
  const third = consumer.addStream("ch_1");
  assertEquals(
    [first, second, third].map((id) => consumer.stream(id).published),
    [true, true, false],
  );
});

Deno.test("lost packets and discarded events are counted", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.data(stream, 0n);
  consumer.index(stream, 0n, { packetSequenceNumber: 0n, eventsDiscarded: 4n });
  consumer.data(stream, 1n);
  consumer.index(stream, 1n, { packetSequenceNumber: 5n, eventsDiscarded: 9n });
  const { totals } = consumer.stream(stream);
  assertEquals(totals.packetsLost, 4n);
  assertEquals(totals.eventsDiscarded, 9n);
  assertEquals([totals.packets, totals.bytes], [2, 16]);
});
