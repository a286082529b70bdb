/** A relay daemon in this process, and producers that speak to it in bytes. */

import { assertEquals } from "@std/assert";
import { ALL_ONES } from "../../../lib/base/ids.ts";
import { createLog } from "../../../lib/base/log.ts";
import { type Relay, startRelay } from "../../../lib/relay/server.ts";
import {
  type CommandName,
  commands,
  type CreateSession,
  type ReplyOf,
  type RequestOf,
} from "../../../lib/wire/relay.ts";
import { RawPeer } from "../../support/raw_peer.ts";
import { filesBelow } from "./files.ts";

/** How a {@linkcode TestRelay} differs from the default. */
export interface TestRelayOptions {
  groupOutputBy?: "host" | "session";
  socketTimeoutMs?: number;
}

/** A relay daemon that can be connected to, wherever it runs. */
export interface Connectable {
  connect(port: "control" | "data" | "live"): Promise<RawPeer>;
}

/** A relay daemon on free loopback ports; its output is deep in a directory. */
export class TestRelay implements Connectable, AsyncDisposable {
  readonly top = Deno.makeTempDirSync({ prefix: "relay-" });
  readonly output = `${this.top}/a/b/c/out`;
  readonly lines: string[] = [];
  readonly relay: Relay;
  #served = 0;

  constructor(options: TestRelayOptions = {}) {
    Deno.mkdirSync(this.output, { recursive: true });
    const here = { hostname: "127.0.0.1", port: 0 };
    this.relay = startRelay({
      control: here,
      data: here,
      live: here,
      output: this.output,
      groupOutputBy: "host",
      allowClear: true,
      filePoolSize: 64,
      log: createLog({
        level: "info",
        json: false,
        write: (line) => this.lines.push(line),
        now: Date.now,
      }),
      ...options,
    });
  }

  connect(port: "control" | "data" | "live"): Promise<RawPeer> {
    return RawPeer.connect({ port: this.relay.addresses[port].port });
  }

  producer(minor = 13): Promise<Producer> {
    return Producer.connect(this, minor);
  }

  /** Fails unless a new producer can record a packet, from begin to end. */
  async assertServing(): Promise<void> {
    const name = `serving-${++this.#served}`;
    using producer = await this.producer();
    producer.sessionId = (await producer.createSession({ sessionName: name }))
      .sessionId;
    await producer.createChunk(0n);
    const stream = await producer.addStream("ch_0");
    const content = new TextEncoder().encode(name);
    await producer.packet(stream, 0n, content);
    await producer.index(stream, 0n);
    assertEquals(
      (await producer.call("CLOSE_STREAM", {
        streamId: stream,
        lastNetSequenceNumber: 0n,
      })).code,
      10,
    );
    await producer.whenStored(stream);
    const directory = `${this.output}/vm/${name}/kernel`;
    assertEquals(Deno.readFileSync(`${directory}/ch_0`), content);
    assertEquals(Deno.statSync(`${directory}/index/ch_0.idx`).size, 88);
  }

  /** Everything below the top that is not in the output directory. */
  outside(): string[] {
    return filesBelow(this.top).filter((path) =>
      !path.startsWith("a/b/c/out/")
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay.shutdown();
    Deno.removeSync(this.top, { recursive: true });
  }
}

/** A control and a data connection that follow the protocol, if so told. */
export class Producer implements Disposable {
  readonly control: RawPeer;
  readonly data: RawPeer;
  readonly minor: number;
  /** Changes payloads into what no encoder makes, before they are sent. */
  forge: ((payload: Uint8Array) => void) | undefined;

  private constructor(control: RawPeer, data: RawPeer, minor: number) {
    this.control = control;
    this.data = data;
    this.minor = minor;
  }

  /** Connects both, and says VERSION. */
  static async connect(relay: Connectable, minor = 13): Promise<Producer> {
    const control = await relay.connect("control");
    const data = await relay.connect("data");
    const producer = new Producer(control, data, minor);
    await producer.call("VERSION", { major: 2, minor });
    return producer;
  }

  /** Sends a command without reading its reply. */
  async send<N extends CommandName>(
    name: N,
    request: RequestOf<N>,
  ): Promise<void> {
    const command = commands[name] as unknown as {
      number: number;
      request: { encode(value: unknown, minor: number): Uint8Array };
    };
    const payload = command.request.encode(request, this.minor);
    this.forge?.(payload);
    await this.control.sendCommand(command.number, payload);
  }

  /** Sends a command and reads its whole reply. */
  async call<N extends CommandName>(
    name: N,
    request: RequestOf<N>,
  ): Promise<ReplyOf<N>> {
    await this.send(name, request);
    return await this.reply(name);
  }

