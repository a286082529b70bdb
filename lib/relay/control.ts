/** The control connection: reads commands, has them done, answers in order. */

import { Code, errorText, FatalPeerError, PeerError } from "../base/errors.ts";
import { MAJOR, type Minor, NEWEST_MINOR } from "../base/ids.ts";
import {
  CONTROL_BUFFER_BYTES,
  SMALL_CONTROL_PAYLOAD_BYTES,
} from "../base/limits.ts";
import {
  type Command,
  commandHeader,
  type CommandName,
  commandNames,
  commands,
} from "../wire/relay.ts";
import { WireError } from "../wire/struct.ts";
import type { Collector } from "./collector.ts";
import { type ControlState, handlers, VersionMismatch } from "./commands.ts";
import { lossReason, type Peer } from "./peer.ts";

/** What a command comes to. */
interface Outcome {
  reply?: Uint8Array;
  /** Why the connection closes after the reply. */
  closing?: string;
}

/** How a payload that cannot be read is answered; others close in silence. */
const MALFORMED: Partial<
  Record<CommandName, { code: Code; close: boolean; least?: number }>
> = {
  ADD_STREAM: { code: Code.UNKNOWN, close: true },
  CREATE_SESSION: { code: Code.FATAL, close: false },
  // Without its fixed part it is not answered either.
  CREATE_TRACE_CHUNK: {
    code: Code.INVALID,
    close: true,
    least: commands.CREATE_TRACE_CHUNK.request.layouts[0]!.size,
  },
};

/** Serves one control connection until it ends, by either side. */
export async function serveControl(
  collector: Collector,
  peer: Peer,
): Promise<void> {
  const connection = new ControlConnection(collector, peer);
  let failure: string | undefined;
  try {
    failure = await connection.serve();
  } catch (error) {
    failure = lossReason(error);
  }
  if (failure !== undefined) {
    collector.log.warning(`Control connection of ${peer} closed: ${failure}`);
  }
  peer.close();
  connection.state.session?.controlClosed(failure !== undefined);
  collector.flush();
}

class ControlConnection {
  readonly state: ControlState;
  readonly #peer: Peer;
  readonly #collector: Collector;
  #buffer = new Uint8Array(CONTROL_BUFFER_BYTES);
  #have = 0;

  constructor(collector: Collector, peer: Peer) {
    this.#collector = collector;
    this.#peer = peer;
    this.state = { collector, minor: undefined, session: undefined };
  }

