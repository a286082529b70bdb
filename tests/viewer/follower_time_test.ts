/** New streams and inactivity: what a follower tells before time passes. */

import { assertEquals, assertThrows } from "@std/assert";
import * as limits from "../../lib/base/limits.ts";
import { ALL_ONES } from "../../lib/base/ids.ts";
import { WireError } from "../../lib/wire/struct.ts";
import { NextIndexFlag, NextIndexStatus } from "../../lib/wire/live.ts";
import {
  FakeRelay,
  inactive,
  index,
  metadata,
  metadataStream,
  status,
  stream,
} from "./support/fake_relay.ts";
import {
  BEGINNING,
  follow,
  HANG_UP,
  newStreams,
  oneTrace,
  ROTATING,
} from "./support/follow.ts";

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

// ---- New streams ----------------------------------------------------------------

for (const [name, number] of Object.entries(NextIndexStatus)) {
  test(`NEW_STREAM with ${name} brings the streams first`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.newStreams, 5n, newStreams(), newStreams(stream(7n)));
    relay.then(relay.indexes, 2n, status(NextIndexStatus.RETRY), {
      ...index(0n),
      status: number,
      flags: NextIndexFlag.NEW_STREAM,
    });
    const texts = run.texts(2);
    assertEquals(texts.slice(0, 5), [...BEGINNING, "stream 7"]);
  });
}

test("new streams are found without a flag", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.newStreams, 5n, newStreams(), ROTATING);
  relay.then(relay.newStreams, 5n, newStreams(stream(7n)));
  relay.then(relay.indexes, 7n, index(0n));
  assertEquals(run.texts(3), [...BEGINNING, "stream 7", "packet 7 at 0"]);
});

test("a session attached without streams brings them later", () => {
  const relay = new FakeRelay();
  const run = follow(relay, []);
  assertEquals(run.texts(2), ["session 5"]);
  relay.then(relay.metadata, 1n, metadata("text"));
  relay.then(
    relay.newStreams,
    5n,
    newStreams(stream(2n), metadataStream(1n)),
  );
  relay.then(relay.indexes, 2n, index(0n));
  assertEquals(run.texts(2), [...BEGINNING.slice(1), "packet 2 at 0"]);
});

test("a stream that is announced again is the same, even after its end", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n), status(NextIndexStatus.HANG_UP));
  const again = newStreams(stream(2n), metadataStream(1n));
  relay.then(relay.newStreams, 5n, again, again, again);
  assertEquals(run.texts(5), [
    ...BEGINNING,
    "packet 2 at 0",
    "stream-ended 2 hang-up",
  ]);
});

test("a second metadata stream of a trace is passed over", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.newStreams, 5n, newStreams(metadataStream(9n)), HANG_UP);
  relay.then(
    relay.indexes,
    2n,
    ...[index(0n), status(NextIndexStatus.HANG_UP)],
  );
  assertEquals(run.texts(), [
    ...[...BEGINNING, "packet 2 at 0"],
    ...["stream-ended 2 hang-up", "stream-ended 1 hang-up"],
    "session-ended 5 hang-up",
  ]);
});

test("more open streams than a session may have make no sense", () => {
  const relay = new FakeRelay();
  const most = limits.STREAMS_PER_SESSION;
  const streams = Array.from({ length: most }, (_, i) => stream(BigInt(i)));
  assertThrows(
    () => follow(relay, streams).items(1),
    WireError,
    `${most + 1} open streams > ${most}`,
  );
});

// ---- Inactivity -------------------------------------------------------------------

test("inactivity is told where it is later than what was known", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(
    relay.indexes,
    2n,
    ...[inactive(0n), inactive(0n), index(100n), inactive(105n)],
    ...[inactive(110n), inactive(111n), inactive(50n), inactive(112n)],
  );
  assertEquals(run.texts(8).slice(4), [
    ...["inactive 2 until 0", "packet 2 at 100"],
    ...["inactive 2 until 111", "inactive 2 until 112"],
  ]);
});

test("inactivity tells the stream class, unless it is not known", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, inactive(1n, ALL_ONES), inactive(2n, 7n));
  const classes = run.items(2).flatMap((item) =>
    item.kind === "inactive" ? [item.streamClassId] : []
  );
  assertEquals(classes, [undefined, 7n]);
});

test("inactivity comes after the streams that were published before", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [...oneTrace(relay), stream(3n)]);
  relay.then(relay.indexes, 2n, inactive(10n));
  relay.then(relay.indexes, 3n, inactive(20n));
  relay.then(relay.newStreams, 5n, newStreams(stream(7n)));
  assertEquals(run.texts(1).slice(5), [
    "stream 7",
    "inactive 2 until 10",
    "inactive 3 until 20",
  ]);
});

test("inactivity waits while the relay daemon cannot tell new streams", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.newStreams, 5n, ROTATING, ROTATING);
  relay.then(relay.indexes, 2n, inactive(10n), inactive(10n), inactive(30n));
  assertEquals(run.texts(2), BEGINNING);
  assertEquals(run.texts(1), ["inactive 2 until 30"]);
});

test("inactivity that waited is dropped when the stream ends", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.newStreams, 5n, ROTATING);
  const end = status(NextIndexStatus.HANG_UP);
  relay.then(relay.indexes, 2n, inactive(10n), end);
  assertEquals(run.texts(3), [...BEGINNING, "stream-ended 2 hang-up"]);
});

test("inactivity that waited is dropped when a packet comes", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.newStreams, 5n, ROTATING);
  relay.then(relay.indexes, 2n, inactive(30n), index(10n));
  assertEquals(run.texts(2), [...BEGINNING, "packet 2 at 10"]);
});
