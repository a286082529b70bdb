/** The sender against relay daemons that are slow, silent or rude. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ConnectionError } from "../../lib/net/connection.ts";
import { RelayError, RelayVersionError } from "../../lib/stream/errors.ts";
import { RelayClient } from "../../lib/stream/relay_client.ts";
import type { RelayClientOptions } from "../../lib/stream/client_options.ts";
import { samplePacket } from "./sample_trace.ts";
import { waitFor } from "../support/process.ts";
import { ScriptedRelay, type ScriptedRelayOptions } from "./scripted_relay.ts";

const permissions: Deno.PermissionOptions = { net: ["127.0.0.1"] };
const PATHNAME = "ust/uid/0/64-bit";
/** More than the buffers of two loopback sockets hold. */
const HUGE_BYTES = 32 * 1024 * 1024;

/** Defines a test with a scripted relay daemon. */
function scripted(
  name: string,
  options: ScriptedRelayOptions,
  fn: (relay: ScriptedRelay) => Promise<void>,
): void {
  Deno.test({
    name,
    permissions,
    fn: async () => {
      await using relay = new ScriptedRelay(options);
      await fn(relay);
    },
  });
}

async function ready(
  relay: ScriptedRelay,
  options: Partial<RelayClientOptions> = {},
) {
  const client = await RelayClient.connect({ ...relay.address, ...options });
  await client.createSession({ name: "demo", hostname: "h" });
  await client.createTraceChunk();
  const stream = await client.addStream({ name: "ch_0", pathname: PATHNAME });
  const metadata = await client.addStream({
    name: "metadata",
    pathname: PATHNAME,
  });
  await client.streamsSent();
  return { client, stream, metadata };
}

function hugePacket() {
  const packetSize = BigInt(HUGE_BYTES * 8);
  const { index } = small(0);
  return {
    content: new Uint8Array(HUGE_BYTES),
    index: { ...index, packetSize, contentSize: packetSize },
  };
}

