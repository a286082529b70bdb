import { assert, assertEquals } from "@std/assert";
import { LTTNG_OK } from "../../lib/wire/lttng_error.ts";
import { replyHeader } from "../../lib/wire/sessiond/commands.ts";
import {
  DomainType,
  OutputType,
  SessionKind,
} from "../../lib/wire/sessiond/session.ts";
import type { SessionDaemon } from "../../lib/session/daemon.ts";
import { REQUEST_BYTES } from "../../lib/session/requests.ts";
import {
  Asking,
  channelRequest,
  descriptor,
  eventRequest,
  KERNEL,
  pathUri,
  relayUri,
  USER,
} from "./support/asking.ts";

const permissions = "none";

function test(name: string, fn: (asking: Asking) => Promise<void>): void {
  Deno.test({ name, permissions, fn: () => fn(new Asking()) });
}

/** A request that is only a number, and perhaps a session. */
function bareRequest(number: number, session = ""): Uint8Array {
  const bytes = new Uint8Array(REQUEST_BYTES);
  new DataView(bytes.buffer).setUint32(0, number, true);
  bytes.set(new TextEncoder().encode(session), 4);
  return bytes;
}

async function bareCode(
  daemon: SessionDaemon,
  number: number,
  session = "",
): Promise<number> {
  const reply = await daemon.handle(bareRequest(number, session), USER);
  const { command, code } = replyHeader(13).decode(reply);
  assertEquals(command, number);
  return code;
}

test("SessionDaemon.handle() names a session by the time where it has no name", async (asking) => {
  const first = await asking.ask("CREATE_SESSION_EXT", descriptor({}));
  const second = await asking.ask("CREATE_SESSION_EXT", descriptor({}));
  assert(/^auto-\d{8}-\d{6}$/.test(first.name), first.name);
  assertEquals(second.name, first.name.replace("auto-", "auto1-"));
  assertEquals(
    first.uris[0]?.destination,
    `/home/user/lttng-traces/${first.name}`,
  );
});

test("SessionDaemon.handle() refuses destinations that climb or are relative", async (asking) => {
  for (const path of ["/a/../b", "relative", "/a/.."]) {
    const request = descriptor({ name: "x", uris: [pathUri(path)] });
    assertEquals(await asking.code("CREATE_SESSION_EXT", request), "INVALID");
  }
  const uris = [relayUri(0, "../x"), relayUri(1)];
  const request = descriptor({
    name: "x",
    outputType: OutputType.NETWORK,
    uris,
  });
  assertEquals(await asking.code("CREATE_SESSION_EXT", request), "INVALID");
  assertEquals(asking.daemon.sessionCount, 0);
});

test("SessionDaemon.handle() refuses a live session in a directory, or without a timer", async (asking) => {
  const kind = SessionKind.LIVE;
  const local = descriptor({ kind, name: "x", liveTimer: 1n });
  assertEquals(await asking.code("CREATE_SESSION_EXT", local), "INVALID");
  const outputType = OutputType.NETWORK;
  const timeless = descriptor({ kind, name: "x", outputType });
  assertEquals(await asking.code("CREATE_SESSION_EXT", timeless), "INVALID");
});

test("SessionDaemon.handle() refuses a name that is taken, has a slash or is too long", async (asking) => {
  await asking.create("taken");
  const code = (name: string) =>
    asking.code("CREATE_SESSION_EXT", descriptor({ name }));
  assertEquals(await code("taken"), "EXIST_SESS");
  assertEquals(await code("a/b"), "SESSION_INVALID_CHAR");
  assertEquals(await code("x".repeat(254)), "OK");
});

test("SessionDaemon.handle() shows each user their own sessions, and root all", async (asking) => {
  await asking.create("mine");
  await asking.create("theirs", { uid: 1001, gid: 1001 });
  const names = async (uid: number) => {
    const { sessions } = await asking.ask("LIST_SESSIONS", {}, {
      uid,
      gid: uid,
    });
    return sessions.map(({ name }) => name);
  };
  assertEquals(await names(USER.uid), ["mine"]);
  assertEquals(await names(0), ["theirs", "mine"]);
  assertEquals(
    await asking.code("STOP_TRACE", { session: "theirs" }),
    "EPERM",
  );
  assertEquals(
    await asking.code("LIST_DOMAINS", { session: "x" }),
    "SESS_NOT_FOUND",
  );
});

test("SessionDaemon.handle() answers every number without harm", async ({ daemon }) => {
  for (let number = 0; number < 60; number++) {
    const code = await bareCode(daemon, number);
    assert(code > 0, `${number}: ${code}`);
  }
  assertEquals(await bareCode(daemon, 13), LTTNG_OK);
  assertEquals(await bareCode(daemon, 0xFFFF_FFFF), 12);
});

