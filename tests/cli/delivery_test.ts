/** The lines about a trace on its way, and about what was lost. */

import { assertEquals } from "@std/assert";
import {
  deliveryLines,
  deliverySince,
  lossLine,
  lossOf,
  wayLine,
} from "../../lib/cli/lttng/delivery.ts";
import { sizeText } from "../../lib/cli/lttng/amounts.ts";
import type {
  SessionDelivery,
  StreamDelivery,
} from "../../lib/control/delivery_types.ts";

const URL = "net://10.0.0.2";

function test(name: string, run: () => void): void {
  Deno.test(name, { permissions: "none" }, run);
}

function stream(
  name: string,
  counts: Partial<StreamDelivery> = {},
): StreamDelivery {
  return {
    name,
    recordedEvents: 100n,
    discardedEvents: 0n,
    pendingEvents: 0n,
    overwrittenPackets: 0n,
    givenUpPackets: 0n,
    waitingPackets: 0n,
    waitingBytes: 0n,
    unconfirmedPackets: 0n,
    unconfirmedBytes: 0n,
    ...counts,
  };
}

function delivery(
  streams: readonly StreamDelivery[],
  parts: Partial<SessionDelivery> = {},
): SessionDelivery {
  return {
    ...{ outputState: "ready", url: URL, failure: "", hasMore: false },
    streams,
    ...parts,
  };
}

const UNDER_WAY = [
  stream("channel0_0", { waitingPackets: 1n, waitingBytes: 1_048_576n }),
  stream("channel0_1", {
    waitingPackets: 1n,
    waitingBytes: 1_048_576n,
    unconfirmedPackets: 8n,
    unconfirmedBytes: 1_153_434n,
  }),
];

for (const phase of ["recording", "stopped", "destroyed"] as const) {
  test(`deliveryLines() are none where all is stored and the session is ${phase}`, () => {
    assertEquals(deliveryLines(delivery([stream("channel0_0")]), phase), []);
  });
}

test("deliveryLines() name the streams with packets on their way, most first", () => {
  assertEquals(deliveryLines(delivery(UNDER_WAY), "stopped"), [
    "10 packets (3.1 MiB) still on their way to net://10.0.0.2: " +
    "stream channel0_1 9, channel0_0 1",
  ]);
});

test("deliveryLines() say that the tracer's buffers hold more", () => {
  const one = [stream("a_0", { waitingPackets: 1n, waitingBytes: 1n })];
  assertEquals(deliveryLines(delivery(one, { hasMore: true }), "stopped"), [
    "1 packet (1 byte) still on their way to net://10.0.0.2: stream a_0 1; " +
    "more is in the tracer's buffers",
  ]);
});

test("deliveryLines() count the events that are not sent yet where the tracer can tell", () => {
  const counts = { waitingPackets: 1n, waitingBytes: 1n, pendingEvents: 70n };
  const one = [stream("a_0", counts), stream("a_1", { pendingEvents: 7n })];
  assertEquals(deliveryLines(delivery(one, { hasMore: true }), "stopped"), [
    "1 packet (1 byte) still on their way to net://10.0.0.2: stream a_0 1; " +
    "not sent yet: 77 events",
  ]);
});

test("deliveryLines() of a session that records well have no packets under way", () => {
  assertEquals(deliveryLines(delivery(UNDER_WAY), "recording"), []);
});

test("deliveryLines() of an output that is tried again say why", () => {
  const parts = {
    outputState: "failed",
    failure: "Connection refused",
  } as const;
  assertEquals(deliveryLines(delivery(UNDER_WAY, parts), "recording"), [
    "Output net://10.0.0.2 does not work, and is tried again: " +
    "Connection refused",
    "10 packets (3.1 MiB) still on their way to net://10.0.0.2: " +
    "stream channel0_1 9, channel0_0 1",
  ]);
});

test("deliveryLines() of an output that is lost do not say that sent packets come", () => {
  const parts = { outputState: "lost", failure: "It hung up" } as const;
  assertEquals(deliveryLines(delivery(UNDER_WAY, parts), "stopped"), [
    "Output net://10.0.0.2 is lost: It hung up",
    "2 packets (2.0 MiB) wait for net://10.0.0.2: " +
    "stream channel0_0 1, channel0_1 1",
    "Packets sent, but not confirmed to be stored: stream channel0_1 8",
  ]);
});

