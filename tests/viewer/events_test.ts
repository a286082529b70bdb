/** Events of live sessions, in order of time. */

import { assertEquals, assertRejects } from "@std/assert";
import { u32 } from "../../lib/ctf/declare.ts";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import type { Message } from "../../lib/ctf/read/model.ts";
import { TraceReadError } from "../../lib/ctf/read/model.ts";
import { packMetadata } from "../../lib/ctf/metadata_packet.ts";
import type { PacketInfo } from "../../lib/ctf/sink.ts";
import { Tracer } from "../../lib/tracer/tracer.ts";
import { liveEvents } from "../../lib/viewer/events.ts";
import type {
  LiveItem,
  LiveSession,
  LiveStream,
} from "../../lib/viewer/items.ts";
import { MemorySink } from "../tracer/memory_sink.ts";
import { steppingClock } from "../ctf/recording.ts";

const tick = defineEvent("demo:tick", { n: u32 });
const late = defineEvent("demo:late", { n: u32 });

const SESSION: LiveSession = {
  id: 1n,
  liveTimer: 100_000,
  clients: 0,
  streams: 2,
  traceFormat: 0,
  hostname: "target",
  sessionName: "demo",
};

/** A traced program, and its packets as items of a live session. */
class Producer {
  readonly #sink = new MemorySink();
  readonly #tracer: Tracer;
  readonly metadata: LiveStream;
  readonly data: LiveStream;
  #sent = 0;
  #text = 0;

  constructor(id: bigint, clock = steppingClock()) {
    this.#tracer = new Tracer({ sink: this.#sink, clock, hostname: "here" });
    const trace = { id, session: SESSION };
    const common = { session: SESSION, trace, pathname: `ust/pid/${id}` };
    this.metadata = {
      ...common,
      id: 2n * id,
      isMetadata: true,
      channelName: "metadata",
    };
    this.data = {
      ...common,
      id: 2n * id + 1n,
      isMetadata: false,
      channelName: "channel0_0",
    };
  }

  /** What a relay daemon would tell of both streams. */
  get announced(): LiveItem[] {
    return [
      { kind: "stream", stream: this.metadata },
      { kind: "stream", stream: this.data },
    ];
  }

  /** Records events of these numbers; the new metadata and packets. */
  async record(...numbers: number[]): Promise<LiveItem[]> {
    for (const n of numbers) this.#tracer.record(tick, { n });
    return await this.#flush();
  }

  async recordLate(n: number): Promise<LiveItem[]> {
    this.#tracer.record(late, { n });
    return await this.#flush();
  }

  inactive(timestampEnd: bigint): LiveItem {
    return {
      kind: "inactive",
      stream: this.data,
      timestampEnd,
      streamClassId: 0n,
    };
  }

  async end(): Promise<LiveItem[]> {
    await this.#tracer.stop();
    return [this.metadata, this.data].map((stream) => ({
      kind: "stream-ended",
      stream,
      reason: "hang-up",
    }));
  }

  async #flush(): Promise<LiveItem[]> {
    await this.#tracer.flush();
    const packets = this.#sink.packets.slice(this.#sent);
    this.#sent += packets.length;
    return [
      ...this.#newMetadata(),
      ...packets.map(({ content, info }) => this.#packet(content, info)),
    ];
  }

  #newMetadata(): LiveItem[] {
    const text = this.#sink.metadata.slice(this.#text);
    this.#text += text.length;
    if (text === "") return [];
    const bytes = packMetadata(text, new Uint8Array(16), "le");
    return [{ kind: "metadata", stream: this.metadata, bytes }];
  }

  #packet(content: Uint8Array, info: PacketInfo): LiveItem {
    const bytes = new Uint8Array(Number(info.packetSize / 8n));
    bytes.set(content);
    const { packetSequenceNumber: _, ...index } = info;
    return {
      kind: "packet",
      stream: this.data,
      index: { ...index, offset: 0n },
      bytes,
    };
  }
}

