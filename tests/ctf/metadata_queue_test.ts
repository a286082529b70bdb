import { assertEquals, assertRejects } from "@std/assert";
import { MetadataQueue } from "../../lib/ctf/metadata_queue.ts";
import { parseUuid } from "../../lib/ctf/metadata_packet.ts";
import { Gate, MemorySink } from "../tracer/memory_sink.ts";

const UUID = parseUuid("00000000-1111-2222-3333-444444444444");

function test(
  name: string,
  fn: (queue: MetadataQueue, sink: MemorySink) => Promise<void>,
): void {
  Deno.test({
    name,
    permissions: "none",
    fn() {
      const sink = new MemorySink();
      return fn(new MetadataQueue(sink, UUID, "le"), sink);
    },
  });
}

test("MetadataQueue.flush() writes each piece once", async (queue, sink) => {
  queue.append("first;");
  await queue.flush();
  await queue.flush();
  queue.append("second;");
  queue.append("third;");
  await queue.flush();
  assertEquals(sink.metadata, "first;second;third;");
  assertEquals(sink.log, ["metadata", "metadata"]);
});

test(
  "MetadataQueue.flush() tries again what the sink refused",
  async (queue, sink) => {
    queue.append("first;");
    sink.before = () => Promise.reject(new Error("Full"));
    await assertRejects(() => queue.flush(), Error, "Full");
    sink.before = () => {};
    queue.append("second;");
    await queue.flush();
    assertEquals(sink.metadata, "first;second;");
  },
);

test(
  "MetadataQueue.regenerate() gives all anew, after another beginning",
  async (queue, sink) => {
    queue.append("clock 1;");
    queue.append("event a;");
    await queue.flush();
    queue.append("event b;");
    await queue.regenerate("another clock;");
    assertEquals(sink.metadata, "another clock;event a;event b;");
    queue.append("event c;");
    await queue.flush();
    assertEquals(sink.metadata, "another clock;event a;event b;event c;");
    await queue.regenerate("clock 3;");
    assertEquals(sink.metadata, "clock 3;event a;event b;event c;");
  },
);

test(
  "MetadataQueue.regenerate() keeps what is appended meanwhile for later",
  async (queue, sink) => {
    queue.append("clock 1;");
    await queue.flush();
    const gate = new Gate();
    sink.before = () => gate.passed;
    const regenerated = queue.regenerate("clock 2;");
    await Promise.resolve();
    queue.append("event a;");
    const flushed = queue.flush();
    gate.open();
    await regenerated;
    assertEquals(sink.metadata, "clock 2;");
    await flushed;
    assertEquals(sink.metadata, "clock 2;event a;");
    assertEquals(sink.log, ["metadata", "new metadata", "metadata"]);
  },
);

test(
  "MetadataQueue.regenerate() changes nothing where the sink refuses",
  async (queue, sink) => {
    queue.append("clock 1;");
    await queue.flush();
    queue.append("event a;");
    sink.before = () => Promise.reject(new Error("Full"));
    await assertRejects(() => queue.regenerate("clock 2;"), Error, "Full");
    sink.before = () => {};
    await queue.flush();
    assertEquals(sink.metadata, "clock 1;event a;");
  },
);

test(
  "MetadataQueue.regenerate() refuses a sink that only appends",
  async (_, memory) => {
    const sink = {
      writeMetadata: (bytes: Uint8Array) => memory.writeMetadata(bytes),
      openStream: (name: string) => memory.openStream(name),
      close: () => memory.close(),
    };
    const queue = new MetadataQueue(sink, UUID, "le");
    queue.append("clock 1;");
    await queue.flush();
    await assertRejects(
      () => queue.regenerate("clock 2;"),
      TypeError,
      "cannot replace",
    );
    queue.append("event a;");
    await queue.flush();
    assertEquals(memory.metadata, "clock 1;event a;");
  },
);
