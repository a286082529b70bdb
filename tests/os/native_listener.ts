/**
 * A Unix listener made of native calls, which Deno has no others for: a queue
 * of a chosen length, credentials and file descriptors that come with bytes.
 */

import { cString, nativeBuffer } from "../../lib/os/libc.ts";

const symbols = {
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const;

/** Control messages by type: 32-bit numbers of each. */
export type ControlMessages = ReadonlyMap<number, readonly number[]>;

export class NativeListener implements Disposable {
  readonly #library = Deno.dlopen("libc.so.6", symbols);
  readonly #directory = Deno.makeTempDirSync({ prefix: "native-" });
  readonly #fds: number[] = [];
  readonly path = `${this.#directory}/socket`;
  readonly #fd: number;

  constructor(backlog: number) {
    const { socket, bind, listen } = this.#library.symbols;
    this.#fd = this.#keep(socket(1, 1, 0));
    const address = nativeBuffer(110);
    address[0] = 1;
    address.set(cString(this.path), 2);
    this.#check(bind(this.#fd, address, address.length));
    this.#check(listen(this.#fd, backlog));
  }

  /** Takes a connection that is waiting, and wants credentials from it. */
  accept(): number {
    const { accept, setsockopt } = this.#library.symbols;
    const fd = this.#keep(accept(this.#fd, null, null));
    const on = nativeBuffer(4);
    on[0] = 1;
    const SOL_SOCKET = 1, SO_PASSCRED = 16;
    this.#check(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, on, 4));
    return fd;
  }

  /** Receives at most `most` bytes, with what came along. */
  receive(
    fd: number,
    most: number,
  ): { bytes: Uint8Array; control: ControlMessages } {
    const data = nativeBuffer(most);
    const controlBytes = nativeBuffer(256);
    const vector = nativeBuffer(16);
    const header = nativeBuffer(56);
    const view = new DataView(header.buffer);
    const at = (buffer: Uint8Array<ArrayBuffer>) =>
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
    const vectorView = new DataView(vector.buffer);
    vectorView.setBigUint64(0, at(data), true);
    vectorView.setBigUint64(8, BigInt(most), true);
    view.setBigUint64(16, at(vector), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, at(controlBytes), true);
    view.setBigUint64(40, BigInt(controlBytes.length), true);
    const { recvmsg } = this.#library.symbols;
    const count = this.#check(Number(recvmsg(fd, header, 0)));
    const size = Number(view.getBigUint64(40, true));
    const control = messagesIn(controlBytes.subarray(0, size));
    // The vectors must live until here.
    return { bytes: data.slice(0, count + 0 * vector.length), control };
  }

  /** Reads from a file descriptor that came along, and closes it. */
  readFile(fd: number): string {
    this.#keep(fd);
    const buffer = nativeBuffer(256);
    const { read } = this.#library.symbols;
    const count = this.#check(Number(read(fd, buffer, 256n)));
    return new TextDecoder().decode(buffer.subarray(0, count));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) this.#library.symbols.close(fd);
    this.#library.close();
    Deno.removeSync(this.#directory, { recursive: true });
  }

  #keep(fd: number): number {
    this.#fds.push(this.#check(fd));
    return fd;
  }

  #check(result: number): number {
    if (result < 0) throw new Error("A native call failed");
    return result;
  }
}

function messagesIn(bytes: Uint8Array<ArrayBuffer>): ControlMessages {
  const messages = new Map<number, number[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 16 <= bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    const numbers: number[] = [];
    for (let i = at + 16; i < at + length; i += 4) {
      numbers.push(view.getUint32(i, true));
    }
    messages.set(view.getInt32(at + 12, true), numbers);
    at += Math.ceil(length / 8) * 8;
  }
  return messages;
}
