/** The end of the daemon: bounded, files whole, a line for what was cut. */

import { assert, assertEquals } from "@std/assert";
import { SHUTDOWN_TIMEOUT_MS } from "../../lib/base/limits.ts";
import { waitFor, within } from "../support/process.ts";
import type { RawPeer } from "../support/raw_peer.ts";
import { Daemon } from "./support/daemon.ts";
import { endsWaitingWrites } from "./support/deno.ts";
import {
  type Connectable,
  hex,
  indexRequest,
  Producer,
  TestRelay,
} from "./support/relay.ts";

const PACKET = new TextEncoder().encode("a packet");

/** A stream with one whole packet and 30 of 100 bytes of the next. */
async function inMidPacket(
  relay: Connectable,
  output: () => string,
): Promise<Producer> {
  const producer = await Producer.connect(relay);
  await producer.createSession();
  await producer.createChunk(0n);
  const streamId = await producer.addStream("ch_0");
  await producer.packet(streamId, 0n, PACKET);
  assertEquals(await producer.index(streamId, 0n), 10);
  await producer.data.sendData(
    { streamId, netSequenceNumber: 1n, dataSize: 100, paddingSize: 0 },
    new Uint8Array(30),
  );
  const file = `${output()}/vm/demo/kernel/ch_0`;
  await waitFor("part of a packet", () => Deno.statSync(file).size === 38);
  return producer;
}

function assertWhole(output: string, log: string): void {
  const directory = `${output}/vm/demo/kernel`;
  assertEquals(Deno.readFileSync(`${directory}/ch_0`), PACKET);
  assertEquals(Deno.statSync(`${directory}/index/ch_0.idx`).size, 88);
  const name = 'session 1 "demo" of "vm"';
  for (
    const line of [
      `Error: ${name} is cut: `,
      `Warning: ${name}: stream kernel/ch_0: cut 30 bytes of a packet that ` +
      "did not arrive whole",
      `${name} ended: `,
    ]
  ) assert(log.includes(line), `No "${line}" in:\n${log}`);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test({
    name: `${signal} in mid-packet leaves whole packets and says what was cut`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using daemon = await Daemon.start();
      using _ = await inMidPacket(daemon, () => daemon.outputAfterEnd);
      daemon.child.signal(signal);
      const status = await within("the end", daemon.child.ended, 10_000);
      assertEquals(status.code, 0);
      assertWhole(daemon.outputAfterEnd, daemon.log);
    },
  });
}

Deno.test("shutdown() in mid-packet leaves whole packets and says what was cut", async () => {
  await using relay = new TestRelay();
  using _ = await inMidPacket(relay, () => relay.output);
  await relay.relay.shutdown();
  assertWhole(relay.output, relay.lines.join("\n"));
});

Deno.test("shutdown() writes what was answered a moment ago", async () => {
  await using relay = new TestRelay();
  using producer = await relay.producer();
  await producer.createSession();
  await producer.createChunk(0n);
  const stream = await producer.addStream("ch_0");
  for (let at = 0n; at < 100n; at++) {
    await producer.send("SEND_INDEX", indexRequest(stream, at));
    await producer.packet(stream, at, PACKET);
  }
  await producer.control.read(400);
  const file = `${relay.output}/vm/demo/kernel/ch_0`;
  await waitFor("some packets", () => Deno.statSync(file).size > 0);
  await relay.relay.shutdown();
  const { size } = Deno.statSync(file);
  const index = Deno.statSync(
    `${relay.output}/vm/demo/kernel/index/ch_0.idx`,
  ).size;
  assertEquals(size % PACKET.length, 0);
  assertEquals(index, 16 + 72 * (size / PACKET.length));
});

async function shutsDownWithStalledPeers(): Promise<void> {
  await using relay = new TestRelay();
  const peers: RawPeer[] = [];
  for (let at = 0; at < 20; at++) {
    for (const port of ["control", "data", "live"] as const) {
      const peer = await relay.connect(port);
      await peer.send(new Uint8Array(at % 15));
      peers.push(peer);
    }
  }
  const deaf = await relay.connect("control");
  const request = hex(
    "0000000000000000 0000000000000008 00000016 00000000 0000000000000000",
  );
  const flood = new Uint8Array(request.length * 1000);
  for (let at = 0; at < 1000; at++) flood.set(request, at * request.length);
  let sent = 0;
  const sending = (async () => {
    for (;; sent++) await deaf.send(flood);
  })().catch(() => {});
  await waitFor("nothing more fits anywhere", async () => {
    const before = sent;
    await new Promise((later) => setTimeout(later, 300));
    return sent > 0 && sent === before;
  });
  const begin = Date.now();
  await relay.relay.shutdown();
  const took = Date.now() - begin;
  assert(took < SHUTDOWN_TIMEOUT_MS + 1_000, `${took} ms`);
  for (const peer of [...peers, deaf]) peer.close();
  await sending;
}

Deno.test({
  name: "shutdown() is bounded with stalled peers on every port",
  // The write to the deaf peer is left behind where nothing can end it.
  sanitizeOps: endsWaitingWrites,
  sanitizeResources: endsWaitingWrites,
  fn: shutsDownWithStalledPeers,
});

Deno.test("shutdown() frees the ports, and doing it again does nothing", async () => {
  await using relay = new TestRelay();
  const { control, data, live } = relay.relay.addresses;
  await Promise.all([relay.relay.shutdown(), relay.relay.shutdown()]);
  await relay.relay.shutdown();
  for (const { port } of [control, data, live]) {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  }
});

Deno.test("a session that ended before is not cut by the shutdown", async () => {
  await using relay = new TestRelay();
  await relay.assertServing();
  await waitFor(
    "its end",
    () => relay.lines.some((line) => line.includes("ended: ")),
  );
  await relay.relay.shutdown();
  assertEquals(relay.lines.filter((line) => line.includes("is cut")), []);
});
