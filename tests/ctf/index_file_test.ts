import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeIndexEntry,
  decodeIndexFile,
  encodeIndexEntry,
  entrySize,
  INDEX_HEADER_SIZE,
  type IndexEntry,
  indexHeader,
} from "../../lib/ctf/index_file.ts";

const PURE = { permissions: "none" } as const;

const ENTRY: IndexEntry = {
  offset: 1n,
  packetSize: 2n,
  contentSize: 3n,
  timestampBegin: 4n,
  timestampEnd: 5n,
  eventsDiscarded: 6n,
  streamId: 7n,
  streamInstanceId: 8n,
  packetSequenceNumber: 2n ** 64n - 1n,
};

function fileOf(minor: 0 | 1, ...entries: Uint8Array[]): Uint8Array {
  const parts = [indexHeader(minor), ...entries];
  const bytes = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

Deno.test("entrySize() is 56 bytes for index 1.0 and 72 for 1.1", PURE, () => {
  assertEquals([entrySize(0), entrySize(1), INDEX_HEADER_SIZE], [56, 72, 16]);
});

Deno.test("indexHeader() gives the bytes of lttng-tools", PURE, () => {
  assertEquals(
    indexHeader(1).toHex(),
    "c1f1dcc1" + "00000001" + "00000001" + "00000048",
  );
  assertEquals(
    indexHeader(0).toHex(),
    "c1f1dcc1" + "00000001" + "00000000" + "00000038",
  );
});

Deno.test("encodeIndexEntry() writes big-endian fields in order", PURE, () => {
  const fields = [1, 2, 3, 4, 5, 6, 7, 8]
    .map((value) => value.toString(16).padStart(16, "0"));
  const last = "f".repeat(16);
  assertEquals(
    encodeIndexEntry(ENTRY, 1).toHex(),
    fields.join("") + last,
  );
  assertEquals(
    encodeIndexEntry(ENTRY, 0).toHex(),
    fields.slice(0, 7).join(""),
  );
});

Deno.test(
  "encodeIndexEntry() writes all ones for what 1.1 is not told",
  PURE,
  () => {
    const { streamInstanceId: _, packetSequenceNumber: __, ...old } = ENTRY;
    const entry = decodeIndexEntry(encodeIndexEntry(old, 1), 1);
    assertEquals(entry.streamInstanceId, 2n ** 64n - 1n);
    assertEquals(entry.packetSequenceNumber, 2n ** 64n - 1n);
  },
);

Deno.test("encodeIndexEntry() refuses a value beyond 64 bits", PURE, () => {
  assertThrows(
    () => encodeIndexEntry({ ...ENTRY, offset: 2n ** 64n }, 1),
    RangeError,
    "offset is 18446744073709551616",
  );
  assertThrows(
    () => encodeIndexEntry({ ...ENTRY, packetSize: -1n }, 1),
    RangeError,
    "packetSize is -1",
  );
});

Deno.test("decodeIndexFile() reads back every entry", PURE, () => {
  const other = { ...ENTRY, offset: 4096n };
  const bytes = fileOf(
    1,
    encodeIndexEntry(ENTRY, 1),
    encodeIndexEntry(other, 1),
  );
  assertEquals(decodeIndexFile(bytes), { minor: 1, entries: [ENTRY, other] });
  const old = decodeIndexFile(fileOf(0, encodeIndexEntry(ENTRY, 0)));
  assertEquals(old.minor, 0);
  assertEquals("streamInstanceId" in old.entries[0]!, false);
});

Deno.test("decodeIndexFile() refuses a file cut at any byte", PURE, () => {
  const bytes = fileOf(1, encodeIndexEntry(ENTRY, 1));
  for (let size = 0; size < bytes.length; size++) {
    if (size === INDEX_HEADER_SIZE) continue; // No entry yet: a whole file.
    assertThrows(
      () => decodeIndexFile(bytes.subarray(0, size)),
      RangeError,
      "Cannot decode an index file",
    );
  }
});

Deno.test("decodeIndexFile() refuses what is no CTF index 1.x", PURE, () => {
  for (
    const [at, text] of [[0, "begins with"], [7, "major"], [
      15,
      "entries",
    ]] as const
  ) {
    const bytes = fileOf(1);
    bytes[at] = 9;
    assertThrows(() => decodeIndexFile(bytes), RangeError, text);
  }
});
