/** A viewer that sends commands at random: no crash, and no word too many. */

import { assertEquals } from "@std/assert";
import { NextIndexStatus } from "../../lib/wire/live.ts";
import { Random, SEED } from "./support/random.ts";
import { TestViewer } from "./support/viewer.ts";
import { type Consumer, World } from "./support/world.ts";

const ROUNDS = 40;
const STEPS = 60;

/** One step of a producer, which keeps to the protocol. */
class Recorder {
  readonly consumer: Consumer;
  readonly metadata: bigint;
  readonly data: bigint;
  next = 0n;
  chunk = 0n;
  open = true;

  constructor(world: World, random: Random) {
    this.consumer = world.recording({ liveTimer: 1 });
    const ring = random.pick([
      {},
      { size: 16n },
      { size: 16n, count: 3n },
    ]);
    this.metadata = this.consumer.addStream("metadata");
    this.data = this.consumer.addStream("ch_0", ring);
    this.consumer.call("STREAMS_SENT", {});
  }

  step(random: Random): void {
    if (!this.open) return;
    const { consumer, data, metadata } = this;
    switch (random.below(12)) {
      case 0:
        consumer.metadata(metadata, "x".repeat(1 + random.below(9)));
        return;
      case 1:
        consumer.createChunk(++this.chunk);
        consumer.rotate(this.chunk, [data, this.next], [metadata, 0n]);
        consumer.closeChunk(this.chunk - 1n, random.pick([0, 2]));
        return;
      case 2:
        if (random.below(4) > 0) return;
        this.open = false;
        consumer.leave(new Map([[data, this.next - 1n], [metadata, 0n]]));
        return;
      default:
        consumer.packets(data, this.next, this.next);
        this.next++;
    }
  }
}

/** One command with arguments that are sometimes right. */
function ask(viewer: TestViewer, recorder: Recorder, random: Random): void {
  const session = BigInt(random.below(3));
  const stream = random.pick([recorder.data, recorder.metadata, 0n, 77n]);
  switch (random.below(8)) {
    case 0:
      viewer.list();
      return;
    case 1:
      viewer.tryAttach(session, random.below(4));
      return;
    case 2:
      viewer.newStreams(session);
      return;
    case 3:
      if (random.below(4) === 0) viewer.detach(session);
      return;
    case 4:
      viewer.metadata(stream);
      return;
    case 5:
      viewer.packet(
        stream,
        BigInt(random.below(64)),
        random.pick([0, 1, 8, 9, 0xFFFF_FFFF]),
      );
      return;
    default: {
      const { status, offset } = viewer.index(stream);
      if (status !== NextIndexStatus.OK) return;
      // What was told can be read, whatever became of its file.
      assertEquals(viewer.packet(stream, offset, 8).status, 1);
    }
  }
}

Deno.test(`commands at random do no harm (LTTNG_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    using world = new World();
    const recorder = new Recorder(world, random);
    using follower = new TestViewer(world);
    const { id } = recorder.consumer.session;
    follower.attach(id);
    const viewers = [new TestViewer(world), new TestViewer(world, 4)];
    const seen: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      recorder.step(random);
      for (const viewer of viewers) ask(viewer, recorder, random);
      if (recorder.open) seen.push(...follower.drain(recorder.data)[0]);
    }
    if (recorder.open) {
      // Whoever keeps up gets every packet once, whatever the others do.
      const all = Array.from(
        { length: Number(recorder.next) },
        (_, packet) => packet + 1,
      );
      assertEquals(seen, all);
    }
    for (const viewer of viewers) viewer[Symbol.dispose]();
  }
});
