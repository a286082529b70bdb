/** Where trace chunks are between CREATE_TRACE_CHUNK and their end. */

import { assertEquals } from "@std/assert";
import { chunkName } from "../../lib/relay/layout.ts";
import { assertRefused } from "./support/refused.ts";
import {
  type Consumer,
  packets,
  START_SECONDS,
  UST_PATH,
  World,
} from "./support/world.ts";

const SESSION = "vm/demo";
const FILE = `${UST_PATH}/ch_0`;
const INDEX = `${UST_PATH}/index/ch_0.idx`;
const MOVE = 0;
const NO_OPERATION = 1;
const DELETE = 2;

function inChunk(chunk: string, ...more: string[]): string[] {
  return [FILE, INDEX, ...more].map((file) => `${chunk}${file}`).sort();
}

/** What lies below the session's directory. */
function tree(world: World): string[] {
  return world.tree(SESSION);
}

function started(id: bigint, seconds = START_SECONDS): string {
  return chunkName(id, seconds);
}

function archived(id: bigint, start = START_SECONDS, end = start + 60): string {
  return `archives/${chunkName(id, start, end)}`;
}

/** One stream with packet 0 in chunk 0. */
function recording(world: World): { consumer: Consumer; stream: bigint } {
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  return { consumer, stream };
}

Deno.test("a rotation moves through the directories that upstream uses", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  assertEquals(tree(world), inChunk(""));

  consumer.createChunk(1n, START_SECONDS + 10);
  assertEquals(tree(world), [
    ".tmp_new_chunk/",
    ...inChunk(".tmp_old_chunk/"),
  ]);
  assertEquals(consumer.session.producer.ongoingRotation, true);

  const path = consumer.closeChunk(0n, MOVE);
  assertEquals(path, `${SESSION}/${archived(0n)}`);
  assertEquals(consumer.session.producer.ongoingRotation, false);
  assertEquals(tree(world), [
    ...inChunk(".tmp_old_chunk/"),
    `${started(1n, START_SECONDS + 10)}/`,
  ]);
  assertEquals(consumer.chunkExists(0n), true);

  consumer.rotate(1n, [stream, 1n]);
  assertEquals(consumer.chunkExists(0n), false);
  assertEquals(
    tree(world),
    [
      ...inChunk(`${archived(0n)}/`),
      `${started(1n, START_SECONDS + 10)}/${FILE}`,
    ].sort(),
  );
});

Deno.test("a rotation while stopped goes straight to the archives", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.rotate(undefined, [stream, 1n]);
  assertEquals(
    consumer.closeChunk(0n, MOVE),
    `${SESSION}/${archived(0n)}`,
  );
  assertEquals(tree(world), inChunk(`${archived(0n)}/`));
  assertEquals(consumer.chunkExists(0n), false);

  consumer.createChunk(1n, START_SECONDS + 99);
  assertEquals(
    tree(world),
    [
      `${started(1n, START_SECONDS + 99)}/`,
      ...inChunk(`${archived(0n)}/`),
    ].sort(),
  );
});

Deno.test("a second rotation archives the second chunk", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.createChunk(1n, START_SECONDS + 10);
  consumer.rotate(1n, [stream, 1n]);
  consumer.closeChunk(0n, MOVE);
  consumer.packets(stream, 1n, 1n);
  consumer.createChunk(2n, START_SECONDS + 20);
  consumer.rotate(2n, [stream, 2n]);
  assertEquals(
    consumer.closeChunk(1n, MOVE, START_SECONDS + 90),
    `${SESSION}/${archived(1n, START_SECONDS + 10, START_SECONDS + 90)}`,
  );
  assertEquals(
    tree(world),
    [
      `${started(2n, START_SECONDS + 20)}/${FILE}`,
      ...inChunk(`${archived(0n)}/`),
      ...inChunk(`${archived(1n, START_SECONDS + 10, START_SECONDS + 90)}/`),
    ].sort(),
  );
});

Deno.test("a clear deletes, and the new data is directly in the session", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  assertEquals(consumer.closeChunk(0n, DELETE), SESSION);
  assertEquals(tree(world), [FILE]);
  consumer.packets(stream, 1n, 1n);
  assertEquals(world.read(`${SESSION}/${FILE}`), packets(1n));
  assertEquals(tree(world), inChunk(""));
});

Deno.test("a clear after a rotation leaves the chunk under its own name", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  consumer.closeChunk(0n, MOVE);
  consumer.createChunk(2n);
  consumer.rotate(2n, [stream, 1n]);
  assertEquals(consumer.closeChunk(1n, DELETE), SESSION);
  assertEquals(
    tree(world),
    [
      `${started(2n)}/${FILE}`,
      ...inChunk(`${archived(0n)}/`),
    ].sort(),
  );
});

Deno.test("a clear is not a rotation: the next chunk is in the session again", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.rotate(undefined, [stream, 1n]);
  consumer.closeChunk(0n, DELETE);
  assertEquals(tree(world), []);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  assertEquals(tree(world), [FILE]);
});

Deno.test("a clear deletes what streams made, and nothing else", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  world.tree();
  Deno.writeTextFileSync(`${world.output}/${SESSION}/ust/mine`, "keep");
  consumer.rotate(undefined, [stream, 1n]);
  consumer.closeChunk(0n, DELETE);
  assertEquals(tree(world), ["ust/mine"]);
});

