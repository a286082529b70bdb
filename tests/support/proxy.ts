/**
 * A TCP proxy in front of a relay daemon that knows where control commands and
 * packets end: it can cut a producer off at any command, or make one of the two
 * connections lag behind the other.
 */

import { sleep } from "./process.ts";
import { freePorts, type RelayPorts } from "./relay_process.ts";

const HOSTNAME = "127.0.0.1";
const CONTROL_HEADER_BYTES = 24;
const DATA_HEADER_BYTES = 32;
const COPY_BYTES = 65_536;

/** Names of the control commands, by number. */
const COMMANDS: Readonly<Record<number, string>> = {
  1: "ADD_STREAM",
  2: "CREATE_SESSION",
  3: "START_DATA",
  5: "VERSION",
  6: "SEND_METADATA",
  7: "CLOSE_STREAM",
  8: "DATA_PENDING",
  9: "QUIESCENT_CONTROL",
  10: "BEGIN_DATA_PENDING",
  11: "END_DATA_PENDING",
  13: "SEND_INDEX",
  16: "STREAMS_SENT",
  17: "RESET_METADATA",
  18: "ROTATE_STREAMS",
  19: "CREATE_TRACE_CHUNK",
  20: "CLOSE_TRACE_CHUNK",
  21: "TRACE_CHUNK_EXISTS",
  22: "GET_CONFIGURATION",
};

/** A place between two pieces of the control connection. */
export interface Boundary {
  /** The command before it, or of which it follows the header. */
  readonly command: string;
  /** What the peer has sent of that command. */
  readonly sent: "header" | "payload";
}

/** Whether to cut at a boundary; `number` counts from 0. */
export type CutRule = (boundary: Boundary, number: number) => boolean;

/** What a proxy does besides forwarding. */
export interface ProxyOptions {
  /** Where to cut; nowhere if absent. */
  readonly cutAt?: CutRule;
  /** How long commands are held back, in ms by the name of the command. */
  readonly commandDelays?: Readonly<Record<string, number>>;
  /** How long each packet is held back, in ms. */
  readonly dataDelay?: number;
}

/** Forwards control and data connections to a relay daemon until it cuts. */
export class RelayProxy implements AsyncDisposable {
  readonly #control: Deno.TcpListener;
  readonly #data: Deno.TcpListener;
  readonly #connections = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #boundaries: Boundary[] = [];
  #isCut = false;

  constructor(
    readonly target: Pick<RelayPorts, "control" | "data">,
    readonly options: ProxyOptions,
  ) {
    const [control = 0, data = 0] = freePorts(2);
    this.#control = Deno.listen({ hostname: HOSTNAME, port: control });
    this.#data = Deno.listen({ hostname: HOSTNAME, port: data });
    this.#start(this.#accept(this.#control, target.control, true));
    this.#start(this.#accept(this.#data, target.data, false));
  }

  /** The ports to give to a producer. */
  get ports(): Pick<RelayPorts, "control" | "data"> {
    return { control: this.#control.addr.port, data: this.#data.addr.port };
  }

  /** The boundaries passed so far; the last is where it was cut. */
  get boundaries(): readonly Boundary[] {
    return this.#boundaries;
  }

  /** Whether the producer has been cut off. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Ends every connection and accepts no more. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#control.close();
    this.#data.close();
    for (const connection of this.#connections) close(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await Promise.all(this.#tasks);
  }

  #start(task: Promise<void>): void {
    const kept = task.catch((error) => {
      // Once cut, and where a peer leaves first, reads and writes fail.
      if (!isEndOfConnection(error)) throw error;
    });
    this.#tasks.add(kept);
    kept.finally(() => this.#tasks.delete(kept)).catch(() => {});
  }

  async #accept(
    listener: Deno.TcpListener,
    port: number,
    isControl: boolean,
  ): Promise<void> {
    for await (const producer of listener) {
      this.#start(this.#join(producer, port, isControl));
    }
  }

  async #join(
    producer: Deno.Conn,
    port: number,
    isControl: boolean,
  ): Promise<void> {
    this.#connections.add(producer);
    const relay = await Deno.connect({ hostname: HOSTNAME, port });
    this.#connections.add(relay);
    if (this.#isCut) close(relay);
    this.#start(copy(relay, producer));
    try {
      const bytes = new ByteReader(producer);
      await (isControl
        ? this.#forwardCommands(bytes, relay)
        : forwardPackets(bytes, relay, this.options.dataDelay ?? 0));
    } finally {
      close(producer);
      close(relay);
      this.#connections.delete(producer);
      this.#connections.delete(relay);
    }
  }

  async #forwardCommands(producer: ByteReader, relay: Deno.Conn) {
    while (true) {
      const header = await producer.read(CONTROL_HEADER_BYTES);
      if (header === undefined) return;
      const view = new DataView(header.buffer);
      const payloadBytes = Number(view.getBigUint64(8));
      const number = view.getUint32(16);
      const command = COMMANDS[number] ?? `command ${number}`;
      await delay(this.options.commandDelays?.[command] ?? 0);
      await writeAll(relay, header);
      if (payloadBytes > 0) {
        if (this.#pass({ command, sent: "header" })) return;
        const payload = await producer.read(payloadBytes);
        if (payload === undefined) return;
        await writeAll(relay, payload);
      }
      if (this.#pass({ command, sent: "payload" })) return;
    }
  }

  /** Notes a boundary and cuts there if so ruled. */
  #pass(boundary: Boundary): boolean {
    const number = this.#boundaries.push(boundary) - 1;
    if (this.options.cutAt?.(boundary, number) !== true) return false;
    this.cut();
    return true;
  }
}

/** Forwards only whole packets, so that a cut never falls into one. */
async function forwardPackets(
  producer: ByteReader,
  relay: Deno.Conn,
  milliseconds: number,
): Promise<void> {
  while (true) {
    const header = await producer.read(DATA_HEADER_BYTES);
    if (header === undefined) return;
    const size = new DataView(header.buffer).getUint32(24);
    const body = await producer.read(size);
    if (body === undefined) return;
    const packet = new Uint8Array(header.length + body.length);
    packet.set(header);
    packet.set(body, header.length);
    await delay(milliseconds);
    await writeAll(relay, packet);
  }
}

async function delay(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds);
}

/** Reads exact numbers of bytes from a connection. */
class ByteReader {
  constructor(readonly connection: Deno.Conn) {}

  /** The next `count` bytes; `undefined` if the connection ends before. */
  async read(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const read = await this.connection.read(bytes.subarray(at));
      if (read === null) return undefined;
      at += read;
    }
    return bytes;
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(COPY_BYTES);
  for (let read; (read = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, read));
  }
  close(to);
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await to.write(bytes.subarray(at));
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function isEndOfConnection(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.Interrupted;
}
