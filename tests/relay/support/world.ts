/** A collector without sockets: commands go straight to their handlers. */

import type { Clock } from "../../../lib/base/clock.ts";
import {
  ALL_ONES,
  type Minor,
  NEWEST_MINOR,
  streamId,
} from "../../../lib/base/ids.ts";
import { createLog } from "../../../lib/base/log.ts";
import {
  decodeIndexFile,
  type IndexEntry,
} from "../../../lib/ctf/index_file.ts";
import { Collector } from "../../../lib/relay/collector.ts";
import { type ControlState, handlers } from "../../../lib/relay/commands.ts";
import type { Grouping } from "../../../lib/relay/layout.ts";
import type { Session } from "../../../lib/relay/session.ts";
import { Store } from "../../../lib/relay/store.ts";
import type { Stream } from "../../../lib/relay/stream.ts";
import type {
  CommandName,
  CreateSession,
  ReplyOf,
  RequestOf,
} from "../../../lib/wire/relay.ts";
import { filesBelow } from "./files.ts";

/** 2026-11-23 02:07:19 UTC, milliseconds. */
export const START_MS = Date.UTC(2026, 10, 23, 2, 7, 19);
export const START_SECONDS = START_MS / 1000;
export const UST_PATH = "ust/uid/0/64-bit";

/** How a {@linkcode World} differs from the default. */
export interface WorldOptions {
  groupOutputBy?: Grouping;
  allowClear?: boolean;
  filePoolSize?: number;
}

/** One collector that stores into a temporary directory. */
export class World implements Disposable {
  readonly output = Deno.makeTempDirSync({ prefix: "collector-" });
  /** Every log line, with its level in front where it has one. */
  readonly lines: string[] = [];
  readonly collector: Collector;
  /** Milliseconds; tests move it. */
  now = START_MS;

  constructor(options: WorldOptions = {}) {
    const clock: Clock = { now: () => this.now };
    this.collector = new Collector({
      store: new Store(this.output, options.filePoolSize ?? 64),
      log: createLog({
        level: "info",
        json: false,
        write: (line) => this.lines.push(line),
        now: clock.now,
      }),
      clock,
      groupOutputBy: options.groupOutputBy ?? "host",
      allowClear: options.allowClear ?? true,
    });
  }

  /** A consumer that has said VERSION. */
  consumer(minor = 13): Consumer {
    return new Consumer(this, minor);
  }

  /** A consumer with a session, and, since 2.11, trace chunk 0. */
  recording(
    request: Partial<CreateSession> = {},
    minor = 13,
  ): Consumer {
    const consumer = this.consumer(minor);
    consumer.createSession(request);
    if (minor >= 11 && request.currentChunkId === undefined) {
      consumer.createChunk(0n);
    }
    return consumer;
  }

  /** Files and empty directories, after what was gathered is written. */
  tree(below = ""): string[] {
    this.collector.flush();
    return filesBelow(join(this.output, below));
  }

  read(path: string): Uint8Array {
    this.collector.flush();
    return Deno.readFileSync(join(this.output, path));
  }

  entries(path: string): IndexEntry[] {
    return decodeIndexFile(this.read(path)).entries;
  }

  [Symbol.dispose](): void {
    for (const session of [...this.collector.sessions]) {
      session.abort("the test is over");
      session.dataClosed(false);
      session.controlClosed(false);
    }
    Deno.removeSync(this.output, { recursive: true });
  }
}

/** What a test says of an index; the rest has defaults. */
export interface IndexOptions {
  packetSize?: bigint;
  packetSequenceNumber?: bigint;
  eventsDiscarded?: bigint;
  timestampEnd?: bigint;
}

/** One control and one data connection. */
export class Consumer {
  readonly state: ControlState;
  readonly #world: World;
  readonly #dataConnection = { end: () => {} };

  constructor(world: World, minor: number) {
    this.#world = world;
    this.state = {
      collector: world.collector,
      minor: undefined,
      session: undefined,
    };
    this.call("VERSION", { major: 2, minor });
  }

  /** What a command is answered with; what the handler throws, it throws. */
  call<N extends CommandName>(name: N, request: RequestOf<N>): ReplyOf<N> {
    const handler = handlers[name] as unknown as (
      state: ControlState,
      request: RequestOf<N>,
    ) => ReplyOf<N>;
    return handler(this.state, request);
  }

  get session(): Session {
    if (this.state.session === undefined) throw new Error("No session");
    return this.state.session;
  }

  createSession(
    request: Partial<CreateSession> = {},
  ): ReplyOf<"CREATE_SESSION"> {
    const old = (this.state.minor ?? 0) < 4;
    return this.call("CREATE_SESSION", {
      sessionName: old ? "" : "demo",
      hostname: old ? "" : "vm",
      basePath: "",
      liveTimer: 0,
      snapshot: 0,
      nameContainsCreationTime: true,
      sessiondUuid: new Uint8Array(16).fill(7),
      sessiondSessionId: 0n,
      creationTime: BigInt(START_SECONDS),
      currentChunkId: undefined,
      traceFormat: 1,
      ...request,
    });
  }

