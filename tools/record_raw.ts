/** Asks the stock relay daemon what no stock producer here asks: old minors, refusals. */

import {
  commandHeader,
  type CommandName,
  commands,
  type RequestOf,
} from "../lib/wire/relay.ts";
import { ALL_ONES } from "../lib/base/ids.ts";
import { viewerCommands, viewerHeader } from "../lib/wire/live.ts";
import type { Message } from "../lib/wire/message.ts";
import { concat, type Exchange, parseBytes } from "../tests/wire/golden.ts";

/** How long the daemon is given for a reply, milliseconds. */
const REPLY_MILLISECONDS = 250;

/** The daemon under question. */
interface Daemon {
  readonly port: number;
  /** Whether it is asked on the port for viewers. */
  readonly viewer: boolean;
  readonly exchanges: Exchange[];
}

/** One control connection whose every exchange is kept. */
class RawPeer implements Disposable {
  #connection: Deno.Conn | undefined;
  constructor(
    readonly daemon: Daemon,
    readonly minor: number,
    readonly title: string,
  ) {}

  /** Asks with the bytes that our codec makes of `value`. */
  ask<N extends CommandName>(
    name: N,
    value: RequestOf<N>,
    title = this.title,
  ): Promise<Uint8Array> {
    const { number, request } = commands[name];
    const message = request as unknown as Message<RequestOf<N>>;
    const payload = message.encode(value, Math.min(this.minor, 13));
    return this.send(number, payload, title);
  }

  /** Sends a payload and returns what came back. */
  async send(
    command: number,
    payload: Uint8Array,
    title = this.title,
  ): Promise<Uint8Array> {
    this.#connection ??= await Deno.connect({
      hostname: "127.0.0.1",
      port: this.daemon.port,
    });
    const request = concat(this.#header(command, payload.length), payload);
    await this.#connection.write(request);
    const { reply, closed } = await readReply(this.#connection);
    const { minor } = this;
    this.daemon.exchanges.push({
      title,
      origin: "answered",
      minor: Math.min(minor, 13),
      request,
      reply,
      closed,
    });
    return reply;
  }

  #header(command: number, length: number): Uint8Array {
    const dataSize = BigInt(length);
    const common = { dataSize, command, commandVersion: 0 };
    return this.daemon.viewer
      ? viewerHeader.encode(common)
      : commandHeader.encode({ circuitId: 0n, ...common });
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
  }
}

async function readReply(
  connection: Deno.Conn,
): Promise<{ reply: Uint8Array; closed: boolean }> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(16_384);
  let late = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // A read that is still waiting when the time is up stays for the next reply,
  // so the connection is used for one read at a time only.
  for (;;) {
    const read = pending.get(connection) ?? connection.read(buffer).then(
      (count) => count === null ? null : buffer.slice(0, count),
      (error: Error) => {
        if (error instanceof Deno.errors.ConnectionReset) return null;
        if (error instanceof Deno.errors.BadResource) return null;
        if (error instanceof Deno.errors.Interrupted) return null;
        throw error;
      },
    );
    pending.set(connection, read);
    const timeout = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), REPLY_MILLISECONDS);
    });
    const got = await Promise.race([read, timeout]);
    clearTimeout(timer);
    if (got === "late") late = true;
    else pending.delete(connection);
    if (late || got === null) return { reply: concat(...parts), closed: !late };
    parts.push(got as Uint8Array);
  }
}

const pending = new Map<Deno.Conn, Promise<Uint8Array | null>>();

/** Everything that is asked, with the answers. */
export async function recordRaw(
  port: number,
  output: string,
): Promise<Exchange[]> {
  const daemon: Daemon = { port, viewer: false, exchanges: [] };
  for (const minor of [1, 3]) await namelessProducer(daemon, minor);
  for (const minor of [4, 7, 8, 10]) await oldProducer(daemon, minor, output);
  for (const minor of [11, 15]) await newProducer(daemon, minor);
  await sessionRefusals(daemon);
  await streamRefusals(daemon);
  await chunkRefusals(daemon);
  await existingChunk(daemon);
  return daemon.exchanges;
}

