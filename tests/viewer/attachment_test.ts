/** Following sessions over a socket: where it begins, waits, and ends. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectionError } from "../../lib/net/connection.ts";
import type { LiveItem } from "../../lib/viewer/items.ts";
import { LiveClient } from "../../lib/viewer/live_client.ts";
import {
  NewStreamsStatus,
  NextIndexStatus,
  type ViewerCommandName,
} from "../../lib/wire/live.ts";
import {
  index,
  metadata,
  metadataStream,
  session,
  status,
  stream,
} from "./support/fake_relay.ts";
import { FakeTimer } from "./support/fake_timer.ts";
import { textOf } from "./support/plan_run.ts";
import {
  type Behaviour,
  type OnCommand,
  ScriptedViewerPort,
} from "./support/scripted_viewer_port.ts";

const TARGET = { hostname: "target", sessionName: "demo" };
const HANG_UP = { status: NewStreamsStatus.HANG_UP, streams: [] };

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions: { net: ["127.0.0.1"] }, fn });
}

/** A live port with one trace: metadata, two packets, and then nothing. */
function portWithTrace(onCommand?: OnCommand): ScriptedViewerPort {
  const port = new ScriptedViewerPort(onCommand);
  const { relay } = port;
  const streams = [stream(2n), metadataStream(1n)];
  relay.attach.set(5n, { status: 1, streams });
  relay.then(relay.metadata, 1n, metadata("text"));
  relay.then(relay.indexes, 2n, index(0n), index(10n));
  return port;
}

const BEGINNING = ["session 5", "stream 1", "stream 2", "metadata 1 text"];

/** The next items as text. */
async function take(
  items: AsyncIterator<LiveItem>,
  count: number,
): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { done, value } = await items.next();
    if (done) break;
    texts.push(textOf(value));
  }
  return texts;
}

test("follow() brings everything up to the end of the session", async () => {
  await using port = portWithTrace();
  const { relay } = port;
  relay.then(relay.indexes, 2n, status(NextIndexStatus.HANG_UP));
  relay.then(relay.newStreams, 5n, HANG_UP);
  await using client = await LiveClient.connect(port.address);
  const attachment = await client.attach(TARGET);
  const texts: string[] = [];
  for await (const item of attachment.follow()) texts.push(textOf(item));
  assertEquals(texts, [
    ...BEGINNING,
    "packet 2 at 0",
    "packet 2 at 10",
    "stream-ended 2 hang-up",
    "stream-ended 1 hang-up",
    "session-ended 5 hang-up",
  ]);
  // The plan did that; nothing is detached twice.
  await attachment.detach();
  assertEquals(relay.count("DETACH_SESSION"), 1);
});

test("follow() brings the same when every reply comes byte by byte", async () => {
  await using port = portWithTrace((name) =>
    name === "ATTACH_SESSION" ? undefined : "in bytes"
  );
  await using client = await LiveClient.connect(port.address);
  const items = (await client.attach(TARGET)).follow();
  assertEquals(await take(items, 6), [
    ...[...BEGINNING, "packet 2 at 0", "packet 2 at 10"],
  ]);
});

test("follow() pauses for the poll time, 100 ms unless told otherwise", async () => {
  for (const [options, pause] of [[{}, 100], [{ pollMs: 7 }, 7]] as const) {
    await using port = portWithTrace();
    const timer = new FakeTimer();
    await using client = await LiveClient.connect(port.address, { timer });
    const items = (await client.attach(TARGET)).follow(options);
    await take(items, 7);
    const next = items.next();
    await timer.whenAsleep();
    port.relay.then(port.relay.indexes, 2n, index(20n));
    timer.pass(pause - 1);
    assertEquals(timer.sleepers, 1);
    timer.pass(1);
    assertEquals(textOf((await next).value), "packet 2 at 20");
  }
});

test("follow() asks for nothing while nobody waits for an item", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  const items = (await client.attach(TARGET)).follow();
  const asked: number[] = [];
  for (let i = 0; i < 6; i++) {
    await items.next();
    const before = port.relay.asked.length;
    // This one comes before whatever would be asked on the side.
    await client.listSessions();
    await client.listSessions();
    asked.push(port.relay.asked.length - before);
  }
  assertEquals(asked, [2, 2, 2, 2, 2, 2]);
});

