/** What a client makes of session daemons that hang, die or talk nonsense. */

import { assertEquals, assertRejects } from "@std/assert";
import { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { compileFilter } from "../../lib/control/filter/compile.ts";
import {
  replyHeader,
  sessiondCommands,
} from "../../lib/wire/sessiond/commands.ts";
import {
  type Answer,
  answerWith,
  ScriptedSessiond,
  words,
  writeAll,
} from "./support/scripted_sessiond.ts";
import { concat } from "../wire/golden.ts";
import { sessionListLayout } from "../../lib/wire/sessiond/session.ts";

/** Every one of these waits ends long before anything slow would. */
const SHORT_MS = 200;

const entry = {
  name: "one",
  path: "/traces/one",
  enabled: true,
  snapshotMode: false,
  liveTimerInterval: 0,
  creationTime: 7n,
  creationTimeSet: true,
  shmPath: "",
  traceFormat: 0,
};

/** A reply header of 2.13, then a body. */
function reply13(command: number, code: number, body = new Uint8Array()) {
  return concat(words(command, code, 0, 0, body.length, 0), body);
}

/** LIST_SESSIONS of 2.13, answered with one session. */
const oneSession = reply13(
  13,
  10,
  sessionListLayout(13).encode({ sessions: [entry] }),
);

/** What the code of the error is that `answers` make of listSessions(). */
async function refusal(...answers: Answer[]): Promise<ControlError> {
  await using daemon = new ScriptedSessiond(...answers);
  const client = await SessionDaemon.connect({
    socketPath: daemon.path,
    timeoutMs: SHORT_MS,
  });
  const error = await assertRejects(() => client.listSessions(), ControlError);
  assertEquals(error.message.includes("\n"), false);
  return Object.assign(error, {
    message: error.message.replaceAll(daemon.path, "SOCKET"),
  });
}

Deno.test("connect() says where nothing answers", async () => {
  const error = await assertRejects(
    () => SessionDaemon.connect({ socketPath: "/does/not/exist" }),
    ControlError,
  );
  assertEquals([error.code, error.symbol], [19, "LTTNG_ERR_NO_SESSIOND"]);
  assertEquals(
    error.message,
    "No session daemon is available: nothing answers at /does/not/exist: " +
      "No such file or directory",
  );
});

Deno.test("connect() refuses a path that no socket can have", async () => {
  const error = await assertRejects(
    () => SessionDaemon.connect({ socketPath: `/${"a".repeat(107)}` }),
    ControlError,
    "The path of a socket is too long: 108 bytes > 107",
  );
  assertEquals(error.symbol, "LTTNG_ERR_CONNECT_FAIL");
});

Deno.test("isAlive() is false for a socket that nobody listens on", async () => {
  let path: string;
  {
    await using daemon = new ScriptedSessiond();
    path = daemon.path;
    assertEquals(await SessionDaemon.isAlive({ socketPath: path }), true);
  }
  assertEquals(await SessionDaemon.isAlive({ socketPath: path }), false);
});

Deno.test("listSessions() gives up on a daemon that hangs", async () => {
  const error = await refusal(() =>
    new Promise((done) => setTimeout(done, 600))
  );
  assertEquals(
    error.message,
    "No session daemon is available: Waited 200 ms in vain for the reply to " +
      "LIST_SESSIONS from SOCKET",
  );
});

Deno.test("listSessions() gives up on a daemon that trickles", async () => {
  const error = await refusal(async (conn) => {
    for (let i = 0; i < 6; i++) {
      await writeAll(conn, words(13));
      await new Promise((done) => setTimeout(done, 80));
    }
  });
  assertEquals(
    error.message,
    "No session daemon is available: Waited 200 ms in vain for the reply to " +
      "LIST_SESSIONS from SOCKET",
  );
});

Deno.test("listSessions() refuses a daemon that closes at once", async () => {
  const error = await refusal(() => {});
  assertEquals(
    error.message,
    "No session daemon is available: SOCKET closed the connection without " +
      "an answer",
  );
});

Deno.test("listSessions() refuses a reply that is too short", async () => {
  const error = await refusal(answerWith(new Uint8Array(7)));
  assertEquals(
    error.message,
    "Protocol error occurred: SOCKET does not answer like a session daemon: " +
      "7 bytes of reply < 20",
  );
});

Deno.test("listSessions() refuses the words of another protocol", async () => {
  const text = "HTTP/1.1 400 Bad Request\r\n\r\n";
  const error = await refusal(answerWith(new TextEncoder().encode(text)));
  assertEquals(
    error.message,
    "Protocol error occurred: SOCKET does not answer like a session daemon: " +
      "28 bytes of reply with code 825110831 belong to no known version",
  );
});

Deno.test("listSessions() refuses a size that is a lie", async () => {
  const error = await refusal(
    answerWith(words(13, 10, 0, 0, 0xFFFF_FFFF, 0)),
  );
  assertEquals(error.symbol, "LTTNG_ERR_INVALID_PROTOCOL");
});

Deno.test("listSessions() refuses half a session", async () => {
  const error = await refusal(
    answerWith(reply13(13, 10, new Uint8Array(100))),
  );
  assertEquals(
    error.message,
    "Protocol error occurred: SOCKET does not answer like a session daemon: " +
      "LIST_SESSIONS reply.sessions: 100 bytes % 4385 is not 0",
  );
});

Deno.test("listSessions() passes on the daemon's own refusal", async () => {
  const error = await refusal(answerWith(reply13(13, 26)));
  assertEquals([error.code, error.text], [26, "Not enough memory"]);
  assertEquals(error.command, "LIST_SESSIONS");
});

for (
  const [name, header] of [
    ["announces more than anyone sends", words(13, 10, 0, 0, 0xFFFF_FFF0, 0)],
    ["closes in the middle", words(13, 10, 0, 0, 4385, 0)],
  ] as const
) {
  Deno.test(`listSessions() refuses a known daemon that ${name}`, async () => {
    const error = await refusalOfSecond(header);
    assertEquals(
      error.message.includes("of 4385 bytes") ||
        error.message.includes("4294967280 bytes > 268435456"),
      true,
    );
  });
}

/** The error of a second LIST_SESSIONS, when the version is known already. */
async function refusalOfSecond(header: Uint8Array): Promise<ControlError> {
  await using daemon = new ScriptedSessiond(
    answerWith(oneSession),
    answerWith(header),
  );
  const client = await SessionDaemon.connect({ socketPath: daemon.path });
  await client.listSessions();
  return await assertRejects(() => client.listSessions(), ControlError);
}

Deno.test("listSessions() refuses the answer to another command", async () => {
  const error = await refusalOfSecond(reply13(16, 10));
  assertEquals(error.symbol, "LTTNG_ERR_INVALID_PROTOCOL");
  assertEquals(error.message.endsWith("it answers command 16, not 13"), true);
});

Deno.test("listSessions() gives up when told to", async () => {
  await using daemon = new ScriptedSessiond(() => "hold");
  const controller = new AbortController();
  const client = await SessionDaemon.connect({
    socketPath: daemon.path,
    signal: controller.signal,
  });
  const listing = client.listSessions();
  controller.abort(new Error("enough"));
  await assertRejects(() => listing, Error, "enough");
});

Deno.test("listSessions() takes a reply in pieces", async () => {
  await using daemon = new ScriptedSessiond(async (conn) => {
    for (let at = 0; at < oneSession.length; at += 1500) {
      await writeAll(conn, oneSession.subarray(at, at + 1500));
      await new Promise((done) => setTimeout(done, 1));
    }
  });
  const client = await SessionDaemon.connect({ socketPath: daemon.path });
  assertEquals((await client.listSessions()).map(({ name }) => name), ["one"]);
});

for (
  const [minor, size, header] of [
    [12, 9, (length: number) => words(13, 10, 0, 0, length)],
    [13, 9, (length: number) => words(13, 10, 0, 0, length, 0)],
  ] as const
) {
  Deno.test(`version() tells 2.${minor} by its list of sessions`, async () => {
    const body = sessionListLayout(minor).encode({ sessions: [entry, entry] });
    assertEquals(body.length, 2 * (4376 + size));
    await using daemon = new ScriptedSessiond(
      answerWith(concat(header(body.length), body)),
    );
    const client = await SessionDaemon.connect({ socketPath: daemon.path });
    const sessions = await client.listSessions();
    assertEquals(sessions.map(({ path }) => path), [entry.path, entry.path]);
    assertEquals(await client.version(), minor);
    assertEquals(daemon.requests.length, 1);
  });
}

for (
  const [minor, refused, header] of [
    [14, words(13, 23, 0, 0, 0, 0), [11, 10, 0, 0]],
    [15, words(13, 23, 0, 0, 0), [11, 10, 0]],
  ] as const
) {
  Deno.test(`version() tells 2.${minor} by its refusal`, async () => {
    const sessions = [{ ...entry, shmPath: "/dev/shm/x" }];
    const body = sessionListLayout(minor).encode({ sessions });
    await using daemon = new ScriptedSessiond(
      answerWith(refused),
      answerWith(concat(words(...header, body.length, 0), body)),
    );
    const client = await SessionDaemon.connect({ socketPath: daemon.path });
    const [session] = await client.listSessions();
    assertEquals([session?.name, session?.shmPath], ["one", "/dev/shm/x"]);
    assertEquals(await client.version(), minor);
  });
}

for (
  const [minor, refused] of [
    [14, words(13, 23, 0, 0, 0, 0)],
    [15, words(13, 23, 0, 0, 0)],
  ] as const
) {
  Deno.test(`requests to 2.${minor} are of its table`, async () => {
    const { START_TRACE, ENABLE_EVENT } = sessiondCommands(minor);
    const done = (number: number) =>
      answerWith(
        replyHeader(minor).encode({
          ...{ command: number, code: 10, headerSize: 0, dataSize: 0 },
        }),
      );
    await using daemon = new ScriptedSessiond(
      answerWith(refused),
      done(START_TRACE.number),
      done(ENABLE_EVENT.number),
    );
    const client = await SessionDaemon.connect({ socketPath: daemon.path });
    await client.startTracing("s");
    await client.enableEvent("s", "log4j2", { name: "a", filter: "b == 1" });
    const [, start, enable] = daemon.requests;
    assertEquals(START_TRACE.number, 14);
    assertEquals(START_TRACE.request.decode(start!), { session: "s" });
    assertEquals(start![0], 14);
    const { event, domain } = ENABLE_EVENT.request.decode(enable!);
    assertEquals(domain.type, 6);
    assertEquals(event.bytecode, compileFilter(event.filter, minor));
  });
}
