/** What a follower asks next, and in which order it tells what it learns. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as limits from "../../lib/base/limits.ts";
import { ALL_ONES } from "../../lib/base/ids.ts";
import {
  AttachStatus,
  MetadataStatus,
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  PacketStatus,
  type SessionEntry,
} from "../../lib/wire/live.ts";
import { WireError } from "../../lib/wire/struct.ts";
import { Follower, type FollowerOptions } from "../../lib/viewer/follower.ts";
import {
  FakeRelay,
  index,
  metadata,
  metadataStream,
  session,
  status,
  stream,
  type StreamEntry,
} from "./support/fake_relay.ts";
import { PlanRun } from "./support/plan_run.ts";

const NO_NEW = { status: MetadataStatus.NO_NEW, metadata: new Uint8Array() };
const EMPTY = { status: MetadataStatus.OK, metadata: new Uint8Array() };
const FORGOTTEN = { status: MetadataStatus.ERROR, metadata: new Uint8Array() };
const HANG_UP = { status: NewStreamsStatus.HANG_UP, streams: [] };
const ROTATING = { status: NewStreamsStatus.NO_NEW, streams: [] };
const UNKNOWN = { status: NewStreamsStatus.ERROR, streams: [] };
const LOST = { status: PacketStatus.ERROR, flags: 0, packet: new Uint8Array() };

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

function newStreams(...streams: StreamEntry[]) {
  return { status: NewStreamsStatus.OK, streams };
}

/** Follows session 5 with these streams, and what else is attached. */
function follow(
  relay: FakeRelay,
  streams: readonly StreamEntry[],
  options: Partial<FollowerOptions> = {},
  others: readonly SessionEntry[] = [],
): PlanRun<void> {
  const attached = [
    { session: session(5n), streams },
    ...others.map((session) => ({ session, streams: [] })),
  ];
  return new PlanRun(relay, (now) =>
    new Follower(attached, {
      pollMs: 100,
      sessionPollMs: 1_000,
      requestBytes: 1024,
      isMeant: undefined,
      canDetach: true,
      held: new Set(),
      now,
      ...options,
    }).run());
}

/** One trace whose metadata is there: stream 1 of metadata, stream 2 of data. */
function oneTrace(relay: FakeRelay): StreamEntry[] {
  relay.then(relay.metadata, 1n, metadata("text"));
  return [stream(2n), metadataStream(1n)];
}

const BEGINNING = ["session 5", "stream 1", "stream 2", "metadata 1 text"];

// ---- The ordinary course -----------------------------------------------------

test("follow tells metadata and packets from the beginning to the end", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(
    relay.indexes,
    2n,
    index(0n),
    index(10n),
    status(NextIndexStatus.HANG_UP),
  );
  relay.then(relay.newStreams, 5n, newStreams(), HANG_UP);
  assertEquals(run.texts(), [
    ...BEGINNING,
    "packet 2 at 0",
    "packet 2 at 10",
    "stream-ended 2 hang-up",
    "stream-ended 1 hang-up",
    "session-ended 5 hang-up",
  ]);
  assertEquals(run.ended, true);
});

test("follow gives each packet its index and bytes", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  const told = {
    offset: 16n,
    packetSize: 64n,
    contentSize: 61n,
    timestampBegin: 1n,
    timestampEnd: 2n,
    eventsDiscarded: 3n,
  };
  relay.then(relay.indexes, 2n, index(0n, { ...told, streamId: 4n }));
  const packet = run.items(1).find((item) => item.kind === "packet");
  assertEquals(packet?.index, { ...told, streamClassId: 4n });
  assertEquals(packet?.bytes, Uint8Array.of(16, 17, 18, 19, 20, 21, 22, 23));
});

test("follow keeps one object for each session, trace and stream", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [...oneTrace(relay), stream(3n, { traceId: 9n })]);
  relay.then(relay.indexes, 2n, index(0n));
  const items = run.items(1);
  const streams = items.flatMap((item) =>
    item.kind === "stream" ? [item.stream] : []
  );
  const packet = items.find((item) => item.kind === "packet");
  const [text, data, other] = streams;
  assert(packet?.stream === data);
  assert(text?.trace === data?.trace && data?.trace !== other?.trace);
  assert(data?.session === other?.session && items[0]?.kind === "session");
  assertEquals(data, {
    id: 2n,
    session: session(5n),
    trace: { id: 1n, session: session(5n) },
    isMetadata: false,
    pathname: "ust/uid/0/64-bit",
    channelName: "ch_2",
  });
});

