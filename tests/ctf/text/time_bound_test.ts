/** Times that people give on a command line. */

import { assertEquals } from "@std/assert";
import {
  parseTimeBound,
  resolveTimeBound,
} from "../../../lib/ctf/text/time_bound.ts";

const DAY = 1_790_000_000_000_000_000n; // 2026-09-21 14:13:20 UTC

const FORMS: readonly [string, bigint][] = [
  ["0", 0n],
  ["-1.5", -1_500_000_000n],
  ["1790000000.000000001", 1_790_000_000_000_000_001n],
  ["2026-09-21", 1_789_948_800_000_000_000n],
  ["2026-09-21 14:13", 1_789_999_980_000_000_000n],
  ["2026-09-21 14:13:20", DAY],
  ["2026-09-21 14:13:20.5", DAY + 500_000_000n],
  ["14:13:20.000000007", DAY + 7n],
  ["14:13", DAY - 20_000_000_000n],
];

for (const [text, time] of FORMS) {
  Deno.test({
    name: `parseTimeBound() reads "${text}"`,
    permissions: "none",
    fn: () => {
      const bound = parseTimeBound(text, true);
      assertEquals(bound && resolveTimeBound(bound, DAY, true), time || bound);
    },
  });
}

Deno.test({
  name: "parseTimeBound() refuses anything else",
  permissions: "none",
  fn: () => {
    const texts = [
      ...["", " ", "-", "1.", ".5", "1.0123456789", "12:3", "12:30:"],
      ...["2026-9-21", "2026-09-21 ", "2026-09-2112:30", "2026-09-21 12"],
      ...["now", "1e3", "12:30:00.", "--1"],
    ];
    for (const text of texts) {
      assertEquals(parseTimeBound(text, true), undefined, text);
    }
  },
});
