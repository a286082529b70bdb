/** A TCP proxy that keeps what passes, and splits it into commands and packets. */

import { concat, type Exchange } from "../tests/wire/golden.ts";

/** Some bytes in the order in which they passed. */
export interface Chunk {
  readonly from: "peer" | "daemon";
  readonly bytes: Uint8Array;
}

/** One TCP connection through the proxy. */
export interface Conversation {
  /** What was going on when it was opened. */
  readonly title: string;
  readonly chunks: Chunk[];
}

/** Listens on a free port, passes everything on and keeps a copy. */
export class Tap {
  readonly conversations: Conversation[] = [];
  /** Given to conversations that start from now on. */
  title = "";
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor(readonly target: number) {
    this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  close(): void {
    this.#listener.close();
  }

  async #serve(): Promise<void> {
    for await (const peer of this.#listener) {
      const conversation: Conversation = { title: this.title, chunks: [] };
      this.conversations.push(conversation);
      const daemon = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.target,
      });
      pump(peer, daemon, (bytes) => {
        conversation.chunks.push({ from: "peer", bytes });
      });
      pump(daemon, peer, (bytes) => {
        conversation.chunks.push({ from: "daemon", bytes });
      });
    }
  }
}

/** Copies one direction; a connection that was reset ends it like any other. */
async function pump(
  from: Deno.Conn,
  to: Deno.Conn,
  keep: (bytes: Uint8Array) => void,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      // Kept before it is passed on, so that no answer overtakes its question.
      keep(buffer.slice(0, count));
      let written = 0;
      while (written < count) {
        written += await to.write(buffer.subarray(written, count));
      }
    }
    await to.closeWrite();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) console.error(error);
  }
}

/** How a protocol says the length of a request. */
export interface Framing {
  readonly headerSize: number;
  /** Where the u64 count of payload bytes is. */
  readonly sizeOffset: number;
  /** Where the u32 command number is. */
  readonly commandOffset: number;
}

/** Ports 5342 and 5344; see the control header and the viewer header. */
export const CONTROL: Framing = {
  headerSize: 24,
  sizeOffset: 8,
  commandOffset: 16,
};
export const VIEWER: Framing = {
  headerSize: 16,
  sizeOffset: 0,
  commandOffset: 8,
};

/** The command number of a request. */
export function commandOf(framing: Framing, request: Uint8Array): number {
  return viewOf(request).getUint32(framing.commandOffset);
}

/** Splits a conversation; no peer sends a request before its last answer. */
export function splitCommands(
  conversation: Conversation,
  framing: Framing,
): Exchange[] {
  const pairs: { request: Uint8Array; reply: Uint8Array }[] = [];
  let pending = new Uint8Array(0);
  for (const { from, bytes } of conversation.chunks) {
    if (from === "daemon") {
      const last = pairs.at(-1);
      if (last === undefined) throw new Error("A reply before any request");
      last.reply = concat(last.reply, bytes);
      continue;
    }
    pending = concat(pending, bytes);
    for (;;) {
      const size = requestSize(framing, pending);
      if (size === undefined || pending.length < size) break;
      pairs.push({
        request: pending.slice(0, size),
        reply: new Uint8Array(0),
      });
      pending = pending.slice(size);
    }
  }
  return pairs.map((pair) => ({
    ...pair,
    title: conversation.title,
    origin: "recorded",
    minor: 0,
    closed: false,
  }));
}

function requestSize(framing: Framing, bytes: Uint8Array): number | undefined {
  if (bytes.length < framing.headerSize) return undefined;
  const payload = viewOf(bytes).getBigUint64(framing.sizeOffset);
  return framing.headerSize + Number(payload);
}

/** Splits what went over a data connection into packets with their headers. */
export function splitPackets(conversation: Conversation): Exchange[] {
  const found: Exchange[] = [];
  let rest: Uint8Array = concat(
    ...conversation.chunks.filter(({ from }) => from === "peer")
      .map(({ bytes }) => bytes),
  );
  while (rest.length >= 32) {
    const size = 32 + viewOf(rest).getUint32(24);
    found.push({
      title: conversation.title,
      origin: "recorded",
      minor: 13,
      request: rest.slice(0, size),
      reply: new Uint8Array(0),
      closed: false,
    });
    rest = rest.subarray(size);
  }
  return found;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
