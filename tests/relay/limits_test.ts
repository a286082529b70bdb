/** Every limit refuses what is above it, says both numbers, and lets others be. */

import { assertEquals, assertThrows } from "@std/assert";
import { FatalPeerError, PeerError } from "../../lib/base/errors.ts";
import * as limits from "../../lib/base/limits.ts";
import { assertRefused } from "./support/refused.ts";
import { World } from "./support/world.ts";

function above(limit: number): string {
  return `${limit + 1} `;
}

Deno.test("sessions are limited", () => {
  using world = new World();
  // The oldest peers' sessions need no directory each.
  for (let at = 0; at < limits.SESSIONS; at++) world.recording({}, 1);
  const text = `${above(limits.SESSIONS)}sessions > ${limits.SESSIONS}`;
  const error = assertThrows(() => world.recording({}, 1), PeerError, text);
  assertEquals(error.code, 25);
  const [first] = world.collector.sessions;
  first!.controlClosed(false);
  world.recording({}, 1);
  world.lines.length = 0;
});

Deno.test("streams of a session are limited", () => {
  using world = new World({ filePoolSize: 8 });
  const consumer = world.recording();
  const streams: bigint[] = [];
  for (let at = 0; at < limits.STREAMS_PER_SESSION; at++) {
    streams.push(consumer.addStream(`ch_${at}`));
  }
  assertRefused(() => consumer.addStream("one_more"), {
    code: 11,
    text: `${above(limits.STREAMS_PER_SESSION)}streams > ` +
      limits.STREAMS_PER_SESSION,
    goesOn: true,
  });
  world.recording({ sessionName: "other" }).addStream();
  consumer.closeStream(streams[0]!);
  consumer.addStream("one_more");
});

const HALVES = limits.PENDING_INDEXES_PER_STREAM;

Deno.test("indexes without data are limited, as are data without indexes", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  for (let at = 0n; at < HALVES; at++) consumer.index(stream, at);
  const text = `${above(HALVES)}packets without data or index > ${HALVES}`;
  const refused = { code: 11, text };
  assertRefused(() => consumer.index(stream, BigInt(HALVES)), refused);
  assertThrows(
    () => consumer.data(stream, BigInt(HALVES)),
    FatalPeerError,
    text,
  );
  consumer.data(stream, 0n);
  consumer.index(stream, BigInt(HALVES));
});

Deno.test("data without indexes is limited", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  for (let at = 0n; at < HALVES; at++) consumer.data(stream, at, 0);
  assertRefused(() => consumer.data(stream, BigInt(HALVES)), {
    text: `${above(HALVES)}packets without data or index > ${HALVES}`,
  });
});

Deno.test("open trace chunks of a producer are limited", () => {
  using world = new World();
  for (let at = 0n; at < limits.CHUNKS_PER_SESSION; at++) {
    const consumer = world.consumer();
    consumer.createSession();
    consumer.createChunk(at);
  }
  const last = world.consumer();
  last.createSession();
  assertRefused(() => last.createChunk(BigInt(limits.CHUNKS_PER_SESSION)), {
    code: 26,
    text: `${above(limits.CHUNKS_PER_SESSION)}open trace chunks > ` +
      limits.CHUNKS_PER_SESSION,
  });
  last.createChunk(0n);
});

Deno.test("a packet's size is limited, padding included, without wrapping", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  const size = 0xFFFF_FFFF;
  assertRefused(() => consumer.beginData(stream, 0n, size, size), {
    text: `a packet of ${2 * size} bytes > ${limits.PACKET_BYTES}`,
  });
  assertRefused(() => consumer.beginData(stream, 0n, 1, limits.PACKET_BYTES), {
    text: `${limits.PACKET_BYTES + 1} bytes > ${limits.PACKET_BYTES}`,
  });
});

Deno.test("the largest padding takes no space on disk", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream();
  consumer.data(stream, 0n, 8, 256 * 1024 * 1024);
  world.tree();
  const info = Deno.statSync(`${world.output}/vm/demo/ust/uid/0/64-bit/ch_0`);
  assertEquals(info.size, 256 * 1024 * 1024 + 8);
  if (info.blocks !== null) assertEquals(info.blocks < 1000, true);
});

Deno.test("padding of metadata is limited", () => {
  using world = new World();
  const consumer = world.recording();
  const stream = consumer.addStream("metadata");
  const most = limits.METADATA_PADDING_BYTES;
  assertRefused(() => consumer.metadata(stream, "x", most + 1), {
    text: `padding of ${most + 1} bytes > ${most}`,
  });
  consumer.metadata(stream, "x", most);
});
