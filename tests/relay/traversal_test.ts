/** No field of any minor leads out of the output directory, over the wire. */

import { assert, assertEquals } from "@std/assert";
import { commands } from "../../lib/wire/relay.ts";
import { ConnectionError } from "../../lib/net/connection.ts";
import { type Producer, sessionRequest, TestRelay } from "./support/relay.ts";

const ABSOLUTE = `/tmp/${crypto.randomUUID()}-evil`;

/** Stands for a NUL, which our encoder refuses to put into a text. */
const NUL = "\x7f";

function forge(payload: Uint8Array): void {
  for (const [at, byte] of payload.entries()) {
    if (byte === 0x7f) payload[at] = 0;
  }
}

/** What makes each field climb, or try to. */
const PAYLOADS = [
  ...["..", "../evil", "../../evil", "../../../../evil", "a/../../evil"],
  ...["./../evil", "..//evil", "a/..", "/..", ABSOLUTE, `/${ABSOLUTE}`],
  ...[".", "", NUL, `../evil${NUL}`, `a${NUL}/../../evil`, "..\\evil", "evil/"],
  ...["%2e%2e/evil", "..%2fevil", "．．/evil", "\u202e../evil"],
  ...[".tmp_old_chunk/../../../evil", "archives/../../../evil"],
];

/** Minors of every form that CREATE_SESSION, ADD_STREAM and paths have. */
const MINORS = [1, 2, 3, 4, 7, 8, 10, 11, 12, 13, 14, 15];

async function assertNothingOutside(relay: TestRelay): Promise<void> {
  assertEquals(relay.outside(), []);
  let found = true;
  try {
    await Deno.lstat(ABSOLUTE);
  } catch {
    found = false;
  }
  assert(!found, `${ABSOLUTE} exists`);
  await relay.assertServing();
}

/** Sends all the packets that a stream can make files with. */
async function useStream(producer: Producer, id: bigint): Promise<void> {
  await producer.packet(id, 0n, new Uint8Array(8));
  if (producer.minor >= 4) await producer.index(id, 0n);
}

/** Runs `attempt`; the end of the connection is as good a refusal as any. */
async function orHangUp(attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
  }
}

async function addStream(
  producer: Producer,
  channelName: string,
  pathname: string,
): Promise<void> {
  await orHangUp(async () => {
    const { code, streamId } = await producer.call("ADD_STREAM", {
      channelName,
      pathname,
      tracefileSize: 4n,
      tracefileCount: 2n,
      traceChunkId: 0n,
    });
    if (code === 10) await useStream(producer, streamId);
  });
}

for (const groupOutputBy of ["host", "session"] as const) {
  for (const minor of MINORS) {
    Deno.test(`grouped by ${groupOutputBy}, 2.${minor}: no name climbs`, async () => {
      await using relay = new TestRelay({ groupOutputBy });
      const fields = minor < 4
        ? []
        : minor < 11
        ? ["sessionName", "hostname"]
        : ["sessionName", "hostname", "basePath"];
      for (const field of fields) {
        for (const payload of PAYLOADS) {
          using producer = await relay.producer(minor);
          producer.forge = forge;
          const reply = await producer.createSession({ [field]: payload });
          if (reply.code !== 10) continue;
          if (minor >= 11) await producer.createChunk(0n);
          const old = `/${field === "hostname" ? payload : "vm"}/demo/kernel`;
          await addStream(producer, "ch", minor < 11 ? old : "kernel");
        }
      }
      assertEquals(relay.outside(), []);
    });

    Deno.test(`grouped by ${groupOutputBy}, 2.${minor}: no stream climbs`, async () => {
      await using relay = new TestRelay({ groupOutputBy });
      let sessions = 0;
      async function attempt(channelName: string, pathname: string) {
        using producer = await relay.producer(minor);
        producer.forge = forge;
        const names = minor < 4
          ? { sessionName: "", hostname: "" }
          : { sessionName: `s${++sessions}` };
        assertEquals((await producer.createSession(names)).code, 10);
        if (minor >= 11) await producer.createChunk(0n);
        await addStream(producer, channelName, pathname);
      }
      const below = minor < 11 ? "/vm/demo/" : "";
      for (const payload of PAYLOADS) {
        for (const prefix of ["", "/", below]) {
          await attempt("ch", `${prefix}${payload}`);
        }
        await attempt(payload, `${below}kernel`);
        await attempt(`metadata/${payload}`, `${below}kernel`);
      }
      assertEquals(relay.outside(), []);
    });
  }
}

Deno.test("no name of a trace chunk climbs, whatever is done with it", async () => {
  await using relay = new TestRelay();
  for (const [at, payload] of PAYLOADS.entries()) {
    if (payload === "") continue;
    for (const command of [0, 1, 2] as const) {
      using producer = await relay.producer();
      await producer.createSession({ sessionName: `s${at}-${command}` });
      producer.forge = forge;
      await orHangUp(async () => {
        const { code } = await producer.call("CREATE_TRACE_CHUNK", {
          chunkId: 0n,
          creationTimestamp: 0n,
          overrideName: payload,
        });
        if (code !== 10) return;
        await addStream(producer, "ch", "kernel");
        await producer.call("CLOSE_TRACE_CHUNK", {
          chunkId: 0n,
          closeTimestamp: 0n,
          closeCommand: command,
        });
      });
    }
  }
  await assertNothingOutside(relay);
});

Deno.test("no old peer's fixed field climbs by what is behind its NUL", async () => {
  await using relay = new TestRelay();
  using producer = await relay.producer(10);
  const payload = commands.CREATE_SESSION.request.encode(sessionRequest(), 10);
  const garbage = new TextEncoder().encode("demo\0/../../../evil\0");
  payload.set(garbage, 0);
  await producer.control.sendCommand(2, payload);
  assertEquals((await producer.reply("CREATE_SESSION")).code, 10);
  await addStream(producer, "ch", "/vm/demo/kernel");
  await assertNothingOutside(relay);
});

Deno.test("a name without a NUL in its field is refused", async () => {
  await using relay = new TestRelay();
  using producer = await relay.producer(10);
  const payload = commands.CREATE_SESSION.request.encode(sessionRequest(), 10);
  payload.fill("x".charCodeAt(0), 0, 255);
  await producer.control.sendCommand(2, payload);
  assertEquals((await producer.reply("CREATE_SESSION")).code, 25);
  await assertNothingOutside(relay);
});