function small(sequence: number) {
  return samplePacket({ sequence, events: 1, first: sequence });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function passed(fn: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await fn();
  return performance.now() - startedAt;
}

scripted(
  "RelayClient sends metadata and commands while the data connection is stalled",
  { readsData: false },
  async (relay) => {
    const { client, stream, metadata } = await ready(relay);
    const huge = hugePacket();
    let settled = false;
    const sending = client.sendPacket(stream, huge.content, huge.index)
      .finally(() => settled = true);
    sending.catch(() => {});
    const took = await passed(async () => {
      await client.sendMetadata(metadata, new Uint8Array(512 * 1024));
      await client.addStream({ name: "ch_1", pathname: PATHNAME });
      await client.streamsSent();
    });

    assert(took < 2000, `${took} ms`);
    assert(!settled);
    assertEquals(relay.count("SEND_METADATA"), 1);
    assertEquals(relay.count("SEND_INDEX"), 0);
    assert(await passed(() => Promise.resolve(client.close())) < 500);
    await assertRejects(() => sending, ConnectionError, "is closed");
  },
);

scripted(
  "RelayClient.waitUntilStored() says in time what a stalled peer lacks",
  {
    readsData: false,
    onCommand: (name) => name === "DATA_PENDING" ? { code: 1 } : undefined,
  },
  async (relay) => {
    const { client, stream } = await ready(relay);
    const huge = hugePacket();
    const sending = client.sendPacket(stream, huge.content, huge.index);
    sending.catch(() => {});
    const report = await client.waitUntilStored({ timeoutMs: 300 });

    assertEquals(report.stored, false);
    assertEquals(report.missing, [
      { name: "ch_0", pathname: PATHNAME, lastSequenceNumber: 0n },
    ]);
    assertEquals(report.missingMetadata, []);
    assert(report.waitedMs >= 290 && report.waitedMs < 2000);
    assert(relay.count("BEGIN_DATA_PENDING") > 1);
    client.close();
    await assertRejects(() => sending, ConnectionError);
  },
);

scripted(
  "RelayClient.finish() returns in time although data is stalled",
  {
    readsData: false,
    onCommand: (name) => name === "DATA_PENDING" ? { code: 1 } : undefined,
  },
  async (relay) => {
    const { client, stream } = await ready(relay);
    const huge = hugePacket();
    const sending = client.sendPacket(stream, huge.content, huge.index);
    sending.catch(() => {});
    const took = await passed(async () => {
      const report = await client.finish({ timeoutMs: 200 });
      assertEquals(report.missing.map(({ name }) => name), ["ch_0"]);
    });

    assert(took < 2500, `${took} ms`);
    assertEquals(relay.count("CLOSE_STREAM"), 2);
    await assertRejects(() => sending, ConnectionError);
  },
);

scripted(
  "RelayClient.leave() sends what was begun to its end, with its index",
  {},
  async (relay) => {
    const { client, stream } = await ready(relay);
    const huge = hugePacket();
    const sending = client.sendPacket(stream, huge.content, huge.index);
    await client.leave();
    await sending;
    assertEquals(relay.received.slice(-3).map(({ name }) => name), [
      "CLOSE_STREAM",
      "SEND_INDEX",
      "CLOSE_STREAM",
    ]);
    await waitFor("all of the packet", () => relay.dataBytes > HUGE_BYTES);
  },
);

scripted(
  "RelayClient.leave() cuts what is stalled when time runs out",
  { readsData: false },
  async (relay) => {
    const { client, stream } = await ready(relay);
    const huge = hugePacket();
    const sending = client.sendPacket(stream, huge.content, huge.index);
    sending.catch(() => {});
    const took = await passed(() => client.leave({ timeoutMs: 200 }));
    assert(took >= 190 && took < 2000, `${took} ms`);
    await assertRejects(() => sending, ConnectionError);
  },
);

scripted(
  "RelayClient.finish() returns in time although no command is answered",
  { onCommand: (name) => name.endsWith("PENDING") ? "silence" : undefined },
  async (relay) => {
    const { client } = await ready(relay, { replyTimeoutMs: 60_000 });
    const took = await passed(async () => {
      const report = await client.finish({ timeoutMs: 200 });
      assertEquals(report.stored, false);
      assertEquals(report.missing.map(({ name }) => name), ["ch_0"]);
      assertEquals(report.missingMetadata, [PATHNAME]);
    });
    assert(took < 4000, `${took} ms`);
  },
);

scripted(
  "RelayClient.sendPacket() fails when the data connection takes nothing",
  { readsData: false },
  async (relay) => {
    const { client, stream } = await ready(relay, { stallTimeoutMs: 200 });
    const huge = hugePacket();
    await assertRejects(
      () => client.sendPacket(stream, huge.content, huge.index),
      ConnectionError,
      "Waited 200 ms in vain",
    );
    await assertRejects(() => client.streamsSent(), ConnectionError, "200 ms");
  },
);

scripted(
  "RelayClient.sendPacket() refuses more bytes than may wait",
  { readsData: false },
  async (relay) => {
    const { client, stream } = await ready(relay, { dataQueueBytes: 1000 });
    const huge = hugePacket();
    // A single packet may be as large as it likes.
    const sending = client.sendPacket(stream, huge.content, huge.index);
    sending.catch(() => {});
    const { content, index } = small(1);
    await assertRejects(
      () => client.sendPacket(stream, content, index),
      RangeError,
      `${huge.content.length + content.length} bytes > 1000`,
    );
    assertEquals(stream.lastSequenceNumber, 0n);
    client.close();
    await assertRejects(() => sending, ConnectionError);
  },
);

scripted(
  "RelayClient fails all waiting calls at once when the control connection is cut",
  {
    readsData: false,
    onCommand: (name) => name === "RESET_METADATA" ? "hang up" : undefined,
  },
  async (relay) => {
    const { client, stream, metadata } = await ready(relay);
    const huge = hugePacket();
    const waiting = [
      client.sendPacket(stream, huge.content, huge.index),
      client.resetMetadata(metadata),
      client.streamsSent(),
      client.waitUntilStored(),
    ];
    const took = await passed(async () => {
      for (const { status, ...rest } of await Promise.allSettled(waiting)) {
        assertEquals(status, "rejected");
        const { reason } = rest as PromiseRejectedResult;
        assert(reason instanceof ConnectionError);
        assertStringIncludes(reason.message, "the control connection");
      }
    });
    assert(took < 2000, `${took} ms`);
    const later = await passed(() =>
      assertRejects(() => client.streamsSent(), ConnectionError)
    );
    assert(later < 300, `${later} ms`);
  },
);

scripted(
  "RelayClient says which reply it waited for in vain",
  { onCommand: (name) => name === "STREAMS_SENT" ? "silence" : undefined },
  async (relay) => {
    await using client = await RelayClient.connect({
      ...relay.address,
      replyTimeoutMs: 150,
    });
    await client.createSession({ name: "demo", hostname: "h" });
    await assertRejects(
      () => client.streamsSent(),
      ConnectionError,
      "Waited 150 ms in vain for the reply to STREAMS_SENT",
    );
  },
);

scripted(
  "RelayClient waits longer for a reply that has metadata before it",
  {
    // As if the link had passed it on in this time.
    onCommand: async (name) => {
      if (name === "SEND_METADATA") await pause(400);
      return undefined;
    },
  },
  async (relay) => {
    const { client, metadata } = await ready(relay, { replyTimeoutMs: 100 });
    await client.sendMetadata(metadata, new Uint8Array(64 * 1024));
    await client.streamsSent();
    assertEquals(relay.count("STREAMS_SENT"), 2);
    client.close();
  },
);

scripted(
  "RelayClient.metadataTaken() resolves when the metadata before it is read",
  {},
  async (relay) => {
    const { client, metadata } = await ready(relay);
    await client.sendMetadata(metadata, new Uint8Array(2 * 1024 * 1024));
    await client.metadataTaken(metadata);
    assertEquals(relay.received.at(-2)?.name, "SEND_METADATA");
    client.close();
    await assertRejects(() => client.metadataTaken(metadata), ConnectionError);
  },
);

scripted(
  "RelayClient.connect() gives up on a peer that does not answer VERSION",
  { onCommand: () => "silence" },
  async (relay) => {
    await assertRejects(
      () => RelayClient.connect({ ...relay.address, replyTimeoutMs: 100 }),
      ConnectionError,
      "the reply to VERSION",
    );
  },
);

scripted(
  "RelayClient.connect() refuses a peer of another major version",
  { onCommand: () => ({ reply: new Uint8Array([0, 0, 0, 3, 0, 0, 0, 0]) }) },
  async (relay) => {
    await assertRejects(
      () => RelayClient.connect(relay.address),
      RelayVersionError,
      "3.0",
    );
  },
);

scripted(
  "RelayClient loses a peer whose reply makes no sense",
  {
    onCommand: (name) =>
      name === "CREATE_SESSION"
        ? {
          // Session 1, OK, a path of 2^32 - 1 bytes.
          reply: new Uint8Array([
            ...[0, 0, 0, 0, 0, 0, 0, 1],
            ...[0, 0, 0, 10, 255, 255, 255, 255],
            ...new Array(70_000).fill(65),
          ]),
        }
        : undefined,
  },
  async (relay) => {
    await using client = await RelayClient.connect(relay.address);
    await assertRejects(
      () => client.createSession({ name: "demo", hostname: "h" }),
      ConnectionError,
      "reply to CREATE_SESSION makes no sense",
    );
  },
);

scripted(
  "RelayClient.sendPacket() has no more indexes unanswered than its window",
  { onCommand: (name) => name === "SEND_INDEX" ? "silence" : undefined },
  async (relay) => {
    const { client, stream } = await ready(relay, { indexWindow: 3 });
    let settled = 0;
    const sending = [0, 1, 2, 3, 4].map((i) => {
      const { content, index } = small(i);
      return client.sendPacket(stream, content, index).then(() => settled++);
    });
    const outcome = Promise.allSettled(sending);
    await waitFor("two packets settled", () => settled === 2);
    await waitFor("3 indexes", () => relay.count("SEND_INDEX") === 3);
    // Behind the indexes: it is not sent before their replies.
    const behind = client.streamsSent();
    behind.catch(() => {});
    await pause(50);

    assertEquals(relay.count("SEND_INDEX"), 3);
    assertEquals(relay.count("STREAMS_SENT"), 1);
    assertEquals(settled, 2);
    client.close();
    await outcome;
    await assertRejects(() => behind, ConnectionError);
  },
);

scripted(
  "RelayClient.sendPacket() reports an index that was refused",
  { onCommand: (name) => name === "SEND_INDEX" ? { code: 11 } : undefined },
  async (relay) => {
    const { client, stream } = await ready(relay);
    const { content, index } = small(0);
    const error = await assertRejects(
      () => client.sendPacket(stream, content, index),
      RelayError,
    );
    assertEquals([error.command, error.code], ["SEND_INDEX", 11]);
    client.close();
  },
);

scripted(
  "RelayClient.rotate() says when the old chunk is not finished in time",
  {
    onCommand: (name) =>
      name === "TRACE_CHUNK_EXISTS"
        ? { reply: new Uint8Array([0, 0, 0, 10, 1]) }
        : undefined,
  },
  async (relay) => {
    const { client } = await ready(relay);
    const { path, finished } = await client.rotate({ timeoutMs: 100 });
    assertEquals(finished, false);
    assertEquals(path, "host/scripted/archives/0");
    assert(relay.count("TRACE_CHUNK_EXISTS") > 1);
    client.close();
  },
);

scripted(
  "RelayClient.rotate() asks for data channels first and metadata last",
  {},
  async (relay) => {
    const { client } = await ready(relay);
    for (const name of ["ch_1", "other_0"]) {
      await client.addStream({ name, pathname: PATHNAME });
    }
    await client.rotate();
    const names = relay.received.map(({ name }) => name);
    const from = names.indexOf("ROTATE_STREAMS");
    assertEquals(names.slice(from - 1), [
      "CREATE_TRACE_CHUNK",
      "ROTATE_STREAMS",
      "ROTATE_STREAMS",
      "ROTATE_STREAMS",
      "CLOSE_TRACE_CHUNK",
      "TRACE_CHUNK_EXISTS",
    ]);
    const counts = relay.received
      .filter(({ name }) => name === "ROTATE_STREAMS")
      .map(({ payload }) => new DataView(payload.buffer).getUint32(0));
    assertEquals(counts, [2, 1, 1]);
    client.close();
  },
);

scripted(
  "RelayClient.waitUntilStored() ends with the reason of its signal",
  { onCommand: (name) => name === "DATA_PENDING" ? { code: 1 } : undefined },
  async (relay) => {
    const { client } = await ready(relay);
    const abort = new AbortController();
    const waiting = client.waitUntilStored({ signal: abort.signal });
    abort.abort(new Error("Enough"));
    await assertRejects(() => waiting, Error, "Enough");
    // The connection is not harmed.
    await client.streamsSent();
    client.close();
  },
);

scripted(
  "RelayClient.connect() does not connect once its signal is aborted",
  {},
  async (relay) => {
    const signal = AbortSignal.abort(new Error("Never mind"));
    await assertRejects(
      () => RelayClient.connect({ ...relay.address, signal }),
      Error,
      "Never mind",
    );
    assertEquals(relay.received, []);
  },
);

Deno.test({
  name: "RelayClient.connect() names the port that refuses",
  permissions,
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const controlPort = listener.addr.port;
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const dataPort = free.addr.port;
    free.close();
    await assertRejects(
      () =>
        RelayClient.connect({ hostname: "127.0.0.1", controlPort, dataPort }),
      ConnectionError,
      `Cannot connect to 127.0.0.1:${dataPort}`,
    );
  },
});

