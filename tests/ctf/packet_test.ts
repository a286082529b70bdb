import { assertEquals, assertThrows } from "@std/assert";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import {
  PACKET_HEADER_SIZE,
  PacketWriter,
  type PacketWriterOptions,
  prepareEvent,
} from "../../lib/ctf/packet.ts";
import {
  array,
  enumeration,
  float32,
  i64,
  i8,
  integer,
  sequence,
  string,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "../../lib/ctf/declare.ts";

const PURE = { permissions: "none" } as const;

const OPTIONS: PacketWriterOptions = {
  size: 4096,
  byteOrder: "le",
  uuid: new Uint8Array(16).fill(0xAB),
  streamClassId: 5,
  streamInstanceId: 6,
  eventHeader: "large",
};

Deno.test(
  "PacketWriter writes the 84 bytes that LTTng-UST writes",
  PURE,
  () => {
    const packet = new PacketWriter(OPTIONS);
    packet.begin(0x1_0000_0002);
    const info = packet.end(0x3_0000_0004, 7, 8);
    function u64Hex(value: bigint): string {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value, true);
      return bytes.toHex();
    }
    assertEquals(
      packet.content.toHex(),
      "c11ffcc1" + "ab".repeat(16) + "05000000" + u64Hex(6n) +
        u64Hex(0x1_0000_0002n) + u64Hex(0x3_0000_0004n) + u64Hex(84n * 8n) +
        u64Hex(4096n * 8n) + u64Hex(8n) + u64Hex(7n) + "06000000",
    );
    assertEquals(info, {
      packetSize: 4096n * 8n,
      contentSize: 84n * 8n,
      timestampBegin: 0x1_0000_0002n,
      timestampEnd: 0x3_0000_0004n,
      eventsDiscarded: 7n,
      streamClassId: 5n,
      streamInstanceId: 6n,
      packetSequenceNumber: 8n,
    });
  },
);

/** The bytes of one event's payload, behind the long header. */
function payloadOf(
  byteOrder: "le" | "be",
  event: ReturnType<typeof defineEvent>,
  values: unknown,
): string {
  const packet = new PacketWriter({ ...OPTIONS, byteOrder });
  packet.begin(0);
  packet.write(prepareEvent(event, 0, byteOrder), 0, values);
  return packet.content.slice(PACKET_HEADER_SIZE + 14).toHex();
}

Deno.test(
  "PacketWriter packs bits from the low end in little-endian, from the high end in big-endian",
  PURE,
  () => {
    const event = defineEvent("bits", {
      a: integer(3),
      b: integer(7, { signed: true }),
      c: integer(6),
      d: u8,
    });
    const values = { a: 0b101, b: -2, c: 0b110011, d: 0xEE };
    // 110011 1111110 101, read from the right.
    assertEquals(payloadOf("le", event, values), "f5cf" + "ee");
    // 101 1111110 110011, read from the left.
    assertEquals(payloadOf("be", event, values), "bfb3" + "ee");
  },
);

Deno.test(
  "PacketWriter obeys byte order and alignment of a field",
  PURE,
  () => {
    const event = defineEvent("mixed", {
      a: u16,
      b: integer(16, { byteOrder: "be" }),
      c: float32,
      d: string,
    });
    const values = { a: 0x0102, b: 0x0102, c: 1, d: "é" };
    assertEquals(
      payloadOf("le", event, values),
      "0201" + "0102" + "0000803f" + "c3a900",
    );
    assertEquals(
      payloadOf("be", event, values),
      "0102" + "0102" + "3f800000" + "c3a900",
    );
    const aligned = defineEvent("aligned", {
      a: u8,
      b: integer(8, { alignment: 32 }),
    });
    // The struct begins at byte 100 (84 + 14, aligned to 4), b at byte 104.
    assertEquals(
      payloadOf("le", aligned, { a: 1, b: 2 }),
      "0000" + "01000000" + "02",
    );
  },
);

Deno.test(
  "PacketWriter leaves the packet as it was where a value does not fit",
  PURE,
  () => {
    const event = defineEvent("http:request", {
      method: enumeration(u8, { GET: 0, other: [1, 9] }),
      status: u16,
      low: i8,
      wide: u64,
      deep: struct({ list: sequence(u8, { length: integer(2) }) }),
      pair: array(u32, 2),
      text: string,
    });
    const good = {
      method: "GET",
      status: 200,
      low: -128,
      wide: 2n ** 64n - 1n,
      deep: { list: [1] },
      pair: [1, 2],
      text: "x",
    };
    const bad: [Record<string, unknown>, string][] = [
      [
        { status: 70000 },
        'field "status" is 70000, not an integer in 0..65535',
      ],
      [{ status: -1 }, 'field "status" is -1, not'],
      [{ status: 1.5 }, 'field "status" is 1.5, not'],
      [{ status: NaN }, 'field "status" is NaN, not'],
      [{ low: 128 }, 'field "low" is 128, not an integer in -128..127'],
      [{ wide: 2n ** 64n }, 'field "wide" is 18446744073709551616n, not'],
      [{ wide: -1 }, 'field "wide" is -1, not'],
      [{ wide: 2 ** 53 }, 'field "wide" is 9007199254740992, not'],
      [
        { method: "other" },
        'field "method" is "other", which is not the label',
      ],
      [{ method: 256 }, 'field "method" is 256, not'],
      [{ deep: { list: [256] } }, 'field "deep.list[]" is 256, not'],
      [
        { deep: { list: [1, 2, 3, 4] } },
        'field "deep.list.length" is 4, not an integer in 0..3',
      ],
      [{ pair: [1] }, 'field "pair" has 1 elements, not 2'],
      [{ text: "a\0b" }, "NUL character"],
    ];
    const prepared = prepareEvent(event, 0, "le");
    const packet = new PacketWriter(OPTIONS);
    packet.begin(1);
    packet.write(prepared, 1, good);
    const before = packet.content.toHex();
    for (const [change, text] of bad) {
      const error = assertThrows(
        () => packet.write(prepared, 2, { ...good, ...change }),
        RangeError,
        text,
      );
      assertEquals(error.message.includes('event "http:request"'), true);
      assertEquals([packet.content.toHex(), packet.events], [before, 1]);
    }
    for (
      const [name, value] of [["status", "x"], ["text", 1], ["pair", "ab"]]
    ) {
      assertThrows(
        () => packet.write(prepared, 2, { ...good, [name!]: value }),
        TypeError,
        `field "${name}" is`,
      );
    }
    assertThrows(() => packet.write(prepared, 2, undefined), TypeError);
    assertEquals([packet.content.toHex(), packet.events], [before, 1]);
  },
);