test("follow says idle once until there is something again", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(
    relay.indexes,
    2n,
    ...[status(NextIndexStatus.RETRY), status(NextIndexStatus.RETRY)],
    ...[status(NextIndexStatus.RETRY), index(0n)],
  );
  const kinds = run.items(6).map(({ kind }) => kind);
  assertEquals(kinds.slice(4), ["idle", "packet", "idle"]);
});

// ---- Turns --------------------------------------------------------------------

test("a stream with nothing rests for the poll time", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay), { pollMs: 70 });
  run.items(3);
  assertEquals(run.pauses, [70, 70, 70]);
  assertEquals(relay.count("GET_NEXT_INDEX"), 3);
});

test("streams with packets take turns", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [...oneTrace(relay), stream(3n), stream(4n)]);
  for (const id of [2n, 3n, 4n]) {
    relay.then(relay.indexes, id, index(0n), index(10n));
  }
  run.items(1);
  assertEquals(
    relay.indexesAsked,
    [2n, 3n, 4n, 2n, 3n, 4n, 2n, 3n, 4n],
  );
});

test("a stream with nothing is not asked while another has packets", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [...oneTrace(relay), stream(3n)]);
  relay.then(
    relay.indexes,
    2n,
    ...Array.from({ length: 50 }, (_, i) => index(BigInt(i))),
  );
  run.items(1);
  assertEquals(relay.indexesAsked.filter((id) => id === 3n).length, 1);
});

test("a busy stream keeps neither others nor new streams waiting", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [...oneTrace(relay), stream(3n)]);
  run.commandMs = 1;
  relay.then(
    relay.indexes,
    2n,
    ...Array.from({ length: 200 }, (_, i) => index(BigInt(i))),
  );
  relay.then(relay.newStreams, 5n, newStreams(), newStreams(stream(4n)));
  relay.then(relay.indexes, 3n, status(NextIndexStatus.RETRY), index(0n));
  const texts = run.texts(1);
  const last = texts.indexOf("packet 2 at 199");
  assert(texts.slice(0, last).includes("packet 3 at 0"));
  assert(texts.slice(0, last).includes("stream 4"));
  // 200 packets take 400 ms: it is asked at the beginning, after 100 ms and,
  // since it had a packet, once more, then every 100 ms.
  assertEquals(relay.indexesAsked.filter((id) => id === 3n).length, 5);
});

test("a follower whose items nobody takes asks nothing", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  assertEquals(run.next()?.kind, "session");
  assertEquals(relay.asked, []);
});

// ---- Metadata -----------------------------------------------------------------

test("metadata is fetched until there is no more", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [metadataStream(1n)]);
  relay.then(relay.metadata, 1n, metadata("a"), metadata("b"), metadata("c"));
  assertEquals(run.texts(1), [
    "session 5",
    "stream 1",
    ...["metadata 1 a", "metadata 1 b", "metadata 1 c"],
  ]);
});

for (const [name, number] of Object.entries(NextIndexStatus)) {
  test(`NEW_METADATA with ${name} brings metadata first`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.metadata, 1n, NO_NEW, metadata("more"));
    relay.then(relay.indexes, 2n, {
      ...index(0n),
      status: number,
      flags: NextIndexFlag.NEW_METADATA,
    });
    const texts = run.texts(1);
    assertEquals(texts.slice(0, 5), [...BEGINNING, "metadata 1 more"]);
  });
}

test("metadata that no index speaks of is not asked for", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  run.items(5);
  // Twice at the beginning: the text, and that there is no more.
  assertEquals(relay.count("GET_METADATA"), 2);
});

test("a packet waits for its trace's first metadata, others do not", () => {
  const relay = new FakeRelay();
  const other = { traceId: 8n };
  const run = follow(relay, [
    ...[metadataStream(1n), stream(2n)],
    ...[metadataStream(3n, other), stream(4n, other)],
  ]);
  relay.then(relay.metadata, 3n, metadata("other"));
  relay.then(relay.indexes, 2n, index(0n), index(10n));
  relay.then(relay.indexes, 4n, index(5n));
  assertEquals(run.texts(2).slice(5), ["metadata 3 other", "packet 4 at 5"]);
  relay.then(relay.metadata, 1n, metadata("late"));
  assertEquals(run.texts(2), [
    ...["metadata 1 late", "packet 2 at 0", "packet 2 at 10"],
  ]);
  // While it waited it was not asked what comes next.
  assertEquals(relay.indexesAsked.filter((id) => id === 2n).length, 4);
});

test("OK without metadata is asked again before the next packet", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.metadata, 1n, NO_NEW, EMPTY, EMPTY, metadata("more"));
  relay.then(
    relay.indexes,
    2n,
    index(0n, { flags: NextIndexFlag.NEW_METADATA }),
  );
  assertEquals(run.texts(5), [
    ...BEGINNING,
    ...["metadata 1 more", "packet 2 at 0"],
  ]);
});

