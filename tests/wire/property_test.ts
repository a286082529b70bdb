/**
 * What every message does with bytes that are too few, too many or wrong.
 * `WIRE_SEED` repeats a run of the random part.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { WireError } from "../../lib/wire/struct.ts";
import { concat } from "./golden.ts";
import { type Sample, samples } from "./samples.ts";

/** Messages whose last field takes whatever there is. */
const OPEN_ENDED = new Set(["SEND_METADATA"]);
/**
 * Messages whose length has to be exact: it alone tells how the peer's
 * compiler padded the message.
 */
const EXACT = new Set(["ROTATE_STREAMS"]);
/** Bytes whose loss turns one padding's legal length into another's. */
const OTHER_PADDINGS = [20 - 16, 20 - 13];
const FLIPS_PER_MESSAGE = 300;

const seed = Number(Deno.env.get("WIRE_SEED") ?? randomSeed());

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** Numbers from 0 up to 1 that depend on the seed alone ("mulberry32"). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The value, or the WireError; anything else thrown is a defect. */
function decodeOrRefuse({ message, minor }: Sample, bytes: Uint8Array) {
  try {
    return { value: message.decode(bytes, minor) };
  } catch (error) {
    if (error instanceof WireError) return { error };
    throw error;
  }
}

/** `ADD_STREAM.pathname: 17 bytes > 16 left`. */
function assertNamesAll(error: WireError, name: string): void {
  assert(
    error.where.startsWith(`${name}.`),
    `"${error.where}" does not name a field of ${name}`,
  );
  assertMatch(error.where, /\.\w+/);
  assertMatch(error.detail, /\d+.*\d+/);
}

Deno.test("every sample decodes to the value that was encoded", {
  permissions: "none",
}, () => {
  for (const { message, minor, value } of samples) {
    const bytes = message.encode(value, minor);
    assertEquals(message.decode(bytes, minor), value, message.name);
  }
});

Deno.test(
  "decode() refuses every message that is cut, naming field and both numbers",
  {
    permissions: "none",
  },
  () => {
    for (const sample of samples) {
      const { message, minor, value } = sample;
      const bytes = message.encode(value, minor);
      for (let length = 0; length < bytes.length; length++) {
        const lost = bytes.length - length;
        if (EXACT.has(message.name) && OTHER_PADDINGS.includes(lost)) continue;
        const where = `${message.name} cut at ${length} of ${bytes.length}`;
        const { error, value } = decodeOrRefuse(sample, bytes.slice(0, length));
        if (error !== undefined) assertNamesAll(error, message.name);
        else {
          assert(OPEN_ENDED.has(message.name), `${where} was taken`);
          const again = message.encode(value, minor);
          assertEquals(again, bytes.slice(0, length), where);
        }
      }
    }
  },
);

Deno.test("decode() ignores what follows a message, except in ROTATE_STREAMS", {
  permissions: "none",
}, () => {
  for (const sample of samples) {
    const { message, minor, value } = sample;
    const bytes = message.encode(value, minor);
    for (const excess of [1, 7, 100]) {
      const longer = concat(bytes, new Uint8Array(excess).fill(0xFF));
      const result = decodeOrRefuse(sample, longer);
      if (EXACT.has(message.name)) {
        assert(result.error, `${message.name} with ${excess} more was taken`);
        assertNamesAll(result.error, message.name);
      } else if (!OPEN_ENDED.has(message.name)) {
        assertEquals(result, { value }, message.name);
      }
    }
  }
});

Deno.test(
  "decode() makes of any bytes a value that encodes again, or a WireError",
  {
    permissions: "none",
  },
  () => {
    const random = randomNumbers(seed);
    const below = (count: number) => Math.floor(random() * count);
    let taken = 0;
    let refused = 0;
    for (const sample of samples) {
      const { message, minor, value } = sample;
      const original = message.encode(value, minor);
      if (original.length === 0) continue;
      for (let round = 0; round < FLIPS_PER_MESSAGE; round++) {
        const bytes = original.slice();
        for (let flips = 1 + below(4); flips > 0; flips--) {
          // Half of them among the first bytes, where lengths and flags are.
          const reach = random() < 0.5 ? bytes.length : 80;
          bytes[below(Math.min(reach, bytes.length))]! ^= 1 << below(8);
        }
        const context = `WIRE_SEED=${seed}: ${message.name}, round ${round}`;
        try {
          const result = decodeOrRefuse(sample, bytes);
          if (result.error !== undefined) {
            refused++;
            continue;
          }
          taken++;
          const again = message.encode(result.value, minor);
          assertEquals(message.decode(again, minor), result.value);
        } catch (cause) {
          throw new Error(context, { cause });
        }
      }
    }
    console.log(`WIRE_SEED=${seed}: ${taken} taken, ${refused} refused`);
    assert(taken > 0 && refused > 0);
  },
);

Deno.test("decode() makes of random bytes a value or a WireError", {
  permissions: "none",
}, () => {
  const random = randomNumbers(seed);
  for (const sample of samples) {
    for (let round = 0; round < 50; round++) {
      const bytes = Uint8Array.from(
        { length: Math.floor(random() * 200) },
        () => Math.floor(random() * 256),
      );
      try {
        decodeOrRefuse(sample, bytes);
      } catch (cause) {
        const { name } = sample.message;
        throw new Error(`WIRE_SEED=${seed}: ${name}`, { cause });
      }
    }
  }
});