  createChunk(id: bigint, seconds = START_SECONDS, overrideName = ""): void {
    this.call("CREATE_TRACE_CHUNK", {
      chunkId: id,
      creationTimestamp: BigInt(seconds),
      overrideName,
    });
  }

  closeChunk(
    id: bigint,
    closeCommand?: number,
    seconds = START_SECONDS + 60,
  ): string {
    return this.call("CLOSE_TRACE_CHUNK", {
      chunkId: id,
      closeTimestamp: BigInt(seconds),
      closeCommand,
    }).path;
  }

  chunkExists(id: bigint): boolean {
    return this.call("TRACE_CHUNK_EXISTS", { chunkId: id }).exists;
  }

  addStream(
    channelName = "ch_0",
    options: { path?: string; size?: bigint; count?: bigint } = {},
  ): bigint {
    return this.call("ADD_STREAM", {
      channelName,
      pathname: options.path ?? UST_PATH,
      tracefileSize: options.size ?? 0n,
      tracefileCount: options.count ?? 0n,
      traceChunkId: 0n,
    }).streamId;
  }

  /** The stream as the data connection finds it. */
  stream(id: bigint): Stream {
    const stream = this.#world.collector.stream(streamId(id));
    if (stream === undefined) throw new Error(`No stream ${id}`);
    return stream;
  }

  /** A whole packet: `size` bytes of `netSequence + 1`, and padding. */
  data(id: bigint, netSequence: bigint, size = 8, padding = 0): void {
    this.beginData(id, netSequence, size, padding);
    this.payload(id, netSequence, size);
    this.endData(id);
  }

  beginData(id: bigint, netSequence: bigint, size = 8, padding = 0): void {
    const stream = this.stream(id);
    stream.owner.bindData(this.#dataConnection);
    stream.beginPacket(netSequence, size, padding);
  }

  payload(id: bigint, netSequence: bigint, size: number): void {
    this.stream(id).appendPayload(packet(netSequence, size));
  }

  endData(id: bigint): void {
    this.stream(id).endPacket();
  }

  index(id: bigint, netSequence: bigint, options: IndexOptions = {}): void {
    this.call("SEND_INDEX", {
      relayStreamId: id,
      netSequenceNumber: netSequence,
      packetSize: 64n,
      contentSize: 64n,
      timestampBegin: BigInt.asUintN(63, netSequence * 10n),
      timestampEnd: BigInt.asUintN(63, netSequence * 10n) + 9n,
      eventsDiscarded: 0n,
      streamId: 0n,
      streamInstanceId: 0n,
      packetSequenceNumber: netSequence,
      ...options,
    });
  }

  /** Data and index of packets `from` to `to`, both included. */
  packets(id: bigint, from: bigint, to: bigint, size = 8): void {
    for (let sequence = from; sequence <= to; sequence++) {
      this.data(id, sequence, size);
      this.index(id, sequence);
    }
  }

  metadata(id: bigint, text: string, paddingSize = 0): void {
    this.call("SEND_METADATA", {
      streamId: id,
      paddingSize,
      metadata: new TextEncoder().encode(text),
    });
  }

  rotate(
    newChunkId: bigint | undefined,
    ...positions: (readonly [stream: bigint, atPacket: bigint])[]
  ): void {
    this.call("ROTATE_STREAMS", {
      newChunkId,
      positions: positions.map(([streamId, rotateAtSequenceNumber]) => ({
        streamId,
        rotateAtSequenceNumber,
      })),
    });
  }

  /** DATA_PENDING's answer. */
  pending(id: bigint, last: bigint): number {
    return this.call("DATA_PENDING", {
      streamId: id,
      lastNetSequenceNumber: last,
    }).code;
  }

  closeStream(id: bigint, last = ALL_ONES): void {
    this.call("CLOSE_STREAM", { streamId: id, lastNetSequenceNumber: last });
  }

  isOpen(id: bigint): boolean {
    return this.#world.collector.stream(streamId(id)) !== undefined;
  }

  /** Closes every stream and both connections in the producer's usual way. */
  leave(streams: ReadonlyMap<bigint, bigint> = new Map()): void {
    for (const [id, last] of streams) this.closeStream(id, last);
    this.session.controlClosed(false);
    this.session.dataClosed(false);
  }
}

/** `size` bytes that tell the packet they belong to. */
export function packet(netSequence: bigint, size = 8): Uint8Array {
  return new Uint8Array(size).fill(Number(netSequence) + 1);
}

/** Several packets in a row. */
export function packets(...sequences: bigint[]): Uint8Array {
  return Uint8Array.from(sequences.flatMap((it) => [...packet(it)]));
}

/** The newest minor, for tests that name it. */
export const NEWEST: Minor = NEWEST_MINOR;

function join(base: string, path: string): string {
  return path === "" ? base : `${base}/${path}`;
}
