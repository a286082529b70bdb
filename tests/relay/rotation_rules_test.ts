/** When the index part and the data part of a stream's rotation are done. */

import { assertEquals } from "@std/assert";
import { dataPartDone, indexPartDone } from "../../lib/relay/rotation.ts";

const NONE = { permissions: "none" } as const;

function progress(
  receivedPacket: bigint | undefined,
  indexSequence = -1n,
  dataSequence = -1n,
) {
  return { receivedPacket, indexSequence, dataSequence };
}

function rotation(atPacket: bigint, pivot?: bigint) {
  return pivot === undefined
    ? { nextChunk: undefined, atPacket }
    : { nextChunk: undefined, atPacket, pivot };
}

Deno.test(
  "indexPartDone() waits for the packet before the position",
  NONE,
  () => {
    assertEquals(indexPartDone(rotation(3n), progress(1n)), false);
    assertEquals(indexPartDone(rotation(3n), progress(2n)), true);
  },
);

Deno.test(
  "indexPartDone() is done past the position, as after overwriting",
  NONE,
  () => {
    assertEquals(indexPartDone(rotation(3n), progress(7n)), true);
  },
);

Deno.test("indexPartDone() is done at 0 with nothing received", NONE, () => {
  assertEquals(indexPartDone(rotation(0n), progress(undefined)), true);
  assertEquals(indexPartDone(rotation(1n), progress(undefined)), false);
});

Deno.test("dataPartDone() waits for the index part", NONE, () => {
  assertEquals(dataPartDone(rotation(1n), progress(0n, 0n, 5n)), false);
});

Deno.test("dataPartDone() waits for the pivot's data", NONE, () => {
  assertEquals(dataPartDone(rotation(3n, 2n), progress(2n, 2n, 1n)), false);
  assertEquals(dataPartDone(rotation(3n, 2n), progress(2n, 2n, 2n)), true);
  assertEquals(dataPartDone(rotation(3n, 2n), progress(2n, 2n, 3n)), true);
});

Deno.test(
  "dataPartDone() is done where nothing was ever received",
  NONE,
  () => {
    assertEquals(dataPartDone(rotation(0n, -1n), progress(undefined)), true);
  },
);
