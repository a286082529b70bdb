/** A place for a trace: one session of a relay daemon, opened and ended whole. */

import type { StreamSink, TraceSink } from "../ctf/sink.ts";
import type { WaitOptions } from "./bounded.ts";
import type { RelayClientOptions, RotateOptions } from "./client_options.ts";
import {
  describeReport,
  IncompleteTraceError,
  RelayVersionError,
  type StorageReport,
} from "./errors.ts";
import { RelayClient } from "./relay_client.ts";
import {
  METADATA,
  type RelaySession,
  type RelayStream,
  type SessionOptions,
  type StreamOptions,
} from "./relay_stream.ts";
import type { ClosedChunk } from "./rotation.ts";

/** How long the relay daemon may take to store the rest at the end (ms). */
const FINISH_TIMEOUT_MS = 10_000;

/** The session to make and where its streams go. */
export interface RelaySinkOptions extends RelayClientOptions {
  readonly session: SessionOptions;
  /** Directory of the streams below the session's: `ust/uid/0/64-bit`. */
  readonly pathname: string;
  /** Bytes after which another trace file begins; 0, the default: never. */
  readonly tracefileSize?: bigint;
  /** How many trace files a stream keeps; 0, the default: all. */
  readonly tracefileCount?: bigint;
  /**
   * How long `close()` waits for the relay daemon to store the rest,
   * milliseconds.
   *
   * @default {10000}
   */
  readonly finishTimeoutMs?: number;
}

/**
 * Streams a trace to a relay daemon. The trace is published to viewers with
 * its first metadata, together with the streams opened before it; streams
 * opened later are published at once.
 *
 * @example Streaming one packet
 * ```ts
 * import { RelaySink, silentLog, startRelay } from "@lttng/stream";
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
 * const sink = await RelaySink.open({
 *   hostname: "127.0.0.1",
 *   controlPort: relay.addresses.control.port,
 *   dataPort: relay.addresses.data.port,
 *   session: { name: "demo", hostname: "target" },
 *   pathname: "ust/uid/0/64-bit",
 * });
 * const stream = await sink.openStream("ch0_0");
 * await sink.writeMetadata(new TextEncoder().encode("/* CTF 1.8 *\/\n"));
 * await stream.writePacket(new Uint8Array(912), {
 *   packetSize: 8n * 4096n,
 *   contentSize: 8n * 912n,
 *   timestampBegin: 100n,
 *   timestampEnd: 200n,
 *   eventsDiscarded: 0n,
 *   streamClassId: 0n,
 *   streamInstanceId: 0n,
 *   packetSequenceNumber: 0n,
 * });
 * await sink.close();
 * if (!sink.report?.stored) throw new Error("The packet is not stored");
 * ```
 */
export class RelaySink implements TraceSink, AsyncDisposable {
  readonly #options: RelaySinkOptions;
  readonly #client: RelayClient;
  readonly #session: RelaySession;
  /** All metadata so far: a new trace chunk needs it again. */
  #metadata: Uint8Array[] = [];
  #metadataStream: RelayStream | undefined;
  /** How often it was replaced. */
  #metadataVersion = 0n;
  /** The last of what must happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #published = false;
  #ended: Promise<void> | undefined;
  #report: StorageReport | undefined;

  private constructor(
    options: RelaySinkOptions,
    client: RelayClient,
    session: RelaySession,
  ) {
    this.#options = options;
    this.#client = client;
    this.#session = session;
  }

  /** Connects, creates the session and, from 2.11 on, its trace chunk. */
  static async open(options: RelaySinkOptions): Promise<RelaySink> {
    const client = await RelayClient.connect(options);
    try {
      const session = await client.createSession(options.session);
      if (client.minor >= 11) await client.createTraceChunk();
      return new RelaySink(options, client, session);
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** The client underneath, for what a sink does not offer. */
  get client(): RelayClient {
    return this.#client;
  }

  /** The session's directory below the relay daemon's output directory. */
  get outputPath(): string {
    return this.#session.outputPath;
  }

  /** What the relay daemon confirmed at the end; unset before. */
  get report(): StorageReport | undefined {
    return this.#report;
  }

  /** Appends metadata: whole units, before the packets that need them. */
  writeMetadata(bytes: Uint8Array): Promise<void> {
    const kept = bytes.slice();
    return this.#inTurn(async () => {
      this.#metadata.push(kept);
      this.#metadataStream ??= await this.#addMetadata();
      await this.#client.sendMetadata(this.#metadataStream, kept);
    });
  }

