/** Viewers and streams: indexes, packets, metadata, and what goes on below. */

import { assert, assertEquals } from "@std/assert";
import { ALL_ONES } from "../../lib/base/ids.ts";
import {
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  Seek,
} from "../../lib/wire/live.ts";
import { CloseCommand } from "../../lib/wire/relay.ts";
import { TestViewer } from "./support/viewer.ts";
import { type Consumer, packet, World } from "./support/world.ts";

const LIVE = { liveTimer: 1_000_000 };
const RETRY = NextIndexStatus.RETRY;

class Live implements Disposable {
  readonly world = new World();
  readonly consumer: Consumer;
  readonly id: bigint;
  readonly metadata: bigint;
  readonly data: bigint;

  constructor(options: { size?: bigint; count?: bigint } = {}) {
    this.consumer = this.world.recording(LIVE);
    this.id = this.consumer.session.id;
    this.metadata = this.consumer.addStream("metadata");
    this.data = this.consumer.addStream("ch_0", options);
    this.consumer.call("STREAMS_SENT", {});
  }

  viewer(seek: number = Seek.BEGINNING, minor = 15): TestViewer {
    const viewer = new TestViewer(this.world, minor);
    viewer.attach(this.id, seek);
    return viewer;
  }

  beacon(timestampEnd: bigint, ctfStreamId = 5n): void {
    this.consumer.call("SEND_INDEX", {
      relayStreamId: this.data,
      netSequenceNumber: ALL_ONES,
      packetSize: 0n,
      contentSize: 0n,
      timestampBegin: 0n,
      timestampEnd,
      eventsDiscarded: 0n,
      streamId: ctfStreamId,
      streamInstanceId: 0n,
      packetSequenceNumber: 0n,
    });
  }

  /** The session's chunk `from` ends at packet `at`; the next one follows. */
  rotate(from: bigint, at: bigint, command: number): void {
    const { consumer, data, metadata } = this;
    consumer.createChunk(from + 1n);
    consumer.rotate(from + 1n, [data, at], [metadata, 0n]);
    consumer.closeChunk(from, command);
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }
}

Deno.test("GET_NEXT_INDEX tells everything that the producer said", () => {
  using live = new Live();
  const { consumer, data } = live;
  using viewer = live.viewer();
  consumer.packets(data, 0n, 0n);
  consumer.data(data, 1n, 8, 4);
  consumer.index(data, 1n, { packetSize: 96n, eventsDiscarded: 3n });
  viewer.index(data);
  const { flags: _, ...told } = viewer.index(data);
  assertEquals(told, {
    offset: 8n,
    packetSize: 96n,
    contentSize: 64n,
    timestampBegin: 10n,
    timestampEnd: 19n,
    eventsDiscarded: 3n,
    streamId: 0n,
    status: NextIndexStatus.OK,
  });
  assertEquals(
    viewer.packet(data, 8n, 12).packet,
    Uint8Array.from([...packet(1n), 0, 0, 0, 0]),
  );
});

Deno.test("data without index, or index without data, is not told", () => {
  using live = new Live();
  const { consumer, data } = live;
  using viewer = live.viewer();
  consumer.data(data, 0n);
  assertEquals(viewer.index(data).status, RETRY);
  consumer.index(data, 0n);
  consumer.index(data, 1n);
  assertEquals(viewer.drain(data), [[1], RETRY]);
  consumer.data(data, 1n);
  assertEquals(viewer.drain(data), [[2], RETRY]);
});

Deno.test("each viewer has its own position, and its own beginning", () => {
  using live = new Live();
  const { consumer, data } = live;
  consumer.packets(data, 0n, 2n);
  using first = live.viewer();
  using last = live.viewer(Seek.LAST);
  first.index(data);
  assertEquals(last.drain(data), [[], RETRY]);
  consumer.packets(data, 3n, 3n);
  assertEquals(first.drain(data), [[2, 3, 4], RETRY]);
  assertEquals(last.drain(data), [[4], RETRY]);
});

Deno.test("a beacon is told once nothing else is, and never goes back", () => {
  using live = new Live();
  const { consumer, data } = live;
  using viewer = live.viewer();
  function inactive(): [number, bigint, bigint, bigint] {
    const { status, timestampEnd, streamId, timestampBegin } = viewer.index(
      data,
    );
    return [status, timestampEnd, streamId, timestampBegin];
  }
  assertEquals(inactive(), [RETRY, 0n, 0n, 0n]);
  live.beacon(100n);
  assertEquals(inactive(), [NextIndexStatus.INACTIVE, 100n, 5n, 0n]);
  consumer.packets(data, 0n, 0n);
  live.beacon(200n);
  assertEquals(viewer.drain(data), [[1], NextIndexStatus.INACTIVE]);
  assertEquals(inactive(), [NextIndexStatus.INACTIVE, 200n, 5n, 0n]);
  live.beacon(150n);
  assertEquals(inactive(), [RETRY, 0n, 0n, 0n]);
  live.beacon(201n);
  assertEquals(inactive()[1], 201n);
  // The next packet may begin where the beacon was: it holds no longer.
  consumer.index(data, 1n);
  assertEquals(inactive()[0], RETRY);
});

