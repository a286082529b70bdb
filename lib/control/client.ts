/** The client of a session daemon: everything that `lttng` asks of one. */

import { isControlError } from "./errors.ts";
import { type ConnectOptions, findSessiond } from "./link.ts";
import { LoadingCommands } from "./loading.ts";

/**
 * A session daemon, found and answering. Its methods are called as upstream's
 * library has them: `lttng_list_sessions()` is `listSessions()`.
 *
 * Each method opens a connection of its own, waits no longer than the options
 * of {@linkcode SessionDaemon.connect} say, and throws a `ControlError` with
 * LTTng's code and text when the session daemon refuses.
 *
 * The daemon serves one client after the other. It learns who asks from
 * credentials that only native calls can send: Deno needs `--allow-ffi`.
 */
export class SessionDaemon extends LoadingCommands {
  /**
   * Finds the session daemon that the user's `lttng` would speak to.
   *
   * @throws {ControlError} NO_SESSIOND when none accepts connections.
   */
  static async connect(options: ConnectOptions = {}): Promise<SessionDaemon> {
    return new SessionDaemon(await findSessiond(options), options);
  }

  /** Whether a session daemon accepts connections. */
  static async isAlive(options: ConnectOptions = {}): Promise<boolean> {
    try {
      await findSessiond(options);
      return true;
    } catch (error) {
      if (isControlError(error, "NO_SESSIOND")) return false;
      throw error;
    }
  }
}
