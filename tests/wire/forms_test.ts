/**
 * The forms that no peer here sends, against bytes put together by hand from
 * the documented offsets, without the codec.
 */

import { assertEquals, assertThrows } from "@std/assert";
import { ALL_ONES } from "../../lib/base/ids.ts";
import { viewerCommands } from "../../lib/wire/live.ts";
import { commands } from "../../lib/wire/relay.ts";
import { WireError } from "../../lib/wire/struct.ts";

/** A block of bytes that is filled by offset. */
class Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  constructor(size: number, filler = 0) {
    this.bytes = new Uint8Array(size).fill(filler);
    this.#view = new DataView(this.bytes.buffer);
  }
  u8(offset: number, value: number): this {
    this.#view.setUint8(offset, value);
    return this;
  }
  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value);
    return this;
  }
  u64(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value);
    return this;
  }
  /** Text with its NUL. */
  text(offset: number, value: string): this {
    return this.letters(offset, `${value}\0`);
  }
  letters(offset: number, value: string): this {
    this.bytes.set(new TextEncoder().encode(value), offset);
    return this;
  }
}

const NO_UUID = new Uint8Array(16);
const oldSession = {
  sessionName: "demo",
  hostname: "vm",
  basePath: "",
  liveTimer: 1_000_000,
  snapshot: 1,
  nameContainsCreationTime: false,
  sessiondUuid: NO_UUID,
  sessiondSessionId: 0n,
  creationTime: 0n,
  currentChunkId: undefined,
  traceFormat: 1,
};

Deno.test("CREATE_SESSION of 2.1 to 2.3 is empty", {
  permissions: "none",
}, () => {
  const { request } = commands.CREATE_SESSION;
  for (const minor of [1, 2, 3]) {
    assertEquals(request.decode(new Uint8Array(0), minor), {
      ...oldSession,
      sessionName: "",
      hostname: "",
      liveTimer: 0,
      snapshot: 0,
    });
    assertEquals(request.encode(oldSession, minor).length, 0);
  }
});

Deno.test("CREATE_SESSION of 2.4 to 2.10 has fields of fixed size", {
  permissions: "none",
}, () => {
  const { request } = commands.CREATE_SESSION;
  for (const minor of [4, 7, 10]) {
    const block = new Block(327).text(0, "demo").text(255, "vm")
      .u32(319, 1_000_000).u32(323, 1);
    assertEquals(request.encode(oldSession, minor), block.bytes);
    assertEquals(request.decode(block.bytes, minor), oldSession);
  }
});

Deno.test(
  "CREATE_SESSION of 2.4 ignores what an old peer leaves after the NUL",
  {
    permissions: "none",
  },
  () => {
    const block = new Block(327, 0xEE).text(0, "demo").text(255, "vm")
      .u32(319, 1_000_000).u32(323, 1);
    const { request } = commands.CREATE_SESSION;
    assertEquals(request.decode(block.bytes, 4), oldSession);
  },
);

Deno.test("CREATE_SESSION of 2.4 refuses a name without a NUL", {
  permissions: "none",
}, () => {
  const block = new Block(327, 0x61);
  assertThrows(
    () => commands.CREATE_SESSION.request.decode(block.bytes, 4),
    WireError,
    "CREATE_SESSION.sessionName: no NUL within 255 bytes",
  );
});

/** The 59 bytes that 2.11 brought and 2.15 kept. */
function sessionFixed(block: Block): Block {
  return block.u32(0, 5).u32(4, 3).u32(8, 4).u32(12, 500_000)
    .u8(16, 0).u8(17, 1).letters(18, "0123456789abcdef")
    .u64(34, 7n).u64(42, 1_795_399_639n).u8(50, 1).u64(51, 3n);
}

const newSession = {
  sessionName: "demo",
  hostname: "vm",
  basePath: "lab",
  liveTimer: 500_000,
  snapshot: 0,
  nameContainsCreationTime: true,
  sessiondUuid: new TextEncoder().encode("0123456789abcdef"),
  sessiondSessionId: 7n,
  creationTime: 1_795_399_639n,
  currentChunkId: 3n,
  traceFormat: 1,
};

Deno.test("CREATE_SESSION of 2.11 to 2.14 has its names after 59 bytes", {
  permissions: "none",
}, () => {
  const { request } = commands.CREATE_SESSION;
  const block = sessionFixed(new Block(71)).letters(59, "demo\0vm\0lab\0");
  for (const minor of [11, 14]) {
    assertEquals(request.encode(newSession, minor), block.bytes);
    assertEquals(request.decode(block.bytes, minor), newSession);
  }
});

Deno.test("CREATE_SESSION of 2.15 has the trace format before the names", {
  permissions: "none",
}, () => {
  const { request } = commands.CREATE_SESSION;
  const block = sessionFixed(new Block(75)).u32(59, 2)
    .letters(63, "demo\0vm\0lab\0");
  const value = { ...newSession, traceFormat: 2 };
  assertEquals(request.encode(value, 15), block.bytes);
  assertEquals(request.decode(block.bytes, 15), value);
});