/** What a daemon that was started with `--disallow-clear` says. */
export async function recordDisallowed(port: number): Promise<Exchange[]> {
  const daemon: Daemon = { port, viewer: false, exchanges: [] };
  using peer = await prepared(daemon, "clear is disallowed", true);
  await peer.ask("GET_CONFIGURATION", { queryFlags: 0n });
  await peer.ask("CLOSE_TRACE_CHUNK", {
    chunkId: 0n,
    closeTimestamp: 2n,
    closeCommand: 2,
  });
  return daemon.exchanges;
}

const NO_UUID = new Uint8Array(16);

function session(
  sessionName: string,
  sessiondSessionId = 0n,
): RequestOf<"CREATE_SESSION"> {
  return {
    sessionName,
    hostname: "host",
    basePath: "",
    liveTimer: 0,
    snapshot: 0,
    nameContainsCreationTime: false,
    sessiondUuid: new Uint8Array(16).fill(0xAB),
    sessiondSessionId,
    creationTime: 1_795_399_639n,
    currentChunkId: undefined,
    traceFormat: 1,
  };
}

function stream(
  channelName: string,
  pathname: string,
): RequestOf<"ADD_STREAM"> {
  return {
    channelName,
    pathname,
    tracefileSize: 0n,
    tracefileCount: 0n,
    traceChunkId: 0n,
  };
}

/** Producers of 2.1 to 2.3 name no session; this daemon refuses them. */
async function namelessProducer(daemon: Daemon, minor: number): Promise<void> {
  using peer = new RawPeer(daemon, minor, `2.${minor} producer`);
  await peer.ask("VERSION", { major: 2, minor });
  await peer.ask("CREATE_SESSION", {
    ...session(""),
    sessiondUuid: NO_UUID,
  });
}

/** Producers of 2.4 to 2.10: fixed-size names, no chunks. */
async function oldProducer(
  daemon: Daemon,
  minor: number,
  output: string,
): Promise<void> {
  using peer = new RawPeer(daemon, minor, `2.${minor} producer`);
  await peer.ask("VERSION", { major: 2, minor });
  const created = await peer.ask("CREATE_SESSION", session(`old-${minor}`));
  const sessionId = new DataView(created.buffer).getBigUint64(0);
  const folder = `host/old-${minor}-20261123-020719/ust/uid/0/64-bit`;
  const added = await peer.ask("ADD_STREAM", {
    ...stream("ch0_0", `/${folder}`),
    tracefileSize: 8192n,
    tracefileCount: 3n,
  });
  const streamId = new DataView(added.buffer).getBigUint64(0);
  // The names that the daemon understood are seen in what it made of them.
  await Deno.stat(`${output}/${folder}/ch0_0_0`);
  await peer.ask("STREAMS_SENT", {});
  await peer.ask("SEND_INDEX", {
    relayStreamId: streamId,
    netSequenceNumber: 0n,
    packetSize: 32768n,
    contentSize: 7296n,
    timestampBegin: 100n,
    timestampEnd: 200n,
    eventsDiscarded: 3n,
    streamId: 0n,
    streamInstanceId: 1n,
    packetSequenceNumber: 0n,
  });
  await peer.ask("BEGIN_DATA_PENDING", { sessionId });
  await peer.ask("END_DATA_PENDING", { sessionId });
  await peer.ask("DATA_PENDING", { streamId, lastNetSequenceNumber: 5n });
  await peer.ask("CLOSE_STREAM", {
    streamId,
    lastNetSequenceNumber: ALL_ONES,
  });
  await peer.ask("CREATE_TRACE_CHUNK", {
    chunkId: 0n,
    creationTimestamp: 1n,
    overrideName: "",
  }, `2.${minor} producer asks for a chunk`);
}

/** Producers of 2.11 and later, and what they may do with chunks. */
async function newProducer(daemon: Daemon, minor: number): Promise<void> {
  const title = `2.${minor} producer`;
  using peer = new RawPeer(daemon, minor, title);
  await peer.ask("VERSION", { major: 2, minor });
  await peer.ask("GET_CONFIGURATION", { queryFlags: 0n });
  await peer.ask("START_DATA", {}, "START_DATA is answered");
  await peer.ask("CREATE_SESSION", session(`new-${minor}`, BigInt(minor)));
  await peer.ask("CREATE_TRACE_CHUNK", {
    chunkId: 0n,
    creationTimestamp: 1_795_399_639n,
    overrideName: "",
  });
  // Packed peers have no padding before the chunk id, 32-bit ones 3 bytes.
  await rotate(peer, 1n, "packed peer", "");
  await rotate(peer, 2n, "32-bit peer", "000000");
}

