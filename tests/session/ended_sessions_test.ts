import { assertEquals, assertThrows } from "@std/assert";
import type { SessionDelivery } from "../../lib/session/delivery.ts";
import {
  ENDED_SESSION_MS,
  ENDED_SESSIONS_MAXIMUM,
  ENDED_STREAMS_MAXIMUM,
  EndedSessions,
} from "../../lib/session/ended_sessions.ts";
import { CommandError } from "../../lib/session/errors.ts";
import { Session } from "../../lib/session/session.ts";

const OWNER = { uid: 1000, gid: 1000 };

function session(name: string): Session {
  return new Session({
    name,
    type: "regular",
    owner: OWNER,
    createdAt: 0,
    isNamedByTime: false,
    liveTimer: 0,
  }, { kind: "none" });
}

function delivery(url: string, streamCount = 0): SessionDelivery {
  const stream = {
    name: "c_0",
    recordedEvents: 0n,
    discardedEvents: 0n,
    pendingEvents: 0n,
    overwrittenPackets: 0n,
    givenUpPackets: 0n,
    waitingPackets: 0n,
    waitingBytes: 0n,
    unconfirmedPackets: 0n,
    unconfirmedBytes: 0n,
  };
  return {
    outputState: 0,
    hasMore: false,
    url,
    failure: "",
    streams: Array(streamCount).fill(stream),
  };
}

Deno.test("EndedSessions.add() keeps the last of many sessions", () => {
  const ended = new EndedSessions();
  for (let index = 0; index < ENDED_SESSIONS_MAXIMUM + 3; index++) {
    ended.add(session(`s${index}`), delivery(""), 0);
  }
  assertEquals(ended.size, ENDED_SESSIONS_MAXIMUM);
  assertThrows(() => ended.find("s2", OWNER, 0), CommandError);
  ended.find("s3", OWNER, 0);
});

Deno.test("EndedSessions.add() keeps no more streams than it may", () => {
  const ended = new EndedSessions();
  const half = ENDED_STREAMS_MAXIMUM / 2;
  for (const name of ["a", "b", "c"]) {
    ended.add(session(name), delivery("", half), 0);
  }
  assertEquals(ended.size, 2);
  ended.add(session("d"), delivery("", ENDED_STREAMS_MAXIMUM + 1), 0);
  assertEquals(ended.size, 0);
});

Deno.test("EndedSessions.find() gives the last of a name", () => {
  const ended = new EndedSessions();
  ended.add(session("s"), delivery("first"), 0);
  ended.add(session("s"), delivery("second"), 0);
  assertEquals(ended.find("s", OWNER, 0).url, "second");
});

for (const [way, time] of [["on", 1], ["back", -1]] as const) {
  Deno.test(`EndedSessions.find() forgets once the clock went ${way} far enough`, () => {
    const ended = new EndedSessions();
    ended.add(session("s"), delivery(""), 0);
    ended.find("s", OWNER, time * (ENDED_SESSION_MS - 1));
    const late = time * ENDED_SESSION_MS;
    assertThrows(() => ended.find("s", OWNER, late), CommandError);
    assertEquals(ended.size, 0);
  });
}
