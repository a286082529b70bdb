/** What a session and a stream are called on the wire. */

import { assertEquals, assertMatch } from "@std/assert";
import { streamId } from "../../lib/base/ids.ts";
import {
  legacyOutputPath,
  OpenStream,
  sessionRequest,
} from "../../lib/stream/relay_stream.ts";

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

test("sessionRequest() calls the host localhost when it may not ask", () => {
  assertEquals(sessionRequest({ name: "demo" }).hostname, "localhost");
});

test("sessionRequest() makes up a session daemon that is not all zeros", () => {
  const { sessiondUuid } = sessionRequest({ name: "demo" });
  assertEquals(sessiondUuid.length, 16);
  assertEquals(sessiondUuid.some((byte) => byte !== 0), true);
});

test("sessionRequest() counts the creation time in whole seconds", () => {
  const { creationTime } = sessionRequest({
    name: "demo",
    creationTime: new Date(1_795_399_639_999),
  });
  assertEquals(creationTime, 1_795_399_639n);
});

test("legacyOutputPath() names host, session and local time", () => {
  const request = sessionRequest({
    name: "demo",
    hostname: "vm",
    creationTime: new Date(2026, 10, 3, 2, 7, 9),
  });
  assertEquals(legacyOutputPath(request), "vm/demo-20261103-020709");
});

test("legacyOutputPath() adds no time to a name that has it", () => {
  const request = sessionRequest({
    name: "auto-20261123-020719",
    hostname: "vm",
    nameContainsCreationTime: true,
  });
  assertEquals(legacyOutputPath(request), "vm/auto-20261123-020719");
});

test("legacyOutputPath() prefers the base path", () => {
  const request = sessionRequest({
    name: "demo",
    hostname: "vm",
    basePath: "mine/too",
  });
  assertEquals(legacyOutputPath(request), "vm/mine/too");
});

test("OpenStream.channel is the name without the instance", () => {
  const stream = new OpenStream(streamId(1n), "a_b_12", "ust", 0n);
  assertMatch(stream.channel, /^ust\/a_b$/);
  assertEquals(stream.lastSequenceNumber, 0xFFFF_FFFF_FFFF_FFFFn);
});