Deno.test("time does not pass for old viewers that miss a stream", () => {
  using live = new Live();
  using old = live.viewer(Seek.BEGINNING, 4);
  using recent = live.viewer();
  const statuses = () => [old, recent].map((it) => it.index(live.data).status);
  live.beacon(100n);
  live.consumer.addStream("ch_1");
  assertEquals(statuses(), [
    NextIndexStatus.INACTIVE,
    NextIndexStatus.INACTIVE,
  ]);
  live.consumer.call("STREAMS_SENT", {});
  live.beacon(200n);
  assertEquals(statuses(), [RETRY, NextIndexStatus.INACTIVE]);
  assertEquals(old.newStreams(live.id).streams.length, 1);
  assertEquals(old.index(live.data).timestampEnd, 200n);
});

Deno.test("no beacon is told while the CTF stream is not known", () => {
  using live = new Live();
  using viewer = live.viewer();
  live.beacon(100n, ALL_ONES);
  assertEquals(viewer.index(live.data).status, RETRY);
});

Deno.test("a beacon without a CTF stream does not hide a later one", () => {
  using live = new Live();
  using viewer = live.viewer();
  live.beacon(100n, ALL_ONES);
  live.beacon(200n, 3n);
  const { status, streamId } = viewer.index(live.data);
  assertEquals([status, streamId], [NextIndexStatus.INACTIVE, 3n]);
});

Deno.test("GET_PACKET gives parts of the packet that was told, only", () => {
  using live = new Live();
  const { consumer, data } = live;
  consumer.packets(data, 0n, 2n, 8);
  using viewer = live.viewer();
  assertEquals(viewer.packet(data, 0n, 8).status, 3);
  viewer.index(data);
  viewer.index(data);
  const whole = viewer.packet(data, 8n, 8);
  assertEquals([whole.status, whole.packet], [1, packet(1n)]);
  assertEquals(viewer.packet(data, 10n, 3).packet, packet(1n, 3));
  assertEquals(viewer.packet(data, 16n, 0).status, 1);
  const refused: [bigint, number][] = [
    [7n, 8],
    [8n, 9],
    [15n, 2],
    [0n, 1],
    [16n, 1],
    [8n, 0xFFFF_FFFF],
    [ALL_ONES, 1],
    [ALL_ONES - 1n, 0xFFFF_FFFF],
  ];
  for (const [offset, length] of refused) {
    const { status, packet } = viewer.packet(data, offset, length);
    assertEquals([status, packet.length], [3, 0], `${offset} + ${length}`);
  }
});

Deno.test("an index that lies about the size gives no more than there is", () => {
  using live = new Live();
  const { consumer, data } = live;
  consumer.data(data, 0n);
  consumer.index(data, 0n, { packetSize: 0xFFFF_FFFF_FFFF_FFF8n });
  using viewer = live.viewer();
  assertEquals(viewer.index(data).status, NextIndexStatus.OK);
  assertEquals(viewer.packet(data, 0n, 8).status, 1);
  assertEquals(viewer.packet(data, 0n, 9).status, 3);
  assertEquals(viewer.packet(data, 0n, 0xFFFF_FFFF).status, 3);
});

Deno.test("GET_METADATA gives whole units, and never nothing", () => {
  using live = new Live();
  const { consumer, data, metadata } = live;
  using viewer = live.viewer();
  function flagged(): boolean {
    return (viewer.index(data).flags & NextIndexFlag.NEW_METADATA) !== 0;
  }
  assert(flagged());
  assertEquals(viewer.metadata(metadata), { status: 2, text: "" });
  consumer.metadata(metadata, "one", 1);
  consumer.metadata(metadata, "two");
  assert(flagged());
  assertEquals(viewer.metadata(metadata), { status: 1, text: "one\0two" });
  assert(!flagged());
  assertEquals(viewer.metadata(metadata).status, 2);
  consumer.metadata(metadata, "three");
  assert(flagged());
  assertEquals(viewer.metadata(metadata), { status: 1, text: "three" });
  assertEquals(viewer.metadata(data).status, 3);
  assertEquals(viewer.index(metadata).status, NextIndexStatus.HANG_UP);
  assertEquals(viewer.metadata(metadata).status, 2);
  assertEquals(viewer.packet(metadata, 0n, 3).status, 3);
});

