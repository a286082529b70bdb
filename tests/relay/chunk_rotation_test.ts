/** A stream goes from one trace chunk to the next at the right packet. */

import { assertEquals } from "@std/assert";
import { chunkName } from "../../lib/relay/layout.ts";
import { assertRefused } from "./support/refused.ts";
import {
  type Consumer,
  packet,
  packets,
  START_SECONDS,
  UST_PATH,
  World,
} from "./support/world.ts";

const SESSION = "vm/demo";
const NEW = `${SESSION}/.tmp_new_chunk/${UST_PATH}`;
const OLD = `${SESSION}/.tmp_old_chunk/${UST_PATH}`;

/** A stream in chunk 0, with chunk 1 made and not yet rotated to. */
function beforeRotation(world: World): { consumer: Consumer; stream: bigint } {
  const consumer = world.recording();
  const stream = consumer.addStream();
  return { consumer, stream };
}

function entries(world: World, directory: string): [bigint, bigint][] {
  return world.entries(`${directory}/index/ch_0.idx`)
    .map(({ offset, packetSequenceNumber }) => [offset, packetSequenceNumber!]);
}

Deno.test("a stream rotates at once when everything has come", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 1n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 2n]);
  assertEquals(consumer.stream(stream).rotationPending, false);
  assertEquals(consumer.stream(stream).completedRotations, 1);
  consumer.packets(stream, 2n, 3n);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n, 1n));
  assertEquals(world.read(`${NEW}/ch_0`), packets(2n, 3n));
  assertEquals(entries(world, OLD), [[0n, 0n], [8n, 1n]]);
  assertEquals(entries(world, NEW), [[0n, 2n], [8n, 3n]]);
});

Deno.test("a stream waits for the old chunk's data, whose index is there", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.index(stream, 1n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 2n]);
  assertEquals(consumer.stream(stream).rotationPending, true);
  consumer.data(stream, 1n);
  assertEquals(consumer.stream(stream).rotationPending, false);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n, 1n));
  assertEquals(entries(world, OLD), [[0n, 0n], [8n, 1n]]);
  assertEquals(world.read(`${NEW}/ch_0`).length, 0);
});

Deno.test("a stream waits for the old chunk's index, whose data is there", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.data(stream, 0n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  assertEquals(consumer.stream(stream).rotationPending, true);
  consumer.index(stream, 0n);
  assertEquals(consumer.stream(stream).rotationPending, false);
  assertEquals(entries(world, OLD), [[0n, 0n]]);
});

Deno.test("a stream rotates past its position where packets were overwritten", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 4n]);
  consumer.data(stream, 1n);
  consumer.index(stream, 1n, { packetSequenceNumber: 9n });
  assertEquals(consumer.stream(stream).rotationPending, false);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n, 1n));
});

Deno.test("a first packet of the new chunk that came early moves there", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.data(stream, 1n, 8, 4);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  assertEquals(consumer.stream(stream).rotationPending, false);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n));
  assertEquals(
    world.read(`${NEW}/ch_0`),
    Uint8Array.from([...packet(1n), 0, 0, 0, 0]),
  );
  consumer.index(stream, 1n);
  consumer.packets(stream, 2n, 2n);
  assertEquals(entries(world, OLD), [[0n, 0n]]);
  assertEquals(entries(world, NEW), [[0n, 1n], [12n, 2n]]);
});

Deno.test("several packets that came early move, with exact offsets", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 1n);
  for (const at of [2n, 3n, 4n]) consumer.data(stream, at);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 2n]);
  for (const at of [2n, 3n, 4n]) consumer.index(stream, at);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n, 1n));
  assertEquals(world.read(`${NEW}/ch_0`), packets(2n, 3n, 4n));
  assertEquals(entries(world, NEW), [[0n, 2n], [8n, 3n], [16n, 4n]]);
});

Deno.test("a packet that came early in part moves and goes on", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.beginData(stream, 1n, 8);
  consumer.payload(stream, 1n, 5);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n));
  assertEquals(world.read(`${NEW}/ch_0`), packet(1n, 5));
  consumer.payload(stream, 1n, 3);
  consumer.endData(stream);
  consumer.index(stream, 1n);
  assertEquals(world.read(`${NEW}/ch_0`), packets(1n));
  assertEquals(entries(world, OLD), [[0n, 0n]]);
  assertEquals(entries(world, NEW), [[0n, 1n]]);
});

Deno.test("a whole and a partial early packet move together", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n, 100_000);
  consumer.data(stream, 1n, 100_000);
  consumer.beginData(stream, 2n, 8);
  consumer.payload(stream, 2n, 3);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  consumer.payload(stream, 2n, 5);
  consumer.endData(stream);
  consumer.index(stream, 1n);
  consumer.index(stream, 2n);
  assertEquals(world.read(`${OLD}/ch_0`).length, 100_000);
  assertEquals(world.read(`${NEW}/ch_0`).length, 100_008);
  assertEquals(entries(world, NEW), [[0n, 1n], [100_000n, 2n]]);
});

