/** Sizes, times and counts on the command line. */

import { assertEquals } from "@std/assert";
import {
  nextPowerOfTwo,
  parseCount,
  parseSize,
  parseTime,
} from "../../lib/cli/lttng/quantity.ts";

const SIZES: readonly [string, bigint | undefined][] = [
  ["0", 0n],
  ["4096", 4096n],
  ["4k", 4096n],
  ["4K", 4096n],
  ["2M", 2097152n],
  ["1G", 1073741824n],
  ["0x10", 16n],
  ["010", 8n],
  ["0x10k", 16384n],
  ["18446744073709551615", 2n ** 64n - 1n],
  ["18446744073709551616", undefined],
  ["17179869184G", undefined],
  ["08", undefined],
  ["-1", undefined],
  ["1kk", undefined],
  ["1T", undefined],
  ["k", undefined],
  ["", undefined],
];

for (const [text, size] of SIZES) {
  Deno.test({
    name: `parseSize() reads "${text}"`,
    permissions: "none",
    fn: () => assertEquals(parseSize(text), size),
  });
}

const TIMES: readonly [string, bigint | undefined][] = [
  ["0", 0n],
  ["5", 5n],
  ["5us", 5n],
  ["5ms", 5_000n],
  ["5s", 5_000_000n],
  ["5m", 300_000_000n],
  ["5h", 18_000_000_000n],
  ["010", 10n],
  ["5u", undefined],
  ["5S", undefined],
  ["5 s", undefined],
  ["-5", undefined],
  ["0x5", undefined],
  ["5124095576030431h", undefined],
  ["", undefined],
];

for (const [text, time] of TIMES) {
  Deno.test({
    name: `parseTime() reads "${text}"`,
    permissions: "none",
    fn: () => assertEquals(parseTime(text), time),
  });
}

const COUNTS: readonly [string, bigint | undefined][] = [
  ["8", 8n],
  ["0x8", 8n],
  ["010", 8n],
  ["8x", 8n],
  ["x8", undefined],
  ["-8", undefined],
];

for (const [text, count] of COUNTS) {
  Deno.test({
    name: `parseCount() reads "${text}"`,
    permissions: "none",
    fn: () => assertEquals(parseCount(text), count),
  });
}

Deno.test({
  name: "nextPowerOfTwo() rounds up and keeps powers",
  permissions: "none",
  fn: () => {
    const values = [1n, 2n, 3n, 4096n, 4097n, 2n ** 63n + 1n];
    assertEquals(values.map(nextPowerOfTwo), [
      ...[1n, 2n, 4n, 4096n, 8192n, 2n ** 64n],
    ]);
  },
});
