/** When streams and sessions end: by CLOSE_STREAM, or by a lost connection. */

import { assertEquals } from "@std/assert";
import { ALL_ONES } from "../../lib/base/ids.ts";
import { ORPHAN_STREAM_TIMEOUT_MS } from "../../lib/base/limits.ts";
import { assertRefused } from "./support/refused.ts";
import { packets, UST_PATH, World } from "./support/world.ts";

const DATA = `vm/demo/${UST_PATH}/ch_0`;
const INDEX = `vm/demo/${UST_PATH}/index/ch_0.idx`;

Deno.test("CLOSE_STREAM closes a stream that has everything", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 1n);
  consumer.closeStream(stream, 1n);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.read(DATA), packets(0n, 1n));
});

Deno.test("CLOSE_STREAM closes a stream to which nothing was sent", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  const metadata = consumer.addStream("metadata");
  consumer.closeStream(metadata);
  consumer.closeStream(stream);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(consumer.isOpen(metadata), false);
});

Deno.test("CLOSE_STREAM waits for the last packet", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  consumer.index(stream, 1n);
  consumer.closeStream(stream, 1n);
  assertEquals(consumer.isOpen(stream), true);
  consumer.data(stream, 1n);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.entries(INDEX).length, 2);
});

Deno.test("CLOSE_STREAM of nothing sent waits for an index's data", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  for (const at of [2n, 0n, 1n]) consumer.index(stream, at);
  consumer.closeStream(stream);
  for (const at of [0n, 1n]) {
    consumer.data(stream, at);
    assertEquals(consumer.isOpen(stream), true, `after packet ${at}`);
  }
  consumer.data(stream, 2n);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.entries(INDEX).length, 3);
});

Deno.test("a closed stream is unknown", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.closeStream(stream);
  const unknown = { code: 11, text: "has no stream" };
  assertRefused(() => consumer.closeStream(stream), unknown);
  assertRefused(() => consumer.index(stream, 0n), unknown);
  assertRefused(() => consumer.pending(stream, 0n), {
    code: 0xFFFF_FFFF,
    text: "No such stream",
  });
});

Deno.test("a lost control connection closes streams that have everything", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  consumer.closeStream(stream, 0n);
  const unclosed = consumer.addStream("ch_1");
  consumer.session.controlClosed(false);
  consumer.session.dataClosed(false);
  assertEquals(consumer.isOpen(unclosed), false);
  assertEquals(world.collector.sessions.size, 0);
});

Deno.test("a lost control connection lets announced data come", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  consumer.index(stream, 1n);
  consumer.session.controlClosed(false);
  assertEquals(consumer.isOpen(stream), true);
  consumer.data(stream, 1n);
  consumer.session.dataClosed(false);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.read(DATA), packets(0n, 1n));
  assertEquals(world.entries(INDEX).length, 2);
});

Deno.test("a control connection that fails closes everything as it is", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, 0n);
  consumer.beginData(stream, 0n, 8);
  consumer.payload(stream, 0n, 3);
  consumer.session.controlClosed(true);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.read(DATA).length, 0);
});

Deno.test("a lost data connection closes streams without an explicit close", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  const silent = consumer.addStream("ch_1");
  consumer.packets(stream, 0n, 0n);
  consumer.session.dataClosed(false);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(consumer.isOpen(silent), false);
  assertRefused(() => consumer.index(stream, 1n), {
    code: 11,
    text: "has no stream",
  });
  assertEquals(world.collector.sessions.size, 1, "control is still there");
  consumer.session.controlClosed(false);
  assertEquals(world.collector.sessions.size, 0);
});

Deno.test("a lost data connection leaves time for the index of its last data", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.data(stream, 0n);
  consumer.session.dataClosed(false);
  consumer.index(stream, 0n);
  assertEquals(world.entries(INDEX).length, 1);
  assertEquals(consumer.isOpen(stream), false);
});

Deno.test("a data connection lost in a packet leaves whole packets", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  consumer.beginData(stream, 1n, 100);
  consumer.payload(stream, 1n, 99);
  world.tree();
  consumer.session.dataClosed(false);
  assertEquals(world.read(DATA), packets(0n));
  assertEquals(
    world.lines.filter((line) => line.startsWith("Warning")),
    [
      'Warning: session 1 "demo" of "vm": stream ust/uid/0/64-bit/ch_0: cut ' +
      "99 bytes of a packet that did not arrive whole",
    ],
  );
});

Deno.test("data that stays out is waited for, then no longer", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, 0n);
  consumer.session.controlClosed(false);
  assertEquals(consumer.isOpen(stream), true);
  world.now += ORPHAN_STREAM_TIMEOUT_MS - 1;
  world.collector.sweep();
  assertEquals(consumer.isOpen(stream), true);
  world.now += 1;
  world.collector.sweep();
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.collector.sessions.size, 0);
  assertEquals(
    world.lines.filter((line) => line.startsWith("Error")),
    [
      'Error: session 1 "demo" of "vm" is cut: no data came for 60 s after ' +
      "its connection was lost",
    ],
  );
});

Deno.test("data that still comes over a slow link is waited for", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.index(stream, 0n);
  consumer.session.controlClosed(false);
  consumer.beginData(stream, 0n, 100);
  for (let byte = 0; byte < 100; byte++) {
    world.now += ORPHAN_STREAM_TIMEOUT_MS - 1;
    world.collector.sweep();
    assertEquals(consumer.isOpen(stream), true);
    consumer.payload(stream, 0n, 1);
  }
  consumer.endData(stream);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.lines.filter((line) => line.startsWith("Error")), []);
});

Deno.test("a session in good order is never swept", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  world.now += 100 * ORPHAN_STREAM_TIMEOUT_MS;
  world.collector.sweep();
  consumer.packets(stream, 0n, 0n);
  assertEquals(world.entries(INDEX).length, 1);
});

Deno.test("a session that never had data ends with its control connection", () => {
  using world = new World();
  const consumer = world.recording();
  consumer.addStream();
  consumer.session.controlClosed(false);
  assertEquals(world.collector.sessions.size, 0);
});

Deno.test("an aborted session takes no new streams", () => {
  using world = new World();
  const consumer = world.recording();
  consumer.addStream();
  consumer.session.abort("the disk is full");
  assertRefused(() => consumer.addStream("ch_1"), {
    code: 11,
    text: "was cut",
  });
});

Deno.test("a stream that closes in a rotation lets both chunks go", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 0n);
  consumer.createChunk(1n);
  consumer.rotate(1n, [stream, 5n]);
  consumer.closeChunk(0n, 0);
  assertEquals(consumer.chunkExists(0n), true);
  consumer.closeStream(stream, 0n);
  assertEquals(consumer.chunkExists(0n), false);
});

Deno.test("an index that came twice for one packet keeps no stream open", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.packets(stream, 0n, 1n);
  consumer.index(stream, 0n);
  consumer.closeStream(stream, ALL_ONES);
  assertEquals(consumer.isOpen(stream), false);
  assertEquals(world.entries(INDEX).length, 2);
});

Deno.test("files that wait for late indexes are closed with their stream", () => {
  using world = new World({ filePoolSize: 1000 });
  const consumer = world.recording();
  const stream = consumer.addStream("ch_0", { size: 8n, count: 0n });
  for (let at = 0n; at < 20n; at++) consumer.data(stream, at);
  consumer.session.abort("the test is over");
  if (Deno.build.os !== "linux") return;
  const open = [...Deno.readDirSync("/proc/self/fd")].filter((entry) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${entry.name}`)
        .startsWith(world.output);
    } catch {
      return false;
    }
  });
  assertEquals(open.length, 0);
});
