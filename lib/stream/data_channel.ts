/** The data connection: packets in order, with a bound on what waits. */

import { errorText } from "../base/errors.ts";
import { type Connection, ConnectionError } from "../net/connection.ts";

/** A packet that fits is copied behind its header and sent in one write. */
const GATHER_BYTES = 64 * 1024;

/** A packet that waits to be written. */
interface Waiting {
  readonly header: Uint8Array;
  readonly content: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a data channel is told. */
export interface DataChannelOptions {
  /** How long the peer may take nothing at all, milliseconds. */
  readonly stallTimeoutMs: number;
  /** Most bytes of packets that wait. */
  readonly queueBytes: number;
  /** Called once, when the connection is of no use any more. */
  readonly onLost: (error: ConnectionError) => void;
}

/**
 * Writes packets to one data connection. It shares nothing with the control
 * connection, so a peer that takes no data delays no command and no metadata.
 */
export class DataChannel {
  readonly #connection: Connection;
  readonly #options: DataChannelOptions;
  readonly #queue: Waiting[] = [];
  readonly #scratch = new Uint8Array(GATHER_BYTES);
  /** Packets being written; their promises are still open. */
  #current: Waiting[] = [];
  #queuedBytes = 0;
  #writing = false;
  #failure: ConnectionError | undefined;

  constructor(connection: Connection, options: DataChannelOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#watch().catch((error) => this.#lose(error));
  }

  /**
   * Sends one packet; resolves when all of it is handed to the socket. Until
   * then `content` must not change. A packet that is refused throws at once.
   *
   * @throws {RangeError} Too many bytes wait already.
   * @throws {ConnectionError} The connection is lost or stalled.
   */
  send(header: Uint8Array, content: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw again(this.#failure);
    const queued = this.#queuedBytes + content.length;
    if (this.#queuedBytes > 0 && queued > this.#options.queueBytes) {
      throw new RangeError(
        `Too many packets wait to be sent: ${queued} bytes > ${this.#options.queueBytes}`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queuedBytes = queued;
    this.#queue.push({ header, content, resolve, reject });
    this.#pump();
    return promise;
  }

  /** Fails every packet that waits, and every later one. */
  fail(error: ConnectionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#connection.close();
    const waiting = [...this.#current, ...this.#queue.splice(0)];
    this.#current = [];
    for (const { reject } of waiting) reject(again(error));
  }

  #pump(): void {
    if (this.#writing || this.#failure !== undefined) return;
    this.#writing = true;
    this.#writeAll().catch((error) => this.#lose(error));
  }

  async #writeAll(): Promise<void> {
    const { stallTimeoutMs } = this.#options;
    while (this.#queue.length > 0) {
      const size = this.#gather();
      if (size > 0) {
        await this.#connection.write(
          this.#scratch.subarray(0, size),
          stallTimeoutMs,
        );
      } else {
        await this.#writeLarge(this.#current[0]!);
      }
      for (const { content, resolve } of this.#current) {
        this.#queuedBytes -= content.length;
        resolve();
      }
      this.#current = [];
    }
    // At once: a packet that came in between would find nobody to send it.
    this.#writing = false;
  }

  /** Copies small packets into the scratch buffer; 0 if the first is large. */
  #gather(): number {
    let size = 0;
    this.#current = [];
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { header, content } = next;
      if (size + header.length + content.length > GATHER_BYTES) break;
      this.#scratch.set(header, size);
      this.#scratch.set(content, size + header.length);
      size += header.length + content.length;
      this.#current.push(next);
      this.#queue.shift();
    }
    if (size === 0) this.#current.push(this.#queue.shift()!);
    return size;
  }

  async #writeLarge({ header, content }: Waiting): Promise<void> {
    const { stallTimeoutMs } = this.#options;
    await this.#connection.write(header, stallTimeoutMs);
    await this.#connection.write(content, stallTimeoutMs);
  }

  /** A relay daemon never sends anything here, but it may hang up. */
  async #watch(): Promise<void> {
    const { peer } = this.#connection;
    if (await this.#connection.fill()) {
      const { length } = this.#connection.buffered;
      throw new ConnectionError(
        `The relay daemon at ${peer} sent ${length} bytes on the data connection`,
      );
    }
    throw new ConnectionError(
      `The relay daemon at ${peer} closed the data connection`,
    );
  }

  #lose(error: unknown): void {
    if (this.#failure !== undefined) return;
    const lost = error instanceof ConnectionError
      ? error
      : new ConnectionError(errorText(error), { cause: error });
    this.fail(lost);
    this.#options.onLost(lost);
  }
}

/** A fresh error for each caller, so that each has its own stack. */
function again(error: ConnectionError): ConnectionError {
  return new ConnectionError(error.message, { cause: error.cause ?? error });
}
