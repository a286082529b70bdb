import { assert, assertEquals, assertRejects } from "@std/assert";
import { defineEvent } from "../../../lib/ctf/event_class.ts";
import { string, u32 } from "../../../lib/ctf/declare.ts";
import { sequence, u8 } from "../../../lib/ctf/declare.ts";
import { TraceReadError } from "../../../lib/ctf/read/model.ts";
import { TraceReader } from "../../../lib/ctf/read/trace_reader.ts";
import { Random, testSeed } from "../random.ts";
import { recordTo, steppingClock, withTraceDirectory } from "../recording.ts";
import { writeHandMade } from "./hand_made.ts";
import { readOurs } from "./plain_text.ts";

const EVENTS = 600;
const PACKET = 4096;
/** Where our packets have these fields, in bytes. */
const CONTENT_SIZE = 48;
const PACKET_SIZE = 56;

/** One stream of 4096-byte packets. */
async function record(directory: string): Promise<string> {
  const event = defineEvent("demo:tick", {
    n: u32,
    text: string,
    list: sequence(u8),
  });
  await recordTo(directory, {
    subBufferSize: PACKET,
    subBufferCount: 64,
    clock: steppingClock(),
  }, (tracer) => {
    for (let n = 0; n < EVENTS; n++) {
      tracer.record(event, { n, text: `event ${n}`, list: [1, 2, 3] });
    }
  });
  return `${directory}/channel0_0`;
}

function change(
  path: string,
  write: (view: DataView<ArrayBuffer>) => void,
): void {
  const bytes = Deno.readFileSync(path);
  write(new DataView(bytes.buffer));
  Deno.writeFileSync(path, bytes);
}

/** Removes the index, so that packets are found by what they say. */
function removeIndex(directory: string): void {
  Deno.removeSync(`${directory}/index`, { recursive: true });
}

/** Where the error is, without the temporary directory. */
function placesOf(errors: readonly TraceReadError[]): string[] {
  return errors.map(({ path, offset }) =>
    `${path.slice(path.lastIndexOf("/") + 1)} ${offset}`
  );
}

Deno.test("TraceReader reads a file that was cut up to the cut, and names it", async () => {
  await withTraceDirectory(async (directory) => {
    const path = await record(directory);
    const whole = await readOurs(directory);
    await Deno.truncate(path, 2 * PACKET + 2000);
    const { lines, errors } = await readOurs(directory);
    assert(lines.length > 100 && lines.length < EVENTS);
    assertEquals(lines, whole.lines.slice(0, lines.length));
    assertEquals(errors.length, 1);
    assertEquals(errors[0]!.path, path);
    const { offset } = errors[0]!;
    assert(offset! >= 2 * PACKET && offset! < 2 * PACKET + 2000);
  });
});

Deno.test("TraceReader stops at a packet of size 0", async () => {
  await withTraceDirectory(async (directory) => {
    const path = await record(directory);
    removeIndex(directory);
    change(path, (view) => {
      view.setBigUint64(PACKET + PACKET_SIZE, 0n, true);
    });
    const { lines, errors } = await readOurs(directory);
    assert(lines.length > 0);
    assertEquals(placesOf(errors), [`channel0_0 ${PACKET}`]);
  });
});

Deno.test("TraceReader takes no more memory than a file has for a packet that claims 2^60 bits", async () => {
  await withTraceDirectory(async (directory) => {
    const path = await record(directory);
    removeIndex(directory);
    change(path, (view) => {
      view.setBigUint64(PACKET_SIZE, 2n ** 60n, true);
      view.setBigUint64(CONTENT_SIZE, 2n ** 60n, true);
    });
    const { lines, errors } = await readOurs(directory);
    assert(lines.length > 0);
    assertEquals(errors.length, 1);
  });
});

Deno.test("TraceReader skips a damaged packet by the index and reads the next", async () => {
  await withTraceDirectory(async (directory) => {
    const path = await record(directory);
    const whole = await readOurs(directory);
    change(path, (view) => view.setUint32(PACKET, 0xBAD, true));
    const { lines, losses, errors } = await readOurs(directory);
    assert(lines.length < EVENTS);
    assertEquals(lines.at(-1), whole.lines.at(-1));
    assertEquals(placesOf(errors), [`channel0_0 ${PACKET}`]);
    assertEquals(losses.map(({ kind, count }) => [kind, count]), [[
      "lost_packets",
      1n,
    ]]);
  });
});

