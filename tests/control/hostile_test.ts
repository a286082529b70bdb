/** Whatever a session daemon answers to any command, the client ends in order. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { BufferType, DomainType } from "../../lib/wire/sessiond/session.ts";
import {
  type SessiondCommandName,
  sessiondCommands,
} from "../../lib/wire/sessiond/commands.ts";
import { concat } from "../wire/golden.ts";
import {
  type Answer,
  answerWith,
  ScriptedSessiond,
  words,
  writeAll,
} from "./support/scripted_sessiond.ts";

const commands = sessiondCommands(13);

/** A reply of 2.13 with these sizes in its header. */
function reply(
  name: SessiondCommandName,
  body: Uint8Array = new Uint8Array(),
  headerSize = 0,
  code = 10,
): Uint8Array {
  const { number } = commands[name];
  const dataSize = body.length - headerSize;
  return concat(words(number, code, 0, headerSize, dataSize, 0), body);
}

const domains = commands.LIST_DOMAINS.reply.encode({
  entries: [{ type: DomainType.UST, bufferType: BufferType.PER_UID }],
});

/** Answers as a sound daemon, but `bad` to the command `name`. */
function soundBut(name: SessiondCommandName, bad: Answer): Answer {
  return (conn, request) => {
    const number = request[0]!;
    if (number === commands[name].number) return bad(conn, request);
    switch (number) {
      case commands.LIST_SESSIONS.number:
        return writeAll(conn, reply("LIST_SESSIONS"));
      case commands.LIST_TRACEPOINTS.number:
        return writeAll(conn, reply("LIST_TRACEPOINTS", words(0), 4));
      case commands.LIST_DOMAINS.number:
        return writeAll(conn, reply("LIST_DOMAINS", domains));
      default:
        return writeAll(conn, words(number, 12, 0, 0, 0, 0));
    }
  };
}

async function withDaemon<T>(
  name: SessiondCommandName,
  bad: Answer,
  use: (client: SessionDaemon, daemon: ScriptedSessiond) => Promise<T>,
): Promise<T> {
  const answer = soundBut(name, bad);
  await using daemon = new ScriptedSessiond(...Array(10).fill(answer));
  const client = await SessionDaemon.connect({
    socketPath: daemon.path,
    timeoutMs: 2_000,
    doneTimeoutMs: 2_000,
  });
  return await use(client, daemon);
}

type Call = (client: SessionDaemon) => Promise<unknown>;

/** A method for each command whose reply says more than a code. */
const calls: readonly (readonly [SessiondCommandName, Call])[] = [
  ["CREATE_SESSION_EXT", (c) => c.createSession("s")],
  ["DESTROY_SESSION", (c) => c.destroySession("s")],
  ["LIST_DOMAINS", (c) => c.listDomains("s")],
  ["LIST_CHANNELS", (c) => c.listChannels("s", "ust")],
  ["LIST_TRACEPOINTS", (c) => c.listTracepoints("ust")],
  ["LIST_TRACEPOINT_FIELDS", (c) => c.listTracepointFields("ust")],
  ["LIST_SYSCALLS", (c) => c.listSyscalls()],
  ["DATA_PENDING", (c) => c.dataPending("s")],
  ["SNAPSHOT_ADD_OUTPUT", (c) => c.snapshotAddOutput("s", { url: "/x" })],
  ["SNAPSHOT_LIST_OUTPUT", (c) => c.snapshotListOutputs("s")],
  ["TRACKER_GET_POLICY", (c) => c.getTrackingPolicy("s", "ust", "vpid")],
  ["TRACKER_GET_INCLUSION_SET", (c) => c.listInclusions("s", "ust", "vpid")],
  ["ROTATE_SESSION", (c) => c.rotateSession("s")],
  ["ROTATION_GET_INFO", (c) => c.rotationInfo("s", 0n)],
  ["LIST_ROTATION_SCHEDULES", (c) => c.listRotationSchedules("s")],
  ["START_TRACE", (c) => c.startTracing("s")],
  ["ENABLE_CHANNEL", (c) => c.enableChannel("s", "ust", { name: "c" })],
];

/** Answers to `name` that no session daemon would give. */
function nonsense(
  name: SessiondCommandName,
): (readonly [string, Answer])[] {
  const garbage = new Uint8Array(37).fill(0xEE);
  const { number, replyHeaderSize, reply: layout } = commands[name];
  const framed = reply(name, garbage, replyHeaderSize);
  const endless = reply(name, words(0xFFFF_FFFF), replyHeaderSize);
  const lie = words(number, 10, 0, 0xFFFF_FFFF, 0xFFFF_FFFF, 0);
  const found: [string, Uint8Array][] = [
    ["garbage", garbage],
    ["garbage in a sound frame", framed],
    ["a header of another size", reply(name, garbage, 12)],
    ["more than anyone sends", lie],
    ["half a frame", framed.subarray(0, 30)],
    ["nothing", new Uint8Array()],
  ];
  if ("count" in layout.fields) found.push(["a list without end", endless]);
  return found.map(([what, bytes]) => [what, answerWith(bytes)] as const);
}

for (const [name, call] of calls) {
  Deno.test(`${name} answered by nonsense is one clear error`, async () => {
    for (const [what, bad] of nonsense(name)) {
      await withDaemon(name, bad, async (client) => {
        const error = await assertRejects(() => call(client), ControlError);
        const codes = ["NO_SESSIOND", "INVALID_PROTOCOL", "NOT_SUPPORTED"];
        assert(codes.includes(error.symbol.slice(10)), `${what}: ${error}`);
        assert(!error.message.includes("\n"), error.message);
      });
    }
  });
}

