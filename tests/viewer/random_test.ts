/** A follower against our own viewer port without sockets, at random. */

import { assertEquals } from "@std/assert";
import { Random, SEED } from "../relay/support/random.ts";
import { TestViewer } from "../relay/support/viewer.ts";
import { type Consumer, packet, World } from "../relay/support/world.ts";
import { attachPlan, isMeant } from "../../lib/viewer/attach.ts";
import { Follower } from "../../lib/viewer/follower.ts";
import type { LiveItem } from "../../lib/viewer/items.ts";
import { Collected, join } from "./support/collected.ts";
import { PlanRun } from "./support/plan_run.ts";

const ROUNDS = 30;
const STEPS = 120;
const TARGET = { hostname: "vm", sessionName: "demo" };

/** One stream of a producer, and what it recorded. */
interface Recorded {
  readonly id: bigint;
  readonly path: string;
  next: bigint;
  open: boolean;
}

/** A producer that keeps to the protocol; traces come and go. */
class Producer {
  readonly #consumer: Consumer;
  readonly #name: string;
  readonly #random: Random;
  readonly data: Recorded[] = [];
  readonly #metadata = new Map<string, { id: bigint; open: boolean }>();
  readonly metadataTexts = new Map<string, string>();
  #chunk = 0n;
  open = true;

  constructor(world: World, random: Random, name: string) {
    this.#random = random;
    this.#name = name;
    this.#consumer = world.recording({
      liveTimer: 1,
      // Not siblings: those rotate together.
      basePath: name,
      sessiondUuid: new Uint8Array(16).fill(name.charCodeAt(0)),
    });
  }

  /** What it recorded, by path. */
  files(): [string, Uint8Array][] {
    return [
      ...this.data.map(({ path, next }): [string, Uint8Array] => [
        path,
        join(Array.from({ length: Number(next) }, (_, i) => packet(BigInt(i)))),
      ]),
      ...[...this.metadataTexts].map(([path, text]): [string, Uint8Array] => [
        `${path}/metadata`,
        new TextEncoder().encode(text),
      ]),
    ];
  }

  /** @param followed Nothing ends or goes before somebody has seen it. */
  step(followed: boolean): void {
    if (!this.open) return;
    const stream = this.#random.pick([undefined, ...this.data]);
    switch (this.#random.below(16)) {
      case 0:
        this.#addTrace();
        return;
      case 1:
        this.#addMetadata();
        return;
      case 2:
        if (stream !== undefined) this.#beacon(stream);
        return;
      case 3:
        if (followed) this.#rotate();
        return;
      case 4:
        if (followed && stream !== undefined) this.#endTrace(stream.path);
        return;
      case 5:
        if (followed && this.#random.below(8) === 0) this.leave();
        return;
      default:
        if (stream?.open !== true) return;
        this.#consumer.packets(stream.id, stream.next, stream.next);
        stream.next++;
    }
  }

  #addTrace(): void {
    const path = `ust/${this.#name}/${this.#metadata.size}`;
    const metadata = this.#consumer.addStream("metadata", { path });
    this.#metadata.set(path, { id: metadata, open: true });
    for (let i = 0; i <= this.#random.below(3); i++) {
      const id = this.#consumer.addStream(`ch_${i}`, { path });
      this.data.push({ id, path: `${path}/ch_${i}`, next: 0n, open: true });
    }
    this.#consumer.call("STREAMS_SENT", {});
    this.#write(path);
  }

  #addMetadata(): void {
    const open = [...this.#metadata].filter(([, { open }]) => open);
    if (open.length > 0) this.#write(this.#random.pick(open)[0]);
  }

  #write(path: string): void {
    const before = this.metadataTexts.get(path) ?? "";
    const text = `unit ${before.length};`;
    this.#consumer.metadata(this.#metadata.get(path)!.id, text);
    this.metadataTexts.set(path, before + text);
  }

  #rotate(): void {
    const open = [...this.#metadata].filter(([, { open }]) => open);
    this.#consumer.createChunk(++this.#chunk);
    this.#consumer.rotate(
      this.#chunk,
      ...open.map(([, { id }]) => [id, 0n] as const),
      ...this.data.filter(({ open }) => open)
        .map(({ id, next }) => [id, next] as const),
    );
    this.#consumer.closeChunk(this.#chunk - 1n, 0);
    // A new chunk gets all metadata again.
    for (const [path, { id }] of open) {
      this.#consumer.metadata(id, this.metadataTexts.get(path)!);
    }
  }

  #endTrace(of: string): void {
    const path = of.slice(0, of.lastIndexOf("/"));
    for (const stream of this.data) {
      if (!stream.open || !stream.path.startsWith(`${path}/`)) continue;
      this.#consumer.closeStream(stream.id, last(stream));
      stream.open = false;
    }
    const metadata = this.#metadata.get(path)!;
    if (metadata.open) this.#consumer.closeStream(metadata.id);
    metadata.open = false;
  }

  #beacon(stream: Recorded): void {
    if (!stream.open) return;
    this.#consumer.index(stream.id, last(stream), {
      packetSize: 0n,
      timestampEnd: stream.next * 10n,
    });
  }

  leave(): void {
    if (!this.open) return;
    this.open = false;
    for (const { path } of this.data) this.#endTrace(path);
    this.#consumer.leave();
  }
}

/** Sequence number of its last packet; all ones before there is any. */
function last({ next }: Recorded): bigint {
  return BigInt.asUintN(64, next - 1n);
}

/** Attaches to all of the session, and follows. */
function follow(viewer: TestViewer, random: Random): PlanRun<void> {
  const relay = {
    answer: (name: string, request: object) =>
      viewer.call(name as never, request as never),
  };
  const held = new Set<bigint>();
  const attaching = new PlanRun(relay, (now) =>
    attachPlan({
      target: TARGET,
      from: "beginning",
      waitMs: 0,
      pollMs: 500,
      held,
      now,
    }));
  attaching.items();
  return new PlanRun(relay, (now) =>
    new Follower(attaching.result ?? [], {
      pollMs: 100,
      sessionPollMs: 300,
      requestBytes: random.pick([3, 1024]),
      isMeant: (entry) => isMeant(TARGET, entry),
      canDetach: true,
      held,
      now,
    }).run());
}

/** One run of one or two producers, both followed to their ends. */
function round(random: Random): void {
  using world = new World();
  using viewer = new TestViewer(world, random.pick([4, 13, 15]));
  viewer.call("CREATE_SESSION", {});
  const producers = [new Producer(world, random, "a")];
  for (let i = random.below(10); i > 0; i--) producers[0]?.step(false);
  const run = follow(viewer, random);
  const collected = new Collected();
  const add = (item: LiveItem | undefined) => {
    if (item !== undefined) collected.add(item);
  };
  for (let step = 0; step < STEPS; step++) {
    const followed = collected.sessions;
    producers.forEach((producer, i) => producer.step(i < followed));
    if (step === 20) producers.push(new Producer(world, random, "b"));
    for (let i = random.below(12); i > 0 && !run.ended; i--) add(run.next(1));
  }
  for (const producer of producers) producer.leave();
  while (!run.ended) add(run.next());
  assertEquals(collected.lost, 0);
  const files = collected.files();
  for (const producer of producers.slice(0, collected.sessions)) {
    for (const [path, bytes] of producer.files()) {
      assertEquals(files.get(path) ?? new Uint8Array(), bytes, path);
    }
  }
}

Deno.test(`follow brings every byte once, in order (LTTNG_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  for (let i = 0; i < ROUNDS; i++) round(random);
});
