/** How a viewer finds the sessions that are meant, and what may be wrong. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  attachPlan,
  type AttachPlanOptions,
  type SessionTarget,
} from "../../lib/viewer/attach.ts";
import { SessionNotFoundError, ViewerError } from "../../lib/viewer/errors.ts";
import { AttachStatus, type SessionEntry } from "../../lib/wire/live.ts";
import { FakeRelay, session, stream } from "./support/fake_relay.ts";
import { PlanRun } from "./support/plan_run.ts";

const BY_NAME = { hostname: "target", sessionName: "demo" };

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** A relay daemon with these sessions, and what it says to attaching. */
function relayWith(
  sessions: readonly SessionEntry[],
  statuses: Record<string, number> = {},
): FakeRelay {
  const relay = new FakeRelay();
  relay.sessions = [...sessions];
  for (const [id, status] of Object.entries(statuses)) {
    relay.attach.set(BigInt(id), { status, streams: [] });
  }
  return relay;
}

function attach(
  relay: FakeRelay,
  target: SessionTarget,
  options: Partial<AttachPlanOptions> = {},
) {
  return new PlanRun(relay, (now) =>
    attachPlan({
      target,
      from: "last",
      waitMs: 0,
      pollMs: 500,
      held: new Set(),
      now,
      ...options,
    }));
}

/** Ids of the sessions that were asked for. */
function askedFor(relay: FakeRelay): bigint[] {
  return relay.asked.flatMap((command) =>
    command.name === "ATTACH_SESSION" ? [command.request.sessionId] : []
  );
}

test("attach by name takes every session of these names and no other", () => {
  const relay = relayWith([
    session(1n),
    session(2n, { hostname: "other" }),
    session(3n, { sessionName: "demo2" }),
    session(4n),
  ]);
  const run = attach(relay, BY_NAME);
  run.items();
  assertEquals(run.result?.map(({ session }) => session.id), [1n, 4n]);
  assertEquals(askedFor(relay), [1n, 4n]);
});

test("attach by id takes that session only", () => {
  const relay = relayWith([session(1n), session(4n)]);
  relay.attach.set(4n, { status: 1, streams: [stream(9n)] });
  const held = new Set<bigint>();
  const run = attach(relay, { sessionId: 4n }, { held });
  run.items();
  assertEquals(run.result, [{ session: session(4n), streams: [stream(9n)] }]);
  assertEquals(held, new Set([4n]));
});

for (const [from, seek] of [["beginning", 1], ["last", 2]] as const) {
  test(`attach from ${from} says seek ${seek}`, () => {
    const relay = relayWith([session(1n)]);
    attach(relay, BY_NAME, { from }).items();
    assertEquals(relay.asked.at(-1), {
      name: "ATTACH_SESSION",
      request: { sessionId: 1n, offset: 0n, seek },
    });
  });
}

test("attach lists what sessions there are when none is meant", () => {
  const others = [
    session(1n, { hostname: "a\nb" }),
    session(2n, { sessionName: "demo2", liveTimer: 0 }),
  ];
  const error = assertThrows(
    () => attach(relayWith(others), BY_NAME).items(),
    SessionNotFoundError,
  );
  assertEquals(
    error.message,
    'There is no session "demo" of host "target": the relay daemon has ' +
      'session "demo" of host "a\\nb" (id 1), ' +
      'session "demo2" of host "target" (id 2, not live)',
  );
  assertEquals(error.sessions, others);
});

test("attach names 20 sessions at most when none is meant", () => {
  const many = Array.from({ length: 23 }, (_, i) => session(BigInt(i)));
  const error = assertThrows(
    () => attach(relayWith(many), { sessionId: 99n }).items(),
    SessionNotFoundError,
    "There is no session 99: the relay daemon has",
  );
  assert(error.message.endsWith("(id 19) and 3 more"), error.message);
});

test("attach says so when the relay daemon has no session at all", () => {
  assertThrows(
    () => attach(relayWith([]), { sessionId: 7n }).items(),
    SessionNotFoundError,
    "There is no session 7: the relay daemon has none",
  );
});

const REFUSED: readonly [number, string][] = [
  [
    AttachStatus.ALREADY_ATTACHED,
    "a viewer is attached to it already, and this relay daemon allows one: end that viewer first",
  ],
  [AttachStatus.UNKNOWN, "it has ended, or there never was one"],
  [
    AttachStatus.NOT_LIVE,
    "it is not live: create it with lttng create --live",
  ],
  [AttachStatus.SEEK_ERROR, "it cannot start there"],
  [AttachStatus.NO_SESSION, "the viewer has no viewer session"],
];

for (const [status, meaning] of REFUSED) {
  test(`attach says what status ${status} means`, () => {
    const held = new Set<bigint>();
    const error = assertThrows(
      () =>
        attach(relayWith([session(1n)], { 1: status }), BY_NAME, { held })
          .items(),
      ViewerError,
    );
    assertEquals(
      error.message,
      'Cannot attach to session "demo" of host "target": ' +
        `${meaning} (ATTACH_SESSION, status ${status})`,
    );
    assertEquals([error.command, error.status], ["ATTACH_SESSION", status]);
    assertEquals(held.size, 0);
  });
}

for (const status of [AttachStatus.UNKNOWN, AttachStatus.NOT_LIVE]) {
  test(`attach leaves out one of several that has status ${status}`, () => {
    const relay = relayWith([session(1n), session(2n)], { 1: status });
    const held = new Set<bigint>();
    const run = attach(relay, BY_NAME, { held });
    run.items();
    assertEquals(run.result?.map(({ session }) => session.id), [2n]);
    assertEquals(held, new Set([2n]));
  });
}

test("attach takes no part of a session that has another viewer", () => {
  const relay = relayWith([session(1n), session(2n)], { 2: 2 });
  const held = new Set<bigint>();
  assertThrows(() => attach(relay, BY_NAME, { held }).items(), ViewerError);
  // Whoever asked detaches from it.
  assertEquals(held, new Set([1n]));
});

test("attach waits for a session to appear", () => {
  const relay = relayWith([]);
  const run = attach(relay, BY_NAME, { waitMs: 10_000 });
  run.next(3);
  assertEquals(run.pauses, [500, 500, 500]);
  relay.sessions = [session(1n)];
  run.next();
  assertEquals(run.result?.length, 1);
});

test("attach goes on waiting where a session ended meanwhile", () => {
  const relay = relayWith([session(1n)], { 1: AttachStatus.UNKNOWN });
  const run = attach(relay, BY_NAME, { waitMs: 10_000 });
  run.next(2);
  relay.sessions = [session(2n)];
  run.next();
  assertEquals(run.result?.map(({ session }) => session.id), [2n]);
});

test("attach waits no longer than it was told, and says for what", () => {
  const run = attach(relayWith([]), BY_NAME, { waitMs: 1_200 });
  assertThrows(
    () => run.next(),
    SessionNotFoundError,
    'Waited 1200 ms in vain for session "demo" of host "target": ' +
      "the relay daemon has none",
  );
  assertEquals(run.pauses, [500, 500, 200]);
});
