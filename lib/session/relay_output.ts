/** A trace on its way to a relay daemon, as an output of the consumer. */

import type { ClosedChunk } from "../stream/rotation.ts";
import { RelaySink } from "../stream/relay_sink.ts";
import type {
  ChunkLocation,
  OutputStream,
  StreamFiles,
  TraceOutput,
} from "./output.ts";

/** Which relay daemon, and what the session is called there. */
export interface RelayOutputOptions {
  readonly hostname: string;
  readonly controlPort: number;
  readonly dataPort: number;
  readonly session: string;
  /** Name of this machine. */
  readonly sender: string;
  /** Directory to use instead of one made from name and time; else empty. */
  readonly basePath: string;
  readonly nameContainsCreationTime: boolean;
  /** Microseconds; 0 for a session that is not live. */
  readonly liveTimer: number;
  /** Milliseconds since 1970. */
  readonly creationTime: number;
  /** Directory of the trace below the session's: `kernel`. */
  readonly domain: string;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** Indexes that wait for their reply: they hide the round trip. */
const INDEX_WINDOW = 32;
/** How long the control connection may answer nothing, milliseconds. */
const REPLY_TIMEOUT_MS = 30_000;
/**
 * How long the data connection may take nothing, milliseconds. A full socket
 * takes more once a third of its buffer is free: 4 MiB at 50 kbit/s need 220 s.
 */
const STALL_TIMEOUT_MS = 300_000;
/** How long what is half sent may go on after the session's end, milliseconds. */
const LEAVE_TIMEOUT_MS = 120_000;

/** A session of a relay daemon. */
export class RelayOutput implements TraceOutput {
  readonly #options: RelayOutputOptions;
  readonly #sink: RelaySink;

  private constructor(options: RelayOutputOptions, sink: RelaySink) {
    this.#options = options;
    this.#sink = sink;
  }

  /**
   * Connects and creates the session.
   *
   * @throws {Error} When the relay daemon cannot be reached, or refuses.
   */
  static async connect(options: RelayOutputOptions): Promise<RelayOutput> {
    const { basePath, session, sender } = options;
    const sink = await RelaySink.open({
      hostname: options.hostname,
      controlPort: options.controlPort,
      dataPort: options.dataPort,
      connectTimeoutMs: options.connectTimeoutMs,
      replyTimeoutMs: REPLY_TIMEOUT_MS,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      indexWindow: INDEX_WINDOW,
      signal: options.signal,
      pathname: options.domain,
      session: {
        name: session,
        hostname: sender,
        liveTimer: options.liveTimer,
        creationTime: new Date(options.creationTime),
        nameContainsCreationTime: options.nameContainsCreationTime,
        ...(basePath === "" ? {} : { basePath }),
      },
    });
    return new RelayOutput(options, sink);
  }

  get lost(): Promise<Error> {
    return this.#sink.client.whenLost;
  }

  async openStream(name: string, files: StreamFiles): Promise<OutputStream> {
    const { stream, sink } = await this.#sink.addStream(name, {
      tracefileSize: files.traceFileSize,
      tracefileCount: files.traceFileCount,
    });
    const { client } = this.#sink;
    return {
      writePacket: (content, info) => sink.writePacket(content, info),
      beacon: (timestamp, streamClassId) =>
        client.sendBeacon(stream, timestamp, streamClassId),
    };
  }

  /**
   * Resolves when the relay daemon has the metadata, not when the socket has:
   * packets wait for it, and would take half of a slow link from it.
   */
  async writeMetadata(bytes: Uint8Array): Promise<void> {
    await this.#sink.writeMetadata(bytes);
    await this.#sink.metadataTaken();
  }

  async replaceMetadata(bytes: Uint8Array): Promise<void> {
    await this.#sink.replaceMetadata(bytes);
    await this.#sink.metadataTaken();
  }

  checkReplacing(): void {
    this.#sink.checkReplacing();
  }

  async waitUntilStored(timeoutMs: number): Promise<readonly string[]> {
    const { client } = this.#sink;
    const report = await client.waitUntilStored({ timeoutMs });
    if (report.stored) return [];
    const names = report.missing.map(({ name }) => name);
    return names.length > 0 ? names : ["metadata"];
  }

  async rotate(timeoutMs: number): Promise<ChunkLocation> {
    return this.#locate(await this.#sink.rotate({ timeoutMs }), timeoutMs);
  }

  async archive(timeoutMs: number): Promise<ChunkLocation> {
    const { client } = this.#sink;
    const closed = await client.rotate({ newChunk: false, timeoutMs });
    return this.#locate(closed, timeoutMs);
  }

  #locate({ path, finished }: ClosedChunk, timeoutMs: number): ChunkLocation {
    if (!finished) {
      throw new Error(
        `The relay daemon has not archived the trace chunk within ${timeoutMs} ms`,
      );
    }
    const { hostname, controlPort, dataPort } = this.#options;
    return { kind: "relay", hostname, controlPort, dataPort, path };
  }

  async clear(timeoutMs: number): Promise<void> {
    await this.#sink.clear({ timeoutMs });
  }

  async close(timeoutMs: number): Promise<void> {
    const { client } = this.#sink;
    // Lost already, or now: there is nothing left to end.
    if (timeoutMs > 0) await client.finish({ timeoutMs }).catch(() => {});
    else void client.leave({ timeoutMs: LEAVE_TIMEOUT_MS }).catch(() => {});
  }
}