test("leaving the iteration detaches and leaves the client usable", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  for await (const item of (await client.attach(TARGET)).follow()) {
    if (item.kind === "packet") break;
  }
  assertEquals(port.relay.asked.at(-1), {
    name: "DETACH_SESSION",
    request: { sessionId: 5n },
  });
  const again = (await client.attach(TARGET)).follow();
  assertEquals(await take(again, 1), ["session 5"]);
});

test("an error of whoever iterates detaches too", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  const attachment = await client.attach(TARGET);
  await assertRejects(
    async () => {
      for await (const _ of attachment.follow()) throw new Error("mine");
    },
    Error,
    "mine",
  );
  assertEquals(port.relay.count("DETACH_SESSION"), 1);
});

test("an aborted iteration ends at once, in a pause, and detaches", async () => {
  await using port = portWithTrace();
  const timer = new FakeTimer();
  await using client = await LiveClient.connect(port.address, { timer });
  const abort = new AbortController();
  const { signal } = abort;
  const items = (await client.attach(TARGET)).follow({ signal });
  await take(items, 7);
  const next = items.next();
  next.catch(() => {});
  await timer.whenAsleep();
  abort.abort(new Error("enough"));
  await assertRejects(() => next, Error, "enough");
  assertEquals(await items.next(), { done: true, value: undefined });
  await client.listSessions();
  assertEquals(port.relay.count("DETACH_SESSION"), 1);
});

test("an aborted iteration ends at once while a reply is awaited", async () => {
  const gate = Promise.withResolvers<undefined>();
  await using port = portWithTrace((name) =>
    name === "GET_PACKET" ? gate.promise : undefined
  );
  await using client = await LiveClient.connect(port.address);
  const abort = new AbortController();
  const { signal } = abort;
  const items = (await client.attach(TARGET)).follow({ signal });
  await take(items, 4);
  const next = items.next();
  next.catch(() => {});
  await port.whenReceived("GET_PACKET");
  abort.abort(new Error("enough"));
  await assertRejects(() => next, Error, "enough");
  // The reply comes late, and is read before the next.
  gate.resolve(undefined);
  assertEquals((await client.listSessions()).length, 1);
});

test("an iteration that is aborted before it begins brings nothing", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  const signal = AbortSignal.abort(new Error("enough"));
  const items = (await client.attach(TARGET)).follow({ signal });
  await assertRejects(() => items.next(), Error, "enough");
});

test("return() ends a next() that is waiting", async () => {
  await using port = portWithTrace();
  const timer = new FakeTimer();
  await using client = await LiveClient.connect(port.address, { timer });
  const items = (await client.attach(TARGET)).follow();
  await take(items, 7);
  const next = items.next();
  await timer.whenAsleep();
  assertEquals(await items.return?.(), { done: true, value: undefined });
  assertEquals(await next, { done: true, value: undefined });
  assertEquals(await items.next(), { done: true, value: undefined });
});

test("detach() ends the iteration", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  const attachment = await client.attach(TARGET);
  const items = attachment.follow();
  await take(items, 2);
  await attachment.detach();
  await attachment.detach();
  assertEquals(await items.next(), { done: true, value: undefined });
  assertEquals(port.relay.count("DETACH_SESSION"), 1);
});

test("an attachment that is disposed of detaches", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  {
    await using _ = await client.attach(TARGET);
  }
  assertEquals(port.relay.count("DETACH_SESSION"), 1);
});

test("follow() comes once, and not after detach()", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  const attachment = await client.attach(TARGET);
  attachment.follow();
  assertThrows(
    () => attachment.follow(),
    TypeError,
    "An attachment can be followed once: attach again",
  );
  const other = await client.attach(TARGET);
  await other.detach();
  assertThrows(
    () => other.follow(),
    TypeError,
    "The viewer is detached: attach again",
  );
});

test("follow() refuses pauses and sizes that are not above 0", async () => {
  await using port = portWithTrace();
  await using client = await LiveClient.connect(port.address);
  const attachment = await client.attach(TARGET);
  for (const name of ["pollMs", "sessionPollMs", "requestBytes"]) {
    for (const value of [0, -1, NaN]) {
      assertThrows(
        () => attachment.follow({ [name]: value }),
        RangeError,
        `Cannot use ${name} ${value}: it is not above 0`,
      );
    }
  }
});

