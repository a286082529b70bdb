/** One value of every message in every form, for tests that go over all of them. */

import { ALL_ONES } from "../../lib/base/ids.ts";
import { viewerCommands } from "../../lib/wire/live.ts";
import { type Message, only } from "../../lib/wire/message.ts";
import { commandHeader, commands, dataHeader } from "../../lib/wire/relay.ts";
import { viewerHeader } from "../../lib/wire/live.ts";

/** A message, a version and a value that this version can carry. */
export interface Sample {
  readonly message: Message<unknown>;
  readonly minor: number;
  readonly value: unknown;
}

function sample<T>(message: Message<T>, minor: number, value: T): Sample {
  return { message: message as Message<unknown>, minor, value };
}

const NO_UUID = new Uint8Array(16);
const UUID = Uint8Array.from({ length: 16 }, (_, i) => 0xA0 + i);

const anySession = {
  sessionName: "démo",
  hostname: "vm",
  basePath: "",
  liveTimer: 500_000,
  snapshot: 1,
  nameContainsCreationTime: false,
  sessiondUuid: NO_UUID,
  sessiondSessionId: 0n,
  creationTime: 0n,
  currentChunkId: undefined,
  traceFormat: 1,
};

const newSession = {
  ...anySession,
  basePath: "lab/rack-1",
  nameContainsCreationTime: true,
  sessiondUuid: UUID,
  sessiondSessionId: 7n,
  creationTime: 1_795_399_639n,
  currentChunkId: 3n,
};

const anyStream = {
  channelName: "ch0_0",
  pathname: "ust/uid/0/64-bit",
  tracefileSize: 0n,
  tracefileCount: 0n,
  traceChunkId: ALL_ONES,
};
const fileStream = { ...anyStream, tracefileSize: 8192n, tracefileCount: 3n };

const index = {
  relayStreamId: 1n,
  netSequenceNumber: 2n,
  packetSize: 32768n,
  contentSize: 7296n,
  timestampBegin: 0x0180_E80B_2800n,
  timestampEnd: 0x0180_E8C7_96F7n,
  eventsDiscarded: 5n,
  streamId: 6n,
  streamInstanceId: ALL_ONES,
  packetSequenceNumber: ALL_ONES,
};

const position = { streamId: 4n, lastNetSequenceNumber: ALL_ONES };
const positions = [
  { streamId: 1n, rotateAtSequenceNumber: 1n },
  { streamId: 2n, rotateAtSequenceNumber: 9n },
];

const c = commands;

const requests: Sample[] = [
  sample(c.ADD_STREAM.request, 1, anyStream),
  sample(c.ADD_STREAM.request, 2, fileStream),
  sample(c.ADD_STREAM.request, 10, fileStream),
  sample(c.ADD_STREAM.request, 11, { ...fileStream, traceChunkId: 8n }),
  sample(c.CREATE_SESSION.request, 1, {
    ...anySession,
    sessionName: "",
    hostname: "",
    liveTimer: 0,
    snapshot: 0,
  }),
  sample(c.CREATE_SESSION.request, 4, anySession),
  sample(c.CREATE_SESSION.request, 11, newSession),
  sample(c.CREATE_SESSION.request, 14, { ...newSession, basePath: "" }),
  sample(c.CREATE_SESSION.request, 15, { ...newSession, traceFormat: 2 }),
  sample(c.START_DATA.request, 1, {}),
  sample(c.VERSION.request, 1, { major: 2, minor: 13 }),
  sample(c.SEND_METADATA.request, 1, {
    streamId: 3n,
    paddingSize: 1346,
    metadata: new TextEncoder().encode("/* CTF 1.8 */"),
  }),
  sample(c.CLOSE_STREAM.request, 1, position),
  sample(c.DATA_PENDING.request, 1, position),
  sample(c.QUIESCENT_CONTROL.request, 1, { streamId: 3n }),
  sample(c.BEGIN_DATA_PENDING.request, 1, { sessionId: 1n }),
  sample(c.END_DATA_PENDING.request, 1, { sessionId: 1n }),
  sample(c.SEND_INDEX.request, 4, index),
  sample(c.SEND_INDEX.request, 8, {
    ...index,
    streamInstanceId: 1n,
    packetSequenceNumber: 2n,
  }),
  sample(c.STREAMS_SENT.request, 4, {}),
  sample(c.RESET_METADATA.request, 8, { streamId: 3n, version: 1n }),
  sample(c.ROTATE_STREAMS.request, 11, { newChunkId: 1n, positions }),
  sample(c.ROTATE_STREAMS.request, 11, {
    newChunkId: undefined,
    positions: [],
  }),
  sample(c.CREATE_TRACE_CHUNK.request, 11, {
    chunkId: 0n,
    creationTimestamp: 1_795_399_639n,
    overrideName: "snapshot-1-20261123-021559-0",
  }),
  sample(c.CREATE_TRACE_CHUNK.request, 11, {
    chunkId: 1n,
    creationTimestamp: 1_795_399_639n,
    overrideName: "",
  }),
  sample(c.CLOSE_TRACE_CHUNK.request, 11, {
    chunkId: 1n,
    closeTimestamp: 1_795_399_640n,
    closeCommand: 2,
  }),
  sample(c.CLOSE_TRACE_CHUNK.request, 11, {
    chunkId: 1n,
    closeTimestamp: 1_795_399_640n,
    closeCommand: undefined,
  }),
  sample(c.TRACE_CHUNK_EXISTS.request, 11, { chunkId: 1n }),
  sample(c.GET_CONFIGURATION.request, 12, { queryFlags: 0n }),
];