Deno.test("a refusal that comes before all is read is taken", async () => {
  const early: Answer = (conn) =>
    writeAll(conn, reply("SET_CONSUMER_URI", undefined, 0, 23));
  await withDaemon("SET_CONSUMER_URI", early, async (client) => {
    const error = await assertRejects(
      () => client.setConsumerUri("s", "net://127.0.0.1"),
      ControlError,
    );
    assertEquals([error.code, error.command], [23, "SET_CONSUMER_URI"]);
  });
});

Deno.test("a session daemon before 2.13.5 is never misunderstood", async () => {
  // Its lists have no header of their own.
  const old = answerWith(reply("LIST_TRACEPOINTS"));
  await withDaemon("LIST_TRACEPOINTS", old, async (client, daemon) => {
    for (
      const call of [
        () => client.enableEvent("s", "ust", {}),
        () => client.enableChannel("s", "ust", { name: "c" }),
        () => client.addContext("s", "ust", "vpid"),
        () => client.disableEvent("s", "ust"),
      ]
    ) {
      const error = await assertRejects(call, ControlError);
      assertEquals(error.symbol, "LTTNG_ERR_NOT_SUPPORTED");
      assert(error.message.endsWith("it must be 2.13.5 or later"));
    }
    const numbers = daemon.requests.map((request) => request[0]);
    assertEquals(new Set(numbers), new Set([13, 14]));
  });
});

/** A daemon of 2.12 whose lists have a header of their own, or none. */
function daemon12(listHeaderSize: 0 | 4): Answer {
  return (conn, request) => {
    const number = request[0]!;
    const body = number === commands.LIST_TRACEPOINTS.number
      ? new Uint8Array(listHeaderSize)
      : new Uint8Array();
    return writeAll(
      conn,
      concat(
        words(number, 10, 0, body.length, 0),
        body,
      ),
    );
  };
}

Deno.test("a session daemon before 2.12.9 is never left waiting", async () => {
  await using daemon = new ScriptedSessiond(...Array(9).fill(daemon12(0)));
  const client = await SessionDaemon.connect({ socketPath: daemon.path });
  for (
    const call of [
      () => client.startTracing("s"),
      () => client.listDomains("s"),
      () => client.destroySessionNoWait("s"),
    ]
  ) {
    const error = await assertRejects(call, ControlError);
    assertEquals(error.symbol, "LTTNG_ERR_NOT_SUPPORTED");
    assert(error.message.endsWith("it must be 2.12.9 or later"));
  }
  assertEquals(
    new Set(
      daemon.requests.map((request) => `${request[0]} ${request.length}`),
    ),
    new Set(["13 13156", "14 13156"]),
  );
});

Deno.test("a session daemon of 2.12.9 gets requests of its own size", async () => {
  // It would wait for no more than this.
  const answer = daemon12(4);
  await using daemon = new ScriptedSessiond(...Array(9).fill(answer));
  daemon.requestBytes = 13152;
  const client = await SessionDaemon.connect({ socketPath: daemon.path });
  await client.startTracing("s");
  assertEquals(
    daemon.requests.map((request) => `${request[0]} ${request.length}`),
    ["13 13156", "14 13156", "16 13152"],
  );
});

Deno.test("agents that are switched off do not hide the kind of requests", async () => {
  const bad: Answer = (conn, request) => {
    const domain = request[4380];
    return writeAll(
      conn,
      domain === DomainType.PYTHON
        ? reply("LIST_TRACEPOINTS", undefined, 0, 137)
        : reply("LIST_TRACEPOINTS", words(0), 4),
    );
  };
  await withDaemon("LIST_TRACEPOINTS", bad, async (client, daemon) => {
    await assertRejects(() => client.addContext("s", "ust", "vpid"));
    const domains = daemon.requests.filter((request) => request[0] === 14)
      .map((request) => request[4380]);
    assertEquals(domains, [DomainType.PYTHON, DomainType.UST]);
  });
});

Deno.test("stopTracing() says when data is still on its way", async () => {
  const answer: Answer = (conn, request) => {
    const isPending = request[0] === commands.DATA_PENDING.number;
    const name = isPending ? "DATA_PENDING" : "STOP_TRACE";
    const body = isPending ? new Uint8Array([1]) : undefined;
    return request[0] === 13
      ? writeAll(conn, reply("LIST_SESSIONS"))
      : writeAll(conn, reply(name, body));
  };
  await using daemon = new ScriptedSessiond(...Array(10).fill(answer));
  const client = await SessionDaemon.connect({ socketPath: daemon.path });
  let waits = 0;
  const onWait = () => waits++;
  const stored = await client.stopTracing("s", { timeoutMs: 300, onWait });
  assertEquals([stored, waits], [false, 2]);
});

Deno.test("a domain that 2.13 does not know is never named to it", async () => {
  const bad: Answer = () => {};
  await withDaemon("LIST_TRACEPOINTS", bad, async (client, daemon) => {
    const error = await assertRejects(
      () => client.listTracepoints("log4j2"),
      ControlError,
    );
    assertEquals(error.symbol, "LTTNG_ERR_UNSUPPORTED_DOMAIN");
    assertEquals(daemon.requests.map((request) => request[0]), [13]);
  });
});