const ODD: readonly [string, ViewerCommandName, Behaviour, RegExp][] = [
  [
    "an unknown status",
    "GET_NEXT_INDEX",
    { reply: new Uint8Array(64).fill(7) },
    /makes no sense: GET_NEXT_INDEX reply\.status: there is no status/,
  ],
  [
    "another length than asked for",
    "GET_PACKET",
    { reply: Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 9]) },
    /makes no sense: GET_PACKET reply\.packet: 1 bytes, not the 8 that were asked for/,
  ],
  [
    "more than asked for",
    "GET_PACKET",
    { reply: Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0]) },
    /makes no sense: GET_PACKET reply\.length: 9 > 8/,
  ],
  [
    "endless metadata",
    "GET_METADATA",
    { reply: new Uint8Array(12).fill(255) },
    /makes no sense: GET_METADATA reply\.length: 18446744073709551615 > /,
  ],
  ["half a packet", "GET_PACKET", { cutAfter: 15 }, /after 15 bytes of its/],
  ["nothing", "GET_NEXT_INDEX", "hang up", /instead of answering GET_NEXT_/],
];

for (const [name, command, behaviour, message] of ODD) {
  test(`follow() ends with one error at ${name}`, async () => {
    await using port = portWithTrace((asked) =>
      asked === command ? behaviour : undefined
    );
    await using client = await LiveClient.connect(port.address);
    const attachment = await client.attach(TARGET);
    const error = await assertRejects(
      async () => {
        for await (const _ of attachment.follow());
      },
      ConnectionError,
    );
    if (!message.test(error.message)) throw error;
    assertEquals(client.lost?.message, error.message);
    await attachment.detach();
    await port.whenEnded();
  });
}

test("follow() waits for a reply no longer than it was told", async () => {
  await using port = portWithTrace((name) =>
    name === "GET_NEXT_INDEX" ? "silence" : undefined
  );
  const timer = new FakeTimer();
  await using client = await LiveClient.connect(port.address, {
    timer,
    replyTimeoutMs: 700,
  });
  const items = (await client.attach(TARGET)).follow();
  await take(items, 4);
  const next = items.next();
  next.catch(() => {});
  await port.whenReceived("GET_NEXT_INDEX");
  timer.pass(700);
  await assertRejects(
    () => next,
    ConnectionError,
    `Waited 700 ms in vain for the reply to GET_NEXT_INDEX from ${port.peer}`,
  );
});

test("leaving a relay daemon before 2.8 closes the connection", async () => {
  await using port = portWithTrace();
  port.relay.minor = 7;
  await using client = await LiveClient.connect(port.address);
  for await (const _ of (await client.attach(TARGET)).follow()) break;
  assertEquals(port.relay.count("DETACH_SESSION"), 0);
  await assertRejects(
    () => client.listSessions(),
    ConnectionError,
    "The connection was closed to detach",
  );
});

test("two sessions are followed at once by one client, each by itself", async () => {
  await using port = portWithTrace();
  const { relay } = port;
  relay.sessions = [session(5n), session(6n, { sessionName: "other" })];
  relay.attach.set(6n, {
    status: 1,
    streams: [stream(4n), metadataStream(3n)],
  });
  relay.then(relay.metadata, 3n, metadata("other"));
  relay.then(relay.indexes, 4n, index(7n));
  await using client = await LiveClient.connect(port.address);
  const first = await client.attach({ sessionId: 5n });
  const second = await client.attach({ sessionId: 6n });
  assertEquals(
    await Promise.all([take(first.follow(), 6), take(second.follow(), 5)]),
    [
      [...BEGINNING, "packet 2 at 0", "packet 2 at 10"],
      [
        ...["session 6", "stream 3", "stream 4", "metadata 3 other"],
        "packet 4 at 7",
      ],
    ],
  );
  await first.detach();
  assertEquals(relay.asked.at(-1), {
    name: "DETACH_SESSION",
    request: { sessionId: 5n },
  });
});