/** Adds a stream and takes it to a new chunk, which ends the one before. */
async function rotate(
  peer: RawPeer,
  chunkId: bigint,
  title: string,
  padding: string,
): Promise<void> {
  // A stream that waits for its first packet cannot be rotated again.
  const added = await peer.ask(
    "ADD_STREAM",
    stream(`ch${chunkId}_0`, "ust/uid/0/64-bit"),
  );
  await peer.ask("CREATE_TRACE_CHUNK", {
    chunkId,
    creationTimestamp: 1_795_399_639n + chunkId,
    overrideName: "",
  });
  const payload = concat(
    parseBytes(`0000000101${padding}`),
    parseBytes(chunkId.toString(16).padStart(16, "0")),
    added.slice(0, 8),
    new Uint8Array(8),
  );
  await peer.send(commands.ROTATE_STREAMS.number, payload, title);
  await peer.ask("CLOSE_TRACE_CHUNK", {
    chunkId: chunkId - 1n,
    closeTimestamp: 1_795_399_640n + chunkId,
    closeCommand: chunkId === 1n ? 1 : 0,
  });
  await peer.ask("TRACE_CHUNK_EXISTS", { chunkId });
}

async function sessionRefusals(daemon: Daemon): Promise<void> {
  {
    using peer = new RawPeer(daemon, 13, "query flags that do not exist");
    await peer.ask("GET_CONFIGURATION", { queryFlags: 1n });
  }
  for (const [title, name] of [["a dot", ".hidden"], ["a slash", "a/b"]]) {
    using peer = await greeted(daemon, `session name with ${title}`);
    await peer.ask("CREATE_SESSION", session(name!));
  }
  {
    using peer = await greeted(daemon, "chunk that nobody made");
    await peer.ask("CREATE_SESSION", {
      ...session("nochunk", 77n),
      currentChunkId: 5n,
    });
  }
  {
    using peer = new RawPeer(daemon, 13, "major 3");
    await peer.ask("VERSION", { major: 3, minor: 0 });
  }
  {
    using peer = await greeted(daemon, "no session");
    await peer.ask("BEGIN_DATA_PENDING", { sessionId: 1n });
  }
  {
    using peer = await greeted(daemon, "command that does not exist");
    await peer.send(23, new Uint8Array(0));
  }
}

/** A peer that has said its version, without keeping that exchange. */
async function greeted(daemon: Daemon, title: string): Promise<RawPeer> {
  const peer = new RawPeer(daemon, 13, title);
  await peer.ask("VERSION", { major: 2, minor: 13 });
  daemon.exchanges.pop();
  return peer;
}

/** A peer with a session, and a chunk if asked for; neither is kept. */
async function prepared(
  daemon: Daemon,
  title: string,
  chunk: boolean,
): Promise<RawPeer> {
  const kept = daemon.exchanges.length;
  const peer = await greeted(daemon, title);
  const id = BigInt(1000 + kept);
  await peer.ask("CREATE_SESSION", session(`refusals-${id}`, id));
  if (chunk) {
    await peer.ask("CREATE_TRACE_CHUNK", {
      chunkId: 0n,
      creationTimestamp: 1n,
      overrideName: "",
    });
  }
  daemon.exchanges.length = kept;
  return peer;
}

const UNKNOWN = 0x1234_5678n;

async function streamRefusals(daemon: Daemon): Promise<void> {
  {
    using peer = await prepared(daemon, "stream without a chunk", false);
    await peer.ask("ADD_STREAM", stream("ch0_0", "ust"));
  }
  {
    using peer = await prepared(daemon, "path that is too long", true);
    await peer.ask("ADD_STREAM", stream("ch0_0", "p".repeat(300)));
  }
  const title = "unknown stream";
  const position = { streamId: UNKNOWN, lastNetSequenceNumber: 0n };
  {
    using peer = await prepared(daemon, title, true);
    await peer.ask("CLOSE_STREAM", position);
  }
  {
    using peer = await prepared(daemon, title, true);
    await peer.ask("DATA_PENDING", position);
  }
  {
    using peer = await prepared(daemon, title, true);
    await peer.ask("QUIESCENT_CONTROL", { streamId: UNKNOWN });
    await peer.ask("END_DATA_PENDING", { sessionId: UNKNOWN });
    await peer.ask("RESET_METADATA", { streamId: UNKNOWN, version: 1n });
  }
  {
    using peer = await prepared(daemon, title, true);
    await peer.ask("SEND_INDEX", {
      relayStreamId: UNKNOWN,
      netSequenceNumber: 0n,
      packetSize: 1n,
      contentSize: 1n,
      timestampBegin: 1n,
      timestampEnd: 1n,
      eventsDiscarded: 0n,
      streamId: 0n,
      streamInstanceId: 0n,
      packetSequenceNumber: 0n,
    });
  }
  {
    using peer = await prepared(daemon, title, true);
    await peer.ask("SEND_METADATA", {
      streamId: UNKNOWN,
      paddingSize: 0,
      metadata: new TextEncoder().encode("/* CTF 1.8 */"),
    });
  }
}