Deno.test(
  "PacketWriter takes a bigint where a number would do, and the reverse",
  PURE,
  () => {
    const event = defineEvent("both", {
      a: u8,
      b: u64,
      c: i64,
      d: integer(24),
    });
    assertEquals(
      payloadOf("le", event, { a: 1n, b: 2, c: -1, d: 3n }),
      payloadOf("le", event, { a: 1, b: 2n, c: -1n, d: 3 }),
    );
    assertEquals(
      payloadOf("le", event, { a: 1, b: 2 ** 53 - 1, c: 0, d: 0 }),
      "01" + "ffffffffffff1f00" + "0000000000000000" + "000000",
    );
  },
);

Deno.test(
  "PacketWriter says no, and stays as it was, where an event does not fit",
  PURE,
  () => {
    const event = defineEvent("big", { text: string });
    const prepared = prepareEvent(event, 0, "le");
    const packet = new PacketWriter(OPTIONS);
    packet.begin(0);
    // All of it: 4096 less 84 of packet header, 14 of event header, one NUL.
    const room = 4096 - PACKET_HEADER_SIZE - 14 - 1;
    for (const fill of ["x", "é", "漢"]) {
      const size = new TextEncoder().encode(fill).length;
      const most = Math.floor(room / size);
      packet.begin(0);
      assertEquals(
        packet.write(prepared, 0, { text: fill.repeat(most) }),
        true,
      );
      packet.begin(0);
      assertEquals(
        packet.write(prepared, 0, { text: fill.repeat(most + 1) }),
        false,
      );
      assertEquals([packet.content.length, packet.events], [84, 0]);
    }
    let events = 0;
    packet.begin(0);
    while (packet.write(prepared, 0, { text: "ab" })) events++;
    // The first event has the long header of 14 bytes, all others 6.
    assertEquals(events, 1 + Math.floor((4096 - 84 - 17) / 9));
    assertEquals(packet.events, events);
  },
);

Deno.test(
  "PacketWriter refuses a size that is not a multiple of 4096",
  PURE,
  () => {
    for (const size of [0, 4095, 6000, NaN]) {
      assertThrows(
        () => new PacketWriter({ ...OPTIONS, size }),
        RangeError,
        `its size is ${size} bytes`,
      );
    }
  },
);

Deno.test(
  "PacketWriter forgets the bits of an event that it refused",
  PURE,
  () => {
    const event = defineEvent("bits", { a: integer(3), b: integer(3) });
    const prepared = prepareEvent(event, 0, "le");
    const packet = new PacketWriter(OPTIONS);
    packet.begin(0);
    assertThrows(() => packet.write(prepared, 0, { a: 1, b: 8 }), RangeError);
    assertEquals(packet.content.length, PACKET_HEADER_SIZE);
    packet.write(prepared, 0, { a: 1, b: 7 });
    const info = packet.end(0, 0, 0);
    assertEquals(info.contentSize, BigInt((PACKET_HEADER_SIZE + 14) * 8 + 6));
    assertEquals(packet.content.at(-1), 1 | 7 << 3);
  },
);

Deno.test(
  "PacketWriter leaves nothing of an earlier packet in the padding of fields",
  PURE,
  () => {
    const bytes = defineEvent("bytes", { list: array(u8, 1000) });
    const aligned = defineEvent("aligned", {
      a: integer(8, { alignment: 512 }),
      b: integer(3),
      c: u8,
    });
    const packet = new PacketWriter(OPTIONS);
    packet.begin(0);
    const full = { list: new Uint8Array(1000).fill(0xFF) };
    packet.write(prepareEvent(bytes, 0, "le"), 0, full);
    packet.begin(0);
    packet.write(prepareEvent(aligned, 1, "le"), 0, { a: 0, b: 0, c: 0 });
    // Behind the event header all is zero: padding, bits and values.
    const payload = packet.content.slice(PACKET_HEADER_SIZE + 14);
    assertEquals(payload.length, 128 - (PACKET_HEADER_SIZE + 14) + 3);
    assertEquals(payload.every((byte) => byte === 0), true);
  },
);
