/** A viewer's connection: what it says, and what it makes of odd replies. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../lib/net/connection.ts";
import {
  SessionNotFoundError,
  ViewerError,
  ViewerVersionError,
} from "../../lib/viewer/errors.ts";
import { LiveClient } from "../../lib/viewer/live_client.ts";
import type { ViewerCommandName } from "../../lib/wire/live.ts";
import { availablePort } from "../../lib/net/listen.ts";
import { session } from "./support/fake_relay.ts";
import { FakeTimer } from "./support/fake_timer.ts";
import {
  type Behaviour,
  type OnCommand,
  ScriptedViewerPort,
} from "./support/scripted_viewer_port.ts";

const TARGET = { hostname: "target", sessionName: "demo" };

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: { net: ["127.0.0.1"] }, fn });
}

/** Misbehaves at one command. */
function at(name: ViewerCommandName, behaviour: Behaviour): OnCommand {
  return (command) => command === name ? behaviour : undefined;
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setUint32(4 * i, value));
  return bytes;
}

// ---- Connecting -------------------------------------------------------------

test("connect() announces 2.15 and agrees on the smaller minor", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address);
  assertEquals(client.minor, 13);
  assertEquals(client.peer, port.peer);
  assertEquals(port.relay.asked, [{
    name: "CONNECT",
    request: {
      viewerSessionId: 0xFFFF_FFFF_FFFF_FFFFn,
      major: 2,
      minor: 15,
      type: 1,
    },
  }]);
});

test("connect() announces an older minor when told", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address, {
    announceMinor: 4,
  });
  assertEquals(client.minor, 4);
  for (const announceMinor of [3, 16]) {
    await assertRejects(
      () => LiveClient.connect(port.address, { announceMinor }),
      RangeError,
      `Cannot announce minor ${announceMinor}: it is not between 4 and 15`,
    );
  }
});

test("connect() refuses times that are not above 0, and takes Infinity", async () => {
  await using port = new ScriptedViewerPort();
  for (const name of ["connectTimeoutMs", "replyTimeoutMs"]) {
    for (const value of [0, -1, NaN]) {
      await assertRejects(
        () => LiveClient.connect(port.address, { [name]: value }),
        RangeError,
        `Cannot use ${name} ${value}: it is not above 0`,
      );
    }
  }
  await using client = await LiveClient.connect(port.address, {
    connectTimeoutMs: Infinity,
    replyTimeoutMs: Infinity,
  });
  assertEquals((await client.listSessions()).length, 1);
});

for (const [major, minor] of [[3, 0], [1, 9], [2, 3]] as const) {
  test(`connect() refuses a peer that says ${major}.${minor}`, async () => {
    await using port = new ScriptedViewerPort(
      at("CONNECT", { reply: words(0, 1, major, minor, 0) }),
    );
    await assertRejects(
      () => LiveClient.connect(port.address),
      ViewerVersionError,
      `${port.peer} serves no viewers of LTTng 2: it says ${major}.${minor}`,
    );
  });
}

test("connect() asks whether it is the live port when the peer hangs up", async () => {
  await using port = new ScriptedViewerPort(at("CONNECT", "hang up"));
  await assertRejects(
    () => LiveClient.connect(port.address),
    ConnectionError,
    `${port.peer} ended the connection instead of answering CONNECT: is this its live port?`,
  );
});

test("connect() says that nobody listens", async () => {
  const port = availablePort();
  await assertRejects(
    () => LiveClient.connect({ hostname: "127.0.0.1", port }),
    ConnectionError,
    `Cannot connect to 127.0.0.1:${port}`,
  );
});

test("connect() waits no longer than it was told for the first reply", async () => {
  await using port = new ScriptedViewerPort(at("CONNECT", "silence"));
  const timer = new FakeTimer();
  const connecting = LiveClient.connect(port.address, {
    replyTimeoutMs: 3_000,
    timer,
  });
  connecting.catch(() => {});
  await timer.whenAsleep();
  timer.pass(2_999);
  assertEquals(timer.sleepers, 1);
  timer.pass(1);
  await assertRejects(
    () => connecting,
    ConnectionError,
    `Waited 3000 ms in vain for the reply to CONNECT from ${port.peer}`,
  );
});

test("connect() ends with its signal", async () => {
  await using port = new ScriptedViewerPort(at("CONNECT", "silence"));
  const abort = new AbortController();
  const timer = new FakeTimer();
  const { signal } = abort;
  const connecting = LiveClient.connect(port.address, { signal, timer });
  connecting.catch(() => {});
  await timer.whenAsleep();
  abort.abort(new Error("enough"));
  await assertRejects(() => connecting, Error, "enough");
});

