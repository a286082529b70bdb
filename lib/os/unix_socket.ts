/**
 * A Unix stream socket whose messages carry this process's credentials, and
 * file descriptors: Deno's own sockets can send neither. All waits are bounded
 * and leave the program running.
 */

import { cString, Errno, Libc, nativeBuffer, SystemError } from "./libc.ts";
import { UNIX_SOCKET_PATH_BYTES } from "../base/limits.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
const POLLOUT = 4;
const O_RDONLY = 0;
const O_CLOEXEC = 0x80000;

/** Longest single wait in the system; between two, signals are looked at. */
const POLL_MS = 100;
/** Pause before another try to connect to a listener whose queue is full. */
const RETRY_MS = 10;
/** `struct cmsghdr` up to its data, on 64-bit Linux. */
const CONTROL_HEADER_BYTES = 16;

/** Who sends a message: only root may claim to be someone else. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
}

/** How long a call may take. */
export interface WaitOptions {
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Names what is awaited, for the error. */
  readonly what: string;
  /** Gives up early. */
  readonly signal?: AbortSignal | undefined;
}

/** A wait that was too long. */
export class SocketTimeoutError extends Error {
  override name = "SocketTimeoutError";
}

/** A connected Unix stream socket. */
export class UnixSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /**
   * Connects to the listener at `path`.
   *
   * @throws {SystemError} When nothing listens there, or it may not be used.
   * @throws {SocketTimeoutError} When its queue stays full.
   * @throws {RangeError} When no socket can have this path.
   */
  static async connect(
    path: string,
    options: WaitOptions,
  ): Promise<UnixSocket> {
    const address = addressOf(path);
    const libc = Libc.open();
    let socket: UnixSocket | undefined;
    try {
      const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
      const fd = libc.check("socket", libc.call.socket(AF_UNIX, type, 0));
      socket = new UnixSocket(libc, fd);
      await socket.#connect(address, options);
      return socket;
    } catch (error) {
      if (socket === undefined) libc[Symbol.dispose]();
      else socket.close();
      throw error;
    }
  }

  async #connect(address: Uint8Array, options: WaitOptions): Promise<void> {
    const deadline = Date.now() + options.timeoutMs;
    const { call } = this.#libc;
    while (call.connect(this.#fd, Uint8Array.from(address), address.length)) {
      const { errno } = this.#libc;
      if (errno === Errno.EINTR) continue;
      // A full queue cannot be waited for in any other way.
      if (errno !== Errno.EAGAIN) throw new SystemError("connect", errno);
      checkWait(deadline, options);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /**
   * Sends all of `bytes`, each piece with `credentials`, so that the receiver
   * never has to take the sender for nobody.
   *
   * @throws {SystemError} EPIPE or ECONNRESET when the peer closed.
   * @throws {SocketTimeoutError} When the peer takes nothing more.
   */
  async send(
    bytes: Uint8Array,
    credentials: Credentials,
    options: WaitOptions,
  ): Promise<void> {
    const control = controlMessage(
      SCM_CREDENTIALS,
      Uint32Array.of(Deno.pid, credentials.uid, credentials.gid),
    );
    await this.#sendAll(bytes, control, options);
  }

  /** Opens the file at `path` and sends it, with the one byte that it needs. */
  async sendFile(path: string, options: WaitOptions): Promise<void> {
    const { call } = this.#libc;
    const fd = this.#libc.check(
      `open ${path}`,
      call.open(cString(path), O_RDONLY | O_CLOEXEC, 0),
    );
    try {
      const control = controlMessage(SCM_RIGHTS, Uint32Array.of(fd));
      await this.#sendAll(new Uint8Array(1), control, options);
    } finally {
      call.close(fd);
    }
  }

  async #sendAll(
    bytes: Uint8Array,
    control: Uint8Array<ArrayBuffer>,
    options: WaitOptions,
  ): Promise<void> {
    const deadline = Date.now() + options.timeoutMs;
    const data = nativeBuffer(bytes.length);
    data.set(bytes);
    for (let sent = 0; sent < data.length;) {
      const message = messageHeader(data.subarray(sent), control);
      const count = this.#libc.call.sendmsg(
        this.#fd,
        message.header,
        MSG_NOSIGNAL,
      );
      if (count >= 0) {
        sent += Number(count);
        continue;
      }
      await this.#retry("sendmsg", POLLOUT, deadline, options);
    }
  }

  /**
   * Waits for bytes and stores them in `buffer`; returns how many came, 0 once
   * the peer has closed.
   *
   * @throws {SystemError} When the connection is broken.
   * @throws {SocketTimeoutError} When nothing comes.
   */
  async receive(
    buffer: Uint8Array<ArrayBuffer>,
    options: WaitOptions,
  ): Promise<number> {
    const deadline = Date.now() + options.timeoutMs;
    while (true) {
      const size = BigInt(buffer.length);
      const count = this.#libc.call.recv(this.#fd, buffer, size, 0);
      if (count >= 0) return Number(count);
      await this.#retry("recv", POLLIN, deadline, options);
    }
  }

  /** Closes; may be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.call.close(this.#fd);
    this.#libc[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** After a call that failed: waits until it may work, or throws. */
  async #retry(
    call: string,
    events: number,
    deadline: number,
    options: WaitOptions,
  ): Promise<void> {
    const { errno } = this.#libc;
    if (errno === Errno.EINTR) return;
    if (errno !== Errno.EAGAIN) throw new SystemError(call, errno);
    while (true) {
      const left = checkWait(deadline, options);
      const request = nativeBuffer(8);
      const view = new DataView(request.buffer);
      view.setInt32(0, this.#fd, true);
      view.setInt16(4, events, true);
      // Its errno is another thread's; a failure shows in the next call.
      const ready = await this.#libc.call.poll(
        request,
        1n,
        Math.min(left, POLL_MS),
      );
      if (ready !== 0) return;
    }
  }
}