async function chunkRefusals(daemon: Daemon): Promise<void> {
  {
    using peer = await prepared(daemon, "chunk name with a dot", true);
    await peer.ask("CREATE_TRACE_CHUNK", {
      chunkId: 1n,
      creationTimestamp: 1n,
      overrideName: "..",
    });
  }
  const position = { streamId: UNKNOWN, rotateAtSequenceNumber: 0n };
  for (
    const [title, newChunkId] of [
      ["unknown chunk", 9n],
      ["unknown stream", undefined],
    ] as const
  ) {
    using peer = await prepared(daemon, title, true);
    await peer.ask("ROTATE_STREAMS", { newChunkId, positions: [position] });
  }
  {
    using peer = await prepared(daemon, "length that fits no peer", true);
    await peer.send(commands.ROTATE_STREAMS.number, new Uint8Array(14));
  }
  for (
    const [title, chunkId, closeCommand] of [
      ["unknown chunk", 9n, undefined],
      ["close command that does not exist", 0n, 7],
    ] as const
  ) {
    using peer = await prepared(daemon, title, true);
    await peer.ask("CLOSE_TRACE_CHUNK", {
      chunkId,
      closeTimestamp: 2n,
      closeCommand,
    });
  }
}

/**
 * TRACE_CHUNK_EXISTS looks chunks up under the wrong session id before 2.14.2,
 * so both ids have to be equal for this daemon to find one.
 */
async function existingChunk(daemon: Daemon): Promise<void> {
  const kept = daemon.exchanges.length;
  using peer = await greeted(daemon, "chunk that is there");
  const first = await peer.ask("CREATE_SESSION", session("first", 500n));
  const id = new DataView(first.buffer).getBigUint64(0) + 1n;
  using other = await greeted(daemon, "chunk that is there");
  await other.ask("CREATE_SESSION", session("second", id));
  await other.ask("CREATE_TRACE_CHUNK", {
    chunkId: 4n,
    creationTimestamp: 1n,
    overrideName: "",
  });
  daemon.exchanges.length = kept;
  await other.ask("TRACE_CHUNK_EXISTS", { chunkId: 4n });
}

/** CONNECT as viewers of other versions say it, and what is refused. */
export async function recordRawViewer(port: number): Promise<Exchange[]> {
  const daemon: Daemon = { port, viewer: true, exchanges: [] };
  const { number, request } = viewerCommands.CONNECT;
  for (
    const [title, major, minor, type] of [
      ["2.15 viewer", 2, 15, 1],
      ["notification connection", 2, 13, 2],
      ["type that does not exist", 2, 13, 3],
      ["major 3", 3, 0, 1],
    ] as const
  ) {
    using peer = new RawPeer(daemon, minor, title);
    const viewerSessionId = ALL_ONES;
    await peer.send(
      number,
      request.encode({ viewerSessionId, major, minor, type }, minor),
    );
  }
  {
    using peer = new RawPeer(daemon, 13, "before CONNECT");
    await peer.send(viewerCommands.LIST_SESSIONS.number, new Uint8Array(0));
  }
  {
    using peer = new RawPeer(daemon, 13, "command that does not exist");
    await peer.send(
      number,
      request.encode({
        viewerSessionId: ALL_ONES,
        major: 2,
        minor: 13,
        type: 1,
      }, 13),
    );
    daemon.exchanges.pop();
    await peer.send(10, new Uint8Array(0));
  }
  return daemon.exchanges;
}
