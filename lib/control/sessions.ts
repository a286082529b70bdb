/** Whole sessions: made, started, stopped, cleared, saved, destroyed. */

import {
  BufferType,
  DomainType,
  OutputType,
  type SessionEntry,
  sessionListLayout,
  type Uri,
} from "../wire/sessiond/session.ts";
import {
  type DeliveryOptions,
  outputStateNames,
  type SessionDelivery,
} from "./delivery_types.ts";
import { controlError, isControlError } from "./errors.ts";
import { homeDirectory } from "./home.ts";
import { decodeReply, SessiondLink } from "./link.ts";
import { nameOf, rotationNames } from "./names.ts";
import { poll, type WaitOptions } from "./poll.ts";
import {
  archiveLocationOf,
  type CreatedSession,
  type Destruction,
  kindNumbers,
  resolveOutput,
  type SessionDescriptor,
  type SessionInfo,
} from "./session_types.ts";
import { parseUrls } from "./url.ts";

/** Microseconds between two flushes of a live session, unless told otherwise. */
export const DEFAULT_LIVE_TIMER_INTERVAL = 1_000_000;

/** Which session is saved, and how. */
export interface SaveOptions {
  /** Unset, all sessions of the user. */
  readonly session?: string | undefined;
  /**
   * An absolute directory. Unset, where `lttng load` looks: below the home that
   * the user database has.
   */
  readonly directory?: string | undefined;
  /** Replaces a file that is there. */
  readonly overwrite?: boolean | undefined;
  /** Leaves out the session's name. */
  readonly omitName?: boolean | undefined;
  /** Leaves out where the trace goes. */
  readonly omitOutput?: boolean | undefined;
}

/** What a session daemon is asked of whole sessions. */
export class SessionCommands extends SessiondLink {
  /** The sessions that the user may control, newest first. */
  async listSessions(): Promise<SessionInfo[]> {
    return (await this.#sessionEntries()).map(sessionInfo);
  }

  async #sessionEntries(): Promise<SessionEntry[]> {
    if (!this.isRecognized) {
      const { minor, sessions } = await this.recognize();
      // Since 2.14 that request was not one for the list.
      if (sessions !== undefined) {
        return decodeReply(sessionListLayout(minor), sessions, this).sessions;
      }
    }
    return (await this.ask("LIST_SESSIONS", {})).sessions;
  }

  /**
   * Creates a session (`lttng_create_session_ext`).
   *
   * @throws {ControlError} EXIST_SESS when the name is taken,
   * SESSION_INVALID_CHAR when it has a `/`, INVALID for a descriptor that no
   * session daemon takes.
   */
  async createSessionExt(
    descriptor: SessionDescriptor = {},
  ): Promise<CreatedSession> {
    const { kind = "regular", output = "default" } = descriptor;
    const { outputType, uris } = await resolveOutput(output, kind);
    if (kind === "live" && outputType !== OutputType.NETWORK) {
      throw controlError("INVALID", "a live session needs a relay daemon");
    }
    if (descriptor.name === "") {
      throw controlError("INVALID", "a session's name cannot be empty");
    }
    const { liveTimerInterval = DEFAULT_LIVE_TIMER_INTERVAL } = descriptor;
    const isChosen = outputType !== OutputType.NONE && uris.length === 0;
    const { name, uris: destinations } = await this.ask("CREATE_SESSION_EXT", {
      homeDirectory: isChosen ? requireHome() : "",
      descriptor: {
        kind: kindNumbers[kind],
        outputType,
        traceFormat: 0,
        liveTimer: kind === "live" ? BigInt(liveTimerInterval) : 0n,
        name: descriptor.name ?? "",
        uris,
      },
    });
    return { name, uris: destinations };
  }

  /**
   * Creates a session that records to `url`, or nowhere.
   *
   * @deprecated As upstream: {@linkcode createSessionExt} can do more.
   */
  async createSession(name: string, url?: string): Promise<void> {
    const output = url === undefined ? "none" : { url };
    await this.createSessionExt({ name, output });
  }