Deno.test("a clear waits for data that is still to come", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.index(stream, 1n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 2n]);
  consumer.closeChunk(0n, DELETE);
  assertEquals(consumer.chunkExists(0n), true);
  consumer.data(stream, 1n);
  assertEquals(consumer.chunkExists(0n), false);
  consumer.packets(stream, 2n, 2n);
  assertEquals(tree(world), inChunk(""));
  assertEquals(world.read(`${SESSION}/${FILE}`), packets(2n));
  assertEquals(world.lines.filter((line) => /Error/.test(line)), []);
});

Deno.test("a clear is refused where it is not allowed, and nothing is deleted", () => {
  using world = new World({ allowClear: false });
  const { consumer, stream } = recording(world);
  consumer.rotate(undefined, [stream, 1n]);
  assertRefused(() => consumer.closeChunk(0n, DELETE), {
    code: 152,
    text: "clear is not allowed here",
  });
  assertEquals(tree(world), inChunk(""));
});

for (const command of [undefined, NO_OPERATION]) {
  Deno.test(`close command ${command} leaves everything where it is`, () => {
    using world = new World();
    const { consumer, stream } = recording(world);
    consumer.rotate(undefined, [stream, 1n]);
    assertEquals(consumer.closeChunk(0n, command), SESSION);
    assertEquals(tree(world), inChunk(""));
    assertEquals(consumer.chunkExists(0n), false);
  });
}

Deno.test("close without a command after a rotation keeps the chunk's name", () => {
  using world = new World();
  const { consumer, stream } = recording(world);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  consumer.closeChunk(0n, MOVE);
  consumer.packets(stream, 1n, 1n);
  consumer.rotate(undefined, [stream, 2n]);
  assertEquals(consumer.closeChunk(1n), SESSION);
  assertEquals(
    tree(world),
    [
      ...inChunk(`${started(1n)}/`),
      ...inChunk(`${archived(0n)}/`),
    ].sort(),
  );
});

Deno.test("a snapshot's chunk has the name that it was given", () => {
  using world = new World();
  const consumer = world.consumer();
  consumer.createSession({ snapshot: 1 });
  const name = "snapshot-1-20261123-021559-0";
  consumer.createChunk(0n, START_SECONDS, name);
  const stream = consumer.addStream();
  consumer.data(stream, 0n);
  consumer.closeStream(stream, 0n);
  assertEquals(consumer.closeChunk(0n), `${SESSION}/${name}`);
  assertEquals(tree(world), [`${name}/${FILE}`]);
});

Deno.test("a snapshot's data may come after its chunk is closed", () => {
  using world = new World();
  const consumer = world.consumer();
  consumer.createSession({ snapshot: 1 });
  consumer.createChunk(0n, START_SECONDS, "snapshot-1");
  const stream = consumer.addStream();
  consumer.closeStream(stream, 1n);
  consumer.closeChunk(0n);
  assertEquals(consumer.chunkExists(0n), true);
  consumer.data(stream, 0n);
  consumer.data(stream, 1n);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(consumer.chunkExists(0n), false);
  assertEquals(
    world.read(`${SESSION}/snapshot-1/${FILE}`),
    packets(0n, 1n),
  );
});

Deno.test("a named chunk is never moved", () => {
  using world = new World();
  const consumer = world.consumer();
  consumer.createSession();
  consumer.createChunk(0n, START_SECONDS, "named");
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 1n]);
  consumer.closeChunk(0n, MOVE);
  assertEquals(
    tree(world).filter((path) => path.startsWith("named")),
    inChunk("named/"),
  );
});

for (const name of ["a/b", "..", "../x", "a.b", ".x", "/x", "x".repeat(256)]) {
  Deno.test(`CREATE_TRACE_CHUNK refuses the name ${name.slice(0, 20)}`, () => {
    using world = new World();
    const consumer = world.consumer();
    consumer.createSession();
    assertRefused(() => consumer.createChunk(0n, START_SECONDS, name), {
      code: 97,
      text: "Trace chunk name",
    });
    assertEquals(world.tree(), ["vm/demo/"]);
  });
}

Deno.test("CREATE_TRACE_CHUNK refuses a third chunk", () => {
  using world = new World();
  const consumer = world.recording();
  consumer.createChunk(1n);
  assertRefused(() => consumer.createChunk(2n), {
    code: 152,
    text: "chunk 2 while chunk 0 is not closed",
  });
});

Deno.test("CLOSE_TRACE_CHUNK refuses unknown chunks, others and commands", () => {
  using world = new World();
  const consumer = world.recording();
  consumer.createChunk(1n);
  assertRefused(() => consumer.closeChunk(9n), {
    code: 26,
    text: "Trace chunk 9 is not known",
  });
  assertRefused(() => consumer.closeChunk(1n), {
    code: 152,
    text: "close of chunk 1, not of chunk 0",
  });
  assertRefused(() => consumer.closeChunk(0n, 3), {
    code: 97,
    text: "Unknown close command: 3 > 2",
  });
});

Deno.test("TRACE_CHUNK_EXISTS knows chunks that never were", () => {
  using world = new World();
  const consumer = world.recording();
  assertEquals(consumer.chunkExists(0n), true);
  assertEquals(consumer.chunkExists(1n), false);
});

Deno.test("a lost connection in the middle of a rotation renames nothing", () => {
  using world = new World();
  const { consumer } = recording(world);
  consumer.createChunk(1n);
  consumer.leave();
  assertEquals(tree(world), [
    ".tmp_new_chunk/",
    ...inChunk(".tmp_old_chunk/"),
  ]);
  assertEquals(world.collector.sessions.size, 0);
});
