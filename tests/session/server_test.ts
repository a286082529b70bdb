/** Clients that are slow, silent, greedy or gone cost nobody else anything. */

import { assert, assertEquals } from "@std/assert";
import { replyHeader } from "../../lib/wire/sessiond/commands.ts";
import { REQUEST_BYTES } from "../../lib/session/requests.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { RunningDaemon } from "./support/running_daemon.ts";

const isLinux = Deno.build.os === "linux";

function test(name: string, fn: (daemon: RunningDaemon) => Promise<void>) {
  Deno.test({
    name,
    ignore: !isLinux,
    async fn() {
      await using daemon = await RunningDaemon.start({ requestTimeoutMs: 300 });
      await fn(daemon);
    },
  });
}

function connect(daemon: RunningDaemon): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path: daemon.socketPath });
}

/** LIST_SESSIONS, with `change` made to its bytes. */
function request(change?: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 13, true);
  change?.(view);
  return bytes;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Everything that comes until the daemon closes. */
async function readAll(conn: Deno.Conn): Promise<Uint8Array> {
  const parts: number[] = [];
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    parts.push(...buffer.subarray(0, count));
  }
  return Uint8Array.from(parts);
}

/** The code of the reply to `bytes` on a connection of its own. */
async function ask(daemon: RunningDaemon, bytes: Uint8Array): Promise<number> {
  using conn = await connect(daemon);
  await writeAll(conn, bytes);
  return replyHeader(13).decode(await readAll(conn)).code;
}

test("serveClients() answers one client while another says nothing", async (daemon) => {
  using _silent = await connect(daemon);
  using half = await connect(daemon);
  await writeAll(half, request().subarray(0, 1_000));
  assertEquals(await ask(daemon, request()), 10);
});

test("serveClients() lets go of a client that says nothing for too long", async (daemon) => {
  using silent = await connect(daemon);
  assertEquals((await readAll(silent)).length, 0);
});

test("serveClients() lets clients look whether it is there", async (daemon) => {
  for (let look = 0; look < 50; look++) (await connect(daemon)).close();
  assertEquals(await ask(daemon, request()), 10);
});

test("serveClients() takes a request in pieces", async (daemon) => {
  using conn = await connect(daemon);
  const bytes = request();
  for (let at = 0; at < bytes.length; at += 3_000) {
    await writeAll(conn, bytes.subarray(at, at + 3_000));
  }
  assertEquals(replyHeader(13).decode(await readAll(conn)).code, 10);
});

test("serveClients() refuses to read more than a request may have", async (daemon) => {
  const create = request((view) => {
    view.setUint32(0, 49, true);
    view.setBigUint64(4690, 0xFFFF_FFFFn, true);
  });
  assertEquals(await ask(daemon, create), 97);
  assert(daemon.lines.some((line) => line.includes("bytes follow > 524288")));
});

test("serveClients() takes the descriptor that follows a request", async (daemon) => {
  const withFile = request((view) =>
    view.setUint32(REQUEST_BYTES - 4, 1, true)
  );
  const bytes = new Uint8Array(withFile.length + 1);
  bytes.set(withFile);
  assertEquals(await ask(daemon, bytes), 10);
});

test("serveClients() goes on where a client leaves before its reply", async (daemon) => {
  for (let client = 0; client < 20; client++) {
    const conn = await connect(daemon);
    await writeAll(conn, request());
    conn.close();
  }
  assertEquals(await ask(daemon, request()), 10);
});

test("serveClients() answers random bytes without harm", async (daemon) => {
  for (let round = 0; round < 60; round++) {
    const bytes = crypto.getRandomValues(new Uint8Array(REQUEST_BYTES));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, round, true);
    view.setUint32(REQUEST_BYTES - 4, 0, true);
    using conn = await connect(daemon);
    await writeAll(conn, bytes);
    await readAll(conn);
  }
  assertEquals(await ask(daemon, request()), 10);
  assert(!daemon.lines.some((line) => line.startsWith("Error")));
});

stockTest(
  "stock clients at once are all served",
  { programs: SESSIOND_PROGRAMS },
  async () => {
    await using daemon = await RunningDaemon.start();
    const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
    const { home } = daemon.user;
    await Promise.all(
      names.map((name) =>
        daemon.lttng("create", name, "--output", `${home}/${name}`)
      ),
    );
    const list = await daemon.lttng("list");
    for (const name of names) assert(list.includes(` ${name} [`), list);
  },
);
