/** The sender: what a consumer daemon does towards a relay daemon. */

import type { PacketInfo } from "../ctf/sink.ts";
import { Code } from "../base/errors.ts";
import { ALL_ONES, type Minor, sessionId, streamId } from "../base/ids.ts";
import { ConnectionError } from "../net/connection.ts";
import { CloseCommand } from "../wire/relay.ts";
import { Deadline, deadlineOf, type WaitOptions } from "./bounded.ts";
import type {
  ChunkOptions,
  RelayClientOptions,
  RotateOptions,
} from "./client_options.ts";
import type { ControlChannel } from "./control_channel.ts";
import { RelayError, RelayVersionError, type StorageReport } from "./errors.ts";
import { RelayLink } from "./link.ts";
import { PacketSender } from "./packet_sender.ts";
import { pollUntilStored } from "./pending.ts";
import {
  legacyOutputPath,
  OpenStream,
  type RelaySession,
  type RelayStream,
  type SessionOptions,
  sessionRequest,
  type StreamOptions,
} from "./relay_stream.ts";
import { closeChunk, type ClosedChunk } from "./rotation.ts";
import { TraceChunks } from "./trace_chunks.ts";

/** How long closing what is open may take after that (ms). */
const CLOSING_TIMEOUT_MS = 5_000;
/** The same where the relay daemon was too slow already (ms). */
const SHORT_CLOSING_TIMEOUT_MS = 1_000;

/**
 * A session of a relay daemon of LTTng 2.1 to 2.15, from the sender's side.
 *
 * Calls may overlap. Commands are answered in order on the control connection;
 * packets travel on the data connection and delay no command. When either
 * connection is lost, everything that waits fails at once with the same
 * {@linkcode ConnectionError}, and so does every later call.
 *
 * @example Streaming one packet
 * ```ts
 * import { RelayClient, silentLog, startRelay } from "@lttng/stream";
 *
 * const here = { hostname: "127.0.0.1", port: 0 };
 * await using relay = startRelay({
 *   control: here,
 *   data: here,
 *   live: here,
 *   output: await Deno.makeTempDir(),
 *   groupOutputBy: "host",
 *   allowClear: true,
 *   filePoolSize: 512,
 *   log: silentLog,
 * });
 *
 * await using client = await RelayClient.connect({
 *   hostname: "127.0.0.1",
 *   controlPort: relay.addresses.control.port,
 *   dataPort: relay.addresses.data.port,
 * });
 * await client.createSession({ name: "demo", hostname: "target" });
 * await client.createTraceChunk();
 * const pathname = "ust/uid/0/64-bit";
 * const stream = await client.addStream({ name: "ch0_0", pathname });
 * const metadata = await client.addStream({ name: "metadata", pathname });
 * await client.streamsSent();
 * await client.sendMetadata(
 *   metadata,
 *   new TextEncoder().encode("/* CTF 1.8 *\/\n"),
 * );
 * await client.sendPacket(stream, new Uint8Array(912), {
 *   packetSize: 8n * 4096n,
 *   contentSize: 8n * 912n,
 *   timestampBegin: 100n,
 *   timestampEnd: 200n,
 *   eventsDiscarded: 0n,
 *   streamClassId: 0n,
 *   streamInstanceId: 0n,
 *   packetSequenceNumber: 0n,
 * });
 * const report = await client.finish();
 * if (!report.stored) throw new Error("The packet is not stored");
 * ```
 */
export class RelayClient implements AsyncDisposable {
  readonly #link: RelayLink;
  readonly #control: ControlChannel;
  readonly #packets: PacketSender;
  readonly #streams = new Map<bigint, OpenStream>();
  #session: RelaySession | undefined;
  #legacyPath = "";
  readonly #chunks: TraceChunks;

