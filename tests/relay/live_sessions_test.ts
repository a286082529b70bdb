/** Viewers and sessions: what is listed, what may be attached to, what is new. */

import { assertEquals } from "@std/assert";
import {
  AttachStatus,
  CreateViewerSessionStatus,
  DetachStatus,
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  Seek,
} from "../../lib/wire/live.ts";
import { TraceFormat } from "../../lib/wire/relay.ts";
import { TestViewer } from "./support/viewer.ts";
import { type Consumer, World } from "./support/world.ts";

const LIVE = { liveTimer: 1_000_000 };

interface Recording {
  consumer: Consumer;
  id: bigint;
  metadata: bigint;
  data: bigint;
}

/** A live session with a published metadata and data stream. */
function record(world: World, minor = 13): Recording {
  const consumer = world.recording(LIVE, minor);
  const metadata = consumer.addStream("metadata");
  const data = consumer.addStream();
  consumer.call("STREAMS_SENT", {});
  return { consumer, id: consumer.session.id, metadata, data };
}

for (const minor of [4, 14, 15]) {
  Deno.test(`LIST_SESSIONS for a viewer of 2.${minor}`, () => {
    using world = new World();
    const { id } = record(world);
    world.recording({ sessionName: "plain", hostname: "other" });
    using viewer = new TestViewer(world, minor);
    using watching = new TestViewer(world);
    watching.attach(id);
    const traceFormat = 0;
    assertEquals(viewer.list(), [{
      id,
      liveTimer: 1_000_000,
      clients: 1,
      streams: 2,
      hostname: "vm",
      sessionName: "demo",
      traceFormat,
    }, {
      id: 2n,
      liveTimer: 0,
      clients: 0,
      streams: 0,
      hostname: "other",
      sessionName: "plain",
      traceFormat,
    }]);
  });
}

Deno.test("LIST_SESSIONS cuts names that are too long for old viewers", () => {
  using world = new World();
  const hostname = "h".repeat(62) + "ö";
  world.recording({ hostname, sessionName: "s".repeat(200) });
  using old = new TestViewer(world, 4);
  using recent = new TestViewer(world);
  assertEquals(old.list()[0]?.hostname, "h".repeat(62));
  assertEquals(recent.list()[0]?.hostname, hostname);
  assertEquals(old.list()[0]?.sessionName.length, 200);
});

Deno.test("CTF 2 sessions exist for viewers since 2.15 only", () => {
  using world = new World();
  const consumer = world.recording({
    ...LIVE,
    traceFormat: TraceFormat.CTF2,
  }, 15);
  const { id } = consumer.session;
  using old = new TestViewer(world, 14);
  using recent = new TestViewer(world, 15);
  assertEquals(old.list(), []);
  assertEquals(old.tryAttach(id).status, AttachStatus.UNKNOWN);
  assertEquals(recent.list()[0]?.traceFormat, 1);
  assertEquals(recent.tryAttach(id).status, AttachStatus.OK);
});

Deno.test("a session whose connection is lost is not listed", () => {
  using world = new World();
  const { consumer, id } = record(world);
  using viewer = new TestViewer(world);
  consumer.session.dataClosed(false);
  assertEquals(viewer.list(), []);
  assertEquals(viewer.tryAttach(id).status, AttachStatus.UNKNOWN);
});

Deno.test("CREATE_SESSION may be repeated", () => {
  using world = new World();
  const { id } = record(world);
  using viewer = new TestViewer(world);
  for (let time = 0; time < 2; time++) {
    assertEquals(
      viewer.call("CREATE_SESSION", {}).status,
      CreateViewerSessionStatus.OK,
    );
  }
  viewer.attach(id);
  viewer.call("CREATE_SESSION", {});
  assertEquals(viewer.detach(id), DetachStatus.OK);
});

