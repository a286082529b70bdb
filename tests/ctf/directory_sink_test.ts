import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DirectorySink } from "../../lib/ctf/directory_sink.ts";
import { decodeIndexFile } from "../../lib/ctf/index_file.ts";
import type { PacketInfo } from "../../lib/ctf/sink.ts";
import { run } from "../support/process.ts";
import { withTraceDirectory } from "./recording.ts";

const INFO: PacketInfo = {
  packetSize: 4096n * 8n,
  contentSize: 100n * 8n,
  timestampBegin: 1n,
  timestampEnd: 2n,
  eventsDiscarded: 3n,
  streamClassId: 4n,
  streamInstanceId: 5n,
  packetSequenceNumber: 6n,
};

Deno.test("DirectorySink pads each packet and indexes it", () =>
  withTraceDirectory(async (directory) => {
    const sink = new DirectorySink(directory);
    await sink.writeMetadata(new TextEncoder().encode("one"));
    const stream = await sink.openStream("ch0_0");
    const content = new Uint8Array(100).fill(1);
    await stream.writePacket(content, INFO);
    await stream.writePacket(content.fill(2), INFO);
    await sink.writeMetadata(new TextEncoder().encode("two"));
    await sink.close();

    const data = await Deno.readFile(`${directory}/ch0_0`);
    assertEquals(data.length, 8192);
    for (const [index, byte] of data.entries()) {
      const filled = index % 4096 < 100;
      assertEquals(byte, filled ? (index < 4096 ? 1 : 2) : 0);
    }
    assertEquals(await Deno.readTextFile(`${directory}/metadata`), "onetwo");
    const { entries } = decodeIndexFile(
      await Deno.readFile(`${directory}/index/ch0_0.idx`),
    );
    const { streamClassId: streamId, ...rest } = INFO;
    assertEquals(entries, [
      { ...rest, streamId, offset: 0n },
      { ...rest, streamId, offset: 4096n },
    ]);
  }));

Deno.test("DirectorySink refuses a stream name that is no plain file name", () =>
  withTraceDirectory(async (directory) => {
    const sink = new DirectorySink(directory);
    const names = ["", ".", "..", "../x", "a/b", "a\\b", "metadata", "index"];
    for (const name of [...names, ".hidden", "a\0b", "x".repeat(300)]) {
      await assertRejects(() => sink.openStream(name), RangeError);
    }
    await sink.close();
  }));

Deno.test("DirectorySink leaves a trace alone that lies there already", () =>
  withTraceDirectory(async (directory) => {
    const first = new DirectorySink(directory);
    await first.writeMetadata(new Uint8Array([1]));
    await (await first.openStream("ch0_0")).close();
    await first.close();
    const second = new DirectorySink(directory);
    await assertRejects(
      () => second.writeMetadata(new Uint8Array([2])),
      Error,
      `Cannot create ${directory}/metadata`,
    );
    await assertRejects(() => second.openStream("ch0_0"), Error, "ch0_0");
    await second.close();
    assertEquals((await Deno.readFile(`${directory}/metadata`)).length, 1);
  }));

Deno.test("DirectorySink refuses to write once it is closed", () =>
  withTraceDirectory(async (directory) => {
    const sink = new DirectorySink(directory);
    const stream = await sink.openStream("ch0_0");
    await sink.close();
    await sink.close();
    const content = new Uint8Array(10);
    await assertRejects(
      () => stream.writePacket(content, INFO),
      Error,
      "closed",
    );
    await assertRejects(() => sink.writeMetadata(content), Error, "closed");
    await assertRejects(() => sink.openStream("ch0_1"), Error, "closed");
  }));

/** KiB that a file may have in the test below: half a packet too few for four. */
const LIMIT_KIB = 3 * 1024 + 512;

Deno.test({
  name: "DirectorySink takes back a packet of which only a part fits",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withTraceDirectory(async (directory) => {
      const program = new URL("limited_files.ts", import.meta.url).pathname;
      const script = `trap '' XFSZ; ulimit -f ${LIMIT_KIB}; exec "$@"`;
      const { code, stdout, stderr } = await run({
        command: ["bash", "-c", script, "bash", Deno.execPath(), "run"]
          .concat(["--no-check", "--allow-read", "--allow-write"])
          .concat([program, directory]),
        // Its own cache, so that the limit meets the trace alone.
        env: { DENO_DIR: `${directory}-deno` },
      });
      assertEquals(code, 0, stderr);
      const { stored, refusal } = JSON.parse(stdout);
      assertEquals(stored, 3);
      assertStringIncludes(refusal, `Cannot write ${directory}/ch0_0`);
      // Half of the fourth was written, and of each that came after.
      const data = await Deno.readFile(`${directory}/ch0_0`);
      assertEquals([data.length, data.at(-1)], [3 * 1024 * 1024, 3]);
      const index = await Deno.readFile(`${directory}/index/ch0_0.idx`);
      assertEquals(decodeIndexFile(index).entries.length, 3);
    }),
});