test("SessionDaemon.handle() tells a hole from an unknown session", async (asking) => {
  await asking.create("one");
  assertEquals(await bareCode(asking.daemon, 19, "one"), 12);
  assertEquals(await bareCode(asking.daemon, 19, "two"), 23);
  assertEquals(await bareCode(asking.daemon, 53, "two"), 12);
});

test("SessionDaemon.handle() lists no triggers, and takes none", async ({ daemon }) => {
  assertEquals(await bareCode(daemon, 51), LTTNG_OK);
  assertEquals(await bareCode(daemon, 43), 15);
});

test("SessionDaemon.handle() refuses a request that makes no sense, and goes on", async (asking) => {
  await asking.create("one");
  const request = bareRequest(49);
  const { code } = replyHeader(13).decode(
    await asking.daemon.handle(request, USER),
  );
  assertEquals(code, 97);
  assertEquals(asking.daemon.sessionCount, 1);
});

test("SessionDaemon.handle() has other domains refused with their own codes", async (asking) => {
  await asking.create("one");
  const code = (type: number) =>
    asking.code("ENABLE_CHANNEL", {
      ...channelRequest("one"),
      domain: { type, bufferType: 0 },
    });
  assertEquals(await code(DomainType.UST), "NO_UST");
  assertEquals(await code(DomainType.JUL), "AGENT_TRACING_DISABLED");
  assertEquals(await code(99), "UNKNOWN_DOMAIN");
  assertEquals(await code(DomainType.NONE), "UNKNOWN_DOMAIN");
});

test("SessionDaemon.handle() lists no events of applications, as none is there", async (asking) => {
  for (const type of [DomainType.UST, DomainType.JUL]) {
    const domain = { type, bufferType: 0 };
    const { entries } = await asking.ask("LIST_TRACEPOINTS", { domain });
    assertEquals(entries, []);
  }
  const domain = { type: 99, bufferType: 0 };
  assertEquals(
    await asking.code("LIST_TRACEPOINTS", { domain }),
    "UNKNOWN_DOMAIN",
  );
});

test("SessionDaemon.handle() says why the kernel cannot be traced", async (asking) => {
  await asking.create("one");
  asking.tracer.unavailable = "tracefs is not mounted";
  assertEquals(
    await asking.code("ENABLE_CHANNEL", channelRequest("one")),
    "KERN_NA",
  );
  assert(asking.lines.some((line) => line.includes("tracefs is not mounted")));
});

Deno.test({
  name: "SessionDaemon.handle() wants root for the kernel",
  permissions,
  async fn() {
    const asking = new Asking({ mayTraceKernel: false });
    await asking.create("one");
    const request = eventRequest("one");
    assertEquals(
      await asking.code("ENABLE_EVENT", request),
      "NEED_ROOT_SESSIOND",
    );
    assertEquals(
      await asking.code("LIST_TRACEPOINTS", { domain: KERNEL }),
      "NEED_ROOT_SESSIOND",
    );
  },
});

test("SessionDaemon.handle() changes where a session goes before it has recorded", async (asking) => {
  await asking.create("one");
  const set = (uris: ReturnType<typeof pathUri>[]) =>
    asking.code("SET_CONSUMER_URI", { session: "one", domain: KERNEL, uris });
  assertEquals(await set([]), "INVALID");
  assertEquals(await set([relayUri(0, "sub")]), "OK");
  assertEquals(await set([relayUri(0)]), "URL_EXIST");
  const { sessions } = await asking.ask("LIST_SESSIONS", {});
  assertEquals(sessions[0]?.path, "tcp4://127.0.0.1:5342/sub [data: 5343]");
  assertEquals(await set([pathUri("/elsewhere")]), "OK");
  await asking.enable("one");
  await asking.ask("START_TRACE", { session: "one" });
  assertEquals(await set([pathUri("/x")]), "TRACE_ALREADY_STARTED");
  await asking.ask("STOP_TRACE", { session: "one" });
  assertEquals(await set([pathUri("/x")]), "SESSION_STARTED");
  await asking.daemon.close();
});

test("SessionDaemon.handle() keeps a shared memory path until the first start", async (asking) => {
  await asking.create("one");
  const request = { session: "one", path: "/dev/shm/x" };
  assertEquals(await asking.code("SET_SESSION_SHM_PATH", request), "OK");
  await asking.enable("one");
  await asking.ask("START_TRACE", { session: "one" });
  assertEquals(
    await asking.code("SET_SESSION_SHM_PATH", request),
    "SESSION_STARTED",
  );
  await asking.daemon.close();
});

test("SessionDaemon.close() ends every session and its recording", async (asking) => {
  await asking.create("one");
  await asking.enable("one");
  await asking.ask("START_TRACE", { session: "one" });
  await asking.create("two");
  await asking.daemon.close();
  assertEquals(asking.daemon.sessionCount, 0);
  assert(asking.recording("one").isClosed);
  assert(asking.outputs.opened[0]?.isClosed);
});
