/**
 * A proxy between stock clients and a stock session daemon, on Unix sockets,
 * that keeps what passes. It names the client's user to the daemon itself,
 * since credentials do not travel through a proxy.
 */

import { concat } from "../tests/wire/golden.ts";
import { type Credentials, UnixSocket } from "../lib/os/unix_socket.ts";

/** What passed on one connection. */
export interface Conversation {
  /** What was going on when it was opened. */
  readonly title: string;
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
}

const BUFFER_BYTES = 65_536;
const WAIT = { timeoutMs: 30_000, what: "the session daemon" };

/** Listens on a Unix socket and passes everything on. */
export class SessiondTap {
  readonly conversations: Conversation[] = [];
  /** Given to conversations that start from now on. */
  title = "";
  readonly #listener: Deno.UnixListener;
  readonly #open = new Set<Promise<void>>();

  constructor(
    readonly path: string,
    readonly target: string,
    readonly credentials: Credentials,
  ) {
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#serve();
  }

  /** Resolves once every connection so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#open);
  }

  close(): void {
    this.#listener.close();
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) {
      const done = this.#pass(client);
      this.#open.add(done);
      done.finally(() => this.#open.delete(done));
    }
  }

  async #pass(client: Deno.Conn): Promise<void> {
    const { title } = this;
    const requests: Uint8Array[] = [];
    const replies: Uint8Array[] = [];
    let daemon: UnixSocket | undefined;
    let back: Promise<void> | undefined;
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (;;) {
      const count = await client.read(buffer).catch(() => null);
      if (count === null) break;
      const bytes = buffer.slice(0, count);
      requests.push(bytes);
      // Not before: the daemon would wait for a client that only looks.
      daemon ??= await UnixSocket.connect(this.target, WAIT);
      // A daemon that refuses early takes no more; the client shall go on.
      await daemon.send(bytes, this.credentials, WAIT).catch(() => {});
      back ??= this.#passBack(daemon, client, replies);
    }
    await back;
    daemon?.close();
    client.close();
    if (requests.length === 0) return;
    const request = concat(...requests);
    this.conversations.push({ title, request, reply: concat(...replies) });
  }

  async #passBack(
    daemon: UnixSocket,
    client: Deno.Conn,
    replies: Uint8Array[],
  ): Promise<void> {
    const buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
    for (;;) {
      const count = await daemon.receive(buffer, WAIT).catch(() => 0);
      if (count === 0) return;
      replies.push(buffer.slice(0, count));
      for (let at = 0; at < count;) {
        at += await client.write(buffer.subarray(at, count)).catch(() => count);
      }
    }
  }
}
