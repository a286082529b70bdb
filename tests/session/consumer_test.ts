import { assert, assertEquals, assertRejects } from "@std/assert";
import { Bounded } from "../../lib/session/bounded.ts";
import { Consumer } from "../../lib/session/consumer.ts";
import type { TraceOutput } from "../../lib/session/output.ts";
import type { PacketInfo } from "../../lib/ctf/sink.ts";
import { settle } from "./support/asking.ts";
import { MemoryOutput } from "./support/memory_output.ts";

const permissions = "none";

/** A consumer whose output is what `open` gives. */
class Subject {
  readonly lines: string[] = [];
  readonly output = new MemoryOutput();
  readonly consumer: Consumer;

  constructor(
    open: (subject: Subject) => Promise<TraceOutput> = ({ output }) =>
      Promise.resolve(output),
  ) {
    this.consumer = new Consumer({
      open: () => open(this),
      retryMs: 1,
      files: () => ({ traceFileSize: 0n, traceFileCount: 0n }),
      streamClassId: () => 0,
      warn: (line) => this.lines.push(line),
    });
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, permissions, fn });
}

function packet(bytes = 4096, streamClassId = 0n): PacketInfo {
  return {
    packetSize: 8n * BigInt(bytes),
    contentSize: 8n * BigInt(bytes),
    timestampBegin: 0n,
    timestampEnd: 1n,
    eventsDiscarded: 0n,
    streamClassId,
    streamInstanceId: 0n,
    packetSequenceNumber: 0n,
  };
}

test("Consumer takes metadata at once, and packets when the output has them", async () => {
  const { promise, resolve } = Promise.withResolvers<TraceOutput>();
  const { consumer, output } = new Subject(() => promise);
  consumer.begin();
  const stream = await consumer.openStream("ch_0");
  await consumer.writeMetadata(new Uint8Array(10));
  let isTaken = false;
  const writing = stream.writePacket(new Uint8Array(8), packet())
    .then(() => isTaken = true);
  await settle();
  assertEquals(isTaken, false);
  resolve(output);
  await writing;
  assertEquals(output.actions, ["stream ch_0", "metadata", "packet ch_0"]);
  await consumer.finish(10);
});

test("Consumer has metadata written while packets wait", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  const release = output.hold();
  const writing = stream.writePacket(new Uint8Array(8), packet());
  await settle();
  await consumer.writeMetadata(new Uint8Array(10));
  await settle();
  assertEquals(output.count("metadata"), 1);
  assertEquals(output.count("packet"), 0);
  release();
  await writing;
  await consumer.finish(10);
});

test("Consumer keeps a stream that is slow from others", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const slow = await consumer.openStream("slow_0");
  const release = output.hold();
  const waiting = slow.writePacket(new Uint8Array(8), packet());
  await settle();
  release();
  const fast = await consumer.openStream("fast_0");
  await fast.writePacket(new Uint8Array(8), packet());
  await waiting;
  assertEquals(output.count("packet fast_0"), 1);
  await consumer.finish(10);
});

test("Consumer.finish() leaves what is begun to the output, and refuses the rest", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  output.hold();
  const begun = stream.writePacket(new Uint8Array(8), packet());
  const refused = assertRejects(
    () => stream.writePacket(new Uint8Array(8), packet()),
    Error,
    "Given up",
  );
  await settle();
  const [counts] = await consumer.finish(10);
  await begun;
  await refused;
  assertEquals(counts, {
    name: "ch_0",
    sent: 1,
    unconfirmed: 1,
    unconfirmedBytes: 8,
    waiting: 0,
    waitingBytes: 0,
    dropped: 1,
  });
});

test("Consumer keeps what the output has begun to take from its tracer's changes", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  const release = output.hold();
  const content = new Uint8Array(8).fill(1);
  const begun = stream.writePacket(content, packet());
  await settle();
  await consumer.finish(10);
  await begun;
  // The tracer hands it to a worker again.
  structuredClone(content.buffer, { transfer: [content.buffer] });
  release();
  await settle();
  assertEquals(output.packets[0], new Uint8Array(8).fill(1));
});

test("Consumer counts what was sent and never confirmed", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  await stream.writePacket(new Uint8Array(8), packet());
  await consumer.settle(new Bounded(50));
  assertEquals(consumer.counts[0]?.unconfirmed, 0);
  await stream.writePacket(new Uint8Array(8), packet());
  output.missing = ["ch_0"];
  assertEquals(await consumer.settle(new Bounded(50)), ["ch_0"]);
  assertEquals(consumer.counts[0]?.unconfirmed, 1);
  await consumer.finish(10);
});

test("Consumer has an output confirm what is under way, and sends no more than so much before", async () => {
  const { consumer, output } = new Subject();
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  let asked = 0;
  output.waitUntilStored = () => {
    asked++;
    return promise;
  };
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  const size = 4 * 1024 * 1024;
  const content = new Uint8Array(size);
  let taken = 0;
  async function writeAll(): Promise<void> {
    for (let n = 0; n < 8; n++) {
      await stream.writePacket(content, packet(size));
      taken++;
    }
  }
  const writing = writeAll();
  await settle();
  // 16 MiB and the packet that went beyond.
  assertEquals(taken, 5);
  assertEquals(asked, 1);
  resolve([]);
  await writing;
  assertEquals(taken, 8);
  await consumer.finish(10);
});

