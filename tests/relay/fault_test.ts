/** A disk that fails costs the session that it fails, and harms nothing stored. */

import { assert, assertEquals } from "@std/assert";
import { decodeIndexFile } from "../../lib/ctf/index_file.ts";
import { ConnectionError } from "../../lib/net/connection.ts";
import { waitFor } from "../support/process.ts";
import {
  Daemon,
  ReadOnly,
  type SmallDisk,
  smallDiskMissing,
} from "./support/daemon.ts";
import {
  type Connectable,
  indexRequest,
  Producer,
  TestRelay,
} from "./support/relay.ts";

const DISK: SmallDisk = { host: "full", bytes: 1024 * 1024 };

interface Recording {
  producer: Producer;
  stream: bigint;
}

async function recording(
  relay: Connectable,
  hostname: string,
  sessionName = "demo",
  tracefileSize = 0n,
): Promise<Recording> {
  const producer = await Producer.connect(relay);
  await producer.createSession({ hostname, sessionName });
  await producer.createChunk(0n);
  const stream = await producer.addStream("ch_0", "kernel", tracefileSize);
  return { producer, stream };
}

function packet(number: number, size: number): Uint8Array {
  return new Uint8Array(size).fill(number % 251);
}

/**
 * Sends batches of packets and their indexes. Returns the packets that were
 * answered with OK, and the refusal, undefined where the connection ended.
 */
