/**
 * A Unix stream socket that others connect to, and that knows who they are:
 * by the credentials that came with their bytes, else by who connected.
 */

import { UNIX_SOCKET_PATH_BYTES } from "../base/limits.ts";
import { Errno, Libc, nativeBuffer, SystemError } from "./libc.ts";
import { Poller, PollEvent } from "./poller.ts";
import { addressOf } from "./unix_socket.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SO_PEERCRED = 17;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** Room for credentials and as many descriptors as one message can carry. */
const CONTROL_BYTES = 2048;
/** `struct cmsghdr` up to its data, on 64-bit Linux. */
const CONTROL_HEADER_BYTES = 16;
/** Pause after the system could not accept, such as for lack of descriptors. */
const ACCEPT_PAUSE_MS = 100;

/** Who is at the other end. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** A listening Unix stream socket. */
export class UnixListener implements AsyncDisposable {
  readonly path: string;
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #fd: number;
  readonly #end = new AbortController();
  readonly #peers = new Set<UnixPeer>();

  private constructor(libc: Libc, fd: number, path: string) {
    this.#libc = libc;
    this.#poller = new Poller(libc);
    this.#fd = fd;
    this.path = path;
  }

  /**
   * Listens at `path`, where nothing may be.
   *
   * @throws {SystemError} When the system refuses.
   * @throws {RangeError} When the path is longer than a socket's may be.
   */
  static listen(path: string, backlog: number): UnixListener {
    const address = Uint8Array.from(addressOf(path));
    const libc = Libc.open();
    let fd = -1;
    try {
      const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
      fd = libc.check("socket", libc.call.socket(AF_UNIX, type, 0));
      const { bind, listen } = libc.call;
      libc.check(
        "bind",
        bind(
          fd,
          address,
          Math.min(
            address.length,
            2 + UNIX_SOCKET_PATH_BYTES + 1,
          ),
        ),
      );
      libc.check("listen", listen(fd, backlog));
      return new UnixListener(libc, fd, path);
    } catch (error) {
      if (fd >= 0) libc.call.close(fd);
      libc[Symbol.dispose]();
      throw error;
    }
  }

  /** Every connection, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<UnixPeer> {
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    const { signal } = this.#end;
    while (!signal.aborted) {
      const fd = this.#libc.call.accept4(this.#fd, null, null, flags);
      if (fd >= 0) {
        const peer = new UnixPeer(this.#libc, this.#poller, fd, (gone) => {
          this.#peers.delete(gone);
        });
        this.#peers.add(peer);
        yield peer;
        continue;
      }
      if (this.#libc.errno === Errno.EAGAIN) {
        await this.#poller.wait(this.#fd, PollEvent.READ, signal);
      } else {
        await pause(ACCEPT_PAUSE_MS);
      }
    }
  }

  /** Listens no more and ends every connection. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    for (const peer of [...this.#peers]) peer.close();
    await this.#poller.close();
    this.#libc.call.close(this.#fd);
    this.#libc[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A connection that a {@linkcode UnixListener} accepted. */
export class UnixPeer implements Disposable {
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #fd: number;
  readonly #onClose: (peer: UnixPeer) => void;
  readonly #end = new AbortController();
  #credentials: PeerCredentials | undefined;
  #filesReceived = 0;

  constructor(
    libc: Libc,
    poller: Poller,
    fd: number,
    onClose: (peer: UnixPeer) => void,
  ) {
    this.#libc = libc;
    this.#poller = poller;
    this.#fd = fd;
    this.#onClose = onClose;
    const on = nativeBuffer(4);
    on[0] = 1;
    libc.call.setsockopt(fd, SOL_SOCKET, SO_PASSCRED, on, 4);
  }

  /**
   * Who sent the bytes received so far. The system vouches for it; only root
   * can pass for another.
   *
   * @throws {SystemError} When the system does not know.
   */
  get credentials(): PeerCredentials {
    return this.#credentials ?? this.#connector();
  }

  /** File descriptors that came along; they are closed, as nobody takes them. */
  get filesReceived(): number {
    return this.#filesReceived;
  }

  /**
   * Fills `buffer`; `false` when the peer closed, or time ran out, before.
   *
   * @throws {SystemError} When the connection is broken.
   */
  async readFully(
    buffer: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let filled = 0; filled < buffer.length;) {
      const got = await this.#receive(buffer.subarray(filled), signal);
      if (got === 0) return false;
      filled += got;
    }
    return true;
  }

