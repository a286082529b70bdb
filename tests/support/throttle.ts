/**
 * A slow link to a relay daemon, for machines without traffic control: both
 * connections share so many bits a second, control and data alike.
 */

import { sleep } from "./process.ts";
import { freePorts, type RelayPorts } from "./relay_process.ts";

const HOSTNAME = "127.0.0.1";
/** Bytes that are let through at once: small, so that both get their turn. */
const PIECE_BYTES = 512;
const REPLY_BYTES = 65_536;

/** Forwards connections to a relay daemon at a bounded rate. */
export class ThrottledLink implements AsyncDisposable {
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #connections = new Set<Deno.Conn>();
  readonly #tasks: Promise<void>[] = [];
  readonly #bytesPerSecond: number;
  /** When the link has let through what it was given, ms. */
  #freeAt = 0;
  #bytes = 0;

  constructor(
    target: Pick<RelayPorts, "control" | "data">,
    bitsPerSecond: number,
  ) {
    this.#bytesPerSecond = bitsPerSecond / 8;
    const ports = freePorts(2);
    this.#listeners = ports.map((port) =>
      Deno.listen({ hostname: HOSTNAME, port })
    );
    const [control, data] = this.#listeners;
    this.#tasks.push(this.#accept(control!, target.control));
    this.#tasks.push(this.#accept(data!, target.data));
  }

  /** The ports to give to a sender. */
  get ports(): Pick<RelayPorts, "control" | "data"> {
    const [control = 0, data = 0] = this.#listeners.map(({ addr }) =>
      addr.port
    );
    return { control, data };
  }

  /** Bytes that went to the relay daemon. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ends every connection, and takes no more. */
  cut(): void {
    for (const listener of this.#listeners) close(listener);
    for (const connection of this.#connections) close(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await Promise.allSettled(this.#tasks);
  }

  async #accept(listener: Deno.TcpListener, port: number): Promise<void> {
    for await (const sender of listener) {
      this.#tasks.push(this.#join(sender, port));
    }
  }

  async #join(sender: Deno.Conn, port: number): Promise<void> {
    this.#connections.add(sender);
    const relay = await Deno.connect({ hostname: HOSTNAME, port });
    this.#connections.add(relay);
    const back = copyBack(relay, sender);
    try {
      const piece = new Uint8Array(PIECE_BYTES);
      for (let count; (count = await sender.read(piece)) !== null;) {
        await this.#wait(count);
        await writeAll(relay, piece.subarray(0, count));
        this.#bytes += count;
      }
    } catch {
      // One of them has gone: the other learns of it.
    } finally {
      close(sender);
      close(relay);
      await back;
    }
  }

  /** Waits until the link is free for `bytes` more. */
  async #wait(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now) +
      bytes * 1_000 / this.#bytesPerSecond;
    await sleep(this.#freeAt - now);
  }
}

async function copyBack(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(REPLY_BYTES);
  try {
    for (let count; (count = await from.read(buffer)) !== null;) {
      await writeAll(to, buffer.subarray(0, count));
    }
  } catch {
    // Gone: the other direction ends too.
  }
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // Closed already.
  }
}