Deno.test("an early packet whose index came early too moves", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.createChunk(1n);
  consumer.index(stream, 1n);
  consumer.rotate(1n, [stream, 1n]);
  consumer.data(stream, 1n);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n));
  assertEquals(entries(world, NEW), [[0n, 1n]]);
});

Deno.test("an index still to come for the old chunk goes to the old chunk", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.data(stream, 0n);
  consumer.data(stream, 1n);
  consumer.index(stream, 1n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 2n]);
  consumer.index(stream, 0n);
  assertEquals(entries(world, OLD), [[8n, 1n], [0n, 0n]]);
  consumer.packets(stream, 2n, 2n);
  assertEquals(entries(world, NEW), [[0n, 2n]]);
});

Deno.test("a stream that received nothing rotates at once at 0", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 0n]);
  assertEquals(consumer.stream(stream).rotationPending, false);
  consumer.packets(stream, 0n, 0n);
  assertEquals(world.read(`${OLD}/ch_0`).length, 0);
  assertEquals(world.read(`${NEW}/ch_0`), packets(0n));
  assertEquals(entries(world, NEW), [[0n, 0n]]);
});

Deno.test("a very first packet that came early moves at 0", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.data(stream, 0n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 0n]);
  consumer.index(stream, 0n);
  assertEquals(world.read(`${OLD}/ch_0`).length, 0);
  assertEquals(world.read(`${NEW}/ch_0`), packets(0n));
  assertEquals(entries(world, NEW), [[0n, 0n]]);
});

Deno.test("a stream rotated to no chunk has no file, and refuses packets", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.rotate(undefined, [stream, 1n]);
  assertEquals(consumer.stream(stream).chunk, undefined);
  assertEquals(consumer.pending(stream, 0n), 0);
  assertRefused(() => consumer.data(stream, 1n), { text: "in no chunk" });
});

Deno.test("an early packet is a protocol error where no chunk follows", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.data(stream, 1n);
  assertRefused(() => consumer.rotate(undefined, [stream, 1n]), {
    code: 153,
    text: "8 bytes came for the chunk after the last one",
  });
});

Deno.test("a stream that was in no chunk gets a file in the next one", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  consumer.packets(stream, 0n, 0n);
  consumer.rotate(undefined, [stream, 1n]);
  consumer.closeChunk(0n, 0);
  consumer.createChunk(1n, START_SECONDS + 100);
  consumer.rotate(1n, [stream, 1n]);
  consumer.packets(stream, 1n, 1n);
  const name = chunkName(1n, START_SECONDS + 100);
  assertEquals(
    world.read(`${SESSION}/${name}/${UST_PATH}/ch_0`),
    packets(1n),
  );
  assertEquals(entries(world, `${SESSION}/${name}/${UST_PATH}`), [[0n, 1n]]);
});

Deno.test("metadata rotates at once, into an empty file", () => {
  using world = new World();
  const consumer = world.recording();
  const metadata = consumer.addStream("metadata");
  consumer.metadata(metadata, "first");
  consumer.createChunk(1n);
  consumer.rotate(1n, [metadata, 0n]);
  assertEquals(consumer.stream(metadata).metadataReceived, 0);
  consumer.metadata(metadata, "second");
  const text = (path: string) => new TextDecoder().decode(world.read(path));
  assertEquals(text(`${OLD}/metadata`), "first");
  assertEquals(text(`${NEW}/metadata`), "second");
});

Deno.test("metadata for no chunk is refused without a reply", () => {
  using world = new World();
  const consumer = world.recording();
  const metadata = consumer.addStream("metadata");
  consumer.rotate(undefined, [metadata, 0n]);
  assertRefused(() => consumer.metadata(metadata, "x"), { text: "no chunk" });
  assertRefused(
    () => consumer.call("RESET_METADATA", { streamId: metadata, version: 1n }),
    { code: 11, text: "no chunk" },
  );
});

Deno.test("ROTATE_STREAMS refuses an unknown chunk or stream", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  assertRefused(() => consumer.rotate(9n, [stream, 0n]), {
    code: 152,
    text: "chunk 9 is not known",
  });
  assertRefused(() => consumer.rotate(undefined, [99n, 0n]), {
    code: 97,
    text: "no stream 99",
  });
});

Deno.test("ROTATE_STREAMS refuses a second rotation; those before it stay", () => {
  using world = new World();
  const { consumer, stream } = beforeRotation(world);
  const other = consumer.addStream("ch_1");
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 5n]);
  assertRefused(() => consumer.rotate(1n, [other, 0n], [stream, 6n]), {
    code: 153,
    text: "a rotation at packet 5 is pending",
  });
  assertEquals(consumer.stream(other).completedRotations, 1);
});

Deno.test("sessions without indexes rotate by packet too", () => {
  using world = new World();
  const consumer = world.consumer();
  consumer.createSession({ snapshot: 1 });
  consumer.createChunk(0n);
  const stream = consumer.addStream();
  consumer.data(stream, 0n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 2n]);
  consumer.data(stream, 1n);
  consumer.data(stream, 2n);
  assertEquals(world.read(`${OLD}/ch_0`), packets(0n, 1n));
  assertEquals(world.read(`${NEW}/ch_0`), packets(2n));
});
