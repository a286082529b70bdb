/** Trace files of bounded size, in bounded or unbounded number. */

import { assertEquals } from "@std/assert";
import { PENDING_INDEXES_PER_STREAM } from "../../lib/base/limits.ts";
import { packets, UST_PATH, World } from "./support/world.ts";

const DIRECTORY = `vm/demo/${UST_PATH}`;

function offsets(world: World, file: number): bigint[] {
  return world.entries(`${DIRECTORY}/index/ch_0_${file}.idx`)
    .map((entry) => entry.offset);
}

function content(world: World, file: number): Uint8Array {
  return world.read(`${DIRECTORY}/ch_0_${file}`);
}

Deno.test("a tracefile size without a count makes as many files as it takes", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 16n, count: 0n });
  consumer.packets(stream, 0n, 6n);
  assertEquals(
    world.tree(),
    [
      ...["ch_0_0", "ch_0_1", "ch_0_2", "ch_0_3"],
      ...[0, 1, 2, 3].map((file) => `index/ch_0_${file}.idx`),
    ].map((name) => `${DIRECTORY}/${name}`),
  );
  assertEquals(content(world, 0), packets(0n, 1n));
  assertEquals(content(world, 3), packets(6n));
  assertEquals([0, 1, 2, 3].map((file) => offsets(world, file)), [
    ...[[0n, 8n], [0n, 8n], [0n, 8n], [0n]],
  ]);
});

Deno.test("a tracefile count makes the oldest file give way", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 16n, count: 2n });
  consumer.packets(stream, 0n, 4n);
  assertEquals(world.tree().length, 4);
  assertEquals(content(world, 0), packets(4n));
  assertEquals(content(world, 1), packets(2n, 3n));
  assertEquals([offsets(world, 0), offsets(world, 1)], [[0n], [0n, 8n]]);
});

Deno.test("a file that gives way is unlinked, not emptied", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 8n, count: 2n });
  consumer.packets(stream, 0n, 1n);
  world.tree();
  using reader = Deno.openSync(`${world.output}/${DIRECTORY}/ch_0_0`);
  consumer.packets(stream, 2n, 2n);
  const buffer = new Uint8Array(100);
  assertEquals(buffer.subarray(0, reader.readSync(buffer)!), packets(0n));
  assertEquals(content(world, 0), packets(2n));
});

Deno.test("one file alone gives way to itself", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 16n, count: 1n });
  consumer.packets(stream, 0n, 4n);
  assertEquals(content(world, 0), packets(4n));
  assertEquals(offsets(world, 0), [0n]);
});

Deno.test("a missing file that would give way is no error", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 8n, count: 2n });
  consumer.packets(stream, 0n, 1n);
  world.tree();
  Deno.removeSync(`${world.output}/${DIRECTORY}/ch_0_0`);
  consumer.packets(stream, 2n, 2n);
  assertEquals(content(world, 0), packets(2n));
});

Deno.test("the size test counts data without padding", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 16n, count: 0n });
  consumer.data(stream, 0n, 8, 0);
  consumer.data(stream, 1n, 8, 100);
  consumer.data(stream, 2n, 8, 0);
  assertEquals(content(world, 0).length, 116);
  assertEquals(content(world, 1), packets(2n));
});

Deno.test("a packet larger than the size gets a file of its own", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 16n, count: 0n });
  consumer.packets(stream, 0n, 0n);
  consumer.packets(stream, 1n, 1n, 100);
  consumer.packets(stream, 2n, 2n);
  assertEquals(content(world, 0), packets(0n));
  assertEquals(content(world, 1).length, 100);
  assertEquals(content(world, 2), packets(2n));
});

Deno.test("a late index goes to the file that its data is in", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 16n, count: 0n });
  for (let at = 0n; at < 6n; at++) consumer.data(stream, at);
  for (const at of [5n, 0n, 3n, 1n, 4n, 2n]) consumer.index(stream, at);
  for (const file of [0, 1, 2]) {
    const numbers = world.entries(`${DIRECTORY}/index/ch_0_${file}.idx`)
      .map((entry) => entry.packetSequenceNumber).sort();
    assertEquals(numbers, [BigInt(file * 2), BigInt(file * 2 + 1)]);
  }
});

Deno.test("an index for data that gave way is dropped", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 8n, count: 2n });
  for (let at = 0n; at < 5n; at++) consumer.data(stream, at);
  for (let at = 0n; at < 5n; at++) consumer.index(stream, at);
  assertEquals(content(world, 0), packets(4n));
  assertEquals(content(world, 1), packets(3n));
  const number = (file: number) =>
    world.entries(`${DIRECTORY}/index/ch_0_${file}.idx`)
      .map((entry) => entry.packetSequenceNumber);
  assertEquals([number(0), number(1)], [[4n], [3n]]);
  assertEquals(consumer.pending(stream, 4n), 0);
  consumer.closeStream(stream, 4n);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.lines.filter((line) => /removed|cut/.test(line)), []);
});

Deno.test("thousands of files that wait for indexes delay nobody", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 8n, count: 0n });
  const most = PENDING_INDEXES_PER_STREAM;
  const begin = performance.now();
  for (let at = 0n; at < most; at++) consumer.data(stream, at);
  for (let at = 0n; at < most; at++) consumer.index(stream, at);
  const took = performance.now() - begin;
  assertEquals(took < 10_000, true, `${took} ms`);
  assertEquals(offsets(world, most - 1), [0n]);
});

Deno.test("a chunk begins with file 0 again", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 8n, count: 0n });
  consumer.packets(stream, 0n, 2n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 3n]);
  consumer.closeChunk(0n, 0);
  consumer.packets(stream, 3n, 3n);
  const files = world.tree().filter((path) => !path.includes("archives"));
  assertEquals(files.map((path) => path.split("/").at(-1)), [
    ...["ch_0_0", "ch_0_0.idx"],
  ]);
  assertEquals(
    world.tree().filter((path) => path.includes("archives")).length,
    6,
  );
});
