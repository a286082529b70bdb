/** One test for each value of each status, flag and kind between viewer and relay daemon. */

import { assertEquals } from "@std/assert";
import { ALL_ONES } from "../../lib/base/ids.ts";
import {
  AttachStatus,
  CreateViewerSessionStatus,
  DetachStatus,
  MetadataStatus,
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  PacketStatus,
  Seek,
  viewerCommands,
  viewerHeader,
  ViewerTraceFormat,
  ViewerType,
} from "../../lib/wire/live.ts";
import { TraceFormat } from "../../lib/wire/relay.ts";
import { TestRelay } from "./support/relay.ts";
import { TestViewer } from "./support/viewer.ts";
import { type Consumer, World } from "./support/world.ts";

/** Values that exist on the wire, but that no relay daemon sends. */
const NEVER = "never sent";

/** A live session with streams, and a viewer that is not attached yet. */
class Scene implements Disposable {
  readonly world = new World();
  readonly consumer: Consumer = this.world.recording({ liveTimer: 1 });
  readonly id = this.consumer.session.id;
  readonly metadata = this.consumer.addStream("metadata");
  readonly data = this.consumer.addStream();
  readonly viewer = new TestViewer(this.world);

  constructor() {
    this.consumer.call("STREAMS_SENT", {});
  }

  attached(): this {
    this.viewer.attach(this.id);
    return this;
  }

  packet(sequence = 0n): this {
    this.consumer.packets(this.data, sequence, sequence);
    return this;
  }

  beacon(timestampEnd: bigint): this {
    this.consumer.index(this.data, ALL_ONES, { packetSize: 0n, timestampEnd });
    return this;
  }

  leave(): this {
    const last = ALL_ONES;
    this.consumer.leave(new Map([[this.data, last], [this.metadata, last]]));
    return this;
  }

  flags(): number {
    return this.viewer.index(this.data).flags;
  }

  [Symbol.dispose](): void {
    this.viewer[Symbol.dispose]();
    this.world[Symbol.dispose]();
  }
}

/** How each value of an enumeration comes about. */
type Ways<Enumeration> = Readonly<
  Record<keyof Enumeration, typeof NEVER | ((scene: Scene) => number)>
>;

function eachValue<Enumeration extends Readonly<Record<string, number>>>(
  command: string,
  values: Enumeration,
  ways: Ways<Enumeration>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const way = ways[name as keyof Enumeration];
    if (way === NEVER) continue;
    Deno.test(`${command} is answered with ${name}`, () => {
      using scene = new Scene();
      assertEquals(way(scene), value);
    });
  }
}

eachValue("CREATE_SESSION", CreateViewerSessionStatus, {
  OK: ({ viewer }) => viewer.call("CREATE_SESSION", {}).status,
  ERROR: NEVER,
});

eachValue("ATTACH_SESSION", AttachStatus, {
  OK: ({ viewer, id }) => viewer.tryAttach(id).status,
  ALREADY_ATTACHED: (scene) =>
    scene.attached().viewer.tryAttach(scene.id).status,
  UNKNOWN: ({ viewer }) => viewer.tryAttach(99n).status,
  NOT_LIVE: ({ world, viewer }) => {
    const { session } = world.recording({ sessionName: "plain" });
    return viewer.tryAttach(session.id).status;
  },
  SEEK_ERROR: ({ viewer, id }) => viewer.tryAttach(id, 3).status,
  NO_SESSION: ({ viewer, id: sessionId }) => {
    const request = { sessionId, offset: 0n, seek: Seek.LAST };
    return viewer.call("ATTACH_SESSION", request).status;
  },
});

eachValue("DETACH_SESSION", DetachStatus, {
  OK: (scene) => scene.attached().viewer.detach(scene.id),
  UNKNOWN: ({ viewer }) => viewer.detach(99n),
  ERROR: ({ viewer, id }) => viewer.detach(id),
});

