/** A live port on loopback that misbehaves as a test tells it. */

import { Connection } from "../../../lib/net/connection.ts";
import { rowOf } from "../../../lib/viewer/reply.ts";
import {
  type ViewerCommandName,
  viewerCommandNames,
  viewerHeader,
} from "../../../lib/wire/live.ts";
import { FakeRelay } from "./fake_relay.ts";

/** What it does with one command; `undefined`: as usual. */
export type Behaviour =
  /** Sends this instead. */
  | { readonly reply: Uint8Array }
  /** Sends only so many bytes of the reply, then hangs up. */
  | { readonly cutAfter: number }
  /** Sends only so many bytes of the reply, and no more. */
  | { readonly stallAfter: number }
  /** Sends this behind the reply, in one write. */
  | { readonly extra: Uint8Array }
  /** Sends the reply byte by byte. */
  | "in bytes"
  | "silence"
  | "hang up";

/** How it misbehaves. */
export type OnCommand = (
  name: ViewerCommandName,
  request: object,
) => Behaviour | undefined | Promise<undefined>;

/** Answers what a {@linkcode FakeRelay} answers, over a socket. */
export class ScriptedViewerPort implements AsyncDisposable {
  readonly relay = new FakeRelay();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #onCommand: OnCommand;
  readonly #connections: Connection[] = [];
  readonly #running: Promise<void>[] = [];
  /** Commands in the order they came, before they are answered. */
  readonly #received: ViewerCommandName[] = [];
  /** Connections that have ended. */
  #ended = 0;
  #onChange: (() => void)[] = [];

  constructor(onCommand: OnCommand = () => undefined) {
    this.#onCommand = onCommand;
    this.#running.push(this.#accept());
  }

  /** Where a client is to connect to. */
  get address() {
    return { hostname: "127.0.0.1", port: this.#listener.addr.port };
  }

  /** As errors name it. */
  get peer(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** When a command has come, however often. */
  async whenReceived(name: ViewerCommandName): Promise<void> {
    await this.#when(() => this.#received.includes(name));
  }

  /** When the first client has hung up. */
  async whenEnded(): Promise<void> {
    await this.#when(() => this.#ended > 0);
  }

  async #when(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => this.#onChange.push(resolve));
    }
  }

  #changed(): void {
    for (const told of this.#onChange.splice(0)) told();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const connection = new Connection(conn);
      this.#connections.push(connection);
      // Tests end by cutting the connection.
      const serving = this.#serve(connection).catch(() => {});
      this.#running.push(serving.then(() => {
        this.#ended++;
        this.#changed();
      }));
    }
  }

  async #serve(peer: Connection): Promise<void> {
    for (;;) {
      const header = viewerHeader.decode(
        await peer.readExactly(viewerHeader.size),
      );
      const payload = await peer.readExactly(Number(header.dataSize));
      const name = viewerCommandNames.get(header.command);
      if (name === undefined) throw new Error(`Command ${header.command}`);
      const { minor } = this.relay;
      const request = rowOf(name).request.decode(payload, minor);
      this.#received.push(name);
      this.#changed();
      const behaviour = await this.#onCommand(name, request);
      const answer = this.relay.answer(name, request);
      const reply = (rowOf(name).reply.encode as (
        value: object,
        minor: number,
      ) => Uint8Array)(answer, minor);
      if (!await send(peer, reply, behaviour)) return peer.close();
    }
  }
}

/** `false` where the connection is to be closed. */
async function send(
  peer: Connection,
  reply: Uint8Array,
  behaviour: Behaviour | undefined,
): Promise<boolean> {
  if (behaviour === "silence") return true;
  if (behaviour === "hang up") return false;
  if (behaviour === undefined) await peer.write(reply);
  else if (behaviour === "in bytes") {
    for (const byte of reply) {
      await peer.write(Uint8Array.of(byte));
      // Each in a segment of its own.
      await new Promise((later) => setTimeout(later, 0));
    }
  } else if ("reply" in behaviour) await peer.write(behaviour.reply);
  else if ("extra" in behaviour) {
    await peer.write(Uint8Array.from([...reply, ...behaviour.extra]));
  } else if ("cutAfter" in behaviour) {
    await peer.write(reply.subarray(0, behaviour.cutAfter));
    return false;
  } else await peer.write(reply.subarray(0, behaviour.stallAfter));
  return true;
}