test("a server that says OK without metadata for ever stops one trace", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [
    ...[metadataStream(1n), stream(2n)],
    stream(4n, { traceId: 8n }),
  ]);
  relay.then(relay.metadata, 1n, ...Array(1_000).fill(EMPTY));
  relay.then(relay.indexes, 2n, index(0n));
  relay.then(relay.indexes, 4n, index(5n));
  assertEquals(run.texts(10).slice(4), ["packet 4 at 5"]);
  assert(relay.count("GET_METADATA") < 50);
});

test("ERROR ends metadata, and packets go on", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [stream(2n), metadataStream(1n)]);
  relay.then(relay.metadata, 1n, metadata("text"), NO_NEW, FORGOTTEN);
  relay.then(
    relay.indexes,
    2n,
    index(0n, { flags: NextIndexFlag.NEW_METADATA }),
    index(10n, { flags: NextIndexFlag.NEW_METADATA }),
  );
  assertEquals(run.texts(1), [
    ...BEGINNING,
    "stream-ended 1 hang-up",
    "packet 2 at 0",
    "packet 2 at 10",
  ]);
});

test("ERROR before any metadata is told as an error, and packets go on", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [stream(2n), metadataStream(1n)]);
  relay.then(relay.metadata, 1n, FORGOTTEN);
  relay.then(relay.indexes, 2n, index(0n));
  assertEquals(run.texts(1).slice(3), [
    "stream-ended 1 error",
    "packet 2 at 0",
  ]);
});

test("metadata of a trace whose data has ended is fetched until ERROR", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, status(NextIndexStatus.HANG_UP));
  relay.then(
    relay.metadata,
    1n,
    ...[NO_NEW, NO_NEW, metadata("rest"), NO_NEW, FORGOTTEN],
  );
  assertEquals(run.texts(6), [
    ...BEGINNING,
    "stream-ended 2 hang-up",
    "metadata 1 rest",
    "stream-ended 1 hang-up",
  ]);
  const asked = relay.count("GET_METADATA");
  run.items(5);
  assertEquals(relay.count("GET_METADATA"), asked);
});

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

function inactive(timestampEnd: bigint, streamId = 0n) {
  return status(NextIndexStatus.INACTIVE, { timestampEnd, streamId });
}

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

// ---- Packets ----------------------------------------------------------------------

test("a packet is fetched in pieces of the request size", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay), { requestBytes: 1000 });
  relay.then(
    relay.indexes,
    2n,
    index(0n, { offset: 100n, packetSize: 8n * 2500n }),
  );
  const packet = run.items(1).find((item) => item.kind === "packet");
  assertEquals(
    packet?.bytes,
    Uint8Array.from({ length: 2500 }, (_, i) => (100 + i) & 0xFF),
  );
  const asked = relay.asked.flatMap((command) =>
    command.name === "GET_PACKET" ? [command.request] : []
  );
  assertEquals(asked, [
    { streamId: 2n, offset: 100n, length: 1000 },
    { streamId: 2n, offset: 1100n, length: 1000 },
    { streamId: 2n, offset: 2100n, length: 500 },
  ]);
});

for (const number of [PacketStatus.ERROR, PacketStatus.END_OF_FILE]) {
  test(`a packet with status ${number} is lost, and the next is not`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.indexes, 2n, index(0n), index(10n));
    relay.packets.push({ ...LOST, status: number });
    assertEquals(run.texts(1).slice(4), [
      "packet-lost 2 at 0 unavailable",
      "packet 2 at 10",
    ]);
  });
}

test("a packet whose second piece is lost is lost whole", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay), { requestBytes: 4 });
  relay.then(relay.indexes, 2n, index(0n));
  const piece = Uint8Array.of(1, 2, 3, 4);
  relay.packets.push({ status: 1, flags: 0, packet: piece }, LOST);
  assertEquals(run.texts(1).slice(4), ["packet-lost 2 at 0 unavailable"]);
});

test("a packet that is still coming is asked for again, not for ever", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n), index(10n));
  const retry = { ...LOST, status: PacketStatus.RETRY };
  relay.packets.push(...Array(9).fill(retry), {
    status: PacketStatus.OK,
    flags: 0,
    packet: new Uint8Array(8),
  });
  relay.packets.push(...Array(10).fill(retry));
  assertEquals(run.texts(20).slice(4), [
    "packet 2 at 0",
    "packet-lost 2 at 10 unavailable",
  ]);
});

