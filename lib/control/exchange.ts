/** One request to a session daemon and its reply, on a connection of its own. */

import { SESSIOND_REPLY_BYTES } from "../base/limits.ts";
import { Errno, NativeLibraryError, SystemError } from "../os/libc.ts";
import {
  type Credentials,
  SocketTimeoutError,
  UnixSocket,
  type WaitOptions,
} from "../os/unix_socket.ts";
import { type ControlError, controlError } from "./errors.ts";

/** How a session daemon is reached. */
export interface Endpoint {
  /** Its socket. */
  readonly path: string;
  /** As whom. */
  readonly credentials: Credentials;
  /** How long connecting may take, milliseconds. */
  readonly connectTimeoutMs: number;
}

/** What is sent, and how long the answer may take. */
export interface ExchangeOptions {
  /** Names the request in errors: `LIST_SESSIONS`. */
  readonly name: string;
  /** Milliseconds until the reply is there whole. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** A file that is opened and sent along. */
  readonly file?: string | undefined;
}

/** Bytes that are asked of the socket at once. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Sends `request` and hands what comes back to `read`, which asks for as many
 * bytes as it needs.
 *
 * @throws {ControlError} When the session daemon cannot be reached, ends the
 * connection or does not answer in time.
 */
export async function exchange<T>(
  endpoint: Endpoint,
  request: Uint8Array,
  options: ExchangeOptions,
  read: (reply: ReplyReader) => Promise<T>,
): Promise<T> {
  const { name, timeoutMs, signal } = options;
  const what = `the reply to ${name} from ${endpoint.path}`;
  using socket = await connectTo(endpoint, signal);
  const wait = { timeoutMs, what, signal };
  try {
    await send(socket, request, endpoint, wait, options.file);
    return await read(new ReplyReader(socket, endpoint, wait));
  } catch (error) {
    throw asControlError(error, endpoint);
  }
}

/**
 * Connects to a session daemon.
 *
 * @throws {ControlError} NO_SESSIOND when nothing answers.
 */
export async function connectTo(
  endpoint: Endpoint,
  signal?: AbortSignal,
): Promise<UnixSocket> {
  const { path, connectTimeoutMs } = endpoint;
  try {
    return await UnixSocket.connect(path, {
      timeoutMs: connectTimeoutMs,
      what: `a connection to ${path}`,
      signal,
    });
  } catch (error) {
    if (error instanceof RangeError) {
      throw controlError("CONNECT_FAIL", error.message, { cause: error });
    }
    throw asControlError(error, endpoint);
  }
}

async function send(
  socket: UnixSocket,
  request: Uint8Array,
  { credentials }: Endpoint,
  wait: WaitOptions,
  file: string | undefined,
): Promise<void> {
  try {
    await socket.send(request, credentials, wait);
    if (file !== undefined) await socket.sendFile(file, wait);
  } catch (error) {
    // It refused before it had read everything: the reply says why.
    if (error instanceof SystemError && error.errno === Errno.EPIPE) return;
    throw error;
  }
}

/** Reads a reply piece by piece; a piece is taken as it was announced. */
export class ReplyReader {
  readonly #deadline: number;

  constructor(
    readonly socket: UnixSocket,
    readonly endpoint: Endpoint,
    readonly wait: WaitOptions,
  ) {
    this.#deadline = Date.now() + wait.timeoutMs;
  }

  /**
   * Exactly `count` bytes. A count that is a lie costs no more memory than
   * what really comes.
   */
  async exactly(count: number): Promise<Uint8Array> {
    if (count > SESSIOND_REPLY_BYTES) {
      throw nonsense(
        this.endpoint,
        `a reply of ${count} bytes > ${SESSIOND_REPLY_BYTES}`,
      );
    }
    const bytes = await this.#upTo(count);
    if (bytes.length < count) {
      throw controlError(
        "NO_SESSIOND",
        `${this.endpoint.path} closed the connection after ` +
          `${bytes.length} of ${count} bytes of its reply`,
      );
    }
    return bytes;
  }

  /** Everything until the session daemon closes. */
  async toEnd(): Promise<Uint8Array> {
    const bytes = await this.#upTo(SESSIOND_REPLY_BYTES + 1);
    if (bytes.length > SESSIOND_REPLY_BYTES) {
      throw nonsense(
        this.endpoint,
        `more than ${SESSIOND_REPLY_BYTES} bytes of reply`,
      );
    }
    return bytes;
  }

  async #upTo(count: number): Promise<Uint8Array> {
    let buffer = new Uint8Array(Math.min(count, CHUNK_BYTES));
    let length = 0;
    while (length < count) {
      if (length === buffer.length) {
        const larger = new Uint8Array(Math.min(count, 2 * buffer.length));
        larger.set(buffer);
        buffer = larger;
      }
      const got = await this.#receive(buffer.subarray(length));
      if (got === 0) break;
      length += got;
    }
    return buffer.subarray(0, length);
  }

  async #receive(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    try {
      const left = this.#deadline - Date.now();
      // What has come already is taken even when time is up.
      const timeoutMs = Math.max(left, 0);
      return await this.socket.receive(buffer, { ...this.wait, timeoutMs });
    } catch (error) {
      // It closed with a part of the request unread: the reply came before.
      if (error instanceof SystemError && error.errno === Errno.ECONNRESET) {
        return 0;
      }
      if (error instanceof SocketTimeoutError) {
        const { timeoutMs, what } = this.wait;
        throw new SocketTimeoutError(
          `Waited ${timeoutMs} ms in vain for ${what}`,
        );
      }
      throw error;
    }
  }
}

/** The error for what no session daemon would say. */
export function nonsense(
  { path }: Endpoint,
  detail: string,
  cause?: unknown,
): ControlError {
  return controlError(
    "INVALID_PROTOCOL",
    `${path} does not answer like a session daemon: ${detail}`,
    { cause },
  );
}

function asControlError(error: unknown, { path }: Endpoint): unknown {
  if (error instanceof SocketTimeoutError) {
    return controlError("NO_SESSIOND", error.message, { cause: error });
  }
  if (error instanceof NativeLibraryError) {
    return controlError("NOT_SUPPORTED", error.message, { cause: error });
  }
  if (!(error instanceof SystemError)) return error;
  if (error.call.startsWith("open ")) {
    return controlError("INVALID", error.message, { cause: error });
  }
  if (error.errno === Errno.EPERM) {
    const detail = "only root may ask in another user's name";
    return controlError("EPERM", detail, { cause: error });
  }
  const detail = error.call === "connect"
    ? `nothing answers at ${path}: ${error.reason}`
    : `lost the connection to ${path}: ${error.reason}`;
  return controlError("NO_SESSIOND", detail, { cause: error });
}