Deno.test("ATTACH_SESSION checks in the stock daemon's order", () => {
  using world = new World();
  const { id } = record(world);
  const plain = world.recording({ sessionName: "plain" }).session.id;
  using viewer = new TestViewer(world);
  const wrong = { sessionId: 99n, offset: 0n, seek: 3 };
  assertEquals(
    viewer.call("ATTACH_SESSION", wrong),
    { status: AttachStatus.NO_SESSION, streams: [] },
  );
  assertEquals(viewer.tryAttach(99n, 3).status, AttachStatus.UNKNOWN);
  assertEquals(viewer.tryAttach(plain, 3).status, AttachStatus.NOT_LIVE);
  assertEquals(viewer.tryAttach(id, 3).status, AttachStatus.SEEK_ERROR);
  assertEquals(viewer.tryAttach(id, 0).status, AttachStatus.SEEK_ERROR);
  // A refused seek attaches nothing.
  assertEquals(viewer.detach(id), DetachStatus.ERROR);
  assertEquals(viewer.tryAttach(id).status, AttachStatus.OK);
  assertEquals(viewer.tryAttach(id).status, AttachStatus.ALREADY_ATTACHED);
});

for (const minor of [4, 8, 10, 13, 15]) {
  Deno.test(`ATTACH_SESSION names the streams of a 2.${minor} producer`, () => {
    using world = new World();
    const { id, metadata, data, consumer } = record(world, minor);
    using viewer = new TestViewer(world, 4);
    const pathname = "ust/uid/0/64-bit";
    assertEquals(viewer.attach(id), [
      {
        id: metadata,
        traceId: 1n,
        isMetadata: true,
        pathname,
        channelName: "metadata",
      },
      {
        id: data,
        traceId: 1n,
        isMetadata: false,
        pathname,
        channelName: "ch_0",
      },
    ]);
    consumer.packets(data, 0n, 2n);
    assertEquals(viewer.drain(data), [[1, 2, 3], NextIndexStatus.RETRY]);
    consumer.metadata(metadata, "/* CTF 1.8 */");
    assertEquals(viewer.metadata(metadata).text, "/* CTF 1.8 */");
    consumer.leave();
    assertEquals(viewer.index(data).status, NextIndexStatus.HANG_UP);
  });
}

Deno.test("a viewer reaches only what it attached to", () => {
  using world = new World();
  const { consumer, id, metadata, data } = record(world);
  consumer.packets(data, 0n, 0n);
  consumer.metadata(metadata, "x");
  const unpublished = consumer.addStream("ch_1");
  consumer.packets(unpublished, 0n, 0n);
  using viewer = new TestViewer(world);
  using other = new TestViewer(world);
  other.attach(id);
  function refused(stream: bigint): void {
    const { status, packetSize } = viewer.index(stream);
    assertEquals([status, packetSize], [NextIndexStatus.ERROR, 0n]);
    assertEquals(viewer.packet(stream, 0n, 8).status, 3);
    assertEquals(viewer.metadata(stream), { status: 3, text: "" });
  }
  for (const stream of [metadata, data, unpublished, 1n]) refused(stream);
  viewer.attach(id);
  assertEquals(viewer.index(data).status, NextIndexStatus.OK);
  refused(unpublished);
  assertEquals(viewer.detach(id), DetachStatus.OK);
  for (const stream of [metadata, data]) refused(stream);
  assertEquals(other.index(data).status, NextIndexStatus.OK);
});

Deno.test("DETACH_SESSION, and then attaching anew", () => {
  using world = new World();
  const { consumer, id, data } = record(world);
  consumer.packets(data, 0n, 1n);
  using viewer = new TestViewer(world);
  assertEquals(viewer.detach(id), DetachStatus.ERROR);
  assertEquals(viewer.detach(99n), DetachStatus.UNKNOWN);
  for (let time = 0; time < 2; time++) {
    viewer.attach(id);
    assertEquals(viewer.list()[0]?.clients, 1);
    assertEquals(viewer.drain(data), [[1, 2], NextIndexStatus.RETRY]);
    assertEquals(viewer.detach(id), DetachStatus.OK);
    assertEquals(viewer.list()[0]?.clients, 0);
  }
});

