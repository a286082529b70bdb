/** A whole trace through the sink: order of publication, rotation, the end. */

import type { StreamSink } from "../../lib/ctf/sink.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { TraceSink } from "../../lib/ctf/sink.ts";
import {
  IncompleteTraceError,
  RelayVersionError,
} from "../../lib/stream/errors.ts";
import {
  RelaySink,
  type RelaySinkOptions,
} from "../../lib/stream/relay_sink.ts";
import { ConnectionError } from "../../lib/net/connection.ts";
import type { RelayProcess } from "../support/relay_process.ts";
import {
  eachRelay,
  files,
  HOST,
  PATHNAME,
  readEvents,
  upTo,
} from "./relays.ts";
import { metadata, type SampleOptions, samplePacket } from "./sample_trace.ts";
import { ScriptedRelay } from "./scripted_relay.ts";

const permissions: Deno.PermissionOptions = { net: ["127.0.0.1"] };
const trace = {
  session: { name: "demo", hostname: HOST },
  pathname: PATHNAME,
};

async function openOn(
  relay: RelayProcess,
  options: Partial<RelaySinkOptions> = {},
): Promise<RelaySink> {
  return await RelaySink.open({
    hostname: relay.hostname,
    controlPort: relay.ports.control,
    dataPort: relay.ports.data,
    ...trace,
    ...options,
  });
}

async function write(
  stream: StreamSink,
  options: SampleOptions,
): Promise<void> {
  const { content, index } = samplePacket(options);
  await stream.writePacket(content, index);
}

for (const announceMinor of [4, 10, 15]) {
  eachRelay(
    `RelaySink streams a trace and ends it as LTTng 2.${announceMinor}`,
    async (relay) => {
      const sink = await openOn(relay, { announceMinor });
      const asTraceSink: TraceSink = sink;
      const first = await asTraceSink.openStream("ch0_0");
      await asTraceSink.writeMetadata(metadata);
      await write(first, { sequence: 0, events: 5, first: 0 });
      const later = await sink.openStream("ch0_1");
      await write(later, { sequence: 0, instance: 1, events: 5, first: 5 });
      await first.close();
      await sink.close();
      await sink.close();

      assertEquals(sink.report?.stored, true);
      assertEquals(
        await readEvents(`${relay.output}/${sink.outputPath}`),
        upTo(10),
      );
    },
  );
}

eachRelay(
  "RelaySink.rotate() sends the new chunk its metadata",
  async (relay) => {
    const sink = await openOn(relay);
    const stream = await sink.openStream("ch0_0");
    const half = metadata.length >> 1;
    await sink.writeMetadata(metadata.subarray(0, half));
    await sink.writeMetadata(metadata.subarray(half));
    await write(stream, { sequence: 0, events: 5, first: 0 });
    const rotation = sink.rotate();
    // Must be neither lost nor stored twice.
    const more = sink.writeMetadata(new TextEncoder().encode("/* end */\n"));
    assert((await rotation).finished);
    await more;
    await write(stream, { sequence: 1, events: 5, first: 5 });
    await sink.close();

    const output = `${relay.output}/${sink.outputPath}`;
    const stored = (await files(output)).filter((name) =>
      name.includes("metadata")
    );
    assertEquals(stored.map((name) => Number(name.split(" ")[1])).sort(), [
      metadata.length,
      metadata.length + 10,
    ]);
    assertEquals(await readEvents(output), upTo(10));
  },
);

eachRelay(
  "RelaySink.replaceMetadata() leaves the new alone, in the current chunk and the next",
  async (relay) => {
    const sink = await openOn(relay);
    const stream = await sink.openStream("ch0_0");
    const old = `/* old ${"x".repeat(10_000)} */`;
    await sink.writeMetadata(new TextEncoder().encode(old));
    await write(stream, { sequence: 0, events: 5, first: 0 });
    assert((await sink.rotate()).finished);
    await sink.replaceMetadata(metadata);
    // What follows is appended, not lost and not stored twice.
    await sink.writeMetadata(new TextEncoder().encode("/* end */\n"));
    await write(stream, { sequence: 1, events: 5, first: 5 });
    assert((await sink.rotate()).finished);
    await write(stream, { sequence: 2, events: 5, first: 10 });
    assert((await sink.rotate()).finished);
    await sink.close();

    const output = `${relay.output}/${sink.outputPath}/archives`;
    const [first, second, third] = [...Deno.readDirSync(output)]
      .map(({ name }) => `${output}/${name}`)
      .toSorted((a, b) => Number(a.at(-1)) - Number(b.at(-1)));
    const metadataOf = (chunk = "") =>
      Deno.readTextFileSync(`${chunk}/${PATHNAME}/metadata`);
    assertEquals(metadataOf(first), old);
    assertEquals(await readEvents(second!), upTo(5, 5));
    assertEquals(await readEvents(third!), upTo(5, 10));
    assertEquals(metadataOf(second), metadataOf(third));
    assert(metadataOf(second).endsWith("/* end */\n"));
  },
);