// ---- Replies ------------------------------------------------------------------

for (const minor of [13, 15]) {
  test(`listSessions() reads what comes byte by byte at 2.${minor}`, async () => {
    await using port = new ScriptedViewerPort((name) =>
      name === "LIST_SESSIONS" || name === "CONNECT" ? "in bytes" : undefined
    );
    port.relay.minor = minor;
    port.relay.sessions = [session(1n), session(2n, { hostname: "b" })];
    await using client = await LiveClient.connect(port.address);
    assertEquals(await client.listSessions(), port.relay.sessions);
  });

  test(`listSessions() fails at every place where 2.${minor} is cut`, async () => {
    let cutAfter = 0;
    await using port = new ScriptedViewerPort((name) =>
      name === "LIST_SESSIONS" ? { cutAfter } : undefined
    );
    port.relay.minor = minor;
    port.relay.sessions = [session(1n), session(2n)];
    const size = minor < 15 ? 4 + 2 * 339 : 4 + 2 * (32 + 10);
    for (; cutAfter < size; cutAfter++) {
      await using client = await LiveClient.connect(port.address);
      const text = cutAfter === 0
        ? `${port.peer} ended the connection instead of answering LIST_SESSIONS`
        : `${port.peer} ended the connection after ${cutAfter} bytes of its reply to LIST_SESSIONS`;
      const error = await assertRejects(
        () => client.listSessions(),
        ConnectionError,
      );
      assertEquals(error.message, text);
    }
  });
}

test("replies in one piece with what answers nothing are refused", async () => {
  await using port = new ScriptedViewerPort(
    at("CREATE_SESSION", { extra: Uint8Array.of(1, 2, 3) }),
  );
  await using client = await LiveClient.connect(port.address);
  await assertRejects(
    () => client.attach(TARGET),
    ConnectionError,
    `${port.peer} sent 3 bytes that answer nothing`,
  );
});

const NONSENSE: readonly [ViewerCommandName, Uint8Array, string][] = [
  [
    "LIST_SESSIONS",
    words(0xFFFF_FFFF),
    "LIST_SESSIONS reply.sessionCount: 4294967295 > 65536",
  ],
  [
    "CREATE_SESSION",
    words(77),
    "CREATE_SESSION reply.status: there is no status 77",
  ],
  [
    "ATTACH_SESSION",
    words(1, 0x7FFF_FFFF),
    "ATTACH_SESSION reply.streamCount: 2147483647 > 16384",
  ],
];

for (const [name, reply, message] of NONSENSE) {
  test(`nonsense in a reply to ${name} is one error and the end`, async () => {
    await using port = new ScriptedViewerPort(at(name, { reply }));
    await using client = await LiveClient.connect(port.address);
    const text = `What ${port.peer} says makes no sense: ${message}`;
    const error = await assertRejects(
      () => client.attach(TARGET),
      ConnectionError,
    );
    assertEquals(error.message, text);
    assertEquals(client.lost?.message, text);
    const later = await assertRejects(
      () => client.listSessions(),
      ConnectionError,
    );
    assertEquals(later.message, text);
    await port.whenEnded();
  });
}

test("a reply that stalls in the middle is not waited for for ever", async () => {
  await using port = new ScriptedViewerPort(
    at("LIST_SESSIONS", { stallAfter: 100 }),
  );
  const timer = new FakeTimer();
  await using client = await LiveClient.connect(port.address, { timer });
  const listing = client.listSessions();
  listing.catch(() => {});
  await timer.whenAsleep();
  timer.pass(10_000);
  await assertRejects(
    () => listing,
    ConnectionError,
    `Waited 10000 ms in vain for the reply to LIST_SESSIONS from ${port.peer}`,
  );
});

test("a long reply has its time anew for every 64 KiB", async () => {
  await using port = new ScriptedViewerPort();
  port.relay.sessions = Array.from(
    { length: 1000 },
    (_, i) => session(BigInt(i)),
  );
  const timer = new FakeTimer();
  await using client = await LiveClient.connect(port.address, { timer });
  const asleep: number[] = [];
  const { sleep } = timer;
  timer.sleep = (milliseconds, signal) => {
    asleep.push(milliseconds);
    return sleep.call(timer, milliseconds, signal);
  };
  assertEquals((await client.listSessions()).length, 1000);
  // 339 004 bytes are five parts of 64 KiB and a rest.
  assert(asleep.length >= 4 && asleep.length <= 6, `${asleep.length}`);
  assertEquals(timer.sleepers, 0);
});