const path = "vm/demo-20261123-020719";

const replies: Sample[] = [
  sample(c.ADD_STREAM.reply!, 1, { streamId: 1n, code: 10 }),
  sample(c.CREATE_SESSION.reply!, 1, {
    sessionId: 1n,
    code: 10,
    outputPath: "",
  }),
  sample(c.CREATE_SESSION.reply!, 11, {
    sessionId: 1n,
    code: 10,
    outputPath: path,
  }),
  sample(c.CREATE_SESSION.reply!, 11, c.CREATE_SESSION.failure!(25)),
  sample(c.VERSION.reply!, 1, { major: 2, minor: 15 }),
  sample(c.DATA_PENDING.reply!, 1, { code: 1 }),
  sample(c.CLOSE_TRACE_CHUNK.reply!, 11, { code: 10, path }),
  sample(c.CLOSE_TRACE_CHUNK.reply!, 11, c.CLOSE_TRACE_CHUNK.failure!(26)),
  sample(c.TRACE_CHUNK_EXISTS.reply!, 11, { code: 10, exists: true }),
  sample(c.GET_CONFIGURATION.reply!, 12, { code: 10, flags: 1n }),
];

const headers: Sample[] = [
  sample(only(commandHeader), 1, {
    circuitId: 0n,
    dataSize: 8n,
    command: 5,
    commandVersion: 0,
  }),
  sample(only(dataHeader), 1, {
    circuitId: 0n,
    streamId: 1n,
    netSequenceNumber: 0n,
    dataSize: 912,
    paddingSize: 3184,
  }),
  sample(only(viewerHeader), 4, {
    dataSize: 20n,
    command: 1,
    commandVersion: 0,
  }),
];

const v = viewerCommands;
const connect = { viewerSessionId: 1n, major: 2, minor: 15, type: 1 };
const streams = [{
  id: 1n,
  traceId: 2n,
  isMetadata: true,
  pathname: "ust/uid/0/64-bit",
  channelName: "metadata",
}];
const entry = {
  id: 1n,
  liveTimer: 500_000,
  clients: 0,
  streams: 3,
  traceFormat: 0,
  hostname: "vm",
  sessionName: "demo",
};
const packet = new Uint8Array([1, 2, 3, 4]);

const viewer: Sample[] = [
  sample(v.CONNECT.request, 4, connect),
  sample(v.CONNECT.reply, 4, connect),
  sample(v.LIST_SESSIONS.reply, 4, { sessions: [entry, entry] }),
  sample(v.LIST_SESSIONS.reply, 15, {
    sessions: [entry, { ...entry, traceFormat: 1, hostname: "a".repeat(255) }],
  }),
  sample(v.ATTACH_SESSION.request, 4, { sessionId: 1n, offset: 0n, seek: 2 }),
  sample(v.ATTACH_SESSION.reply, 4, { status: 1, streams }),
  sample(v.ATTACH_SESSION.reply, 4, { status: 6, streams: [] }),
  sample(v.GET_NEXT_INDEX.request, 4, { streamId: 1n }),
  sample(v.GET_NEXT_INDEX.reply, 4, {
    offset: 4096n,
    packetSize: 32768n,
    contentSize: 7296n,
    timestampBegin: 1n,
    timestampEnd: 2n,
    eventsDiscarded: 0n,
    streamId: 0n,
    status: 1,
    flags: 2,
  }),
  sample(v.GET_PACKET.request, 4, { streamId: 1n, offset: 0n, length: 4 }),
  sample(v.GET_PACKET.reply, 4, { status: 1, flags: 0, packet }),
  sample(v.GET_METADATA.request, 4, { streamId: 1n }),
  sample(v.GET_METADATA.reply, 4, { status: 1, metadata: packet }),
  sample(v.GET_NEW_STREAMS.request, 4, { sessionId: 1n }),
  sample(v.GET_NEW_STREAMS.reply, 4, { status: 1, streams }),
  sample(v.CREATE_SESSION.request, 4, {}),
  sample(v.CREATE_SESSION.reply, 4, { status: 1 }),
  sample(v.DETACH_SESSION.request, 8, { sessionId: 1n }),
  sample(v.DETACH_SESSION.reply, 8, { status: 1 }),
];

/** Every message of the relay and viewer protocols, in every form. */
export const samples: readonly Sample[] = [
  ...requests,
  ...replies,
  ...headers,
  ...viewer,
];