/** What each item brings: `n` of events, or the kind of a loss. */
async function steps(
  groups: readonly LiveItem[][],
  onError?: (error: TraceReadError) => void,
): Promise<(number | string)[][]> {
  const brought: (number | string)[][] = [];
  async function* items(): AsyncGenerator<LiveItem> {
    for (const group of groups) {
      brought.push([]);
      yield* group;
    }
  }
  const options = onError ? { onError } : {};
  for await (const message of liveEvents(items(), options)) {
    brought.at(-1)!.push(nameOf(message));
  }
  return brought;
}

function nameOf(message: Message): number | string {
  return message.kind === "event"
    ? message.payload![0] as number
    : message.kind;
}

Deno.test("liveEvents() yields the events of one stream packet by packet", async () => {
  const producer = new Producer(1n);
  assertEquals(
    await steps([
      producer.announced,
      await producer.record(1, 2),
      await producer.record(3),
      await producer.recordLate(4),
      await producer.end(),
    ]),
    [[], [1, 2], [3], [4], []],
  );
});

Deno.test("liveEvents() waits for a stream of which nothing is known", async () => {
  const [a, b] = [new Producer(1n), new Producer(2n)];
  assertEquals(
    await steps([
      [...a.announced, ...b.announced],
      await a.record(1, 2),
      // Its events have the same times as those of a: b's first is before a's second.
      await b.record(11, 12),
      await a.end(),
      await b.end(),
    ]),
    [[], [], [1, 11, 2], [12], []],
  );
});

Deno.test("liveEvents() goes on up to the time until which a stream is inactive", async () => {
  let ticks = 0;
  const clock = { ...steppingClock(), now: () => ticks += 1000 };
  const [a, b] = [new Producer(1n, clock), new Producer(2n, clock)];
  const before = await b.record(11);
  const [first, second, third] = [
    await a.record(1),
    await a.record(2),
    await a.record(3),
  ];
  const until = BigInt(ticks);
  assertEquals(
    await steps([
      [...a.announced, ...b.announced, ...before],
      first,
      second,
      [b.inactive(until)],
      third,
      await b.end(),
      await a.end(),
    ]),
    [[], [11], [], [1, 2], [3], [], []],
  );
});

Deno.test("liveEvents() puts the packets of a late stream in as they come", async () => {
  const [a, b] = [new Producer(1n), new Producer(2n)];
  assertEquals(
    await steps([
      a.announced,
      await a.record(1, 2),
      b.announced,
      await b.record(11),
      await a.end(),
      await b.end(),
    ]),
    [[], [1, 2], [], [11], [], []],
  );
});

Deno.test("liveEvents() tells of a packet that the relay daemon does not have, and goes on", async () => {
  const producer = new Producer(1n);
  const errors: string[] = [];
  const [metadata, first] = await producer.record(1);
  const second = (await producer.record(2)).at(-1)!;
  if (first?.kind !== "packet") throw new TypeError("No packet");
  const { stream, index } = first;
  const lost: LiveItem = {
    kind: "packet-lost",
    stream,
    index,
    reason: "unavailable",
  };
  assertEquals(
    await steps(
      [[...producer.announced, metadata!, lost, second], await producer.end()],
      (error) => errors.push(error.message),
    ),
    [[2], []],
  );
  assertEquals(errors, [
    "Cannot read target/demo/ust/pid/1/channel0_0 at byte 0: " +
    "a packet could not be had: unavailable",
  ]);
});

Deno.test("liveEvents() tells of packets without metadata", async () => {
  const producer = new Producer(1n);
  const [, packet] = await producer.record(1);
  const errors: string[] = [];
  assertEquals(
    await steps(
      [[...producer.announced, packet!], await producer.end()],
      (error) => errors.push(error.message),
    ),
    [[], []],
  );
  assertEquals(errors.length, 1);
  await assertRejects(
    () => steps([[...producer.announced, packet!]]),
    TraceReadError,
    "no metadata of it could be read",
  );
});
