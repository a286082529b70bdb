/** One TCP connection with exact, bounded reads and writes. */

import { formatAddress } from "./url.ts";

/** A connection that could not be made, was lost, or waited too long. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** Which peer to connect to, and how long that may take. */
export interface ConnectOptions {
  /** Name or IP address; an IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /**
   * How long connecting may take, milliseconds.
   *
   * @default {10000}
   */
  readonly timeoutMs?: number;
  /** Gives up connecting; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

/** What a read waits for. */
export interface ReadOptions {
  /** How long it may take, milliseconds; without a bound if unset. */
  readonly timeoutMs?: number;
  /** Names what is awaited, for the error: `"the reply to VERSION"`. */
  readonly what?: string;
}

/** How long connecting may take, unless told otherwise (ms). */
export const CONNECT_TIMEOUT_MS = 10_000;

const READ_BYTES = 16 * 1024;

/** Resolves like `promise`, or throws naming `what` after `milliseconds`. */
export async function withDeadline<T>(
  promise: Promise<T>,
  milliseconds: number | undefined,
  what: string,
): Promise<T> {
  if (milliseconds === undefined) return await promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ConnectionError(waited(milliseconds, what))),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The text of every wait that was too long. */
export function waited(milliseconds: number, what: string): string {
  return `Waited ${milliseconds} ms in vain for ${what}`;
}

/**
 * A TCP connection. Bytes that were read and not yet consumed are kept, so
 * that a read that ran out of time loses nothing.
 */
export class Connection implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #chunk = new Uint8Array(READ_BYTES);
  /** A read that is under way; its bytes land in `#chunk`. */
  #reading: Promise<number | null> | undefined;
  #buffer = new Uint8Array(READ_BYTES);
  #start = 0;
  #end = 0;
  #closed = false;
  /** The other side, as `host:port`. */
  readonly peer: string;

  constructor(conn: Deno.TcpConn, peer?: string) {
    this.#conn = conn;
    const { hostname, port } = conn.remoteAddr;
    this.peer = peer ?? formatAddress({ hostname, port });
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  }

  /**
   * Connects.
   *
   * @throws {ConnectionError} When the peer refuses or time runs out.
   * @throws The signal's reason when it is aborted.
   */
  static async connect(options: ConnectOptions): Promise<Connection> {
    const { hostname, port, signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
    const peer = formatAddress({ hostname, port });
    signal?.throwIfAborted();
    const giveUp = new AbortController();
    const onAbort = () => giveUp.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(
      () =>
        giveUp.abort(
          new ConnectionError(waited(timeoutMs, `a connection to ${peer}`)),
        ),
      timeoutMs,
    );
    try {
      const conn = await Deno.connect({
        hostname,
        port,
        signal: giveUp.signal,
      });
      return new Connection(conn, peer);
    } catch (error) {
      giveUp.signal.throwIfAborted();
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw new ConnectionError(
        `Cannot connect to ${peer}: ${reasonOf(error)}`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Bytes that were read and not consumed; valid until the next call. */
  get buffered(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Forgets the first `count` buffered bytes. */
  consume(count: number): void {
    this.#start += Math.min(count, this.#end - this.#start);
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  /**
   * Waits for more bytes, which then are in {@linkcode buffered}; `false`
   * when the peer ended the connection.
   */
  async fill(): Promise<boolean> {
    this.#reading ??= this.#conn.read(this.#chunk);
    const reading = this.#reading;
    let count: number | null;
    try {
      count = await reading;
    } catch (error) {
      throw this.#broken(error);
    }
    // Another caller may have waited for the same read and stored its bytes.
    if (this.#reading === reading) {
      this.#reading = undefined;
      this.#append(this.#chunk.subarray(0, count ?? 0));
    }
    return count !== null;
  }

  /**
   * Exactly `count` bytes, as a copy.
   *
   * @throws {ConnectionError} When the peer ends first or time runs out.
   */
  async readExactly(
    count: number,
    options: ReadOptions = {},
  ): Promise<Uint8Array> {
    const what = options.what ?? `${count} bytes from ${this.peer}`;
    const reading = this.#fillTo(count, what);
    // Time may run out first; the read's own failure is then nobody's.
    reading.catch(() => {});
    await withDeadline(reading, options.timeoutMs, what);
    const bytes = this.buffered.slice(0, count);
    this.consume(count);
    return bytes;
  }

  /**
   * Writes all of `bytes`, which are the caller's again afterwards. Fails when
   * the peer takes nothing at all for `stallTimeoutMs`; the connection is of
   * no use then.
   *
   * @throws {ConnectionError} When the connection is lost or stalled.
   */
  async write(bytes: Uint8Array, stallTimeoutMs?: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const writing = this.#conn.write(bytes.subarray(written)).catch(
        (error: unknown) => {
          throw this.#broken(error);
        },
      );
      writing.catch(() => {});
      const what = `${this.peer} to take ${bytes.length - written} more bytes`;
      written += await withDeadline(writing, stallTimeoutMs, what);
    }
  }

  /** Ends what this side sends; reading goes on. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes; whatever waits on the connection fails. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #fillTo(count: number, what: string): Promise<void> {
    while (this.#end - this.#start < count) {
      if (await this.fill()) continue;
      const got = this.#end - this.#start;
      throw new ConnectionError(
        `${this.peer} ended the connection after ${got} of ${count} bytes: ${what}`,
      );
    }
  }

  #append(bytes: Uint8Array): void {
    const length = this.#end - this.#start;
    if (this.#end + bytes.length > this.#buffer.length) {
      const needed = length + bytes.length;
      const target = needed > this.#buffer.length
        ? new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
        : this.#buffer;
      target.set(this.buffered);
      this.#buffer = target;
      this.#start = 0;
      this.#end = length;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #broken(error: unknown): ConnectionError {
    const text = this.#closed
      ? `The connection to ${this.peer} is closed`
      : `Lost the connection to ${this.peer}: ${reasonOf(error)}`;
    return new ConnectionError(text, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
