/** What a command of the session daemon is: a handler with what it may use. */

import type {
  SessiondCommandName,
  SessiondReply,
  SessiondRequest,
} from "../wire/sessiond/commands.ts";
import type { Caller, DaemonHost } from "./host.ts";
import type { Sessions } from "./sessions.ts";

/** What every handler may use. */
export interface Context {
  readonly host: DaemonHost;
  readonly sessions: Sessions;
  readonly caller: Caller;
}

/** Does what a request asks; what it throws is the answer otherwise. */
export type Handler<N extends SessiondCommandName> = (
  request: SessiondRequest<N>,
  context: Context,
) => SessiondReply<N> | Promise<SessiondReply<N>>;

/** Handlers of some commands. */
export type Handlers<N extends SessiondCommandName> = {
  readonly [K in N]: Handler<K>;
};
