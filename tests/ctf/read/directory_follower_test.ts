import { assert, assertEquals } from "@std/assert";
import { u32 } from "../../../lib/ctf/declare.ts";
import { DirectorySink } from "../../../lib/ctf/directory_sink.ts";
import { defineEvent } from "../../../lib/ctf/event_class.ts";
import { DirectoryFollower } from "../../../lib/ctf/read/directory_follower.ts";
import type { TimeRange } from "../../../lib/ctf/read/event_source.ts";
import { Tracer } from "../../../lib/tracer/tracer.ts";
import { steppingClock, withTraceDirectory } from "../recording.ts";

const tick = defineEvent("demo:tick", { n: u32 });
const late = defineEvent("demo:late", { n: u32 });

/** A recording, and a follower whose clock stands still until it is told. */
class Followed implements AsyncDisposable {
  now = 0;
  readonly errors: string[] = [];
  readonly follower: DirectoryFollower;
  readonly #tracers: Tracer[] = [];

  constructor(readonly parent: string, range: TimeRange = {}) {
    this.follower = new DirectoryFollower(parent, {
      range,
      now: () => this.now,
      onError: (error) => this.errors.push(error.message),
    });
  }

  tracer(name: string, clock = steppingClock()): Tracer {
    const sink = new DirectorySink(`${this.parent}/${name}`);
    const tracer = new Tracer({ sink, clock, hostname: "here" });
    this.#tracers.push(tracer);
    return tracer;
  }

  /** The numbers of the events whose turn it is now. */
  ready(): number[] {
    this.follower.scan();
    const numbers: number[] = [];
    for (const source of this.follower.ready()) {
      const { payload } = source.take(() => source.record())!;
      numbers.push(payload![0] as number);
    }
    return numbers;
  }

  /** The same after two looks: what is new is read at the second. */
  settled(): number[] {
    return [...this.ready(), ...this.ready()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.follower[Symbol.dispose]();
    for (const tracer of this.#tracers) await tracer.stop();
  }
}

async function following(
  test: (followed: Followed) => Promise<void>,
  range: TimeRange = {},
): Promise<void> {
  await withTraceDirectory(async (directory) => {
    await using followed = new Followed(directory, range);
    await test(followed);
    assertEquals(followed.errors, []);
  });
}

async function record(tracer: Tracer, ...numbers: number[]): Promise<void> {
  for (const n of numbers) tracer.record(tick, { n });
  await tracer.flush();
}

Deno.test("DirectoryFollower hands out each event once, as it is stored", () =>
  following(async (followed) => {
    assertEquals(followed.settled(), []);
    const tracer = followed.tracer("a");
    await record(tracer, 1, 2);
    assertEquals(followed.settled(), [1, 2]);
    assertEquals(followed.settled(), []);
    await record(tracer, 3);
    await record(tracer, 4);
    assertEquals(followed.settled(), [3, 4]);
  }));

Deno.test("DirectoryFollower knows events that are declared later", () =>
  following(async (followed) => {
    const tracer = followed.tracer("a");
    await record(tracer, 1);
    assertEquals(followed.settled(), [1]);
    tracer.record(late, { n: 2 });
    await tracer.flush();
    assertEquals(followed.settled(), [2]);
  }));

Deno.test("DirectoryFollower waits for a packet that is not whole", () =>
  following(async (followed) => {
    const tracer = followed.tracer("whole");
    await record(tracer, 1);
    await record(tracer, 2);
    const { parent } = followed;
    await Deno.mkdir(`${parent}/parts`);
    const [bytes, metadata] = ["channel0_0", "metadata"].map((name) =>
      Deno.readFileSync(`${parent}/whole/${name}`)
    );
    await Deno.remove(`${parent}/whole`, { recursive: true });
    await Deno.writeFile(`${parent}/parts/metadata`, metadata!);
    const path = `${parent}/parts/channel0_0`;
    const read: number[] = [];
    for (let at = 0; at < bytes!.length; at += 1000) {
      const part = bytes!.subarray(at, at + 1000);
      await Deno.writeFile(path, part, { append: true });
      read.push(...followed.settled());
    }
    assertEquals(read, [1, 2]);
  }));

Deno.test("DirectoryFollower merges streams by time", () =>
  following(async (followed) => {
    let ticks = 0;
    const clock = { ...steppingClock(), now: () => ticks += 1000 };
    const [a, b] = [followed.tracer("a", clock), followed.tracer("b", clock)];
    a.record(tick, { n: 1 });
    b.record(tick, { n: 2 });
    a.record(tick, { n: 3 });
    await a.flush();
    await b.flush();
    followed.now += 10_000;
    assertEquals(followed.settled(), [1, 2]);
    // Stream b may still have something before 3.
    b.record(tick, { n: 4 });
    await b.flush();
    assertEquals(followed.settled(), [3]);
    // Stream a has got nothing for long, so it is not waited for.
    followed.now += 10_000;
    assertEquals(followed.settled(), [4]);
    await record(a, 5);
    await record(b, 6);
    assertEquals(followed.settled(), [5]);
  }));

Deno.test("DirectoryFollower reads a file to its end after it was renamed", () =>
  following(async (followed) => {
    const { parent } = followed;
    const tracer = followed.tracer("a");
    await record(tracer, 1);
    assertEquals(followed.settled(), [1]);
    await record(tracer, 2);
    await Deno.mkdir(`${parent}/archives`);
    await Deno.rename(`${parent}/a`, `${parent}/archives/a`);
    assertEquals(followed.settled(), [2]);
  }));

Deno.test("DirectoryFollower reads what was removed only if it had been found", () =>
  following(async (followed) => {
    const { parent } = followed;
    await record(followed.tracer("a"), 1);
    followed.ready();
    await Deno.remove(`${parent}/a`, { recursive: true });
    assertEquals(followed.settled(), [1]);
  }));

Deno.test("DirectoryFollower ends after the range", () =>
  following(async (followed) => {
    const tracer = followed.tracer("a");
    await record(tracer, 1, 2, 3, 4);
    assertEquals(followed.settled(), [2, 3]);
    assert(followed.follower.isEnded);
  }, {
    begin: 1_700_000_000_000_002_000n,
    end: 1_700_000_000_000_003_000n,
  }));

Deno.test("DirectoryFollower tells once of a file that is no stream", () =>
  withTraceDirectory(async (directory) => {
    await using followed = new Followed(directory);
    const tracer = followed.tracer("a");
    await record(tracer, 1);
    await Deno.writeTextFile(
      `${directory}/a/notes`,
      "not a packet of a trace".repeat(9),
    );
    for (let count = 0; count < 10; count++) followed.ready();
    assertEquals(followed.errors, [
      `Cannot read ${directory}/a/notes at byte 0: no packet begins here: ` +
      "its magic is 0x20746f6e",
    ]);
    await record(tracer, 2);
    assertEquals(followed.settled(), [2]);
  }));