  /**
   * Creates a session that is recorded when told to.
   *
   * @deprecated As upstream: use {@linkcode createSessionExt}.
   */
  async createSessionSnapshot(name: string, url?: string): Promise<void> {
    const output = url === undefined ? "none" : { url };
    await this.createSessionExt({ name, kind: "snapshot", output });
  }

  /**
   * Creates a session that viewers can follow; `interval` in microseconds.
   *
   * @deprecated As upstream: use {@linkcode createSessionExt}.
   */
  async createSessionLive(
    name: string,
    url: string | undefined,
    interval: number,
  ): Promise<void> {
    const output = url === undefined ? "default" : { url };
    const liveTimerInterval = interval;
    await this.createSessionExt({
      name,
      kind: "live",
      output,
      liveTimerInterval,
    });
  }

  /** Creates a session that records to destinations that are known already. */
  createSessionUri(
    name: string,
    uris: readonly Uri[],
  ): Promise<CreatedSession> {
    return this.createSessionExt({ name, output: { uris } });
  }

  /**
   * Sets where the buffers of a session lie: an absolute directory.
   *
   * @throws {ControlError} SESSION_STARTED once it was started.
   */
  async setSessionShmPath(session: string, path: string): Promise<void> {
    await this.ask("SET_SESSION_SHM_PATH", { session, path });
  }

  /**
   * Sets where the trace of a session goes: a path, or the URL or URLs of a
   * relay daemon, each connection apart if need be.
   *
   * @throws {ControlError} TRACE_ALREADY_STARTED while it records, URL_EXIST
   * when it has such a destination already.
   */
  async setConsumerUri(
    session: string,
    url: string | undefined,
    dataUrl?: string,
  ): Promise<void> {
    const uris = await parseUrls(url, dataUrl);
    if (uris.length === 0) throw controlError("INVALID", "no URL is given");
    await this.ask("SET_CONSUMER_URI", {
      session,
      // The destination is the session's, whatever domain is named.
      domain: { type: DomainType.NONE, bufferType: BufferType.PER_PID },
      uris,
    });
  }

  /**
   * Sends the trace of a session to its destination again. Session daemons
   * since 2.2 always do, so that this only sets the destination, if one is
   * given.
   */
  async enableConsumer(
    session: string,
    url?: string,
    dataUrl?: string,
  ): Promise<void> {
    if (url !== undefined || dataUrl !== undefined) {
      await this.setConsumerUri(session, url, dataUrl);
      return;
    }
    const sessions = await this.listSessions();
    if (sessions.some(({ name }) => name === session)) return;
    throw controlError("SESS_NOT_FOUND");
  }

  /**
   * Would keep the trace of a session from being stored, which no session
   * daemon since 2.2 does.
   *
   * @throws {ControlError} NOT_SUPPORTED, always.
   */
  disableConsumer(session: string): Promise<never> {
    return Promise.reject(controlError(
      "NOT_SUPPORTED",
      `the output of session ${session} cannot be switched off: ` +
        "create it without an output instead",
    ));
  }

  /** Registers a consumer daemon of the user's own with the kernel tracer. */
  async registerConsumer(session: string, socketPath: string): Promise<void> {
    await this.ask("REGISTER_CONSUMER", {
      session,
      domain: { type: DomainType.KERNEL, bufferType: BufferType.PER_PID },
      path: socketPath,
    });
  }

  /**
   * Starts recording.
   *
   * @throws {ControlError} TRACE_ALREADY_STARTED, NO_CHANNEL and others.
   */
  async startTracing(session: string): Promise<void> {
    await this.ask("START_TRACE", { session });
  }

  /**
   * Stops recording, without waiting for data that is still on its way.
   *
   * @throws {ControlError} TRACE_ALREADY_STOPPED when it does not record.
   */
  async stopTracingNoWait(session: string): Promise<void> {
    await this.ask("STOP_TRACE", { session });
  }

  /**
   * Stops recording and waits until all data is stored, ten minutes at most.
   *
   * @returns Whether all data is stored.
   * @throws {ControlError} TRACE_ALREADY_STOPPED when it does not record.
   */
  async stopTracing(
    session: string,
    options: WaitOptions = {},
  ): Promise<boolean> {
    await this.stopTracingNoWait(session);
    return await this.waitForData(session, options);
  }