test("Consumer tells of a failure once, and again after it had worked", async () => {
  let failure: string | undefined = "Connection refused";
  const { consumer, output, lines } = new Subject(({ output }) =>
    failure === undefined
      ? Promise.resolve(output)
      : Promise.reject(new Error(failure))
  );
  consumer.begin();
  await settle();
  assertEquals(consumer.takeFailure()?.message, "Connection refused");
  assertEquals(consumer.takeFailure(), undefined);
  failure = undefined;
  while (consumer.state !== "ready") await settle();
  assertEquals(consumer.takeFailure(), undefined);
  output.break("It vanished");
  await settle();
  assertEquals(consumer.takeFailure()?.message, "It vanished");
  assertEquals(lines, [
    "Connection refused",
    "The output works now",
    "It vanished",
  ]);
  await consumer.finish(10);
});

test("Consumer refuses packets of a lost output while the tracer drains, else keeps them", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  output.break("It vanished");
  await settle();
  let outcome = "waiting";
  stream.writePacket(new Uint8Array(8), packet())
    .catch(() => outcome = "refused");
  await settle();
  assertEquals(outcome, "waiting");
  consumer.isDraining = true;
  await settle();
  assertEquals(outcome, "refused");
  await consumer.finish(10);
});

test("Consumer.beat() tells of streams without packets since the last, with their class, each at another time", async () => {
  const { consumer, output } = new Subject();
  const beacons: string[] = [];
  const openStream = output.openStream.bind(output);
  output.openStream = async (name) => ({
    ...await openStream(name),
    beacon: (timestamp, streamClassId) => {
      beacons.push(`${name} ${timestamp} ${streamClassId}`);
      return Promise.resolve();
    },
  });
  await consumer.openNow();
  const busy = await consumer.openStream("busy_0");
  await consumer.openStream("quiet_0");
  await settle();
  await consumer.beat(10n);
  await busy.writePacket(new Uint8Array(8), packet(4096, 7n));
  await consumer.beat(20n);
  assertEquals(beacons, ["quiet_0 19 0"]);
  await consumer.beat(30n);
  assertEquals(beacons, ["quiet_0 19 0", "busy_0 30 7", "quiet_0 29 0"]);
  await consumer.finish(10);
});

test("Consumer gives an output that comes later the metadata that replaced the old", async () => {
  const { promise, resolve } = Promise.withResolvers<TraceOutput>();
  const { consumer, output } = new Subject(() => promise);
  consumer.begin();
  await consumer.writeMetadata(new Uint8Array(10));
  await consumer.replaceMetadata(new Uint8Array(20));
  await consumer.replaced;
  await consumer.writeMetadata(new Uint8Array(30));
  resolve(output);
  while (output.metadata.length < 2) await settle();
  assertEquals(output.metadata.map(({ length }) => length), [20, 30]);
  await consumer.finish(10);
});

test("Consumer has metadata replaced after what was written, before packets", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  await consumer.writeMetadata(new Uint8Array(10));
  await consumer.replaceMetadata(new Uint8Array(20));
  await stream.writePacket(new Uint8Array(8), packet());
  await consumer.replaced;
  assertEquals(output.actions, [
    "stream ch_0",
    "metadata",
    "new metadata",
    "packet ch_0",
  ]);
  assertEquals(output.metadata.map(({ length }) => length), [20]);
  await consumer.finish(10);
});

test("Consumer goes on with an output that kept its old metadata, and says why", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  const stream = await consumer.openStream("ch_0");
  await consumer.writeMetadata(new Uint8Array(10));
  output.failsReplacing = new Error("No space left on device");
  await consumer.replaceMetadata(new Uint8Array(20));
  await assertRejects(() => consumer.replaced, Error, "No space left");
  await stream.writePacket(new Uint8Array(8), packet());
  assertEquals(consumer.state, "ready");
  assertEquals(output.count("packet"), 1);
  await consumer.finish(10);
});

test("Consumer.replaceMetadata() changes nothing where the output cannot", async () => {
  const { consumer, output } = new Subject();
  await consumer.openNow();
  await consumer.writeMetadata(new Uint8Array(10));
  output.refusesReplacing = new Error("Too old");
  await assertRejects(
    () => consumer.replaceMetadata(new Uint8Array(20)),
    Error,
    "Too old",
  );
  await consumer.writeMetadata(new Uint8Array(30));
  await consumer.settle(new Bounded(50));
  assertEquals(output.metadata.map(({ length }) => length), [10, 30]);
  await consumer.finish(10);
});

test("Consumer takes no more metadata than it can keep", async () => {
  const { consumer } = new Subject(() => new Promise(() => {}));
  consumer.begin();
  const piece = new Uint8Array(32 * 1024 * 1024);
  await consumer.writeMetadata(piece);
  await consumer.writeMetadata(piece);
  const error = await assertRejects(
    () => consumer.writeMetadata(new Uint8Array(1)),
    RangeError,
  );
  assert(error.message.includes("67108865 bytes > 67108864"), error.message);
  await assertRejects(
    () => consumer.replaceMetadata(new Uint8Array(2 * piece.length + 1)),
    RangeError,
    "67108865 bytes > 67108864",
  );
  await consumer.finish(10);
});

test("Consumer.tried() waits for an output that is being opened, and no longer than it may", async () => {
  const { promise, resolve } = Promise.withResolvers<TraceOutput>();
  const { consumer, output } = new Subject(() => promise);
  // Nothing is being opened: there is nothing to wait for.
  await consumer.tried(new Bounded(60_000));
  consumer.begin();
  await consumer.tried(new Bounded(1));
  assertEquals(consumer.state, "opening");
  const tried = consumer.tried(new Bounded(60_000));
  resolve(output);
  await tried;
  assertEquals(consumer.state, "ready");
  await consumer.finish(10);
});

test("Consumer.tried() ends with the first try that fails", async () => {
  const { consumer } = new Subject(() => Promise.reject(new Error("absent")));
  consumer.begin();
  await consumer.tried(new Bounded(60_000));
  assertEquals(consumer.failure?.message, "absent");
  await consumer.finish(10);
});
