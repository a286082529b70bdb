import { assertEquals, assertThrows } from "@std/assert";
import {
  LossLedger,
  parseRingCounters,
  type RingCounters,
} from "../../lib/kernel/loss.ts";

/** A pure test. */
function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

const NONE: RingCounters = {
  entries: 0,
  overrun: 0,
  commitOverrun: 0,
  dropped: 0,
  read: 0,
};

test("parseRingCounters() reads a stats file", () => {
  const text = `entries: 5290
overrun: 12
commit overrun: 3
bytes: 248224
oldest event ts:  3619.304222
now ts:  3619.729288
dropped events: 4
read events: 99
`;
  assertEquals(parseRingCounters(text), {
    entries: 5290,
    overrun: 12,
    commitOverrun: 3,
    dropped: 4,
    read: 99,
  });
});

test("parseRingCounters() refuses text that has no counters", () => {
  assertThrows(
    () => parseRingCounters("entries: 1\n"),
    RangeError,
    "Cannot read a ring buffer's counters",
  );
});

test("LossLedger adds what pages say without a look at the counters", () => {
  const ledger = new LossLedger(() => {
    throw new Error("read");
  });
  ledger.add(5);
  ledger.add(7);
  assertEquals(ledger.total, 12);
});

test("LossLedger takes the counter where a page does not say how many", () => {
  let overrun = 100;
  const ledger = new LossLedger(() => ({ ...NONE, overrun }));
  ledger.add(10);
  ledger.add(undefined);
  assertEquals(ledger.total, 100);
  // The counter had these already.
  ledger.add(30);
  assertEquals(ledger.total, 100);
  overrun = 150;
  ledger.add(20);
  assertEquals(ledger.total, 120);
  assertEquals(ledger.reconcile(), true);
  assertEquals(ledger.total, 150);
  assertEquals(ledger.reconcile(), false);
});

test("LossLedger counts every kind of loss", () => {
  const ledger = new LossLedger(() => ({
    ...NONE,
    overrun: 1,
    commitOverrun: 2,
    dropped: 4,
  }));
  ledger.reconcile();
  assertEquals(ledger.total, 7);
});