scripted(
  "RelayClient.closeStream() comes after the indexes of the stream's packets",
  {},
  async (relay) => {
    const { client, stream } = await ready(relay);
    const sending = [0, 1, 2].map((i) => {
      const { content, index } = small(i);
      return client.sendPacket(stream, content, index);
    });
    const closing = client.closeStream(stream);
    await assertRejects(
      () => client.sendPacket(stream, small(3).content, small(3).index),
      TypeError,
    );
    await closing;
    await Promise.all(sending);
    client.close();
    assertEquals(relay.received.slice(-4).map(({ name }) => name), [
      "SEND_INDEX",
      "SEND_INDEX",
      "SEND_INDEX",
      "CLOSE_STREAM",
    ]);
    const last = relay.received.at(-1)?.payload;
    assertEquals(last?.at(-1), 2);
  },
);

scripted(
  "RelayClient refuses misuse by itself",
  {},
  async (relay) => {
    const { client, stream, metadata } = await ready(relay);
    const { content, index } = small(0);
    await assertRejects(
      () => client.createSession({ name: "again", hostname: "h" }),
      TypeError,
    );
    await assertRejects(
      () => client.sendPacket(metadata, content, index),
      TypeError,
    );
    await assertRejects(() => client.sendMetadata(stream, content), TypeError);
    await assertRejects(
      () => client.sendPacket(stream, content, { ...index, packetSize: 8n }),
      RangeError,
      `${content.length} bytes > 1`,
    );
    await client.closeStream(stream);
    await assertRejects(
      () => client.sendPacket(stream, content, index),
      TypeError,
      "ch_0",
    );
    client.close();
  },
);

Deno.test({
  name: "RelayClient keeps packets back while a rotation is being registered",
  permissions,
  fn: async () => {
    const packet = small(0);
    const packetBytes = 32 + packet.content.length;
    let sending: Promise<void> | undefined;
    let overtook = -1;
    const connected = Promise.withResolvers<RelayClient>();
    await using relay = new ScriptedRelay({
      async onCommand(name): Promise<undefined> {
        if (name !== "ROTATE_STREAMS" || sending !== undefined) return;
        const client = await connected.promise;
        const [stream] = client.streams;
        sending = client.sendPacket(stream!, packet.content, packet.index);
        // Time enough to overtake the rotation.
        await pause(50);
        overtook = relay.dataBytes;
      },
    });
    const { client } = await ready(relay);
    connected.resolve(client);
    await client.rotate();
    await sending;
    await waitFor("the packet", () => relay.dataBytes > 0);
    client.close();

    assertEquals(overtook, 0);
    assertEquals(relay.dataBytes, packetBytes);
    const order = relay.received.map(({ name }) => name);
    assert(order.lastIndexOf("ROTATE_STREAMS") < order.indexOf("SEND_INDEX"));
  },
});