test("an old relay daemon's packet comes once its flags are heeded", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n));
  relay.then(relay.metadata, 1n, NO_NEW, metadata("more"));
  relay.then(relay.newStreams, 5n, newStreams(stream(7n)));
  relay.packets.push(
    { ...LOST, flags: NextIndexFlag.NEW_METADATA },
    { ...LOST, flags: NextIndexFlag.NEW_STREAM },
  );
  assertEquals(run.texts(1).slice(4), [
    ...["metadata 1 more", "stream 7", "packet 2 at 0"],
  ]);
});

test("a packet of another length than asked for makes no sense", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.indexes, 2n, index(0n));
  relay.packets.push({ status: 1, flags: 0, packet: new Uint8Array(7) });
  assertThrows(
    () => run.items(1),
    WireError,
    "7 bytes, not the 8 that were asked for",
  );
});

const HUGE = 8n * (BigInt(limits.LIVE_PACKET_BYTES) + 1n);
const ODD_INDEXES = [
  ["without a size", { packetSize: 0n, contentSize: 0n }, "bad-index"],
  ["of half a byte", { packetSize: 68n }, "bad-index"],
  ["with more content than size", { contentSize: 65n }, "bad-index"],
  ["beyond what a file can be", { offset: ALL_ONES - 7n }, "bad-index"],
  ["larger than the limit", { packetSize: HUGE }, "too-large"],
] as const;

for (const [name, changes, reason] of ODD_INDEXES) {
  test(`a packet ${name} is lost without being asked for`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    relay.then(relay.indexes, 2n, index(0n, changes), index(10n));
    assertEquals(run.texts(1).slice(4), [
      `packet-lost 2 at 0 ${reason}`,
      "packet 2 at 10",
    ]);
    assertEquals(relay.count("GET_PACKET"), 1);
  });
}

test("times of an index that contradicts itself are not believed", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(
    relay.indexes,
    2n,
    index(0n, { packetSize: 0n, timestampEnd: ALL_ONES }),
    inactive(20n),
  );
  assertEquals(run.texts(1).at(-1), "inactive 2 until 20");
});

// ---- Ends ---------------------------------------------------------------------------

for (const name of ["ERROR", "END_OF_FILE"] as const) {
  test(`a stream survives nine ${name} in a row`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    const failures = Array(9).fill(status(NextIndexStatus[name]));
    relay.then(relay.indexes, 2n, ...failures, index(0n), ...failures);
    assertEquals(run.texts(30), [...BEGINNING, "packet 2 at 0"]);
  });

  test(`a stream ends at the tenth ${name} in a row`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, [...oneTrace(relay), stream(3n)]);
    const failures = Array(10).fill(status(NextIndexStatus[name]));
    relay.then(relay.indexes, 2n, ...failures);
    assertEquals(run.texts(15).slice(5), ["stream-ended 2 error"]);
    assertEquals(relay.indexesAsked.filter((id) => id === 2n).length, 10);
  });
}

test("a session that hung up ends when its streams are read", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay));
  relay.then(relay.newStreams, 5n, HANG_UP);
  relay.then(
    relay.indexes,
    2n,
    status(NextIndexStatus.RETRY),
    index(0n, { flags: NextIndexFlag.NEW_METADATA }),
    status(NextIndexStatus.HANG_UP),
  );
  relay.then(relay.metadata, 1n, NO_NEW, NO_NEW, metadata("rest"));
  assertEquals(run.texts(), [
    ...BEGINNING,
    "packet 2 at 0",
    "stream-ended 2 hang-up",
    "metadata 1 rest",
    "stream-ended 1 hang-up",
    "session-ended 5 hang-up",
  ]);
  assertEquals(relay.count("GET_NEW_STREAMS"), 1);
});

test("a packet does not wait for metadata when its session has hung up", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [stream(2n), metadataStream(1n)]);
  relay.then(relay.newStreams, 5n, HANG_UP);
  relay.then(relay.indexes, 2n, index(0n), status(NextIndexStatus.HANG_UP));
  assertEquals(run.texts().slice(3), [
    "packet 2 at 0",
    ...["stream-ended 2 hang-up", "stream-ended 1 hang-up"],
    "session-ended 5 hang-up",
  ]);
});

for (const name of ["RETRY", "INACTIVE"] as const) {
  test(`a stream that says ${name} for ever ends after its session`, () => {
    const relay = new FakeRelay();
    const run = follow(relay, oneTrace(relay));
    const reply = status(NextIndexStatus[name]);
    relay.then(relay.indexes, 2n, ...Array(100).fill(reply));
    const before = run.texts(60).filter((text) => text.includes("ended"));
    assertEquals(before, []);
    relay.then(relay.newStreams, 5n, HANG_UP);
    assertEquals(run.texts(), [
      "stream-ended 2 error",
      "stream-ended 1 hang-up",
      "session-ended 5 hang-up",
    ]);
    assertEquals(run.pauses.length, 60 + 50);
  });
}

