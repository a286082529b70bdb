/** A whole trace through the sink: order of publication, rotation, the end. */

import type { StreamSink } from "../../lib/ctf/sink.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { TraceSink } from "../../lib/ctf/sink.ts";
import { IncompleteTraceError } from "../../lib/stream/errors.ts";
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