test("calls that overlap are answered each with its own reply", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address);
  port.relay.sessions = [session(1n)];
  const [first, attachment, second] = await Promise.all([
    client.listSessions(),
    client.attach(TARGET),
    client.listSessions(),
  ]);
  assertEquals([first.length, second.length], [1, 1]);
  assertEquals(attachment.sessions, [session(1n)]);
});

test("a caller that gives up costs the others nothing", async () => {
  const gate = Promise.withResolvers<undefined>();
  let held = true;
  await using port = new ScriptedViewerPort((name) =>
    name === "LIST_SESSIONS" && held ? gate.promise : undefined
  );
  await using client = await LiveClient.connect(port.address);
  const abort = new AbortController();
  const given = client.listSessions({ signal: abort.signal });
  const queued = client.listSessions({ signal: abort.signal });
  const other = client.listSessions();
  await port.whenReceived("LIST_SESSIONS");
  abort.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  await assertRejects(() => queued, Error, "enough");
  held = false;
  gate.resolve(undefined);
  assertEquals((await other).length, 1);
  // The second was given up before it was sent.
  assertEquals(port.relay.count("LIST_SESSIONS"), 2);
});

test("close() fails what waits and what follows, and may come again", async () => {
  await using port = new ScriptedViewerPort(at("LIST_SESSIONS", "silence"));
  const client = await LiveClient.connect(port.address);
  const listing = client.listSessions();
  listing.catch(() => {});
  client.close();
  client.close();
  for (const call of [() => listing, () => client.listSessions()]) {
    await assertRejects(call, ConnectionError, "The live client is closed");
  }
});

// ---- Attaching ------------------------------------------------------------------

test("attach() creates one viewer session, whatever is attached", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address);
  port.relay.sessions = [session(1n), session(2n)];
  await Promise.all([
    client.attach({ sessionId: 1n }),
    client.attach({ sessionId: 2n }),
  ]);
  assertEquals(port.relay.count("CREATE_SESSION"), 1);
});

test("attach() says when it cannot become a viewer, and tries again", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address);
  port.relay.createStatus = 2;
  await assertRejects(
    () => client.attach(TARGET),
    ViewerError,
    "Cannot become a viewer: it cannot serve another viewer (CREATE_SESSION, status 2)",
  );
  port.relay.createStatus = 1;
  assertEquals((await client.attach(TARGET)).sessions, port.relay.sessions);
});

test("attach() that fails detaches and leaves the client usable", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address);
  port.relay.sessions = [session(1n), session(2n)];
  port.relay.attach.set(2n, { status: 2, streams: [] });
  await assertRejects(() => client.attach(TARGET), ViewerError);
  await client.listSessions();
  assertEquals(port.relay.asked.at(-2), {
    name: "DETACH_SESSION",
    request: { sessionId: 1n },
  });
});

test("attach() that is given up while it is asked detaches", async () => {
  const gate = Promise.withResolvers<undefined>();
  await using port = new ScriptedViewerPort((name) =>
    name === "ATTACH_SESSION" ? gate.promise : undefined
  );
  await using client = await LiveClient.connect(port.address);
  const abort = new AbortController();
  const attaching = client.attach(TARGET, { signal: abort.signal });
  attaching.catch(() => {});
  await port.whenReceived("ATTACH_SESSION");
  abort.abort(new Error("enough"));
  await assertRejects(() => attaching, Error, "enough");
  gate.resolve(undefined);
  await client.listSessions();
  assertEquals(port.relay.count("DETACH_SESSION"), 1);
});

test("attach() that waits for a session ends with its signal at once", async () => {
  await using port = new ScriptedViewerPort();
  port.relay.sessions = [];
  const timer = new FakeTimer();
  await using client = await LiveClient.connect(port.address, { timer });
  const abort = new AbortController();
  const { signal } = abort;
  const attaching = client.attach(TARGET, { waitMs: Infinity, signal });
  attaching.catch(() => {});
  await port.whenReceived("LIST_SESSIONS");
  abort.abort(new Error("enough"));
  await assertRejects(() => attaching, Error, "enough");
});

test("attach() lists the sessions there are when none is meant", async () => {
  await using port = new ScriptedViewerPort();
  await using client = await LiveClient.connect(port.address);
  const error = await assertRejects(
    () => client.attach({ sessionId: 9n }),
    SessionNotFoundError,
    "There is no session 9",
  );
  assertEquals(error.sessions, [session(5n)]);
});
