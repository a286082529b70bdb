/** What a follower asks next, and when: turns, ends, sessions that join. */

import { assert, assertEquals } from "@std/assert";
import {
  AttachStatus,
  NewStreamsStatus,
  NextIndexFlag,
  NextIndexStatus,
  type SessionEntry,
} from "../../lib/wire/live.ts";
import {
  FakeRelay,
  index,
  metadata,
  metadataStream,
  session,
  status,
  stream,
} from "./support/fake_relay.ts";
import {
  BEGINNING,
  follow,
  HANG_UP,
  newStreams,
  NO_NEW,
  oneTrace,
} from "./support/follow.ts";

const UNKNOWN = { status: NewStreamsStatus.ERROR, streams: [] };

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

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
