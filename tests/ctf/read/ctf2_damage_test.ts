import { assert } from "@std/assert";
import { parseJson } from "../../../lib/ctf/read/ctf2/json.ts";
import { parseCtf2 } from "../../../lib/ctf/read/ctf2/parse.ts";
import { TraceReadError } from "../../../lib/ctf/read/model.ts";
import { Random, testSeed } from "../random.ts";
import { withTraceDirectory } from "../recording.ts";
import { everyClass, writeFiles } from "./ctf2_every_class.ts";
import { exactJson } from "./ctf2_writer.ts";
import { readOurs } from "./plain_text.ts";

/** Much above what a round takes: a hang is what it finds. */
const ROUND_MILLISECONDS = 5000;

/** What stands in metadata, in wrong places, and values that no reader likes. */
const VALUES: readonly unknown[] = [
  ...[null, true, 0, 1, -1, 7, 64, 65, 1.5, 1e300, 2n ** 32n, 2n ** 63n],
  ...[-(2n ** 63n), 2n ** 64n, "", "id", "u8", "structure", "variant"],
  ...["optional", "dynamic-length-array", "static-length-array"],
  ...["static-length-string", "fixed-length-bit-map", "packet-context"],
  ...["packet-magic-number", "metadata-stream-uuid", "event-record-class"],
  ...["variable-length-signed-integer", "default-clock-timestamp"],
  ...[[], {}, [[0, 1]], [null], ["n"], [null, "n"], { path: ["n"] }],
];

type Tree = unknown[] | Record<string, unknown>;

/** A place in a tree of JSON: where it is, and its key. */
function places(tree: Tree, found: [Tree, string][] = []): [Tree, string][] {
  for (const [key, value] of Object.entries(tree)) {
    found.push([tree, key]);
    if (typeof value === "object" && value !== null) {
      places(value as Tree, found);
    }
  }
  return found;
}

/** Puts something else in one place. */
function changeTree(random: Random, trees: Tree[]): void {
  const all = places(trees);
  const [tree, key] = random.oneOf(all) as [Record<string, unknown>, string];
  const choice = random.next();
  if (choice < 0.6) {
    // What is right elsewhere is not refused at first sight.
    const alike = all.filter(([, other]) => other === key);
    const [other] = random.oneOf(alike) as [typeof tree, string];
    tree[key] = structuredClone(other[key]);
  } else if (choice < 0.7) delete tree[key];
  else if (choice < 0.8) {
    const [other, otherKey] = random.oneOf(all) as [typeof tree, string];
    tree[key] = structuredClone(other[otherKey]);
  } else if (choice < 0.85) tree[`${key}x`] = tree[key];
  else tree[key] = random.oneOf(VALUES);
}

function damagedText(random: Random, text: string): string {
  const changes = random.oneOf([1, 1, 2, 10]);
  if (random.chance(0.8)) {
    const trees = text.split("\x1e").slice(1)
      .map((fragment) => parseJson(fragment) as Tree);
    for (let count = 0; count < changes; count++) changeTree(random, trees);
    return trees.filter((tree) => tree !== undefined)
      .map((tree) => `\x1e${exactJson(tree)}\n`).join("");
  }
  let damaged = text;
  for (let count = 0; count < changes; count++) {
    const at = random.between(0, damaged.length - 1);
    const code = random.oneOf([0x1e, 0x22, 0x5d, 0x7b, 0x30, 0x2d, 0xff]);
    damaged = damaged.slice(0, at) + String.fromCharCode(code) +
      damaged.slice(at + random.oneOf([0, 1, 1, 100]));
  }
  return damaged;
}

Deno.test("parseCtf2() refuses damaged metadata with a SyntaxError, or takes it", () => {
  const seed = testSeed();
  console.log(`LTTNG_TEST_SEED=${seed}`);
  const random = new Random(seed);
  const text = everyClass("little-endian")["metadata"] as string;
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const damaged = damagedText(random, text);
    const start = performance.now();
    try {
      parseCtf2(damaged);
    } catch (error) {
      assert(
        error instanceof SyntaxError,
        `Seed ${seed}, round ${round}: ${error}`,
      );
      refused++;
    }
    const time = performance.now() - start;
    assert(time < ROUND_MILLISECONDS, `Seed ${seed}, round ${round}: ${time}`);
  }
  assert(refused > 300 && refused < 1400, `Seed ${seed}: ${refused}`);
});

Deno.test("TraceReader survives CTF 2 traces damaged at random", async () => {
  const seed = testSeed();
  console.log(`LTTNG_TEST_SEED=${seed}`);
  const random = new Random(seed);
  await withTraceDirectory(async (directory) => {
    const files = everyClass(
      random.oneOf(["little-endian", "big-endian"] as const),
    );
    await writeFiles(directory, files);
    for (let round = 0; round < 150; round++) {
      const stream = (files["stream"] as Uint8Array).slice();
      let metadata = files["metadata"] as string;
      if (random.chance(0.6)) metadata = damagedText(random, metadata);
      else {
        for (let count = random.oneOf([1, 3, 30]); count > 0; count--) {
          const end = random.chance(0.5) ? 90 : stream.length - 1;
          stream[random.between(0, end)] = random.between(0, 255);
        }
      }
      await writeFiles(directory, { metadata, stream });
      const start = performance.now();
      const { errors } = await readOurs(directory);
      const time = performance.now() - start;
      const place = `Seed ${seed}, round ${round}`;
      assert(time < ROUND_MILLISECONDS, `${place}: ${time}`);
      for (const error of errors) {
        assert(error instanceof TraceReadError, `${place}: ${error}`);
      }
    }
  });
});