Deno.test("GET_NEW_STREAMS tells what was published since, once", () => {
  using world = new World();
  const { consumer, id, data } = record(world);
  using viewer = new TestViewer(world);
  assertEquals(
    viewer.newStreams(id),
    { status: NewStreamsStatus.ERROR, streams: [] },
  );
  viewer.attach(id, Seek.LAST);
  const none = { status: NewStreamsStatus.OK, streams: [] };
  assertEquals(viewer.newStreams(id), none);
  const late = consumer.addStream("ch_1");
  consumer.packets(late, 0n, 0n);
  assertEquals(viewer.index(data).flags & NextIndexFlag.NEW_STREAM, 0);
  consumer.call("STREAMS_SENT", {});
  for (let time = 0; time < 2; time++) {
    // On every status, and until they are fetched.
    const { status, flags } = viewer.index(data);
    assertEquals(status, NextIndexStatus.RETRY);
    assertEquals(flags & NextIndexFlag.NEW_STREAM, NextIndexFlag.NEW_STREAM);
  }
  assertEquals(viewer.newStreams(id).streams.map((it) => it.id), [late]);
  assertEquals(viewer.index(data).flags & NextIndexFlag.NEW_STREAM, 0);
  assertEquals(viewer.newStreams(id), none);
  // New streams start at their beginning.
  assertEquals(viewer.drain(late), [[1], NextIndexStatus.RETRY]);
});

Deno.test("a viewer may attach before the first stream", () => {
  using world = new World();
  const consumer = world.recording(LIVE);
  const { id } = consumer.session;
  using viewer = new TestViewer(world);
  assertEquals(viewer.attach(id, Seek.LAST), []);
  const data = consumer.addStream();
  consumer.call("STREAMS_SENT", {});
  // Nobody can read a trace without metadata.
  assertEquals(viewer.newStreams(id).streams, []);
  const metadata = consumer.addStream("metadata");
  consumer.packets(data, 0n, 0n);
  consumer.call("STREAMS_SENT", {});
  assertEquals(
    viewer.newStreams(id).streams.map((stream) => stream.id),
    [data, metadata],
  );
  assertEquals(viewer.drain(data), [[1], NextIndexStatus.RETRY]);
});

Deno.test("an application that was there for a moment is read whole", () => {
  using world = new World();
  const { consumer, id } = record(world);
  using viewer = new TestViewer(world);
  viewer.attach(id);
  const path = "ust/pid/app-7";
  const metadata = consumer.addStream("metadata", { path });
  const data = consumer.addStream("ch_0", { path });
  consumer.call("STREAMS_SENT", {});
  consumer.metadata(metadata, "short");
  consumer.packets(data, 0n, 2n);
  consumer.closeStream(data, 2n);
  consumer.closeStream(metadata);
  assertEquals(
    viewer.newStreams(id).streams.map((stream) => stream.id),
    [metadata, data],
  );
  assertEquals(viewer.metadata(metadata), { status: 1, text: "short" });
  // One "nothing new" before it is forgotten.
  assertEquals(viewer.metadata(metadata).status, 2);
  assertEquals(viewer.metadata(metadata).status, 3);
  assertEquals(viewer.drain(data), [[1, 2, 3], NextIndexStatus.HANG_UP]);
  assertEquals(viewer.index(data).status, NextIndexStatus.ERROR);
  assertEquals(viewer.newStreams(id).status, NewStreamsStatus.OK);
});

Deno.test("GET_NEW_STREAMS hangs up when all is read", () => {
  using world = new World();
  const { consumer, id, metadata, data } = record(world);
  consumer.packets(data, 0n, 1n);
  consumer.metadata(metadata, "x");
  using viewer = new TestViewer(world);
  viewer.attach(id);
  consumer.leave(new Map([[data, 1n], [metadata, 0n]]));
  assertEquals(viewer.newStreams(id).status, NewStreamsStatus.OK);
  assertEquals(viewer.drain(data), [[1, 2], NextIndexStatus.HANG_UP]);
  assertEquals(viewer.newStreams(id).status, NewStreamsStatus.HANG_UP);
  assertEquals(viewer.detach(id), DetachStatus.OK);
});

Deno.test("a producer that vanishes ends its viewers", () => {
  using world = new World();
  const { consumer, id, data } = record(world);
  using viewer = new TestViewer(world);
  viewer.attach(id);
  consumer.packets(data, 0n, 0n);
  consumer.createChunk(1n);
  consumer.session.controlClosed(true);
  consumer.session.dataClosed(true);
  assertEquals(viewer.drain(data), [[1], NextIndexStatus.HANG_UP]);
  assertEquals(viewer.newStreams(id).status, NewStreamsStatus.HANG_UP);
});