eachRelay(
  "RelaySink.replaceMetadata() refuses relay daemons before 2.8, and goes on",
  async (relay) => {
    const sink = await openOn(relay, { announceMinor: 7 });
    const stream = await sink.openStream("ch0_0");
    await sink.writeMetadata(metadata);
    await assertRejects(
      () => sink.replaceMetadata(new Uint8Array(10)),
      RelayVersionError,
      "2.7",
    );
    await write(stream, { sequence: 0, events: 5, first: 0 });
    await sink.close();
    assertEquals(
      await readEvents(`${relay.output}/${sink.outputPath}`),
      upTo(5),
    );
  },
);

Deno.test({
  name: "RelaySink.replaceMetadata() refuses live sessions, and asks nobody",
  permissions,
  fn: async () => {
    await using relay = new ScriptedRelay();
    const session = { ...trace.session, liveTimer: 1_000_000 };
    const sink = await RelaySink.open({ ...relay.address, ...trace, session });
    await sink.writeMetadata(metadata);
    await assertRejects(
      () => sink.replaceMetadata(metadata),
      TypeError,
      "live",
    );
    assertEquals(relay.count("RESET_METADATA"), 0);
    await sink.close();
  },
});

Deno.test({
  name:
    "RelaySink.replaceMetadata() counts its versions, and sends metadata after each",
  permissions,
  fn: async () => {
    await using relay = new ScriptedRelay();
    const sink = await RelaySink.open({ ...relay.address, ...trace });
    await sink.writeMetadata(metadata);
    await sink.replaceMetadata(metadata);
    await sink.replaceMetadata(metadata);
    await sink.close();
    const commands = relay.received.filter(({ name }) =>
      name.endsWith("_METADATA")
    );
    assertEquals(commands.map(({ name }) => name), [
      "SEND_METADATA",
      ...["RESET_METADATA", "SEND_METADATA"],
      ...["RESET_METADATA", "SEND_METADATA"],
    ]);
    const versions = commands.filter(({ name }) => name === "RESET_METADATA")
      .map(({ payload }) => payload.at(-1));
    assertEquals(versions, [1, 2]);
  },
});

eachRelay("RelaySink.clear() leaves only what follows", async (relay) => {
  const sink = await openOn(relay);
  const stream = await sink.openStream("ch0_0");
  await sink.writeMetadata(metadata);
  await write(stream, { sequence: 0, events: 5, first: 0 });
  assert((await sink.clear()).finished);
  await write(stream, { sequence: 1, events: 5, first: 5 });
  await sink.close();
  assertEquals(
    await readEvents(`${relay.output}/${sink.outputPath}`),
    upTo(5, 5),
  );
});

Deno.test({
  name: "RelaySink publishes streams with their metadata, later ones at once",
  permissions,
  fn: async () => {
    await using relay = new ScriptedRelay();
    const sink = await RelaySink.open({ ...relay.address, ...trace });
    const stream = await sink.openStream("ch_0");
    await sink.openStream("ch_1");
    assertEquals(relay.count("STREAMS_SENT"), 0);
    await sink.writeMetadata(metadata);
    await write(stream, { sequence: 0, events: 1, first: 0 });
    await sink.openStream("ch_2");
    await sink.close();

    assertEquals(relay.received.map(({ name }) => name), [
      "VERSION",
      "GET_CONFIGURATION",
      "CREATE_SESSION",
      "CREATE_TRACE_CHUNK",
      "ADD_STREAM",
      "ADD_STREAM",
      "ADD_STREAM",
      "STREAMS_SENT",
      "SEND_METADATA",
      "SEND_INDEX",
      "ADD_STREAM",
      "STREAMS_SENT",
      "BEGIN_DATA_PENDING",
      "DATA_PENDING",
      "DATA_PENDING",
      "DATA_PENDING",
      "QUIESCENT_CONTROL",
      "END_DATA_PENDING",
      "ROTATE_STREAMS",
      "ROTATE_STREAMS",
      "CLOSE_TRACE_CHUNK",
      "TRACE_CHUNK_EXISTS",
      "CLOSE_STREAM",
      "CLOSE_STREAM",
      "CLOSE_STREAM",
      "CLOSE_STREAM",
    ]);
  },
});

Deno.test({
  name: "RelaySink.close() says in time what is missing",
  permissions,
  fn: async () => {
    await using relay = new ScriptedRelay({
      onCommand: (name) => name === "DATA_PENDING" ? { code: 1 } : undefined,
    });
    const sink = await RelaySink.open({
      ...relay.address,
      ...trace,
      finishTimeoutMs: 150,
    });
    const stream = await sink.openStream("ch_0");
    await sink.writeMetadata(metadata);
    await write(stream, { sequence: 0, events: 1, first: 0 });
    const error = await assertRejects(
      () => sink.close(),
      IncompleteTraceError,
      "stream ch_0 up to packet 0",
    );
    assertEquals(error.report.missing.length, 1);
  },
});

Deno.test({
  name: "RelaySink.open() fails with a session that is refused, and hangs up",
  permissions,
  fn: async () => {
    await using relay = new ScriptedRelay({
      onCommand: (name) =>
        name === "CREATE_TRACE_CHUNK" ? "hang up" : undefined,
    });
    await assertRejects(
      () => RelaySink.open({ ...relay.address, ...trace }),
      ConnectionError,
      "closed the control connection",
    );
  },
});