test("a session ends at the tenth ERROR in a row, not at the ninth", () => {
  const relay = new FakeRelay();
  const run = follow(relay, []);
  const nine = Array(9).fill(UNKNOWN);
  relay.then(relay.newStreams, 5n, ...nine, newStreams(), ...nine);
  assertEquals(run.texts(25), ["session 5"]);
  relay.then(relay.newStreams, 5n, ...nine, UNKNOWN);
  assertEquals(run.texts(), ["session-ended 5 error"]);
});

test("a session that ended is detached from before it is told", () => {
  const relay = new FakeRelay();
  const held = new Set([5n]);
  const run = follow(relay, [], { held });
  relay.then(relay.newStreams, 5n, HANG_UP);
  assertEquals(run.texts(), ["session 5", "session-ended 5 hang-up"]);
  assertEquals(relay.asked.at(-1)?.name, "DETACH_SESSION");
  assertEquals(held.size, 0);
});

test("a relay daemon that has no DETACH_SESSION is not asked for it", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [], { canDetach: false });
  relay.then(relay.newStreams, 5n, HANG_UP);
  run.items();
  assertEquals(relay.count("DETACH_SESSION"), 0);
});

test("one session ends, the other goes on, and the end is the last one's", () => {
  const relay = new FakeRelay();
  const run = follow(relay, oneTrace(relay), {}, [session(6n)]);
  relay.then(relay.newStreams, 6n, newStreams(), HANG_UP);
  relay.then(relay.newStreams, 5n, newStreams(), newStreams(), HANG_UP);
  relay.then(
    relay.indexes,
    2n,
    ...[status(NextIndexStatus.RETRY), status(NextIndexStatus.RETRY)],
    ...[index(0n), status(NextIndexStatus.HANG_UP)],
  );
  assertEquals(run.texts(), [
    ...[...BEGINNING, "session 6", "session-ended 6 hang-up"],
    ...["packet 2 at 0", "stream-ended 2 hang-up", "stream-ended 1 hang-up"],
    "session-ended 5 hang-up",
  ]);
});

// ---- Sessions that join ---------------------------------------------------------------

const byName = (entry: SessionEntry) => entry.sessionName === "demo";

test("a session of the same names joins, from its beginning", () => {
  const relay = new FakeRelay();
  const held = new Set([5n]);
  const run = follow(relay, [], { isMeant: byName, held });
  relay.sessions = [
    session(5n),
    session(6n),
    session(7n, { sessionName: "x" }),
  ];
  relay.attach.set(6n, { status: 1, streams: oneTrace(relay) });
  assertEquals(run.texts(12), [
    ...["session 5", "session 6", ...BEGINNING.slice(1)],
  ]);
  const asked = relay.asked.flatMap((command) =>
    command.name === "ATTACH_SESSION" ? [command.request] : []
  );
  assertEquals(asked, [{ sessionId: 6n, offset: 0n, seek: 1 }]);
  assertEquals(held, new Set([5n, 6n]));
});

test("sessions are listed as often as was said, and only by name", () => {
  const relay = new FakeRelay();
  follow(relay, [], { isMeant: byName, sessionPollMs: 300 }).items(10);
  assertEquals(relay.count("LIST_SESSIONS"), 3);
  const other = new FakeRelay();
  follow(other, []).items(100);
  assertEquals(other.count("LIST_SESSIONS"), 0);
});

test("a session that ended does not join again, nor one that is not live", () => {
  const relay = new FakeRelay();
  const run = follow(relay, [], { isMeant: byName }, [session(8n)]);
  relay.sessions = [session(5n), session(6n, { liveTimer: 0 })];
  relay.then(relay.newStreams, 5n, HANG_UP);
  run.items(30);
  assertEquals(relay.count("ATTACH_SESSION"), 0);
});

test("a session that refuses to be joined is asked again", () => {
  const relay = new FakeRelay();
  const held = new Set<bigint>();
  const run = follow(relay, [], { isMeant: byName, held });
  relay.sessions = [session(6n)];
  relay.attach.set(6n, { status: AttachStatus.ALREADY_ATTACHED, streams: [] });
  assertEquals(run.texts(25), ["session 5"]);
  assertEquals(relay.count("ATTACH_SESSION"), 2);
  assertEquals(held.size, 0);
});