eachValue("GET_NEW_STREAMS", NewStreamsStatus, {
  OK: (scene) => scene.attached().viewer.newStreams(scene.id).status,
  NO_NEW: (scene) => {
    scene.attached().consumer.createChunk(1n);
    return scene.viewer.newStreams(scene.id).status;
  },
  ERROR: ({ viewer, id }) => viewer.newStreams(id).status,
  HANG_UP: (scene) => {
    scene.attached().leave().viewer.index(scene.data);
    return scene.viewer.newStreams(scene.id).status;
  },
});

eachValue("GET_NEXT_INDEX", NextIndexStatus, {
  OK: (scene) => scene.packet().attached().viewer.index(scene.data).status,
  RETRY: (scene) => scene.attached().viewer.index(scene.data).status,
  HANG_UP: (scene) => scene.attached().leave().viewer.index(scene.data).status,
  ERROR: ({ viewer, data }) => viewer.index(data).status,
  INACTIVE: (scene) =>
    scene.attached().beacon(9n).viewer.index(scene.data).status,
  END_OF_FILE: NEVER,
});

eachValue("GET_NEXT_INDEX", NextIndexFlag, {
  NEW_METADATA: (scene) => scene.packet().attached().flags(),
  NEW_STREAM: (scene) => {
    const { consumer, viewer, metadata } = scene.attached();
    consumer.metadata(metadata, "x");
    viewer.metadata(metadata);
    consumer.addStream("ch_1");
    consumer.call("STREAMS_SENT", {});
    return scene.flags();
  },
});

eachValue("GET_PACKET", PacketStatus, {
  OK: (scene) => {
    const { viewer, data } = scene.packet().attached();
    viewer.index(data);
    return viewer.packet(data, 0n, 8).status;
  },
  RETRY: NEVER,
  ERROR: ({ viewer, data }) => viewer.packet(data, 0n, 8).status,
  END_OF_FILE: NEVER,
});

eachValue("GET_METADATA", MetadataStatus, {
  OK: (scene) => {
    scene.attached().consumer.metadata(scene.metadata, "x");
    return scene.viewer.metadata(scene.metadata).status;
  },
  NO_NEW: (scene) => scene.attached().viewer.metadata(scene.metadata).status,
  ERROR: ({ viewer, metadata }) => viewer.metadata(metadata).status,
});

eachValue("LIST_SESSIONS", ViewerTraceFormat, {
  CTF1_8: ({ viewer }) => viewer.list()[0]!.traceFormat,
  CTF2: ({ world, viewer }) => {
    const traceFormat = TraceFormat.CTF2;
    world.recording({ sessionName: "newer", traceFormat }, 15);
    return viewer.list()[1]!.traceFormat;
  },
});

/** Where an attached viewer starts: the packets that it gets of two and one. */
const STARTS: Readonly<Record<keyof typeof Seek, readonly number[]>> = {
  BEGINNING: [1, 2, 3],
  LAST: [3],
};

for (const [name, expected] of Object.entries(STARTS)) {
  Deno.test(`ATTACH_SESSION with seek ${name} begins there`, () => {
    using scene = new Scene();
    scene.packet(0n).packet(1n);
    scene.viewer.attach(scene.id, Seek[name as keyof typeof Seek]);
    scene.packet(2n);
    assertEquals(scene.viewer.drain(scene.data)[0], expected);
  });
}

/** The id in the greeting's answer: only those that command get one. */
const GREETINGS: Readonly<Record<keyof typeof ViewerType, bigint>> = {
  COMMAND: 1n,
  NOTIFICATION: 0n,
};

for (const [name, viewerSessionId] of Object.entries(GREETINGS)) {
  Deno.test(`CONNECT of type ${name} is answered`, async () => {
    await using relay = new TestRelay();
    using viewer = await relay.connect("live");
    const { number, request, reply } = viewerCommands.CONNECT;
    const type = ViewerType[name as keyof typeof ViewerType];
    const payload = request.encode(
      { viewerSessionId: ALL_ONES, major: 2, minor: 4, type },
      4,
    );
    const dataSize = BigInt(payload.length);
    await viewer.send(
      viewerHeader.encode({ dataSize, command: number, commandVersion: 0 }),
      payload,
    );
    assertEquals(
      reply.decode(await viewer.read(payload.length), 4),
      { viewerSessionId, major: 2, minor: 15, type: 0 },
    );
  });
}