  /** Returns why it ended; undefined when the peer closed. */
  async serve(): Promise<string | undefined> {
    let replying: Promise<void> | undefined;
    for (;;) {
      const count = await this.#peer.conn.read(
        this.#buffer.subarray(this.#have),
      );
      if (count === null) {
        await replying;
        return undefined;
      }
      this.#have += count;
      const replies: Uint8Array[] = [];
      const closing = this.#handleAll(replies);
      await replying;
      if (replies.length > 0) {
        replying = this.#peer.reply(joined(replies));
        // Awaited above, after the next read: a failure must not go unheard.
        replying.catch(() => {});
      }
      if (closing !== undefined) {
        await replying;
        return closing;
      }
    }
  }

  /** Handles every command that is here whole. */
  #handleAll(replies: Uint8Array[]): string | undefined {
    let at = 0;
    let needed = commandHeader.size;
    while (this.#have - at >= commandHeader.size) {
      const header = commandHeader.decode(this.#buffer.subarray(at));
      const name = commandNames.get(header.command);
      const limit = name === undefined
        ? SMALL_CONTROL_PAYLOAD_BYTES
        : commands[name].payloadLimit;
      if (header.dataSize > limit) {
        return `${name ?? `command ${header.command}`}: a payload of ` +
          `${header.dataSize} bytes > ${limit}`;
      }
      const size = commandHeader.size + Number(header.dataSize);
      if (this.#have - at < size) {
        needed = size;
        break;
      }
      const payload = this.#buffer.subarray(at + commandHeader.size, at + size);
      at += size;
      const outcome = this.#handle(header.command, name, payload);
      // An index is answered at once and written with others; whatever else
      // is answered is written before.
      if (name === "SEND_INDEX") this.#collector.nextTick();
      else this.#collector.flush();
      if (outcome.reply !== undefined) replies.push(outcome.reply);
      if (outcome.closing !== undefined) return outcome.closing;
    }
    this.#keepRest(at, needed);
    return undefined;
  }

  /** Keeps an unfinished command; the buffer grows only as bytes come. */
  #keepRest(at: number, needed: number): void {
    const rest = this.#buffer.subarray(at, this.#have);
    let size = this.#buffer.length;
    if (rest.length === 0) size = CONTROL_BUFFER_BYTES;
    else if (rest.length === size) size = Math.min(size * 4, needed);
    if (size !== this.#buffer.length) {
      const buffer = new Uint8Array(size);
      buffer.set(rest);
      this.#buffer = buffer;
    } else if (at > 0) {
      this.#buffer.copyWithin(0, at, this.#have);
    }
    this.#have = rest.length;
  }

  #handle(
    number: number,
    name: CommandName | undefined,
    payload: Uint8Array,
  ): Outcome {
    if (name === undefined) {
      return {
        reply: commands.START_DATA.reply!.encode({ code: Code.UNKNOWN }, 1),
        closing: `unknown command ${number}`,
      };
    }
    const command = commands[name] as unknown as Command<unknown, unknown>;
    const refusal = this.#refuse(command);
    if (refusal !== undefined) return { closing: `${name}: ${refusal}` };
    const minor = this.#minor(command);
    try {
      const request = command.request.decode(payload, minor);
      const handler = handlers[name] as (
        state: ControlState,
        request: unknown,
      ) => unknown;
      const reply = handler(this.state, request);
      return reply === undefined
        ? {}
        : { reply: command.reply!.encode(reply, minor) };
    } catch (error) {
      return this.#failure(name, command, minor, error, payload.length);
    }
  }

  #minor(command: Command<unknown, unknown>): number {
    const minor = this.state.session?.minor ?? this.state.minor ??
      (1 as Minor);
    // A command is read as its first form by peers too old to know of it.
    return Math.max(minor, command.since);
  }

  /** Why a command may not come now. Such a connection closes in silence. */
  #refuse(command: Command<unknown, unknown>): string | undefined {
    const { session } = this.state;
    if (!command.needsSession) return undefined;
    if (session === undefined) return "before CREATE_SESSION";
    if (this.state.minor === undefined) return "before VERSION";
    const least = command.leastMinor ?? 0;
    if (session.minor < least) {
      return `needs minor ${least}, the peer has ${session.minor}`;
    }
    return undefined;
  }

  #failure(
    name: CommandName,
    command: Command<unknown, unknown>,
    minor: number,
    error: unknown,
    size: number,
  ): Outcome {
    const answer = (code: number | undefined): { reply?: Uint8Array } => {
      if (code === undefined || command.reply === undefined) return {};
      const failure = command.failure?.(code);
      return failure === undefined
        ? {}
        : { reply: command.reply.encode(failure, minor) };
    };
    const text = errorText(error);
    if (error instanceof VersionMismatch) {
      const version = { major: MAJOR, minor: NEWEST_MINOR };
      return { reply: command.reply!.encode(version, minor), closing: text };
    }
    if (error instanceof PeerError) {
      this.#collector.log.warning(`${this.#peer}: ${name} refused: ${text}`);
      return answer(error.code);
    }
    if (error instanceof FatalPeerError) {
      return { ...answer(error.code), closing: `${name}: ${text}` };
    }
    if (error instanceof WireError) {
      const row = MALFORMED[name];
      const malformed = size < (row?.least ?? 0) ? undefined : row;
      if (malformed?.close === false) {
        this.#collector.log.warning(`${this.#peer}: ${name} refused: ${text}`);
        return answer(malformed.code);
      }
      return { ...answer(malformed?.code), closing: text };
    }
    this.state.session?.abort(`${name}: ${text}`);
    return { ...answer(Code.UNKNOWN), closing: `${name}: ${text}` };
  }
}

function joined(replies: readonly Uint8Array[]): Uint8Array {
  if (replies.length === 1) return replies[0]!;
  const all = new Uint8Array(
    replies.reduce((sum, reply) => sum + reply.length, 0),
  );
  let at = 0;
  for (const reply of replies) {
    all.set(reply, at);
    at += reply.length;
  }
  return all;
}