  /**
   * Puts `bytes` in place of the metadata so far, in the current trace chunk
   * and those that follow; from 2.8 on, not live. The relay daemon empties its
   * file before it takes the new: where the connection is lost in between,
   * what it has is not whole.
   *
   * @throws {RelayVersionError} The relay daemon is older: nothing changed.
   * @throws {TypeError} The session is live: nothing changed.
   */
  replaceMetadata(bytes: Uint8Array): Promise<void> {
    const kept = bytes.slice();
    return this.#inTurn(async () => {
      this.checkReplacing();
      this.#metadata = [kept];
      const stream = this.#metadataStream ??= await this.#addMetadata();
      // Not one after the other: the file is empty for as short as can be.
      await Promise.all([
        this.#client.resetMetadata(stream, ++this.#metadataVersion),
        this.#client.sendMetadata(stream, kept),
      ]);
    });
  }

  /** Throws what {@linkcode replaceMetadata} would reject with. */
  checkReplacing(): void {
    const { minor } = this.#client;
    if (minor < 8) {
      throw new RelayVersionError(
        `Metadata sent anew needs a relay daemon of 2.8: 2.${minor} was agreed`,
      );
    }
    // Asking would cost the connection.
    if ((this.#options.session.liveTimer ?? 0) > 0) {
      throw new TypeError("The metadata of a live session cannot be sent anew");
    }
  }

  /** Resolves when the relay daemon has the metadata that was written before. */
  metadataTaken(): Promise<void> {
    return this.#inTurn(async () => {
      const stream = this.#metadataStream;
      if (stream !== undefined) await this.#client.metadataTaken(stream);
    });
  }

  /** Adds a data stream called `CHANNEL_INSTANCE`, such as `ch0_0`. */
  async openStream(name: string): Promise<StreamSink> {
    const { sink } = await this.addStream(name);
    return sink;
  }

  /**
   * {@linkcode openStream} with trace files of its own kind; gives the client's
   * stream too.
   */
  async addStream(
    name: string,
    files: Pick<StreamOptions, "tracefileSize" | "tracefileCount"> = {},
  ): Promise<{ readonly stream: RelayStream; readonly sink: StreamSink }> {
    const client = this.#client;
    const stream = await client.addStream({
      ...this.#streamOptions(name),
      ...files,
    });
    // Without metadata a viewer could make nothing of it.
    if (this.#published) await client.streamsSent();
    let closing: Promise<void> | undefined;
    const sink: StreamSink = {
      writePacket: (content, packet) =>
        client.sendPacket(stream, content, packet),
      close: () => closing ??= client.closeStream(stream),
    };
    return { stream, sink };
  }

  /**
   * Ends the current trace chunk, goes on in a new one and sends it the
   * metadata; from 2.11 on.
   */
  rotate(options: Omit<RotateOptions, "newChunk"> = {}): Promise<ClosedChunk> {
    return this.#renew(() => this.#client.rotate(options));
  }

  /** Deletes what is stored and goes on; from 2.12 on. */
  clear(options: WaitOptions = {}): Promise<ClosedChunk> {
    return this.#renew(() => this.#client.clear(options));
  }

  /**
   * Ends the session; streams that are open are closed. Returns within the
   * time of `finishTimeoutMs` and some seconds for closing.
   *
   * @throws {IncompleteTraceError} Time ran out; it says what is missing.
   */
  close(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    const { finishTimeoutMs = FINISH_TIMEOUT_MS } = this.#options;
    const report = await this.#client.finish({ timeoutMs: finishTimeoutMs });
    this.#report = report;
    if (!report.stored) {
      throw new IncompleteTraceError(describeReport(report), report);
    }
  }

  async #addMetadata(): Promise<RelayStream> {
    const client = this.#client;
    const stream = await client.addStream(this.#streamOptions(METADATA));
    this.#published = client.minor >= 4 && !this.#session.isSnapshot;
    if (this.#published) await client.streamsSent();
    return stream;
  }

  /** Metadata that is written meanwhile waits: it would be sent twice. */
  #renew(leave: () => Promise<ClosedChunk>): Promise<ClosedChunk> {
    return this.#inTurn(async () => {
      const closed = await leave();
      const stream = this.#metadataStream;
      if (stream !== undefined) {
        await this.#client.sendMetadata(stream, concatenate(this.#metadata));
      }
      return closed;
    });
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }

  #streamOptions(name: string) {
    const { pathname, tracefileSize = 0n, tracefileCount = 0n } = this.#options;
    // Metadata is never split: a reader needs all of it.
    return name === METADATA
      ? { name, pathname }
      : { name, pathname, tracefileSize, tracefileCount };
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((size, part) => size + part.length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
