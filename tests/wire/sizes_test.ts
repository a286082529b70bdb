/** Every declared message has the size that the C structure of the original has. */

import { assertEquals } from "@std/assert";
import {
  sessionEntry2_15,
  sessionEntry2_4,
  streamEntry,
  type ViewerCommandName,
  viewerCommands,
  viewerHeader,
} from "../../lib/wire/live.ts";
import type { Message } from "../../lib/wire/message.ts";
import {
  commandHeader,
  type CommandName,
  commands,
  dataHeader,
} from "../../lib/wire/relay.ts";

/** Bytes of the fixed part, by layout from the oldest: request, then reply. */
type Sizes = readonly [request: readonly number[], reply: readonly number[]];

const relaySizes: Record<CommandName, Sizes> = {
  ADD_STREAM: [[4360, 4376, 32], [12]],
  CREATE_SESSION: [[0, 327, 59, 63], [12, 16]],
  START_DATA: [[0], [4]],
  VERSION: [[8], [8]],
  SEND_METADATA: [[12], []],
  CLOSE_STREAM: [[16], [4]],
  DATA_PENDING: [[16], [4]],
  QUIESCENT_CONTROL: [[8], [4]],
  BEGIN_DATA_PENDING: [[8], [4]],
  END_DATA_PENDING: [[8], [4]],
  SEND_INDEX: [[64, 80], [4]],
  STREAMS_SENT: [[0], [4]],
  RESET_METADATA: [[16], [4]],
  ROTATE_STREAMS: [[13, 16, 20], [4]],
  CREATE_TRACE_CHUNK: [[20], [4]],
  CLOSE_TRACE_CHUNK: [[21], [8]],
  TRACE_CHUNK_EXISTS: [[8], [5]],
  GET_CONFIGURATION: [[8], [12]],
};

const relayNumbers: Record<CommandName, number> = {
  ADD_STREAM: 1,
  CREATE_SESSION: 2,
  START_DATA: 3,
  VERSION: 5,
  SEND_METADATA: 6,
  CLOSE_STREAM: 7,
  DATA_PENDING: 8,
  QUIESCENT_CONTROL: 9,
  BEGIN_DATA_PENDING: 10,
  END_DATA_PENDING: 11,
  SEND_INDEX: 13,
  STREAMS_SENT: 16,
  RESET_METADATA: 17,
  ROTATE_STREAMS: 18,
  CREATE_TRACE_CHUNK: 19,
  CLOSE_TRACE_CHUNK: 20,
  TRACE_CHUNK_EXISTS: 21,
  GET_CONFIGURATION: 22,
};

const viewerSizes: Record<ViewerCommandName, Sizes> = {
  CONNECT: [[20], [20]],
  LIST_SESSIONS: [[0], [4, 4]],
  ATTACH_SESSION: [[20], [8]],
  GET_NEXT_INDEX: [[8], [64]],
  GET_PACKET: [[20], [12]],
  GET_METADATA: [[8], [12]],
  GET_NEW_STREAMS: [[8], [8]],
  CREATE_SESSION: [[0], [4]],
  DETACH_SESSION: [[8], [4]],
};

const viewerNumbers: Record<ViewerCommandName, number> = {
  CONNECT: 1,
  LIST_SESSIONS: 2,
  ATTACH_SESSION: 3,
  GET_NEXT_INDEX: 4,
  GET_PACKET: 5,
  GET_METADATA: 6,
  GET_NEW_STREAMS: 7,
  CREATE_SESSION: 8,
  DETACH_SESSION: 9,
};

function sizesOf<T>(message: Message<T> | undefined): number[] {
  return message?.layouts.map(({ size }) => size) ?? [];
}

for (const name of Object.keys(commands) as CommandName[]) {
  Deno.test(`${name} has its number and its sizes`, {
    permissions: "none",
  }, () => {
    const row = commands[name];
    const reply = "reply" in row ? row.reply as Message<unknown> : undefined;
    assertEquals(row.number, relayNumbers[name]);
    assertEquals(sizesOf(row.request as Message<unknown>), [
      ...relaySizes[name][0],
    ]);
    assertEquals(sizesOf(reply), [...relaySizes[name][1]]);
  });
}

for (const name of Object.keys(viewerCommands) as ViewerCommandName[]) {
  Deno.test(`viewer ${name} has its number and its sizes`, {
    permissions: "none",
  }, () => {
    const { number, request, reply } = viewerCommands[name];
    assertEquals(number, viewerNumbers[name]);
    assertEquals(sizesOf(request as Message<unknown>), [
      ...viewerSizes[name][0],
    ]);
    assertEquals(sizesOf(reply as Message<unknown>), [
      ...viewerSizes[name][1],
    ]);
  });
}

Deno.test("headers and entries have their sizes", {
  permissions: "none",
}, () => {
  assertEquals(commandHeader.size, 24);
  assertEquals(dataHeader.size, 32);
  assertEquals(viewerHeader.size, 16);
  assertEquals(sessionEntry2_4.size, 339);
  assertEquals(sessionEntry2_15.size, 32);
  assertEquals(streamEntry.size, 4371);
});

Deno.test("fields start where the original has them", {
  permissions: "none",
}, () => {
  const [, old, newer, newest] = commands.CREATE_SESSION.request.layouts;
  assertEquals(old!.offsets, {
    sessionName: 0,
    hostname: 255,
    liveTimer: 319,
    snapshot: 323,
  });
  assertEquals(newer!.offsets["sessiondUuid"], 18);
  assertEquals(newer!.offsets["currentChunkId"], 50);
  assertEquals(newest!.offsets["traceFormat"], 59);
  const [, , stream] = commands.ADD_STREAM.request.layouts;
  assertEquals(stream!.offsets["traceChunkId"], 24);
  const close = commands.CLOSE_TRACE_CHUNK.request.layouts[0]!;
  assertEquals(close.offsets["closeCommand"], 16);
  assertEquals(commandHeader.offsets["command"], 16);
  assertEquals(dataHeader.offsets["dataSize"], 24);
  assertEquals(streamEntry.offsets["channelName"], 4116);
});