  /**
   * Sends all of `bytes`; `false` when time ran out before.
   *
   * @throws {SystemError} When the peer has gone.
   */
  async writeAll(bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const data = nativeBuffer(bytes.length);
    data.set(bytes);
    for (let sent = 0; sent < data.length;) {
      if (this.#isOver(signal)) return false;
      const rest = data.subarray(sent);
      const size = BigInt(rest.length);
      const count = this.#libc.call.send(this.#fd, rest, size, MSG_NOSIGNAL);
      if (count >= 0) sent += Number(count);
      else await this.#retry("send", PollEvent.WRITE, signal);
    }
    return true;
  }

  /** Closes; may be called again. */
  close(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    this.#libc.call.close(this.#fd);
    this.#onClose(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #receive(
    buffer: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<number> {
    while (!this.#isOver(signal)) {
      const control = nativeBuffer(CONTROL_BYTES);
      const message = messageHeader(buffer, control);
      const count = this.#libc.call.recvmsg(
        this.#fd,
        message.header,
        MSG_CMSG_CLOEXEC,
      );
      if (count >= 0) {
        this.#takeControl(control.subarray(0, message.controlLength()));
        return Number(count);
      }
      await this.#retry("recvmsg", PollEvent.READ, signal);
    }
    return 0;
  }

  #isOver(signal: AbortSignal): boolean {
    return signal.aborted || this.#end.signal.aborted;
  }

  async #retry(
    call: string,
    events: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { errno } = this.#libc;
    if (errno === Errno.EINTR) return;
    if (errno !== Errno.EAGAIN) throw new SystemError(call, errno);
    const either = AbortSignal.any([signal, this.#end.signal]);
    await this.#poller.wait(this.#fd, events, either);
  }

  #takeControl(control: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(control.buffer, 0, control.length);
    for (let at = 0; at + CONTROL_HEADER_BYTES <= control.length;) {
      const length = Number(view.getBigUint64(at, true));
      if (length < CONTROL_HEADER_BYTES) return;
      const end = Math.min(at + length, control.length);
      const start = at + CONTROL_HEADER_BYTES;
      const type = view.getInt32(at + 12, true);
      if (type === SCM_CREDENTIALS && end - start >= 12) {
        this.#takeCredentials(view, start);
      } else if (type === SCM_RIGHTS) {
        for (let fd = start; fd + 4 <= end; fd += 4) {
          this.#libc.call.close(view.getInt32(fd, true));
          this.#filesReceived++;
        }
      }
      at += Math.ceil(length / 8) * 8;
    }
  }

  #takeCredentials(view: DataView, at: number): void {
    const pid = view.getInt32(at, true);
    // Nobody's: it was sent before this end asked for credentials.
    if (pid === 0) return;
    this.#credentials = {
      pid,
      uid: view.getUint32(at + 4, true),
      gid: view.getUint32(at + 8, true),
    };
  }

  #connector(): PeerCredentials {
    const value = nativeBuffer(12);
    const length = nativeBuffer(4);
    length[0] = value.length;
    const { getsockopt } = this.#libc.call;
    this.#libc.check(
      "getsockopt",
      getsockopt(this.#fd, SOL_SOCKET, SO_PEERCRED, value, length),
    );
    const [pid = 0, uid = 0, gid = 0] = new Uint32Array(value.buffer);
    return { pid, uid, gid };
  }
}

/** `struct msghdr` to receive into; the result keeps its buffers alive. */
function messageHeader(
  data: Uint8Array<ArrayBuffer>,
  control: Uint8Array<ArrayBuffer>,
) {
  const vector = nativeBuffer(16);
  const header = nativeBuffer(56);
  const vectorView = new DataView(vector.buffer);
  const view = new DataView(header.buffer);
  vectorView.setBigUint64(0, addressInMemory(data), true);
  vectorView.setBigUint64(8, BigInt(data.length), true);
  view.setBigUint64(16, addressInMemory(vector), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, addressInMemory(control), true);
  view.setBigUint64(40, BigInt(control.length), true);
  const keep = [data, control, vector];
  return {
    header,
    keep,
    controlLength: () => Number(view.getBigUint64(40, true)),
  };
}

function addressInMemory(buffer: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