Deno.test("a rotation under a viewer loses nothing and repeats nothing", () => {
  using live = new Live();
  const { consumer, data, metadata, id } = live;
  consumer.metadata(metadata, "head");
  consumer.packets(data, 0n, 1n);
  using early = live.viewer();
  using ahead = live.viewer();
  assertEquals(early.index(data).status, NextIndexStatus.OK);
  assertEquals(ahead.drain(data), [[1, 2], RETRY]);
  assertEquals(ahead.metadata(metadata).text, "head");
  consumer.createChunk(1n);
  assertEquals(early.index(data).status, RETRY);
  assertEquals(early.newStreams(id).status, NewStreamsStatus.NO_NEW);
  using during = new TestViewer(live.world);
  assertEquals(during.attach(id), []);
  consumer.rotate(1n, [data, 3n], [metadata, 0n]);
  consumer.packets(data, 2n, 2n);
  consumer.closeChunk(0n, CloseCommand.MOVE_TO_COMPLETED);
  assertEquals(live.world.tree("vm/demo/archives").length, 3);
  consumer.packets(data, 3n, 4n);
  assertEquals(early.drain(data), [[2, 3, 4, 5], RETRY]);
  assertEquals(ahead.drain(data), [[3, 4, 5], RETRY]);
  assertEquals(during.newStreams(id).streams.length, 2);
  using after = live.viewer();
  assertEquals(after.drain(data), [[4, 5], RETRY]);
  // All metadata comes again, and then more.
  assertEquals(ahead.metadata(metadata).status, 2);
  consumer.metadata(metadata, "head");
  assertEquals(ahead.metadata(metadata).status, 2);
  consumer.metadata(metadata, "more");
  assertEquals(ahead.metadata(metadata).text, "more");
  assertEquals(early.metadata(metadata).text, "headmore");
});

