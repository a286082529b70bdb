/** A session daemon that answers as a test says, on a Unix socket of its own. */

import { sessiondCommands } from "../../../lib/wire/sessiond/commands.ts";

/**
 * What is done with one request; the connection closes when it returns, or
 * once the daemon ends where it says "hold".
 */
export type Answer = (
  conn: Deno.Conn,
  request: Uint8Array,
) => void | "hold" | Promise<void | "hold">;

const REQUEST_BYTES = sessiondCommands(13).LIST_SESSIONS.request.size;

/** Listens, and gives each request to the next of its answers. */
export class ScriptedSessiond implements AsyncDisposable {
  readonly #directory: string;
  readonly #listener: Deno.Listener;
  readonly #answers: Answer[];
  readonly #done: Promise<void>;
  readonly #held = new Set<Deno.Conn>();
  /** Every request so far, as it came. */
  readonly requests: Uint8Array[] = [];
  /** Its client socket. */
  readonly path: string;
  /** Bytes of a request without what some have behind. */
  requestBytes = REQUEST_BYTES;

  constructor(...answers: Answer[]) {
    this.#answers = answers;
    this.#directory = Deno.makeTempDirSync({ prefix: "scripted-" });
    this.path = `${this.#directory}/client`;
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#done = this.#serve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#held) conn.close();
    await this.#done;
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#listener) {
      const request = await readRequest(conn, this.requestBytes);
      const answer = request.length > 0 ? this.#answers.shift() : undefined;
      if (request.length > 0) this.requests.push(request);
      if (await answer?.(conn, request) === "hold") this.#held.add(conn);
      else conn.close();
    }
  }
}

/** A whole request; empty for a client that only looks whether it is there. */
async function readRequest(
  conn: Deno.Conn,
  least: number,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(8 * REQUEST_BYTES);
  let length = 0;
  while (length < least) {
    const count = await conn.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
  }
  return buffer.slice(0, length);
}

/** Writes all of `bytes`; a client that has gone is no error. */
export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) {
      at += await conn.write(bytes.subarray(at));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Answers with these bytes. */
export function answerWith(bytes: Uint8Array): Answer {
  return (conn) => writeAll(conn, bytes);
}

/** Little-endian 32-bit numbers. */
export function words(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => view.setUint32(4 * index, number, true));
  return bytes;
}