async function recordUntilRefused(
  { producer, stream }: Recording,
  size: number,
  batch: number,
  most: number,
): Promise<{ stored: number; code: number | undefined }> {
  let stored = 0;
  try {
    for (let from = 0; from < most; from += batch) {
      for (let at = from; at < from + batch; at++) {
        await producer.packet(stream, BigInt(at), packet(at, size));
        await producer.send("SEND_INDEX", indexRequest(stream, BigInt(at)));
      }
      for (let at = from; at < from + batch; at++) {
        const { code } = await producer.reply("SEND_INDEX");
        if (code !== 10) return { stored, code };
        stored++;
      }
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { stored, code: undefined };
  }
  throw new Error(`Nothing failed with ${most} packets of ${size} bytes`);
}

/** Fails unless data and index end whole and belong together. */
function assertWhole(directory: string, size: number, file = "ch_0"): number {
  const data = Deno.readFileSync(`${directory}/${file}`);
  assertEquals(data.length % size, 0, `${file}: ${data.length} bytes`);
  for (let at = 0; at < data.length; at++) {
    const number = Math.floor(at / size);
    if (data[at] !== number % 251) {
      throw new Error(`${file}: byte ${at} is ${data[at]}, packet ${number}`);
    }
  }
  const { entries } = decodeIndexFile(
    Deno.readFileSync(`${directory}/index/${file}.idx`),
  );
  for (const [number, { offset, packetSequenceNumber }] of entries.entries()) {
    assertEquals(packetSequenceNumber, BigInt(number));
    assertEquals(offset, BigInt(number * size));
    assert(Number(offset) + size <= data.length, `entry ${number} has no data`);
  }
  return entries.length;
}

const noSmallDisk = smallDiskMissing();
if (noSmallDisk !== undefined) {
  console.log(`Skipped: disk full: ${noSmallDisk}`);
}

/** Packet size and packets at once; the disk takes 1 MiB. */
const TRAFFIC = [[100, 1], [100, 500], [4096, 1], [4096, 64]] as const;

for (const [size, batch] of [...TRAFFIC, [40_000, 8], [300_000, 1]] as const) {
  Deno.test({
    name: `a full disk keeps whole packets: ${batch} at once of ${size} bytes`,
    ignore: noSmallDisk !== undefined,
    fn: async () => {
      await using daemon = await Daemon.start(DISK);
      const good = await recording(daemon, "other", "good");
      using _ = good.producer;
      await good.producer.packet(good.stream, 0n, packet(0, 8));
      assertEquals(await good.producer.index(good.stream, 0n), 10);

      const bad = await recording(daemon, DISK.host, "bad");
      using __ = bad.producer;
      const most = 2 * Math.ceil(DISK.bytes / size) + 4 * batch;
      const { stored, code } = await recordUntilRefused(bad, size, batch, most);
      assert(code === 11 || code === undefined, `code ${code}`);
      await waitFor(
        "a line about it",
        () =>
          /Error: session \d+ "bad" of "full" is cut: .*(space|os error 28)/i
            .test(daemon.log),
      );

      const directory = `${daemon.output}/full/bad/kernel`;
      const entries = assertWhole(directory, size);
      assert(entries > 0 && entries >= stored / 2, `${entries} of ${stored}`);
      assert((entries + batch + 1) * size > DISK.bytes * 0.5, `${entries}`);

      await good.producer.packet(good.stream, 1n, packet(1, 8));
      assertEquals(await good.producer.index(good.stream, 1n), 10);
      await waitFor(
        "the other session",
        () =>
          Deno.statSync(`${daemon.output}/other/good/kernel/ch_0`).size === 16,
      );
      assertWhole(`${daemon.output}/other/good/kernel`, 8);
    },
  });
}

Deno.test({
  name: "a full disk keeps the trace files that were complete",
  ignore: noSmallDisk !== undefined,
  fn: async () => {
    await using daemon = await Daemon.start(DISK);
    const bad = await recording(daemon, DISK.host, "bad", 100_000n);
    using _ = bad.producer;
    await recordUntilRefused(bad, 10_000, 1, 200);
    const directory = `${daemon.output}/full/bad/kernel`;
    await waitFor("a line about it", () => /is cut: /.test(daemon.log));
    const sizes = [...Deno.readDirSync(directory)].filter((it) => it.isFile)
      .map((it) => Deno.statSync(`${directory}/${it.name}`).size);
    assert(sizes.length >= 9, `${sizes.length} files`);
    assert(sizes.filter((size) => size === 100_000).length >= 9, `${sizes}`);
    for (const size of sizes) assertEquals(size % 10_000, 0);
    const data = Deno.readFileSync(`${directory}/ch_0_1`);
    assertEquals([data[0], data.at(-1)], [10, 19]);
  },
});

Deno.test({
  name: "a full disk ends a session at its next command after metadata",
  ignore: noSmallDisk !== undefined,
  fn: async () => {
    await using daemon = await Daemon.start(DISK);
    using producer = await Producer.connect(daemon);
    await producer.createSession({ hostname: DISK.host });
    await producer.createChunk(0n);
    const streamId = await producer.addStream("metadata");
    const metadata = packet(7, 100_000);
    for (let count = 0; count < 12; count++) {
      await producer.send("SEND_METADATA", {
        streamId,
        metadata,
        paddingSize: 0,
      });
    }
    let code: number | undefined;
    try {
      const lastNetSequenceNumber = 0xFFFF_FFFF_FFFF_FFFFn;
      const request = { streamId, lastNetSequenceNumber };
      code = (await producer.call("CLOSE_STREAM", request)).code;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
    assert(code === undefined || code === 11, `code ${code}`);
    const { size } = Deno.statSync(
      `${daemon.output}/full/demo/kernel/metadata`,
    );
    assertEquals(size % metadata.length, 0);
    assertEquals(size >= 900_000, true, `${size}`);
  },
});

Deno.test({
  name: "a full disk refuses new sessions and streams, and serves others",
  ignore: noSmallDisk !== undefined,
  fn: async () => {
    await using daemon = await Daemon.start({ ...DISK, bytes: 64 * 1024 });
    const filler = await recording(daemon, DISK.host, "filler");
    using _ = filler.producer;
    await recordUntilRefused(filler, 4096, 1, 100);
    const other = await recording(daemon, "other");
    using __ = other.producer;
    await other.producer.packet(other.stream, 0n, packet(0, 8));
    assertEquals(await other.producer.index(other.stream, 0n), 10);
    assert(daemon.child.running);
  },
});

Deno.test("a file that is removed under it fails its session only", async () => {
  await using relay = new TestRelay();
  const good = await recording(relay, "vm", "good");
  const bad = await recording(relay, "vm", "bad");
  using _ = good.producer;
  using __ = bad.producer;
  const directory = `${relay.output}/vm/bad/kernel`;
  await bad.producer.packet(bad.stream, 0n, packet(0, 8));
  assertEquals(await bad.producer.index(bad.stream, 0n), 10);
  await waitFor("the packet", () => {
    return Deno.statSync(`${directory}/ch_0`).size === 8;
  });
  Deno.removeSync(`${directory}/ch_0`);
  // It looks once a second.
  await new Promise((later) => setTimeout(later, 1100));
  const { code } = await recordUntilRefused(
    { ...bad, stream: bad.stream },
    50_000,
    1,
    100,
  ).catch((error) => {
    throw new Error(`${error}\n${relay.lines.join("\n")}`);
  });
  assert(code === 11 || code === undefined, `code ${code}`);
  await waitFor(
    "a line about it",
    () =>
      relay.lines.some((line) =>
        /^Error: session \d+ "bad" .* is cut: .*ch_0 was removed/.test(line)
      ),
  );
  await good.producer.packet(good.stream, 0n, packet(0, 8));
  assertEquals(await good.producer.index(good.stream, 0n), 10);
  await relay.assertServing();
});

Deno.test("a file that is removed under it is missed at the latest at the end", async () => {
  await using relay = new TestRelay();
  const { producer, stream } = await recording(relay, "vm");
  using _ = producer;
  Deno.removeSync(`${relay.output}/vm/demo/kernel/ch_0`);
  await producer.packet(stream, 0n, packet(0, 8));
  assertEquals(await producer.index(stream, 0n), 10);
  await new Promise((later) => setTimeout(later, 50));
  const { code } = await producer.call("CLOSE_STREAM", {
    streamId: stream,
    lastNetSequenceNumber: 0n,
  });
  assertEquals(code, 11);
  assert(
    relay.lines.some((line) => line.includes("ch_0 was removed")),
    relay.lines.join("\n"),
  );
  await relay.assertServing();
});

Deno.test("a directory that is removed under it fails the next rotation", async () => {
  await using relay = new TestRelay();
  const { producer } = await recording(relay, "vm");
  using _ = producer;
  Deno.removeSync(`${relay.output}/vm/demo`, { recursive: true });
  await producer.send("CREATE_TRACE_CHUNK", {
    chunkId: 1n,
    creationTimestamp: 0n,
    overrideName: "",
  });
  // Nothing is left to be renamed: the new chunk's directory is made anew.
  const { code } = await producer.reply("CREATE_TRACE_CHUNK");
  assert(code === 10 || code === 11, `code ${code}`);
  await relay.assertServing();
});

const noReadOnly = ReadOnly.missing();
if (noReadOnly !== undefined) console.log(`Skipped: read-only: ${noReadOnly}`);

Deno.test({
  name: "a read-only directory refuses a stream, and the connection goes on",
  ignore: noReadOnly !== undefined,
  fn: async () => {
    await using relay = new TestRelay();
    const { producer, stream } = await recording(relay, "vm");
    using _ = producer;
    const request = {
      channelName: "ch_1",
      pathname: "kernel",
      tracefileSize: 0n,
      tracefileCount: 0n,
      traceChunkId: 0n,
    };
    {
      using _readOnly = new ReadOnly(`${relay.output}/vm/demo/kernel`);
      const { code } = await producer.call("ADD_STREAM", request);
      assertEquals(code, 11);
      await relay.assertServing();
    }
    assertEquals((await producer.call("ADD_STREAM", request)).code, 10);
    await producer.packet(stream, 0n, packet(0, 8));
    assertEquals(await producer.index(stream, 0n), 10);
  },
});

Deno.test({
  name: "a read-only output refuses a session, and the connection goes on",
  ignore: noReadOnly !== undefined,
  fn: async () => {
    await using relay = new TestRelay();
    using producer = await relay.producer();
    {
      using _readOnly = new ReadOnly(relay.output);
      assertEquals((await producer.createSession()).code, 25);
    }
    assertEquals((await producer.createSession()).code, 10);
    await relay.assertServing();
  },
});

Deno.test({
  name: "a read-only directory keeps the trace files that were complete",
  ignore: noReadOnly !== undefined,
  fn: async () => {
    await using relay = new TestRelay();
    const bad = await recording(relay, "vm", "bad", 16n);
    using _ = bad.producer;
    const directory = `${relay.output}/vm/bad/kernel`;
    for (const at of [0, 1]) {
      await bad.producer.packet(bad.stream, BigInt(at), packet(at, 8));
      assertEquals(await bad.producer.index(bad.stream, BigInt(at)), 10);
    }
    {
      using _readOnly = new ReadOnly(directory);
      await bad.producer.packet(bad.stream, 2n, packet(2, 8));
      assertEquals((await bad.producer.data.readToEnd()).length, 0);
      assertEquals(await bad.producer.index(bad.stream, 2n), 11);
      await relay.assertServing();
    }
    assertEquals(assertWhole(directory, 8, "ch_0_0"), 2);
    assert(
      relay.lines.some((line) => /^Error: .* "bad" .* is cut: /.test(line)),
      relay.lines.join("\n"),
    );
  },
});

Deno.test({
  name: "a read-only session directory answers a rotation with an error",
  ignore: noReadOnly !== undefined,
  fn: async () => {
    await using relay = new TestRelay();
    const { producer, stream } = await recording(relay, "vm");
    using _ = producer;
    await producer.packet(stream, 0n, packet(0, 8));
    assertEquals(await producer.index(stream, 0n), 10);
    {
      using _readOnly = new ReadOnly(`${relay.output}/vm/demo`);
      await producer.send("CREATE_TRACE_CHUNK", {
        chunkId: 1n,
        creationTimestamp: 0n,
        overrideName: "",
      });
      const reply = await producer.control.readToEnd();
      assertEquals(reply, Uint8Array.of(0, 0, 0, 11));
      await relay.assertServing();
    }
    assertEquals(assertWhole(`${relay.output}/vm/demo/kernel`, 8), 1);
  },
});