  /** Waits until no data of a stopped session is on its way. */
  async waitForData(
    session: string,
    options: WaitOptions = {},
  ): Promise<boolean> {
    const stored = await poll(
      async () => !await this.dataPending(session) || undefined,
      this.waiting(options),
    );
    return stored ?? false;
  }

  /** Whether data of a stopped session is still on its way. */
  async dataPending(session: string): Promise<boolean> {
    return (await this.ask("DATA_PENDING", { session })).pending;
  }

  /**
   * What of a session's trace is on its way, and what was lost; `undefined`
   * where the session daemon is not this project's, which alone can tell.
   *
   * @throws {ControlError} SESS_NOT_FOUND, EPERM where it is another user's.
   */
  async sessionDelivery(
    session: string,
    { hasEnded = false }: DeliveryOptions = {},
  ): Promise<SessionDelivery | undefined> {
    if (!await this.isOwn()) return undefined;
    try {
      const { outputState, ...delivery } = await this.ask("SESSION_DELIVERY", {
        session,
        hasEnded,
      });
      return {
        ...delivery,
        outputState: nameOf(outputStateNames, outputState, "output state"),
      };
    } catch (error) {
      // Another took its place meanwhile.
      if (isControlError(error, "UND")) return undefined;
      throw error;
    }
  }

  /**
   * Throws away what a session has recorded so far, and waits until it is gone.
   *
   * @throws {ControlError} CLEAR_RELAY_DISALLOWED, CLEAR_NOT_AVAILABLE_RELAY
   * when its relay daemon does not take part.
   */
  async clearSession(session: string): Promise<void> {
    await this.ask("CLEAR_SESSION", { session });
  }

  /** Destroys a session and waits until it is gone. */
  async destroySession(session: string): Promise<Destruction> {
    const { rotationState, location } = await this.ask("DESTROY_SESSION", {
      session,
    });
    return {
      rotationState: nameOf(rotationNames, rotationState, "rotation state"),
      location: archiveLocationOf(location),
    };
  }

  /** Has a session destroyed; whether it can be is not waited for. */
  async destroySessionNoWait(session: string): Promise<void> {
    await this.send("DESTROY_SESSION", { session });
  }

  /**
   * Writes all metadata anew, as after a change of the system's time.
   *
   * @throws {ControlError} LIVE_SESSION, SESSION_NOT_STARTED, PER_PID_SESSION.
   */
  async regenerateMetadata(session: string): Promise<void> {
    await this.ask("REGENERATE_METADATA", { session });
  }

  /**
   * Records the state of the system anew.
   *
   * @throws {ControlError} SESSION_NOT_STARTED.
   */
  async regenerateStatedump(session: string): Promise<void> {
    await this.ask("REGENERATE_STATEDUMP", { session });
  }

  /**
   * Has the configuration of a session, or of all, written to a file each.
   *
   * @throws {ControlError} SAVE_FILE_EXIST, SAVE_IO_FAIL, SESS_NOT_FOUND.
   */
  async saveSession(options: SaveOptions = {}): Promise<void> {
    const { session = "", directory = "", overwrite = false } = options;
    const { omitName = false, omitOutput = false } = options;
    await this.ask("SAVE_SESSION", {
      sessionToSave: session,
      url: directory,
      ...{ overwrite, omitName, omitOutput },
    });
  }
}

function requireHome(): string {
  const home = homeDirectory();
  if (home !== undefined) return home;
  throw controlError("INVALID", "no home directory: set LTTNG_HOME");
}

function sessionInfo(entry: SessionEntry): SessionInfo {
  const { name, path, enabled, snapshotMode, liveTimerInterval } = entry;
  const { creationTime, creationTimeSet, shmPath } = entry;
  return {
    ...{ name, path, enabled, snapshotMode, liveTimerInterval, shmPath },
    creationTime: creationTimeSet ? Number(creationTime) : undefined,
  };
}
