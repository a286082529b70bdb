/** The client of a session daemon: everything that `lttng` asks of one. */

import {
  type SessionEntry,
  sessionListLayout,
} from "../wire/sessiond/session.ts";
import { isControlError } from "./errors.ts";
import {
  type ConnectOptions,
  decodeReply,
  findSessiond,
  SessiondLink,
} from "./link.ts";

/** A session, as its session daemon lists it. */
export interface SessionInfo {
  readonly name: string;
  /**
   * Where its trace goes: an absolute path, or
   * `tcp4://ADDRESS:PORT/PATH [data: PORT]`; empty without an output and in
   * snapshot mode.
   */
  readonly path: string;
  /** It is recording. */
  readonly enabled: boolean;
  readonly snapshotMode: boolean;
  /** Microseconds; 0 where the session is not live. */
  readonly liveTimerInterval: number;
  /** Seconds since 1970. */
  readonly creationTime: number | undefined;
  /** Where its buffers are; empty for the default, and before 2.14. */
  readonly shmPath: string;
}

/** A session daemon, found and answering. */
export class SessionDaemon extends SessiondLink {
  /**
   * Finds the session daemon that the user's `lttng` would speak to.
   *
   * @throws {ControlError} NO_SESSIOND when none accepts connections.
   */
  static async connect(options: ConnectOptions = {}): Promise<SessionDaemon> {
    return new SessionDaemon(await findSessiond(options), options);
  }

  /**
   * Whether a session daemon accepts connections.
   *
   * @throws {ControlError} Never for a session daemon that is not there.
   */
  static async isAlive(options: ConnectOptions = {}): Promise<boolean> {
    try {
      await findSessiond(options);
      return true;
    } catch (error) {
      if (isControlError(error, "NO_SESSIOND")) return false;
      throw error;
    }
  }

  /** The sessions that the user may control, newest first. */
  async listSessions(): Promise<SessionInfo[]> {
    return (await this.#sessionEntries()).map(sessionInfo);
  }

  async #sessionEntries(): Promise<SessionEntry[]> {
    if (this.isRecognized) {
      return (await this.ask("LIST_SESSIONS", {})).sessions;
    }
    const { minor, sessions } = await this.recognize();
    // Since 2.14 the first request was not one for the list.
    if (sessions === undefined) {
      return (await this.ask("LIST_SESSIONS", {})).sessions;
    }
    return decodeReply(sessionListLayout(minor), sessions, this).sessions;
  }
}

function sessionInfo(entry: SessionEntry): SessionInfo {
  const { name, path, enabled, snapshotMode, liveTimerInterval } = entry;
  const { creationTime, creationTimeSet, shmPath } = entry;
  return {
    ...{ name, path, enabled, snapshotMode, liveTimerInterval, shmPath },
    creationTime: creationTimeSet ? Number(creationTime) : undefined,
  };
}