Deno.test("TraceReader throws the first error where nobody listens", async () => {
  await withTraceDirectory(async (directory) => {
    const path = await record(directory);
    change(path, (view) => view.setUint32(PACKET, 0xBAD, true));
    const reader = await TraceReader.open(directory);
    await assertRejects(
      // deno-lint-ignore require-await
      async () => [...reader.messages()],
      TraceReadError,
      `Cannot read ${path} at byte ${PACKET}: no packet begins here`,
    );
  });
});

Deno.test("TraceReader says where there is no trace, or no metadata it knows", async () => {
  await withTraceDirectory(async (directory) => {
    await assertRejects(() => TraceReader.open(directory), TraceReadError);
    await Deno.mkdir(directory);
    await assertRejects(
      () => TraceReader.open(directory),
      TraceReadError,
      "no trace is there or below",
    );
    for (
      const text of ["", "\x1e{}", "/* CTF 1.8 */ trace {", "/* CTF 1.8 */ @"]
    ) {
      await Deno.writeTextFile(`${directory}/metadata`, text);
      await assertRejects(
        () => TraceReader.open(directory),
        TraceReadError,
        `${directory}/metadata`,
      );
    }
  });
});

Deno.test("TraceReader goes by the index to where a range begins", async () => {
  await withTraceDirectory(async (directory) => {
    const path = await record(directory);
    const errors: TraceReadError[] = [];
    const reader = await TraceReader.open(directory, {
      onError: (error) => errors.push(error),
    });
    const times = [...reader.messages()].map(({ timestamp }) => timestamp);
    // What lies before is damaged, and nobody is to notice.
    change(path, (view) => view.setUint32(PACKET, 0xBAD, true));
    const begin = times.at(-10)!;
    const found = [...reader.messages({ begin })];
    assertEquals(found.map(({ timestamp }) => timestamp), times.slice(-10));
    assertEquals(errors, []);
    assertEquals([...reader.messages()].length < times.length, true);
    assertEquals(placesOf(errors), [`channel0_0 ${PACKET}`]);
  });
});

Deno.test("TraceReader reads events that are larger than what it may have in memory", async () => {
  await withTraceDirectory(async (directory) => {
    const event = defineEvent("demo:large", { n: u32, list: sequence(u8) });
    const sizes = [1, 5000, 20_000, 3, 0, 60_000, 4096, 1];
    await recordTo(directory, { subBufferSize: 256 * 1024 }, (tracer) => {
      for (const [n, size] of sizes.entries()) {
        const list = Array.from({ length: size }, (_, index) => index & 255);
        tracer.record(event, { n, list });
      }
    });
    const { lines, errors } = await readOurs(directory);
    assertEquals([lines.length, errors], [sizes.length, []]);
  });
});

const ROUNDS = 150;
/** Much above what a round takes: a hang is what it finds. */
const ROUND_MILLISECONDS = 5000;

Deno.test("TraceReader survives files damaged at random", async () => {
  const seed = testSeed();
  console.log(`LTTNG_TEST_SEED=${seed}`);
  const random = new Random(seed);
  await withTraceDirectory(async (parent) => {
    await record(`${parent}/own`);
    await writeHandMade(`${parent}/by-hand`, "be");
    const files = [
      "own/channel0_0",
      "own/index/channel0_0.idx",
      "own/metadata",
      "by-hand/stream",
      "by-hand/metadata",
    ].map((name) => `${parent}/${name}`);
    const originals = files.map((path) => Deno.readFileSync(path));
    for (let round = 0; round < ROUNDS; round++) {
      const chosen = random.between(0, files.length - 1);
      Deno.writeFileSync(files[chosen]!, damage(random, originals[chosen]!));
      const start = performance.now();
      const { errors } = await readOurs(parent);
      const time = performance.now() - start;
      assert(
        time < ROUND_MILLISECONDS,
        `Seed ${seed}, round ${round}: ${time}`,
      );
      for (const error of errors) {
        assert(error instanceof TraceReadError, `Seed ${seed}: ${error}`);
        assert(files.includes(error.path), `Seed ${seed}: ${error.path}`);
      }
      Deno.writeFileSync(files[chosen]!, originals[chosen]!);
    }
  });
});

function damage(random: Random, original: Uint8Array): Uint8Array {
  const bytes = original.slice();
  const changes = random.oneOf([1, 1, 3, 30]);
  for (let count = 0; count < changes; count++) {
    // Where sizes and magic numbers are more often than elsewhere.
    const end = random.chance(0.5) ? 90 : bytes.length - 1;
    bytes[random.between(0, end)] = random.between(0, 255);
  }
  return random.chance(0.3)
    ? bytes.subarray(0, random.between(0, bytes.length))
    : bytes;
}