/** A metadata packet as a little-endian tracer writes it. */
function metadataPacket(text: string, packetSize?: number): string {
  const size = 37 + text.length;
  const bytes = new Uint8Array(packetSize ?? size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x75D11D57, true);
  view.setUint32(24, size * 8, true);
  view.setUint32(28, bytes.length * 8, true);
  bytes.set([0, 0, 0, 1, 8], 32);
  bytes.set(new TextEncoder().encode(text), 37);
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

Deno.test("repeated metadata goes on at the right text, however packed", () => {
  using live = new Live();
  const { consumer, data, metadata } = live;
  function send(text: string): void {
    consumer.call("SEND_METADATA", {
      streamId: metadata,
      paddingSize: 0,
      metadata: Uint8Array.from(text, (character) => character.charCodeAt(0)),
    });
  }
  function receive(viewer: TestViewer): string | number {
    const { status, metadata: bytes } = viewer.call("GET_METADATA", {
      streamId: metadata,
    });
    return status === 1 ? String.fromCharCode(...bytes) : status;
  }
  const before = metadataPacket("head;", 64) + metadataPacket("event 1;", 128);
  send(before);
  using viewer = live.viewer();
  assertEquals(receive(viewer), before);
  live.rotate(0n, 0n, CloseCommand.DELETE);
  assertEquals(receive(viewer), 2);
  send(metadataPacket("head;"));
  assertEquals(receive(viewer), 2);
  send(metadataPacket("event 1;"));
  assertEquals(receive(viewer), 2);
  // What is repeated is nothing new.
  const { flags } = viewer.index(data);
  assertEquals(flags & NextIndexFlag.NEW_METADATA, 0);
  const next = metadataPacket("event 2;");
  send(next);
  assert(viewer.index(data).flags & NextIndexFlag.NEW_METADATA);
  assertEquals(receive(viewer), next);
  live.rotate(1n, 0n, CloseCommand.DELETE);
  const last = metadataPacket("event 4;", 100);
  send(metadataPacket("head;event 1;event 2;event 3;", 90) + last);
  assertEquals(receive(viewer), metadataPacket("event 3;") + last);
  assertEquals(receive(viewer), 2);
  using late = live.viewer();
  assertEquals(String(receive(late)).length, 190);
});

Deno.test("a viewer waits while its stream's rotation is pending", () => {
  using live = new Live();
  const { consumer, data, metadata } = live;
  consumer.packets(data, 0n, 0n);
  using viewer = live.viewer();
  consumer.createChunk(1n);
  consumer.rotate(1n, [data, 2n], [metadata, 0n]);
  consumer.closeChunk(0n, CloseCommand.MOVE_TO_COMPLETED);
  assertEquals(viewer.index(data).status, RETRY);
  consumer.packets(data, 1n, 1n);
  assertEquals(viewer.drain(data), [[1, 2], RETRY]);
});

Deno.test("a packet that moves to the next chunk is told there", () => {
  using live = new Live();
  const { consumer, data } = live;
  using viewer = live.viewer();
  consumer.packets(data, 0n, 0n);
  consumer.data(data, 1n);
  live.rotate(0n, 1n, CloseCommand.MOVE_TO_COMPLETED);
  consumer.index(data, 1n);
  consumer.packets(data, 2n, 2n);
  assertEquals(viewer.drain(data), [[1, 2, 3], RETRY]);
});

Deno.test("a viewer does not take the file after a clear for the one before it", () => {
  using live = new Live();
  const { consumer, data, metadata } = live;
  using viewer = live.viewer();
  consumer.packets(data, 0n, 1n);
  // As of a session that is stopped: the next chunk is made after it.
  consumer.rotate(undefined, [data, 2n], [metadata, 0n]);
  consumer.closeChunk(0n, CloseCommand.DELETE);
  consumer.createChunk(1n);
  consumer.rotate(1n, [data, 2n], [metadata, 0n]);
  // Of the same name, at the same place, with entries of the same numbers.
  consumer.packets(data, 2n, 3n);
  assertEquals(viewer.drain(data), [[3, 4], RETRY]);
});

Deno.test("viewers do not keep a chunk from being cleared", () => {
  using live = new Live();
  const { consumer, data } = live;
  consumer.packets(data, 0n, 2n);
  using reading = live.viewer();
  using idle = live.viewer();
  const { offset } = reading.index(data);
  live.rotate(0n, 3n, CloseCommand.DELETE);
  assert(!consumer.chunkExists(0n));
  // What was begun is read to its end; what was not is gone.
  assertEquals(reading.packet(data, offset, 8).packet, packet(0n));
  consumer.packets(data, 3n, 3n);
  assertEquals(reading.drain(data), [[2, 3, 4], RETRY]);
  assertEquals(idle.drain(data), [[4], RETRY]);
});

Deno.test("after a rotation to no chunk the last one is read to its end", () => {
  using live = new Live();
  const { consumer, data, metadata, id } = live;
  consumer.metadata(metadata, "x");
  consumer.packets(data, 0n, 1n);
  using viewer = live.viewer();
  consumer.rotate(undefined, [data, 2n], [metadata, 0n]);
  consumer.closeChunk(0n, CloseCommand.MOVE_TO_COMPLETED);
  assertEquals(viewer.metadata(metadata), { status: 1, text: "x" });
  assertEquals(viewer.drain(data), [[1, 2], RETRY]);
  consumer.leave(new Map([[data, 1n], [metadata, 0n]]));
  assertEquals(viewer.index(data).status, NextIndexStatus.HANG_UP);
  assertEquals(viewer.newStreams(id).status, NewStreamsStatus.HANG_UP);
});

Deno.test("a viewer follows through trace files of bounded size", () => {
  using live = new Live({ size: 16n });
  const { consumer, data } = live;
  using viewer = live.viewer();
  consumer.packets(data, 0n, 6n);
  assertEquals(viewer.drain(data), [[1, 2, 3, 4, 5, 6, 7], RETRY]);
});

Deno.test("in a ring of trace files a viewer skips what is overwritten", () => {
  using live = new Live({ size: 16n, count: 2n });
  const { consumer, data } = live;
  using reading = live.viewer();
  using idle = live.viewer();
  consumer.packets(data, 0n, 0n);
  const { offset } = reading.index(data);
  consumer.packets(data, 1n, 6n);
  // It holds the first file, packets 0 and 1, although its name is gone.
  assertEquals(reading.packet(data, offset, 8).packet, packet(0n));
  assertEquals(reading.drain(data), [[2, 5, 6, 7], RETRY]);
  assertEquals(idle.drain(data), [[5, 6, 7], RETRY]);
  using late = live.viewer();
  assertEquals(late.drain(data), [[5, 6, 7], RETRY]);
  consumer.packets(data, 7n, 11n);
  assertEquals(late.drain(data)[0].at(-1), 12);
});

const linux = Deno.build.os === "linux";

Deno.test("a viewer that leaves has no file open", { ignore: !linux }, () => {
  using live = new Live();
  const { consumer, data, metadata } = live;
  consumer.packets(data, 0n, 0n);
  consumer.metadata(metadata, "x");
  live.world.collector.flush();
  const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = open();
  {
    using viewer = live.viewer();
    viewer.index(data);
    viewer.metadata(metadata);
    assert(open() > before);
  }
  assertEquals(open(), before);
});
