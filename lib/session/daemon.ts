/**
 * The session daemon as a state machine: requests in, replies out. It touches
 * the world through its {@linkcode DaemonHost} alone.
 */

import { errorText } from "../base/errors.ts";
import { quote } from "../base/path.ts";
import { LTTNG_OK, lttngErrorNumber } from "../wire/lttng_error.ts";
import { WireError } from "../wire/struct.ts";
import type { SessiondCommandName } from "../wire/sessiond/commands.ts";
import { channelCommands } from "./channel_commands.ts";
import type { Context, Handler } from "./command.ts";
import { CommandError } from "./errors.ts";
import { deliveryCommands } from "./delivery.ts";
import { eventCommands } from "./event_commands.ts";
import type { Caller, DaemonHost } from "./host.ts";
import { listCommands } from "./list_commands.ts";
import {
  commandName,
  commandNumber,
  decodeRequest,
  encodeCode,
  encodeReply,
  replyOf,
  sessionNameIn,
  TRIGGER_COMMANDS,
} from "./requests.ts";
import { rotationCommands } from "./rotation.ts";
import { saveCommands } from "./save_commands.ts";
import { sessionCommands } from "./session_commands.ts";
import { Sessions } from "./sessions.ts";
import { snapshotCommands } from "./snapshot_commands.ts";
import { TracerError } from "./tracer.ts";
import { trackerCommands } from "./tracker_commands.ts";
import { destroyAll, tracingCommands } from "./tracing_commands.ts";

/** Every command and what does it. */
const handlers: { readonly [N in SessiondCommandName]: Handler<N> } = {
  ...sessionCommands,
  ...tracingCommands,
  ...deliveryCommands,
  ...rotationCommands,
  ...channelCommands,
  ...eventCommands,
  ...listCommands,
  ...snapshotCommands,
  ...trackerCommands,
  ...saveCommands,
};

/** An empty list of triggers: its size and count. */
const NO_TRIGGERS = new Uint8Array(8);
/** Numbers below that are commands, or were. */
const FIRST_FREE_NUMBER = 53;

/** Root itself, who ends what others began. */
const ROOT: Caller = { uid: 0, gid: 0 };

/** Sessions, and what is asked of them. */
export class SessionDaemon {
  readonly #host: DaemonHost;
  readonly #sessions = new Sessions();

  constructor(host: DaemonHost) {
    this.#host = host;
  }

  /** How many sessions there are. */
  get sessionCount(): number {
    return this.#sessions.all.length;
  }

  /** The reply to a whole request. Never rejects. */
  async handle(request: Uint8Array, caller: Caller): Promise<Uint8Array> {
    const number = commandNumber(request);
    const name = commandName(number);
    const context = { host: this.#host, sessions: this.#sessions, caller };
    try {
      return name === undefined
        ? this.#answerOther(number, request, context)
        : await this.#answer(name, request, context);
    } catch (error) {
      const code = this.#refusal(name ?? `Command ${number}`, error);
      return encodeCode(number, code);
    }
  }

  /** Ends every session. Takes no longer than a destroy may. */
  async close(): Promise<void> {
    const { host, sessions } = {
      host: this.#host,
      sessions: this.#sessions,
    };
    await destroyAll({ host, sessions, caller: ROOT });
  }

  async #answer<N extends SessiondCommandName>(
    name: N,
    bytes: Uint8Array,
    context: Context,
  ): Promise<Uint8Array> {
    // The handler takes what the table has for its name.
    const request = decodeRequest(name, bytes) as Parameters<Handler<N>>[0];
    const handler = handlers[name] as Handler<N>;
    return encodeReply(name, await handler(request, context));
  }

  #answerOther(
    number: number,
    request: Uint8Array,
    { sessions, caller }: Context,
  ): Uint8Array {
    if (number === TRIGGER_COMMANDS.LIST_TRIGGERS) {
      return replyOf(number, LTTNG_OK, NO_TRIGGERS, 0);
    }
    const triggers: readonly number[] = Object.values(TRIGGER_COMMANDS);
    if (triggers.includes(number)) {
      throw new CommandError("NOT_SUPPORTED", "There are no triggers here");
    }
    const session = sessionNameIn(request);
    if (number < FIRST_FREE_NUMBER && session !== "") {
      sessions.find(session, caller);
    }
    throw new CommandError("UND", `Command ${number} is unknown`);
  }

  /** The code for what a handler threw, and a line in the log. */
  #refusal(name: string, error: unknown): number {
    const { log } = this.#host;
    if (error instanceof CommandError) {
      const line = `${name} refused: ${error.message}`;
      if (error.detail === undefined) log.debug(line);
      else log.warning(line);
      return error.code;
    }
    if (error instanceof TracerError) {
      log.warning(`${name} refused: ${error.message}`);
      return lttngErrorNumber(error.symbol);
    }
    if (error instanceof WireError) {
      log.warning(`${name} makes no sense: ${quote(error.message)}`);
      return lttngErrorNumber("INVALID");
    }
    log.error(`${name} failed: ${errorText(error)}`, {
      stack: error instanceof Error ? error.stack : undefined,
    });
    return lttngErrorNumber("UNK");
  }
}
