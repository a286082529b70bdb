/** A relay daemon in a few lines that misbehaves as a test tells it. */

import { Connection } from "../../lib/net/connection.ts";
import {
  commandHeader,
  type CommandName,
  commandNames,
  commands,
} from "../../lib/wire/relay.ts";

/** What the relay daemon does with one command; `undefined`: as usual. */
export type Behaviour =
  | { readonly code: number }
  | { readonly reply: Uint8Array }
  | "silence"
  | "hang up";

/** How it misbehaves. */
export interface ScriptedRelayOptions {
  readonly minor?: number;
  /** Reads the data connection; otherwise its buffers fill up. */
  readonly readsData?: boolean;
  readonly onCommand?: (
    name: CommandName,
    payload: Uint8Array,
  ) => Behaviour | undefined | Promise<undefined>;
}

/** Listens on two free loopback ports and answers what it understands. */
export class ScriptedRelay implements AsyncDisposable {
  readonly #options: ScriptedRelayOptions;
  readonly #control = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #data = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Connection[] = [];
  readonly #running: Promise<void>[] = [];
  /** Commands in the order they came. */
  readonly received: { name: CommandName; payload: Uint8Array }[] = [];
  /** Data bytes read. */
  dataBytes = 0;
  #streams = 0n;

  constructor(options: ScriptedRelayOptions = {}) {
    this.#options = options;
    this.#running.push(
      this.#accept(this.#control, (peer) => this.#serve(peer)),
      this.#accept(this.#data, (peer) => this.#drain(peer)),
    );
  }

  /** Where {@linkcode RelayClient.connect} is to connect to. */
  get address() {
    return {
      hostname: "127.0.0.1",
      controlPort: this.#control.addr.port,
      dataPort: this.#data.addr.port,
    };
  }

  /** How often a command came. */
  count(name: CommandName): number {
    return this.received.filter((command) => command.name === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control.close();
    this.#data.close();
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#running);
  }

  async #accept(
    listener: Deno.TcpListener,
    serve: (peer: Connection) => Promise<void>,
  ): Promise<void> {
    for await (const conn of listener) {
      const connection = new Connection(conn);
      this.#connections.push(connection);
      // A test ends by cutting the connection.
      this.#running.push(serve(connection).catch(() => {}));
    }
  }

  async #drain(peer: Connection): Promise<void> {
    if (this.#options.readsData === false) return;
    while (await peer.fill()) {
      this.dataBytes += peer.buffered.length;
      peer.consume(peer.buffered.length);
    }
  }

  async #serve(peer: Connection): Promise<void> {
    while (true) {
      const header = commandHeader.decode(
        await peer.readExactly(commandHeader.size),
      );
      const payload = await peer.readExactly(Number(header.dataSize));
      const name = commandNames.get(header.command);
      if (name === undefined) throw new Error(`Command ${header.command}`);
      this.received.push({ name, payload });
      const behaviour = await this.#options.onCommand?.(name, payload);
      if (behaviour === "silence") continue;
      if (behaviour === "hang up") return peer.close();
      if (commands[name].reply === undefined) continue;
      await peer.write(
        behaviour !== undefined && "reply" in behaviour
          ? behaviour.reply
          : this.#answer(name, behaviour?.code),
      );
    }
  }

  #answer(name: CommandName, code = 10): Uint8Array {
    const minor = this.#options.minor ?? 15;
    switch (name) {
      case "VERSION":
        return commands.VERSION.reply!.encode({ major: 2, minor }, minor);
      case "CREATE_SESSION":
        return commands.CREATE_SESSION.reply!.encode({
          sessionId: 1n,
          code,
          outputPath: "host/scripted",
        }, minor);
      case "ADD_STREAM":
        return commands.ADD_STREAM.reply!.encode({
          streamId: ++this.#streams,
          code,
        }, minor);
      case "GET_CONFIGURATION":
        return commands.GET_CONFIGURATION.reply!.encode({
          code,
          flags: 1n,
        }, minor);
      case "CLOSE_TRACE_CHUNK":
        return commands.CLOSE_TRACE_CHUNK.reply!.encode({
          code,
          path: "host/scripted/archives/0",
        }, minor);
      case "TRACE_CHUNK_EXISTS":
        return commands.TRACE_CHUNK_EXISTS.reply!.encode({
          code,
          exists: false,
        }, minor);
      case "DATA_PENDING":
      case "END_DATA_PENDING":
        return generic(code === 10 ? 0 : code);
      default:
        return generic(code);
    }
  }
}

function generic(code: number): Uint8Array {
  return commands.STREAMS_SENT.reply!.encode({ code }, 15);
}