  async reply<N extends CommandName>(name: N): Promise<ReplyOf<N>> {
    const message = commands[name] as unknown as {
      reply: { decode(bytes: Uint8Array, minor: number): ReplyOf<N> };
    };
    const bytes = await this.control.read(replySize(name, this.minor));
    const tail = TAILS[name]?.(this.minor) ?? 0;
    if (tail === 0) return message.reply.decode(bytes, this.minor);
    const length = new DataView(bytes.buffer, bytes.byteOffset)
      .getUint32(bytes.length - 4);
    const rest = await this.control.read(length);
    return message.reply.decode(
      Uint8Array.from([...bytes, ...rest]),
      this.minor,
    );
  }

  createSession(
    request: Partial<CreateSession> = {},
  ): Promise<ReplyOf<"CREATE_SESSION">> {
    return this.call("CREATE_SESSION", sessionRequest(request));
  }

  async createChunk(chunkId: bigint): Promise<void> {
    const { code } = await this.call("CREATE_TRACE_CHUNK", {
      chunkId,
      creationTimestamp: 1_795_400_000n,
      overrideName: "",
    });
    assertEquals(code, 10);
  }

  async addStream(
    channelName: string,
    pathname = "kernel",
    tracefileSize = 0n,
  ): Promise<bigint> {
    const { code, streamId } = await this.call("ADD_STREAM", {
      channelName,
      pathname,
      tracefileSize,
      tracefileCount: 0n,
      traceChunkId: 0n,
    });
    assertEquals(code, 10);
    return streamId;
  }

  async packet(
    streamId: bigint,
    netSequenceNumber: bigint,
    content: Uint8Array,
  ): Promise<void> {
    const dataSize = content.length;
    await this.data.sendData(
      { streamId, netSequenceNumber, dataSize, paddingSize: 0 },
      content,
    );
  }

  /** Sends an index and returns the code that answers it. */
  async index(streamId: bigint, netSequenceNumber: bigint): Promise<number> {
    const { code } = await this.call(
      "SEND_INDEX",
      indexRequest(streamId, netSequenceNumber),
    );
    return code;
  }

  /** Waits until a stream that was asked to close has done so. */
  async whenStored(streamId: bigint): Promise<void> {
    // A closed stream is unknown, for which QUIESCENT_CONTROL is no proof:
    // END_DATA_PENDING is, since nobody asked for the stream.
    for (let attempt = 0; attempt < 500; attempt++) {
      const { code } = await this.call("END_DATA_PENDING", {
        sessionId: this.sessionId,
      });
      if (code === 0) return;
      await new Promise((again) => setTimeout(again, 10));
    }
    throw new Error(`Stream ${streamId} did not close`);
  }

  /** Its relay session's id, where a test has set it. */
  sessionId = 0n;

  [Symbol.dispose](): void {
    this.control.close();
    this.data.close();
  }
}

/** A CREATE_SESSION that any minor from 2.4 on can send. */
export function sessionRequest(
  request: Partial<CreateSession> = {},
): CreateSession {
  return {
    sessionName: "demo",
    hostname: "vm",
    basePath: "",
    liveTimer: 0,
    snapshot: 0,
    nameContainsCreationTime: true,
    sessiondUuid: crypto.getRandomValues(new Uint8Array(16)),
    sessiondSessionId: 0n,
    creationTime: 1_795_400_000n,
    currentChunkId: undefined,
    traceFormat: 1,
    ...request,
  };
}

/** An ordinary index. */
export function indexRequest(
  relayStreamId: bigint,
  netSequenceNumber: bigint,
): RequestOf<"SEND_INDEX"> {
  return {
    relayStreamId,
    netSequenceNumber,
    packetSize: 64n,
    contentSize: 64n,
    timestampBegin: 1n,
    timestampEnd: 2n,
    eventsDiscarded: 0n,
    streamId: 0n,
    streamInstanceId: 0n,
    packetSequenceNumber: netSequenceNumber & (ALL_ONES >> 1n),
  };
}

/** Which replies end in a length and that many bytes. */
const TAILS: Partial<Record<CommandName, (minor: number) => number>> = {
  CREATE_SESSION: (minor) => minor >= 11 ? 4 : 0,
  CLOSE_TRACE_CHUNK: () => 4,
};

function replySize(name: CommandName, minor: number): number {
  switch (name) {
    case "VERSION":
      return 8;
    case "CREATE_SESSION":
      return minor >= 11 ? 16 : 12;
    case "ADD_STREAM":
    case "GET_CONFIGURATION":
      return 12;
    case "CLOSE_TRACE_CHUNK":
      return 8;
    case "TRACE_CHUNK_EXISTS":
      return 5;
    default:
      return 4;
  }
}

/** Bytes written as hexadecimal digits, spaces allowed. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(
    text.replaceAll(/\s/g, "").match(/../g) ?? [],
    (byte) => parseInt(byte, 16),
  );
}
