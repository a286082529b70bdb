/** Two consumers of one session daemon share directories, chunks, rotations. */

import { assertEquals, assertThrows } from "@std/assert";
import { PeerError } from "../../lib/base/errors.ts";
import { chunkName } from "../../lib/relay/layout.ts";
import {
  type Consumer,
  packets,
  START_SECONDS,
  World,
} from "./support/world.ts";

const SESSION = "vm/demo";
const UST = "ust/uid/0/64-bit";
const KERNEL = "kernel";
const ARCHIVE = `archives/${chunkName(0n, START_SECONDS, START_SECONDS + 60)}`;

interface Sibling {
  consumer: Consumer;
  stream: bigint;
}

/** Two consumers, each with a stream of one packet in chunk 0. */
function siblings(world: World): { ust: Sibling; kernel: Sibling } {
  function start(path: string): Sibling {
    const consumer = world.recording();
    const stream = consumer.addStream("ch_0", { path });
    consumer.packets(stream, 0n, 0n);
    return { consumer, stream };
  }
  return { ust: start(UST), kernel: start(KERNEL) };
}

function dataFiles(world: World): string[] {
  return world.tree(SESSION).filter((path) => !path.includes("index"));
}

Deno.test("siblings write into the same chunk", () => {
  using world = new World();
  const { ust, kernel } = siblings(world);
  assertEquals(dataFiles(world), [`${KERNEL}/ch_0`, `${UST}/ch_0`]);
  assertEquals(
    ust.consumer.session.producer,
    kernel.consumer.session.producer,
  );
});

Deno.test("a chunk is archived when the last sibling is through with it", () => {
  using world = new World();
  const { ust, kernel } = siblings(world);
  for (const { consumer } of [ust, kernel]) consumer.createChunk(1n);
  assertEquals(dataFiles(world), [
    ".tmp_new_chunk/",
    `.tmp_old_chunk/${KERNEL}/ch_0`,
    `.tmp_old_chunk/${UST}/ch_0`,
  ]);
  ust.consumer.rotate(1n, [ust.stream, 1n]);
  ust.consumer.closeChunk(0n, 0);
  assertEquals(dataFiles(world), [
    `.tmp_old_chunk/${KERNEL}/ch_0`,
    `.tmp_old_chunk/${UST}/ch_0`,
    `${chunkName(1n, START_SECONDS)}/${UST}/ch_0`,
  ]);
  for (const { consumer } of [ust, kernel]) {
    assertEquals(consumer.chunkExists(0n), true);
  }
  kernel.consumer.rotate(1n, [kernel.stream, 1n]);
  assertEquals(ust.consumer.chunkExists(0n), true);
  kernel.consumer.closeChunk(0n, 0);
  for (const { consumer } of [ust, kernel]) {
    assertEquals(consumer.chunkExists(0n), false);
  }
  assertEquals(
    dataFiles(world),
    [
      `${chunkName(1n, START_SECONDS)}/${KERNEL}/ch_0`,
      `${chunkName(1n, START_SECONDS)}/${UST}/ch_0`,
      `${ARCHIVE}/${KERNEL}/ch_0`,
      `${ARCHIVE}/${UST}/ch_0`,
    ].sort(),
  );
});

Deno.test("a sibling may begin the rotation after the other has ended it", () => {
  using world = new World();
  const { ust, kernel } = siblings(world);
  ust.consumer.createChunk(1n);
  ust.consumer.rotate(1n, [ust.stream, 1n]);
  ust.consumer.closeChunk(0n, 0);
  kernel.consumer.createChunk(1n);
  kernel.consumer.rotate(1n, [kernel.stream, 1n]);
  kernel.consumer.closeChunk(0n, 0);
  kernel.consumer.packets(kernel.stream, 1n, 1n);
  assertEquals(
    world.read(`${SESSION}/${chunkName(1n, START_SECONDS)}/${KERNEL}/ch_0`),
    packets(1n),
  );
  assertEquals(
    world.tree(SESSION).filter((path) => path.startsWith(".tmp")),
    [],
  );
});

Deno.test("a cleared chunk goes when the last sibling is through with it", () => {
  using world = new World();
  const { ust, kernel } = siblings(world);
  for (const { consumer } of [ust, kernel]) consumer.createChunk(1n);
  for (const { consumer, stream } of [ust, kernel]) {
    consumer.rotate(1n, [stream, 1n]);
    consumer.closeChunk(0n, 2);
  }
  assertEquals(dataFiles(world), [`${KERNEL}/ch_0`, `${UST}/ch_0`]);
  assertEquals(world.read(`${SESSION}/${UST}/ch_0`).length, 0);
});

Deno.test("a sibling that leaves in a rotation holds nothing back", () => {
  using world = new World();
  const { ust, kernel } = siblings(world);
  for (const { consumer } of [ust, kernel]) consumer.createChunk(1n);
  kernel.consumer.leave();
  ust.consumer.rotate(1n, [ust.stream, 1n]);
  ust.consumer.closeChunk(0n, 0);
  assertEquals(ust.consumer.chunkExists(0n), false);
  assertEquals(
    dataFiles(world).filter((path) => path.startsWith(ARCHIVE)).length,
    2,
  );
});

Deno.test("a consumer joins with the chunk that its sibling made", () => {
  using world = new World();
  const first = world.recording();
  const second = world.recording({ currentChunkId: 0n });
  const stream = second.addStream("ch_0", { path: KERNEL });
  second.packets(stream, 0n, 0n);
  first.leave();
  assertEquals(second.chunkExists(0n), true);
  assertEquals(world.read(`${SESSION}/${KERNEL}/ch_0`), packets(0n));
});

Deno.test("CREATE_SESSION with a chunk that nobody made is refused", () => {
  using world = new World();
  const consumer = world.consumer();
  const error = assertThrows(
    () => consumer.createSession({ currentChunkId: 4n }),
    PeerError,
    "The current trace chunk 4 is not known",
  );
  assertEquals(error.code, 25);
  assertEquals(world.tree(), []);
});

Deno.test("another session daemon cannot have the directory", () => {
  using world = new World();
  world.recording();
  const stranger = world.consumer();
  const error = assertThrows(
    () => stranger.createSession({ sessiondUuid: new Uint8Array(16).fill(8) }),
    PeerError,
    "The directory is in use by another producer: vm/demo",
  );
  assertEquals(error.code, 25);
});

Deno.test("another session daemon makes nothing in the directory", () => {
  using world = new World();
  world.recording({ basePath: "base" });
  const before = world.tree();
  const stranger = world.consumer();
  assertThrows(
    () =>
      stranger.createSession({
        sessiondUuid: new Uint8Array(16).fill(8),
        basePath: "base/archives/x",
      }),
    PeerError,
    "in use",
  );
  assertEquals(world.tree(), before);
});

Deno.test("another session daemon may have the directory afterwards", () => {
  using world = new World();
  world.recording().leave();
  const stranger = world.consumer();
  stranger.createSession({ sessiondUuid: new Uint8Array(16).fill(8) });
});

Deno.test("a session of a new producer does not see the old chunks", () => {
  using world = new World();
  world.recording().leave();
  const later = world.consumer();
  assertThrows(() => later.createSession({ currentChunkId: 0n }), PeerError);
});
