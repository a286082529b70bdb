/** Where replies end, in whatever pieces they come, and which are none. */

import { assertEquals, assertThrows } from "@std/assert";
import * as limits from "../../lib/base/limits.ts";
import { decodeReply, ReplyFrame, rowOf } from "../../lib/viewer/reply.ts";
import { type ViewerCommandName, viewerCommands } from "../../lib/wire/live.ts";
import { WireError } from "../../lib/wire/struct.ts";
import { session, status, stream } from "./support/fake_relay.ts";

const PACKET = Uint8Array.of(1, 2, 3);

/** A reply of each shape. */
const REPLIES: readonly [
  name: ViewerCommandName,
  minor: number,
  reply: object,
][] = [
  ["CONNECT", 15, { viewerSessionId: 1n, major: 2, minor: 13, type: 0 }],
  ["CREATE_SESSION", 15, { status: 1 }],
  ["DETACH_SESSION", 15, { status: 1 }],
  ["LIST_SESSIONS", 4, { sessions: [] }],
  ["LIST_SESSIONS", 14, { sessions: [session(1n), session(2n)] }],
  ["LIST_SESSIONS", 15, { sessions: [] }],
  [
    "LIST_SESSIONS",
    15,
    {
      sessions: [
        session(1n),
        session(2n, { hostname: "", sessionName: "" }),
        session(3n, { hostname: "h".repeat(256), traceFormat: 1 }),
      ],
    },
  ],
  ["ATTACH_SESSION", 13, { status: 1, streams: [] }],
  ["ATTACH_SESSION", 13, { status: 1, streams: [stream(1n), stream(2n)] }],
  ["ATTACH_SESSION", 13, { status: 4, streams: [] }],
  ["GET_NEW_STREAMS", 13, { status: 1, streams: [stream(1n)] }],
  ["GET_NEW_STREAMS", 13, { status: 4, streams: [] }],
  ["GET_NEXT_INDEX", 13, status(2)],
  ["GET_PACKET", 13, { status: 1, flags: 0, packet: PACKET }],
  ["GET_PACKET", 13, { status: 3, flags: 1, packet: new Uint8Array() }],
  ["GET_METADATA", 13, { status: 1, metadata: PACKET }],
  ["GET_METADATA", 13, { status: 2, metadata: new Uint8Array() }],
];

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

function encode(
  name: ViewerCommandName,
  minor: number,
  reply: object,
): Uint8Array {
  return (rowOf(name).reply.encode as (
    value: object,
    minor: number,
  ) => Uint8Array)(reply, minor);
}

REPLIES.forEach(([name, minor, reply], i) => {
  test(`ReplyFrame finds the end of a reply to ${name}, row ${i}`, () => {
    const bytes = encode(name, minor, reply);
    const frame = new ReplyFrame(name, minor, { length: PACKET.length });
    for (let length = 0; length < bytes.length; length++) {
      const size = frame.size(bytes.subarray(0, length));
      // More than is there, but never more than there will be.
      if (size <= length || size > bytes.length) {
        throw new Error(`${length} of ${bytes.length} bytes: size ${size}`);
      }
    }
    const more = Uint8Array.from([...bytes, 0xFF, 0xFF, 0xFF]);
    assertEquals(frame.size(more), bytes.length);
    assertEquals(
      new ReplyFrame(name, minor, { length: 3 }).size(more),
      bytes.length,
    );
    assertEquals(decodeReply(name, minor, bytes), reply as never);
  });
});

function bytesOf(...words: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word));
  return bytes;
}

const MOST = 0xFFFF_FFFF;
const LIES: readonly [
  name: ViewerCommandName,
  minor: number,
  bytes: Uint8Array,
  message: string,
][] = [
  [
    "LIST_SESSIONS",
    13,
    bytesOf(MOST),
    `LIST_SESSIONS reply.sessionCount: ${MOST} > ${limits.SESSIONS}`,
  ],
  [
    "LIST_SESSIONS",
    15,
    bytesOf(limits.SESSIONS + 1),
    `LIST_SESSIONS reply.sessionCount: 65537 > ${limits.SESSIONS}`,
  ],
  [
    "LIST_SESSIONS",
    15,
    bytesOf(1, 0, 1, 0, 0, 0, 257, 1, 0),
    "LIST_SESSIONS reply.hostnameLength: 257 > 256",
  ],
  [
    "LIST_SESSIONS",
    15,
    bytesOf(1, 0, 1, 0, 0, 0, 1, MOST, 0),
    `LIST_SESSIONS reply.sessionNameLength: ${MOST} > 255`,
  ],
  [
    "ATTACH_SESSION",
    13,
    bytesOf(1, limits.STREAMS_PER_SESSION + 1),
    "ATTACH_SESSION reply.streamCount: 16385 > 16384",
  ],
  [
    "GET_NEW_STREAMS",
    13,
    bytesOf(1, MOST),
    `GET_NEW_STREAMS reply.streamCount: ${MOST} > 16384`,
  ],
  ["GET_PACKET", 13, bytesOf(1, 4, 0), "GET_PACKET reply.length: 4 > 3"],
  ["GET_PACKET", 13, bytesOf(3, 4, 0), "GET_PACKET reply.length: 4 > 3"],
  [
    "GET_METADATA",
    13,
    bytesOf(0, limits.LIVE_METADATA_BYTES + 1, 1),
    `GET_METADATA reply.length: ${
      limits.LIVE_METADATA_BYTES + 1
    } > ${limits.LIVE_METADATA_BYTES}`,
  ],
  [
    "GET_METADATA",
    13,
    bytesOf(MOST, MOST, 1),
    `GET_METADATA reply.length: 18446744073709551615 > ${limits.LIVE_METADATA_BYTES}`,
  ],
];

LIES.forEach(([name, minor, bytes, message], i) => {
  test(`ReplyFrame refuses what ${name} announces, row ${i}`, () => {
    const frame = new ReplyFrame(name, minor, { length: 3 });
    const error = assertThrows(() => frame.size(bytes), WireError);
    assertEquals(error.message, message);
  });
});

for (const name of ["ATTACH_SESSION", "GET_NEW_STREAMS"] as const) {
  test(`the count in a reply to ${name} counts with status 1 only`, () => {
    for (const status of [2, 3, 4]) {
      const bytes = bytesOf(status, MOST);
      assertEquals(new ReplyFrame(name, 13, {}).size(bytes), 8);
      assertEquals(decodeReply(name, 13, bytes), { status, streams: [] });
    }
  });
}

test("metadata is as long as announced whatever the status", () => {
  const bytes = Uint8Array.from([...bytesOf(0, 3, 3), ...PACKET]);
  assertEquals(new ReplyFrame("GET_METADATA", 13, {}).size(bytes), 15);
  assertEquals(
    decodeReply("GET_METADATA", 13, bytes),
    { status: 3, metadata: PACKET },
  );
});

for (const name of Object.keys(viewerCommands) as ViewerCommandName[]) {
  const sample = REPLIES.find(([of]) => of === name)!;
  if (!("status" in sample[2])) continue;
  for (const odd of [0, 7, MOST]) {
    test(`decodeReply() refuses status ${odd} of ${name}`, () => {
      const bytes = encode(name, 13, { ...sample[2], status: odd });
      assertThrows(
        () => decodeReply(name, 13, bytes),
        WireError,
        `${name} reply.status: there is no status ${odd}`,
      );
    });
  }
}