  private constructor(link: RelayLink, indexWindow: number) {
    this.#link = link;
    this.#control = link.control;
    this.#packets = new PacketSender(link, indexWindow);
    this.#chunks = new TraceChunks(
      link.control,
      this.#packets,
      () => this.#streams.values(),
    );
  }

  /**
   * Connects to both ports, agrees on a version and asks for the relay
   * daemon's configuration where it has one.
   *
   * @throws {ConnectionError} A port refuses or time runs out.
   * @throws {RelayVersionError} The peer is no LTTng 2 relay daemon.
   */
  static async connect(options: RelayClientOptions): Promise<RelayClient> {
    const { indexWindow = 1 } = options;
    return new RelayClient(await RelayLink.connect(options), indexWindow);
  }

  /** The minor version that both sides speak. */
  get minor(): Minor {
    return this.#link.minor;
  }

  /** Whether the relay daemon lets `clear` delete what it stored. */
  get clearAllowed(): boolean {
    return this.#link.clearAllowed;
  }

  /** The session, once it is created. */
  get session(): RelaySession | undefined {
    return this.#session;
  }

  /** The current trace chunk's id; unset without one. */
  get chunkId(): bigint | undefined {
    return this.#chunks.current;
  }

  /** Streams that were added and not closed. */
  get streams(): readonly RelayStream[] {
    return [...this.#streams.values()];
  }

  /** Why nothing works any more; unset while the connections are there. */
  get lost(): ConnectionError | undefined {
    return this.#link.lost;
  }

  /** Resolves with the reason once nothing works any more. */
  get whenLost(): Promise<ConnectionError> {
    return this.#link.whenLost;
  }

  /** Creates the session: once, before everything else (CREATE_SESSION). */
  async createSession(options: SessionOptions): Promise<RelaySession> {
    if (this.#session !== undefined) {
      throw new TypeError("A relay client has one session: it has it already");
    }
    const request = sessionRequest(options);
    const reply = await this.#control.request("CREATE_SESSION", request);
    this.#legacyPath = legacyOutputPath(request);
    this.#session = {
      id: sessionId(reply.sessionId),
      outputPath: this.minor >= 11 ? reply.outputPath : this.#legacyPath,
      isSnapshot: options.snapshot === true && this.minor >= 4,
    };
    if (options.currentChunkId !== undefined) {
      this.#chunks.use(options.currentChunkId);
    }
    return this.#session;
  }

  /** Creates a trace chunk and makes it the current one; from 2.11 on. */
  async createTraceChunk(options: ChunkOptions = {}): Promise<bigint> {
    return await this.#chunks.create(options);
  }

  /** Adds a stream; viewers see it after {@linkcode streamsSent}. */
  async addStream(options: StreamOptions): Promise<RelayStream> {
    const { name, pathname } = options;
    const chunkId = this.#chunks.announced;
    const reply = await this.#control.request("ADD_STREAM", {
      channelName: name,
      pathname: this.minor >= 11
        ? pathname
        : `/${this.#legacyPath}/${pathname}`,
      tracefileSize: options.tracefileSize ?? 0n,
      tracefileCount: options.tracefileCount ?? 0n,
      traceChunkId: chunkId ?? ALL_ONES,
    });
    const stream = new OpenStream(
      streamId(reply.streamId),
      name,
      pathname,
      chunkId,
    );
    this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Publishes the streams added so far to viewers; from 2.4 on. */
  async streamsSent(): Promise<void> {
    await this.#control.request("STREAMS_SENT", {});
  }

  /**
   * Appends `bytes`, then `paddingSize` zeros, to a metadata stream. Only
   * whole units, which a viewer may then read. Resolves when all of it is
   * handed to the socket; the relay daemon does not answer.
   */
  async sendMetadata(
    stream: RelayStream,
    bytes: Uint8Array,
    paddingSize = 0,
  ): Promise<void> {
    const { id } = this.#open(stream);
    if (!stream.isMetadata) {
      throw new TypeError(`Stream ${stream.name} carries no metadata`);
    }
    await this.#control.request("SEND_METADATA", {
      streamId: id,
      paddingSize,
      metadata: bytes,
    });
  }

  /** Resolves when the relay daemon has all metadata that was sent before. */
  async metadataTaken(stream: RelayStream): Promise<void> {
    const { id: streamId } = this.#open(stream);
    await this.#control.request("QUIESCENT_CONTROL", { streamId });
  }

  /** Empties a metadata stream, to send it anew; from 2.8 on, not live. */
  async resetMetadata(stream: RelayStream, version = 0n): Promise<void> {
    const { id } = this.#open(stream);
    await this.#control.request("RESET_METADATA", { streamId: id, version });
  }

  /**
   * Sends one packet and, unless the session is a snapshot or older than 2.4,
   * its index. `content` may be shorter than `packetSize`: the relay daemon
   * adds zeros. It must not change until the promise settles, which it does
   * when the packet is handed to the socket and, counting its index, at most
   * `indexWindow - 1` indexes are without a reply.
   *
   * @throws {RelayError} This index, or an earlier one, was refused.
   * @throws {RangeError} The packet is larger than it says, or too many wait.
   */
  async sendPacket(
    stream: RelayStream,
    content: Uint8Array,
    packet: PacketInfo,
  ): Promise<void> {
    const open = this.#open(stream);
    const session = this.#needSession();
    if (stream.isMetadata) {
      throw new TypeError("A metadata stream carries no packets");
    }
    if (BigInt(content.length) > packet.packetSize / 8n) {
      throw new RangeError(
        `Packet of stream ${stream.name}: ${content.length} bytes > ${
          packet.packetSize / 8n
        } of its packet size`,
      );
    }
    const withIndex = !session.isSnapshot && this.minor >= 4;
    await this.#packets.send(open, content, packet, withIndex);
  }

  /**
   * Tells viewers of a live session that the stream had nothing to say until
   * `timestampEnd`, in cycles of the trace's clock; from 2.4 on.
   */
  async sendBeacon(
    stream: RelayStream,
    timestampEnd: bigint,
    streamClassId: bigint,
  ): Promise<void> {
    const { id, lastSequenceNumber } = this.#open(stream);
    await this.#control.request("SEND_INDEX", {
      relayStreamId: id,
      netSequenceNumber: lastSequenceNumber,
      packetSize: 0n,
      contentSize: 0n,
      timestampBegin: 0n,
      timestampEnd,
      eventsDiscarded: 0n,
      streamId: streamClassId,
      streamInstanceId: 0n,
      packetSequenceNumber: 0n,
    });
  }

  /**
   * Asks until everything that was sent is stored, or time runs out; then the
   * report says what is missing. It never takes longer.
   *
   * @throws {ConnectionError} A connection is lost.
   * @throws The signal's reason when it is aborted.
   */
  async waitUntilStored(options: WaitOptions = {}): Promise<StorageReport> {
    const deadline = deadlineOf(options);
    const openStreams = () => this.#streams.values();
    const session = this.#needSession();
    return await pollUntilStored(this.#control, session, openStreams, deadline);
  }

  /**
   * Moves all streams to a new trace chunk, or to none, and closes the old
   * one; from 2.11 on. Packets submitted before stay in the old chunk. A new
   * chunk has empty metadata: send all of it again.
   *
   * @returns Where the old chunk is, and whether that is finished already.
   */
  async rotate(options: RotateOptions = {}): Promise<ClosedChunk> {
    return await this.#chunks.rotate(options);
  }

  /**
   * Deletes what the session has stored and goes on in a new trace chunk; from
   * 2.12 on. Send the metadata again afterwards.
   *
   * @throws {RelayError} The relay daemon does not allow it.
   */
  async clear(options: WaitOptions = {}): Promise<ClosedChunk> {
    if (this.minor < 12) {
      throw new RelayVersionError(
        `Clear needs a relay daemon of 2.12: 2.${this.minor} was agreed`,
      );
    }
    if (!this.clearAllowed) {
      // Asking would cost the connection.
      throw new RelayError(
        "CLOSE_TRACE_CHUNK",
        Code.INVALID_PROTOCOL,
        "it disallows clear",
      );
    }
    return await this.rotate({ ...options, closeCommand: CloseCommand.DELETE });
  }

  /**
   * Says that no packet follows in a stream, once those that were submitted
   * are handed over. They may still be on their way then.
   */
  async closeStream(stream: RelayStream): Promise<void> {
    const open = this.#open(stream);
    open.isClosed = true;
    // An index that came after the close would cost the connection.
    await Promise.allSettled(open.sending);
    await this.#sendClose(open);
  }

  /**
   * Ends the session as a session daemon does: waits until everything is
   * stored or time runs out, leaves the trace chunk, closes the streams and
   * both connections. The report says what was not confirmed.
   */
  async finish(options: WaitOptions = {}): Promise<StorageReport> {
    try {
      const report = await this.waitUntilStored(options);
      const closing = new Deadline(
        report.stored ? CLOSING_TIMEOUT_MS : SHORT_CLOSING_TIMEOUT_MS,
        options.signal,
      );
      await closing.reaches(this.#closeAll(report.stored, closing));
      return report;
    } finally {
      this.close();
    }
  }

  /**
   * Ends the session without asking what is stored: as soon as the packets and
   * the metadata that were submitted are handed to the sockets, which send them
   * on by themselves; or cuts them when time runs out.
   */
  async leave(options: WaitOptions = {}): Promise<void> {
    const deadline = deadlineOf(options);
    try {
      const closing = this.streams.map((stream) => this.closeStream(stream));
      await deadline.reaches(Promise.all(closing));
    } finally {
      this.close();
    }
  }

  /**
   * Closes both connections at once; packets and commands that wait are
   * dropped and fail. May be called again.
   */
  close(): void {
    this.#link.fail(new ConnectionError("The relay client is closed"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #closeAll(stored: boolean, deadline: Deadline): Promise<void> {
    const chunkId = this.#chunks.current;
    const isSnapshot = this.#session?.isSnapshot === true;
    const streams = [...this.#streams.values()];
    if (stored && chunkId !== undefined && !isSnapshot) {
      await this.rotate({
        newChunk: false,
        closeCommand: CloseCommand.NO_OPERATION,
        timeoutMs: deadline.leftMs / 2,
      });
    }
    const metadata = streams.filter((stream) => stream.isMetadata);
    const data = streams.filter((stream) => !stream.isMetadata);
    // Not waiting for packets: time is up, and the connections go next.
    for (const stream of [...metadata, ...data]) await this.#sendClose(stream);
    if (isSnapshot && chunkId !== undefined) {
      await closeChunk(this.#control, chunkId, undefined);
    }
  }

  async #sendClose(stream: OpenStream): Promise<void> {
    stream.isClosed = true;
    this.#streams.delete(stream.id);
    await this.#control.request("CLOSE_STREAM", {
      streamId: stream.id,
      lastNetSequenceNumber: stream.lastSequenceNumber,
    });
  }

  #needSession(): RelaySession {
    if (this.lost !== undefined) throw this.lost;
    if (this.#session === undefined) {
      throw new TypeError("There is no session yet: create one first");
    }
    return this.#session;
  }

  #open(stream: RelayStream): OpenStream {
    if (this.lost !== undefined) throw this.lost;
    const open = this.#streams.get(stream.id);
    if (open !== stream || open.isClosed) {
      throw new TypeError(`Stream ${stream.name} is closed, or another's`);
    }
    return open;
  }
}