/** Milliseconds that are left; throws when there are none. */
function checkWait(deadline: number, options: WaitOptions): number {
  options.signal?.throwIfAborted();
  const left = deadline - Date.now();
  if (left > 0) return left;
  throw new SocketTimeoutError(
    `Waited ${options.timeoutMs} ms in vain for ${options.what}`,
  );
}

/**
 * `struct sockaddr_un`.
 *
 * @throws {RangeError} When no socket can have this path.
 */
export function addressOf(path: string): Uint8Array {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > UNIX_SOCKET_PATH_BYTES) {
    throw new RangeError(
      `The path of a socket is too long: ${bytes.length} bytes > ` +
        `${UNIX_SOCKET_PATH_BYTES}: ${path}`,
    );
  }
  const address = new Uint8Array(2 + UNIX_SOCKET_PATH_BYTES + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, 2);
  return address;
}

/** One control message: `struct cmsghdr` and its 32-bit numbers, padded. */
function controlMessage(
  type: number,
  numbers: Uint32Array,
): Uint8Array<ArrayBuffer> {
  const length = CONTROL_HEADER_BYTES + numbers.byteLength;
  const control = nativeBuffer(Math.ceil(length / 8) * 8);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, BigInt(length), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, type, true);
  numbers.forEach((number, index) =>
    view.setUint32(CONTROL_HEADER_BYTES + 4 * index, number, true)
  );
  return control;
}

/**
 * `struct msghdr` for `data` and `control`. The result holds all buffers, as
 * the addresses within alone would not keep them alive.
 */
function messageHeader(
  data: Uint8Array<ArrayBuffer>,
  control: Uint8Array<ArrayBuffer>,
) {
  const vector = nativeBuffer(16);
  const vectorView = new DataView(vector.buffer);
  vectorView.setBigUint64(0, addressOfBuffer(data), true);
  vectorView.setBigUint64(8, BigInt(data.length), true);
  const header = nativeBuffer(56);
  const view = new DataView(header.buffer);
  view.setBigUint64(16, addressOfBuffer(vector), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, addressOfBuffer(control), true);
  view.setBigUint64(40, BigInt(control.length), true);
  return { header, vector, data, control };
}

function addressOfBuffer(buffer: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}