test("deliveryLines() of a session that is gone say what did not arrive", () => {
  const streams = [
    stream("a_0", { givenUpPackets: 2n, discardedEvents: 7n }),
    stream("a_1", { unconfirmedPackets: 3n, discardedEvents: 70n }),
  ];
  assertEquals(deliveryLines(delivery(streams), "destroyed"), [
    "Packets given up: stream a_0 2",
    "Packets sent, but not confirmed to be stored: stream a_1 3",
    "Events discarded: stream a_1 70, a_0 7",
  ]);
  for (
    const [outputState, line] of [
      ["failed", "Output net://10.0.0.2 did not work: It refused"],
      ["lost", "Output net://10.0.0.2 was lost: It refused"],
    ] as const
  ) {
    const parts = { outputState, failure: "It refused" };
    assertEquals(deliveryLines(delivery([], parts), "destroyed"), [line]);
  }
});

test("deliveryLines() leave the events of a single stream to the total", () => {
  const streams = [stream("a_0", { discardedEvents: 7n }), stream("a_1")];
  assertEquals(deliveryLines(delivery(streams), "stopped"), []);
});

test("deliveryLines() name some of very many streams, and count the others", () => {
  const streams = Array.from(
    { length: 64 },
    (_, index) => stream(`a_${index}`, { givenUpPackets: BigInt(64 - index) }),
  );
  assertEquals(deliveryLines(delivery(streams), "stopped"), [
    "Packets given up: stream a_0 64, a_1 63, a_2 62, a_3 61, a_4 60, " +
    "a_5 59, a_6 58, a_7 57 and 56 more streams",
  ]);
});

test("deliverySince() leaves out what was lost before", () => {
  const lost = {
    discardedEvents: 1n,
    overwrittenPackets: 2n,
    givenUpPackets: 3n,
    unconfirmedPackets: 4n,
  };
  const more = {
    discardedEvents: 10n,
    overwrittenPackets: 20n,
    givenUpPackets: 30n,
    unconfirmedPackets: 40n,
  };
  const told = delivery([stream("a_0", lost)]);
  const after = delivery([stream("a_0", more), stream("a_1", lost)]);
  // What was on its way is not told as lost before.
  const rest = { ...more, discardedEvents: 9n, overwrittenPackets: 18n };
  assertEquals(
    deliverySince(told, after).streams,
    [stream("a_0", { ...rest, givenUpPackets: 27n }), stream("a_1", lost)],
  );
  const [first] =
    deliverySince({ ...told, outputState: "lost" }, after).streams;
  assertEquals(first?.unconfirmedPackets, 36n);
});

test("deliverySince() counts nothing below zero", () => {
  const told = delivery([stream("a_0", { givenUpPackets: 3n })]);
  const after = delivery([stream("a_0")]);
  assertEquals(lossOf(deliverySince(told, after)).packets, 0n);
});

test("wayLine() says nothing of a session that is gone", () => {
  assertEquals(wayLine(delivery(UNDER_WAY), "destroyed"), undefined);
});

test("lossOf() counts unconfirmed packets where the output is lost, only there", () => {
  const streams = [
    stream("a_0", {
      discardedEvents: 1n,
      overwrittenPackets: 2n,
      givenUpPackets: 3n,
      unconfirmedPackets: 4n,
    }),
    stream("a_1", { discardedEvents: 10n }),
  ];
  assertEquals(lossOf(delivery(streams)), { events: 11n, packets: 5n });
  const lost = delivery(streams, { outputState: "lost" });
  assertEquals(lossOf(lost), { events: 11n, packets: 9n });
  assertEquals(lossLine(lost), "11 events discarded, 9 packets lost");
});

test("lossLine() is undefined where nothing is lost", () => {
  assertEquals(lossLine(delivery([stream("a_0")])), undefined);
});

test("sizeText() has a unit that fits", () => {
  const sizes: readonly [bigint, string][] = [
    [0n, "0 bytes"],
    [1n, "1 byte"],
    [1_023n, "1023 bytes"],
    [1_024n, "1.0 KiB"],
    [1_572_864n, "1.5 MiB"],
    [2n ** 60n, "1048576.0 TiB"],
  ];
  for (const [bytes, text] of sizes) assertEquals(sizeText(bytes), text);
});
