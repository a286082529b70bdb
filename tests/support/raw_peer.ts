/** A peer without manners: sends any bytes, reads exact bytes, waits with a bound. */

import { Connection, withDeadline } from "../../lib/net/connection.ts";
import { commandHeader, dataHeader } from "../../lib/wire/relay.ts";

const WAIT_MILLISECONDS = 5_000;

/** Where to connect to. */
export interface RawPeerOptions {
  readonly hostname?: string;
  readonly port: number;
}

/** One raw connection to a port under test. */
export class RawPeer implements Disposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async connect(options: RawPeerOptions): Promise<RawPeer> {
    const { hostname = "127.0.0.1", port } = options;
    return new RawPeer(await Connection.connect({ hostname, port }));
  }

  /** Sends bytes as they are; fails if the peer does not take them. */
  async send(...parts: Uint8Array[]): Promise<void> {
    await this.#connection.write(concatenate(parts), WAIT_MILLISECONDS);
  }

  /** Sends a control command with any payload, and any size in its header. */
  async sendCommand(
    command: number,
    payload: Uint8Array = new Uint8Array(),
    dataSize: bigint = BigInt(payload.length),
  ): Promise<void> {
    await this.send(
      commandHeader.encode({
        circuitId: 0n,
        dataSize,
        command,
        commandVersion: 0,
      }),
      payload,
    );
  }

  /** Sends a data header and any content, also another number of bytes. */
  async sendData(
    header: {
      streamId: bigint;
      netSequenceNumber: bigint;
      dataSize: number;
      paddingSize: number;
    },
    content: Uint8Array,
  ): Promise<void> {
    await this.send(dataHeader.encode({ circuitId: 0n, ...header }), content);
  }

  /** Exactly `count` bytes. */
  async read(
    count: number,
    milliseconds = WAIT_MILLISECONDS,
  ): Promise<Uint8Array> {
    return await this.#connection.readExactly(count, {
      timeoutMs: milliseconds,
      what: `${count} bytes`,
    });
  }

  /** Everything up to the peer's end of the connection; a reset is an end. */
  async readToEnd(milliseconds = WAIT_MILLISECONDS): Promise<Uint8Array> {
    const reading = this.#fillToEnd();
    reading.catch(() => {});
    await withDeadline(reading, milliseconds, "the end of the connection");
    const bytes = this.#connection.buffered.slice();
    this.#connection.consume(bytes.length);
    return bytes;
  }

  /** Throws unless the peer sends nothing, and stays, for a while. */
  async expectSilence(milliseconds = 200): Promise<void> {
    const quiet = Symbol();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const pause = new Promise<typeof quiet>((resolve) => {
      timer = setTimeout(() => resolve(quiet), milliseconds);
    });
    const filling = this.#connection.fill();
    filling.catch(() => {});
    const first = await Promise.race([filling, pause]);
    clearTimeout(timer);
    if (first === quiet) return;
    throw new Error(
      first
        ? `${this.#connection.buffered.length} bytes instead of silence`
        : "The peer hung up instead of being silent",
    );
  }

  /** Sends no more; the peer sees the end. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Closes both directions. */
  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #fillToEnd(): Promise<void> {
    try {
      while (await this.#connection.fill());
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