Deno.test("CREATE_SESSION takes a base path of no bytes and of a lone NUL", {
  permissions: "none",
}, () => {
  const { request } = commands.CREATE_SESSION;
  const none = sessionFixed(new Block(67)).u32(8, 0)
    .letters(59, "demo\0vm\0");
  const lone = sessionFixed(new Block(68)).u32(8, 1)
    .letters(59, "demo\0vm\0\0");
  const value = { ...newSession, basePath: "" };
  assertEquals(request.decode(none.bytes, 13), value);
  assertEquals(request.decode(lone.bytes, 13), value);
  assertEquals(request.encode(value, 13), lone.bytes);
});

const stream = {
  channelName: "ch0_0",
  pathname: "/vm/demo-20261123-020719/ust/uid/0/64-bit",
  tracefileSize: 0n,
  tracefileCount: 0n,
  traceChunkId: ALL_ONES,
};

Deno.test("ADD_STREAM of 2.1 is two texts of fixed size", {
  permissions: "none",
}, () => {
  const { request } = commands.ADD_STREAM;
  const block = new Block(4360).text(0, stream.channelName)
    .text(264, stream.pathname);
  assertEquals(request.encode(stream, 1), block.bytes);
  assertEquals(request.decode(block.bytes, 1), stream);
});

Deno.test("ADD_STREAM of 2.2 to 2.10 adds trace file size and count", {
  permissions: "none",
}, () => {
  const { request } = commands.ADD_STREAM;
  const block = new Block(4376).text(0, stream.channelName)
    .text(264, stream.pathname).u64(4360, 8192n).u64(4368, 3n);
  const value = { ...stream, tracefileSize: 8192n, tracefileCount: 3n };
  for (const minor of [2, 4, 10]) {
    assertEquals(request.encode(value, minor), block.bytes);
    assertEquals(request.decode(block.bytes, minor), value);
  }
});

const index = {
  relayStreamId: 1n,
  netSequenceNumber: 2n,
  packetSize: 3n,
  contentSize: 4n,
  timestampBegin: 5n,
  timestampEnd: 6n,
  eventsDiscarded: 7n,
  streamId: 8n,
  streamInstanceId: ALL_ONES,
  packetSequenceNumber: ALL_ONES,
};

Deno.test("SEND_INDEX has eight fields before 2.8 and ten since", {
  permissions: "none",
}, () => {
  const { request } = commands.SEND_INDEX;
  const old = new Block(64);
  const newer = new Block(80).u64(64, 9n).u64(72, 10n);
  for (let i = 0; i < 8; i++) {
    old.u64(8 * i, BigInt(i + 1));
    newer.u64(8 * i, BigInt(i + 1));
  }
  const value = { ...index, streamInstanceId: 9n, packetSequenceNumber: 10n };
  assertEquals(request.encode(value, 7), old.bytes);
  assertEquals(request.decode(old.bytes, 4), index);
  assertEquals(request.encode(value, 8), newer.bytes);
  assertEquals(request.decode(newer.bytes, 8), value);
});

Deno.test("CREATE_SESSION reply has the output path since 2.11", {
  permissions: "none",
}, () => {
  const reply = commands.CREATE_SESSION.reply!;
  const value = { sessionId: 7n, code: 10, outputPath: "vm/demo" };
  const old = new Block(12).u64(0, 7n).u32(8, 10);
  const newer = new Block(24).u64(0, 7n).u32(8, 10).u32(12, 8)
    .text(16, "vm/demo");
  assertEquals(reply.encode(value, 10), old.bytes);
  assertEquals(reply.decode(old.bytes, 10), { ...value, outputPath: "" });
  assertEquals(reply.encode(value, 11), newer.bytes);
  assertEquals(reply.decode(newer.bytes, 11), value);
});

const entry = {
  id: 5n,
  liveTimer: 500_000,
  clients: 1,
  streams: 3,
  hostname: "vm",
  sessionName: "demo",
};

Deno.test("LIST_SESSIONS reply before 2.15 has entries of 339 bytes", {
  permissions: "none",
}, () => {
  const { reply } = viewerCommands.LIST_SESSIONS;
  const block = new Block(4 + 2 * 339).u32(0, 2);
  for (const start of [4, 343]) {
    block.u64(start, 5n).u32(start + 8, 500_000).u32(start + 12, 1)
      .u32(start + 16, 3).text(start + 20, "vm").text(start + 84, "demo");
  }
  const session = { ...entry, traceFormat: 0 };
  const value = { sessions: [session, session] };
  assertEquals(reply.encode(value, 14), block.bytes);
  assertEquals(reply.decode(block.bytes, 4), value);
});

Deno.test("LIST_SESSIONS reply since 2.15 has entries of variable length", {
  permissions: "none",
}, () => {
  const { reply } = viewerCommands.LIST_SESSIONS;
  const block = new Block(4 + 2 * 38).u32(0, 2);
  for (const start of [4, 42]) {
    block.u64(start, 5n).u32(start + 8, 500_000).u32(start + 12, 1)
      .u32(start + 16, 3).u32(start + 20, 2).u32(start + 24, 4)
      .u32(start + 28, 1).letters(start + 32, "vmdemo");
  }
  const session = { ...entry, traceFormat: 1 };
  const value = { sessions: [session, session] };
  assertEquals(reply.encode(value, 15), block.bytes);
  assertEquals(reply.decode(block.bytes, 15), value);
});

Deno.test("a message is refused below the minor that brought it", {
  permissions: "none",
}, () => {
  assertThrows(
    () => commands.CREATE_SESSION.request.decode(new Uint8Array(0), 0),
    WireError,
    "CREATE_SESSION: minor 0 < 1, which brought it",
  );
});
