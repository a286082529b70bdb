/** The sender against real relay daemons: every method, every minor. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { RelayError, RelayVersionError } from "../../lib/stream/errors.ts";
import { sendSnapshot } from "../../lib/stream/snapshot.ts";
import { ConnectionError } from "../../lib/net/connection.ts";
import {
  connectTo,
  eachRelay,
  files,
  hasIpv6,
  HOST,
  PATHNAME,
  prepare,
  readEvents,
  send,
  upTo,
} from "./relays.ts";
import { Gate } from "./gate.ts";
import { metadata, samplePacket } from "./sample_trace.ts";

const INDEX_ENTRY_BYTES = { old: 56, new: 72 };

for (const minor of [4, 7, 8, 10, 11, 12, 13, 15]) {
  eachRelay(
    `RelayClient streams a whole trace as LTTng 2.${minor}`,
    async (relay) => {
      await using client = await connectTo(relay, { announceMinor: minor });
      assertEquals(
        client.minor,
        relay.kind === "stock" ? Math.min(minor, 13) : minor,
      );
      const { stream, output } = await prepare(relay, client);
      await send(client, stream, { sequence: 0, events: 20, first: 0 });
      await send(client, stream, { sequence: 1, events: 20, first: 20 });
      const report = await client.finish();

      assertEquals({ ...report, waitedMs: 0 }, {
        stored: true,
        missing: [],
        missingMetadata: [],
        closedStreamsPending: false,
        waitedMs: 0,
      });
      const trace = `${output}/${PATHNAME}`;
      const entry = minor < 8 ? INDEX_ENTRY_BYTES.old : INDEX_ENTRY_BYTES.new;
      assertEquals(await files(trace), [
        "ch0_0 8192",
        `index/ch0_0.idx ${16 + 2 * entry}`,
        `metadata ${metadata.length}`,
      ]);
      const index = await Deno.readFile(`${trace}/index/ch0_0.idx`);
      const header = new DataView(index.buffer);
      assertEquals(header.getUint32(8), minor < 8 ? 0 : 1);
      assertEquals(header.getUint32(12), entry);
      assertEquals(await readEvents(output), upTo(40));
    },
  );
}

for (const minor of [1, 2, 3]) {
  eachRelay(
    `RelayClient streams without indexes as LTTng 2.${minor}`,
    async (relay) => {
      await using client = await connectTo(relay, { announceMinor: minor });
      const { stream, output } = await prepare(relay, client);
      await send(client, stream, { sequence: 0, events: 20, first: 0 });
      const report = await client.finish();

      assert(report.stored);
      assertEquals(await files(`${output}/${PATHNAME}`), [
        "ch0_0 4096",
        `metadata ${metadata.length}`,
      ]);
      assertEquals(await readEvents(output), upTo(20));
    },
    { only: "ours" },
  );

  eachRelay(`RelayClient is refused as LTTng 2.${minor}`, async (relay) => {
    await using client = await connectTo(relay, { announceMinor: minor });
    const error = await assertRejects(
      () => client.createSession({ name: "demo", hostname: HOST }),
      RelayError,
    );
    assertEquals([error.command, error.code], ["CREATE_SESSION", 25]);
  }, { only: "stock" });
}

eachRelay(
  "RelayClient.connect() reaches a relay daemon over IPv6",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    assert((await client.finish()).stored);
    assertEquals(await readEvents(output), upTo(3));
  },
  { hostname: "::1", skip: hasIpv6() ? undefined : "No IPv6 loopback" },
);

eachRelay(
  "RelayClient.sendMetadata() has the padding written as zeros",
  async (relay) => {
    await using client = await connectTo(relay);
    const { metadataStream, output } = await prepare(relay, client);
    await client.sendMetadata(metadataStream, new Uint8Array([1, 2, 3]), 61);
    assert((await client.waitUntilStored()).stored);
    const stored = await Deno.readFile(`${output}/${PATHNAME}/metadata`);
    assertEquals(stored.length, metadata.length + 64);
    assertEquals([...stored.slice(metadata.length)], [
      1,
      2,
      3,
      ...new Array(61).fill(0),
    ]);
  },
);

eachRelay(
  "RelayClient.resetMetadata() makes room for metadata sent anew",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, metadataStream, output } = await prepare(relay, client);
    await client.sendMetadata(metadataStream, new Uint8Array(100).fill(0x20));
    await client.resetMetadata(metadataStream, 1n);
    await client.sendMetadata(metadataStream, metadata);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    assert((await client.finish()).stored);
    assertEquals(
      await Deno.readFile(`${output}/${PATHNAME}/metadata`),
      metadata,
    );
    assertEquals(await readEvents(output), upTo(3));
  },
);

eachRelay(
  "RelayClient.sendBeacon() leaves nothing in the index of a live session",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, output } = await prepare(relay, client, {
      liveTimer: 500_000,
    });
    await client.sendBeacon(stream, 500_000n, 0n);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    await client.sendBeacon(stream, 50_000_000n, 0n);
    assert((await client.finish()).stored);
    assertEquals(
      (await files(`${output}/${PATHNAME}`))[1],
      "index/ch0_0.idx 88",
    );
    assertEquals(await readEvents(output), upTo(3));
  },
);

eachRelay(
  "RelayClient.sendPacket() keeps many indexes in flight",
  async (relay) => {
    await using client = await connectTo(relay, { indexWindow: 32 });
    const { stream, output } = await prepare(relay, client);
    const sent = upTo(500).map((i) =>
      send(client, stream, { sequence: i, events: 2, first: 2 * i })
    );
    await Promise.all(sent);
    assert((await client.finish()).stored);
    assertEquals(await readEvents(output), upTo(1000));
  },
);

eachRelay(
  "RelayClient.sendPacket() sends packets larger than a socket buffer",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, output } = await prepare(relay, client);
    const packetBytes = 8 * 1024 * 1024;
    const events = 600_000;
    const { content, index } = samplePacket({
      sequence: 0,
      events,
      first: 0,
      packetBytes,
    });
    await client.sendPacket(stream, content, index);
    assert((await client.waitUntilStored()).stored);
    const stored = await Deno.readFile(`${output}/${PATHNAME}/ch0_0`);
    assertEquals(stored.length, packetBytes);
    assert(content.every((byte, i) => stored[i] === byte));
    assert(stored.subarray(content.length).every((byte) => byte === 0));
  },
);

eachRelay(
  "RelayClient.addStream() has trace files rotated by size and count",
  async (relay) => {
    await using client = await connectTo(relay);
    const { output } = await prepare(relay, client);
    const stream = await client.addStream({
      name: "ring_0",
      pathname: PATHNAME,
      tracefileSize: 8192n,
      tracefileCount: 2n,
    });
    await client.streamsSent();
    for (let i = 0; i < 5; i++) {
      await send(client, stream, { sequence: i, events: 1, first: i });
    }
    assert((await client.finish()).stored);
    const ring = (await files(`${output}/${PATHNAME}`))
      .filter((name) => name.includes("ring"));
    // Padding is not counted in the test for size, so two packets fit in a file.
    assertEquals(ring, [
      "index/ring_0_0.idx 88",
      "index/ring_0_1.idx 160",
      "ring_0_0 4096",
      "ring_0_1 8192",
    ]);
    assertEquals(await readEvents(output), [2, 3, 4]);
  },
);

eachRelay(
  "RelayClient.rotate() archives a chunk each time and none is lost",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, metadataStream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 10, first: 0 });
    const first = await client.rotate();
    assertEquals(client.chunkId, 1n);
    await client.sendMetadata(metadataStream, metadata);
    await send(client, stream, { sequence: 1, events: 10, first: 10 });
    await send(client, stream, { sequence: 2, events: 10, first: 20 });
    assert((await client.waitUntilStored()).stored);
    const second = await client.rotate({ newChunk: false });
    assertEquals(client.chunkId, undefined);
    assert((await client.finish()).stored);

    assert(first.finished && second.finished);
    assertMatch(
      second.path,
      /\/archives\/[0-9T]+[+-]\d{4}-[0-9T]+[+-]\d{4}-1$/,
    );
    const archives = [];
    for await (const { name } of Deno.readDir(`${output}/archives`)) {
      archives
        .push(name);
    }
    archives.sort();
    assertEquals(archives.length, 2);
    assertEquals(
      await readEvents(`${output}/archives/${archives[0]}`),
      upTo(10),
    );
    assertEquals(
      await readEvents(`${output}/archives/${archives[1]}`),
      upTo(20, 10),
    );
    assertEquals(
      `${output}/archives/${archives[1]}`,
      `${relay.output}/${second.path}`,
    );
  },
);

eachRelay(
  "RelayClient.rotate() parts packets by the moment they were sent",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, metadataStream, output } = await prepare(relay, client);
    const events = 20_000;
    const sendLarge = (i: number) =>
      send(client, stream, {
        sequence: i,
        events,
        first: events * i,
        packetBytes: 1 << 20,
      });
    const before = [0, 1, 2, 3].map(sendLarge);
    const rotation = client.rotate();
    // While the rotation is being registered, and in a hurry.
    const between = [4, 5].map(sendLarge);
    const { finished } = await rotation;
    await client.sendMetadata(metadataStream, metadata);
    await Promise.all([...before, ...between, sendLarge(6)]);
    assert((await client.finish()).stored);

    assert(finished);
    const [archive = ""] = [...Deno.readDirSync(`${output}/archives`)]
      .map(({ name }) => name);
    const old = await readEvents(`${output}/archives/${archive}`);
    await Deno.remove(`${output}/archives`, { recursive: true });
    const current = await readEvents(output);
    assertEquals(old.length % events, 0);
    assert(old.length >= 4 * events);
    assertEquals([...old, ...current], upTo(7 * events));
  },
);

eachRelay(
  "RelayClient.rotate() goes well while streams come and go",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, metadataStream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    const adding = client.addStream({ name: "early_0", pathname: PATHNAME });
    const rotation = client.rotate();
    const [early, late] = await Promise.all([
      adding,
      client.addStream({ name: "late_0", pathname: PATHNAME }),
      client.closeStream(stream),
    ]);
    await client.streamsSent();
    assert((await rotation).finished);
    await client.sendMetadata(metadataStream, metadata);
    await send(client, early, { sequence: 0, events: 3, first: 3 });
    await send(client, late, { sequence: 0, events: 3, first: 6 });
    assert((await client.finish()).stored);
    assertEquals(await readEvents(output), upTo(9));
  },
);

eachRelay(
  "RelayClient.clear() deletes what is stored and goes on",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, metadataStream, output } = await prepare(relay, client);
    assert(client.clearAllowed);
    await send(client, stream, { sequence: 0, events: 10, first: 0 });
    const { finished } = await client.clear();
    await client.sendMetadata(metadataStream, metadata);
    await send(client, stream, { sequence: 1, events: 5, first: 10 });
    assert((await client.finish()).stored);
    assert(finished);
    assertEquals(await readEvents(output), upTo(5, 10));
  },
);

eachRelay(
  "RelayClient.clear() costs no connection where it is disallowed",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    const error = await assertRejects(() => client.clear(), RelayError);
    assertEquals(error.code, 152);
    assert((await client.finish()).stored);
    assertEquals(await readEvents(output), upTo(3));
  },
  { args: ["--disallow-clear"] },
);

for (const minor of [10, 15]) {
  eachRelay(
    `sendSnapshot() stores packets without indexes as LTTng 2.${minor}`,
    async (relay) => {
      const { path, report } = await sendSnapshot({
        hostname: relay.hostname,
        controlPort: relay.ports.control,
        dataPort: relay.ports.data,
        announceMinor: minor,
        session: { name: "demo", hostname: HOST },
        name: "snapshot-1-20261123-021559-0",
        traces: [{
          pathname: PATHNAME,
          metadata,
          streams: [0, 1].map((instance) => ({
            name: `ch0_${instance}`,
            packets: [0, 1].map((sequence) =>
              samplePacket({
                sequence,
                instance,
                events: 5,
                first: 10 * instance + 5 * sequence,
              })
            ),
          })),
        }],
      });
      assert(report.stored);
      const directory = `${relay.output}/${path}`;
      assertEquals(await files(`${directory}/${PATHNAME}`), [
        "ch0_0 8192",
        "ch0_1 8192",
        `metadata ${metadata.length}`,
      ]);
      assertEquals(await readEvents(directory), upTo(20));
    },
  );
}

eachRelay(
  "RelayClient goes on after a refused session and a refused stream",
  async (relay) => {
    await using client = await connectTo(relay);
    const session = await assertRejects(
      () => client.createSession({ name: "a/b", hostname: HOST }),
      RelayError,
    );
    assertEquals(session.code, 25);
    await client.createSession({ name: "demo", hostname: HOST });
    const stream = await assertRejects(
      () => client.addStream({ name: "ch0_0", pathname: PATHNAME }),
      RelayError,
      "ADD_STREAM",
    );
    assertEquals(stream.code, 11);
    await client.createTraceChunk();
    await client.addStream({ name: "ch0_0", pathname: PATHNAME });
  },
);

eachRelay(
  "RelayClient fails fast after a refusal that costs the connection",
  async (relay) => {
    await using client = await connectTo(relay);
    await prepare(relay, client);
    const refused = await assertRejects(
      () => client.createTraceChunk({ overrideName: "a/b" }),
      RelayError,
    );
    assertEquals([refused.command, refused.code], ["CREATE_TRACE_CHUNK", 97]);
    const lost = await assertRejects(
      () => client.waitUntilStored(),
      ConnectionError,
    );
    const next = await assertRejects(
      () => client.streamsSent(),
      ConnectionError,
    );
    assertEquals(next.message, client.lost?.message);
    assertStringIncludes(lost.message, "127.0.0.1");
  },
);

eachRelay(
  "RelayClient refuses commands newer than the agreed minor by itself",
  async (relay) => {
    await using client = await connectTo(relay, { announceMinor: 7 });
    const { metadataStream } = await prepare(relay, client);
    await assertRejects(
      () => client.resetMetadata(metadataStream),
      RelayVersionError,
      "2.8",
    );
    await assertRejects(
      () => client.createTraceChunk(),
      RelayVersionError,
      "2.11",
    );
    await assertRejects(() => client.rotate(), RelayVersionError, "2.11");
    await assertRejects(() => client.clear(), RelayVersionError, "2.12");
    assert((await client.finish()).stored);
  },
);

eachRelay(
  "RelayClient fails everything at once when the relay daemon dies",
  async (relay) => {
    await using client = await connectTo(relay);
    const { stream } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    await relay.kill();
    const startedAt = performance.now();
    await assertRejects(() => client.waitUntilStored(), ConnectionError);
    await assertRejects(
      () => send(client, stream, { sequence: 1, events: 3, first: 3 }),
      ConnectionError,
    );
    await assertRejects(() => client.finish(), ConnectionError);
    assert(performance.now() - startedAt < 2000);
  },
);

eachRelay(
  "RelayClient shares a chunk with another consumer of the session",
  async (relay) => {
    const shared = {
      sessiondUuid: crypto.getRandomValues(new Uint8Array(16)),
      sessiondSessionId: 7n,
      creationTime: new Date(),
    };
    await using one = await connectTo(relay);
    const first = await prepare(relay, one, shared);
    await using two = await connectTo(relay);
    await two.createSession({
      name: "demo",
      hostname: HOST,
      ...shared,
      currentChunkId: 0n,
    });
    const options = { pathname: "ust/uid/1/64-bit" };
    const stream = await two.addStream({ name: "ch0_0", ...options });
    const metadataStream = await two.addStream({
      name: "metadata",
      ...options,
    });
    await two.streamsSent();
    await two.sendMetadata(metadataStream, metadata);
    await send(one, first.stream, { sequence: 0, events: 3, first: 0 });
    await send(two, stream, { sequence: 0, events: 3, first: 3 });
    assert((await one.finish()).stored);
    assert((await two.finish()).stored);
    assertEquals(await readEvents(first.output), upTo(6));
  },
);

eachRelay(
  "RelayClient.waitUntilStored() reports data that is on its way, until it is there",
  async (relay) => {
    await using gate = new Gate(relay.ports.data);
    await using client = await connectTo(relay, { dataPort: gate.port });
    const { stream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    assert((await client.waitUntilStored()).stored);
    gate.shut();
    await send(client, stream, { sequence: 1, events: 3, first: 3 });
    await send(client, stream, { sequence: 2, events: 3, first: 6 });
    const early = await client.waitUntilStored({ timeoutMs: 100 });
    gate.open();
    const late = await client.waitUntilStored();

    assertEquals(early.stored, false);
    assertEquals(early.missing, [
      { name: "ch0_0", pathname: PATHNAME, lastSequenceNumber: 2n },
    ]);
    assert(late.stored);
    await client.finish();
    assertEquals(await readEvents(output), upTo(9));
  },
);

eachRelay(
  "RelayClient.waitUntilStored() waits for streams that were closed before",
  async (relay) => {
    await using gate = new Gate(relay.ports.data);
    await using client = await connectTo(relay, { dataPort: gate.port });
    const { stream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    gate.shut();
    await send(client, stream, { sequence: 1, events: 3, first: 3 });
    await client.closeStream(stream);
    const early = await client.waitUntilStored({ timeoutMs: 100 });
    gate.open();
    const late = await client.waitUntilStored();

    assertEquals([early.stored, early.closedStreamsPending], [false, true]);
    assert(late.stored);
    await client.finish();
    assertEquals(await readEvents(output), upTo(6));
  },
);

eachRelay(
  "RelayClient fails fast when only the data connection is cut",
  async (relay) => {
    await using gate = new Gate(relay.ports.data);
    await using client = await connectTo(relay, { dataPort: gate.port });
    const { stream, metadataStream, output } = await prepare(relay, client);
    await send(client, stream, { sequence: 0, events: 3, first: 0 });
    assert((await client.waitUntilStored()).stored);
    gate.shut();
    const waiting = client.waitUntilStored().then(() =>
      send(client, stream, { sequence: 1, events: 3, first: 3 })
    ).then(() => client.waitUntilStored({ timeoutMs: 60_000 }));
    setTimeout(() => gate.cut(), 50);
    await assertRejects(() => waiting, ConnectionError);
    await assertRejects(
      () => client.sendMetadata(metadataStream, metadata),
      ConnectionError,
    );
    // What was stored before stays whole.
    assertEquals(await readEvents(output), upTo(3));
  },
);
