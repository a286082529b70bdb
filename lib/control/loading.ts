/**
 * Makes sessions anew from saved files. No session daemon can: as upstream's,
 * this client asks for each part of a session in turn.
 */

import { controlError, isControlError } from "./errors.ts";
import { eventWithFilter } from "./event_request.ts";
import { homeDirectory } from "./home.ts";
import { isAgent } from "./names.ts";
import {
  parseSavedSessions,
  type SavedChannel,
  type SavedDomain,
  type SavedSession,
} from "./saved_session.ts";
import type { SessionDescriptor } from "./session_types.ts";
import { TrackingCommands } from "./tracking.ts";

/** Where the system's saved sessions are. */
const SYSTEM_DIRECTORY = "/etc/lttng/sessions";
const EXTENSION = ".lttng";

/** Which saved sessions are loaded, and as what. */
export interface LoadOptions {
  /** Unset, all that are found. */
  readonly session?: string | undefined;
  /**
   * A file, or a directory with files. Unset, `.lttng/sessions` in the user's
   * home and `/etc/lttng/sessions`.
   */
  readonly path?: string | undefined;
  /** Destroys a session of the same name first. */
  readonly overwrite?: boolean | undefined;
  /** Where the trace goes instead. */
  readonly overrideUrl?: string | undefined;
  /** What the session is called instead; needs `session`. */
  readonly overrideName?: string | undefined;
}

/** What a session daemon is asked in order to load sessions. */
export class LoadingCommands extends TrackingCommands {
  /**
   * Loads saved sessions.
   *
   * @returns The names of the sessions that were made.
   * @throws {ControlError} LOAD_SESSION_NOENT when `session` or `path` is not
   * there, LOAD_INVALID_CONFIG for a file that makes no sense, LOAD_IO_FAIL,
   * EXIST_SESS when the name is taken; or what a part of a session is refused
   * with. A session that cannot be made whole is destroyed again.
   */
  async loadSession(options: LoadOptions = {}): Promise<string[]> {
    const { session, overrideName } = options;
    if (overrideName !== undefined && session === undefined) {
      throw controlError("INVALID", "which session gets the name?");
    }
    const saved = (await readSaved(options.path)).filter(({ name }) =>
      session === undefined || name === session
    );
    if (session !== undefined && saved.length === 0) {
      throw controlError("LOAD_SESSION_NOENT", session);
    }
    const names: string[] = [];
    for (const one of saved) names.push(await this.#load(one, options));
    return names;
  }

  async #load(saved: SavedSession, options: LoadOptions): Promise<string> {
    const wanted = options.overrideName ?? saved.name;
    if (options.overwrite && wanted !== undefined) {
      try {
        await this.destroySession(wanted);
      } catch (error) {
        if (!isControlError(error, "SESS_NOT_FOUND")) throw error;
      }
    }
    const { name } = await this.createSessionExt(
      descriptorOf(saved, wanted, options.overrideUrl),
    );
    try {
      await this.#fill(name, saved, options.overrideUrl);
      return name;
    } catch (error) {
      await this.destroySession(name);
      throw error;
    }
  }

  async #fill(
    session: string,
    saved: SavedSession,
    overrideUrl: string | undefined,
  ): Promise<void> {
    if (saved.snapshotMode) {
      const outputs = overrideUrl === undefined
        ? saved.snapshotOutputs
        : [{ url: overrideUrl }];
      for (const output of outputs) {
        await this.snapshotAddOutput(session, output);
      }
    }
    const { shmPath } = saved;
    if (shmPath !== undefined) await this.setSessionShmPath(session, shmPath);
    for (const domain of saved.domains) await this.#fillDomain(session, domain);
    const { rotationPeriod, rotationSize } = saved;
    if (rotationPeriod !== undefined) {
      await this.addRotationSchedule(session, "periodic", rotationPeriod);
    }
    if (rotationSize !== undefined) {
      await this.addRotationSchedule(session, "size", rotationSize);
    }
    if (saved.started) await this.startTracing(session);
  }

  async #fillDomain(session: string, domain: SavedDomain): Promise<void> {
    for (const channel of domain.channels) {
      await this.#fillChannel(session, domain, channel);
    }
    for (const { attribute, values } of domain.trackers) {
      const policy = values.length === 0 ? "exclude all" : "include set";
      await this.setTrackingPolicy(session, domain.type, attribute, policy);
      for (const value of values) {
        await this.#include(session, domain.type, attribute, value);
      }
    }
  }

  async #include(
    ...value: Parameters<TrackingCommands["addInclusion"]>
  ): Promise<void> {
    try {
      await this.addInclusion(...value);
    } catch (error) {
      // A name and the id that it stands for are saved apart, and are one.
      if (!isControlError(error, "PROCESS_ATTR_EXISTS")) throw error;
    }
  }

  async #fillChannel(
    session: string,
    { type, bufferType }: SavedDomain,
    { attributes, enabled, events, contexts }: SavedChannel,
  ): Promise<void> {
    await this.enableChannel(session, type, attributes);
    const { name } = attributes;
    const minor = await this.version();
    const enable = async (rules: typeof events) => {
      for (const rule of rules) {
        const whole = { ...rule, bufferType };
        const event = eventWithFilter(type, whole, minor);
        await this.enableEventBlock(session, type, whole, event, name);
      }
    };
    await enable(events);
    if (events.some(({ enabled }) => !enabled)) {
      // One rule alone cannot be disabled: several may have its name.
      await this.disableEvent(session, type, "", { channel: name });
      await enable(events.filter(({ enabled }) => enabled));
    }
    for (const { block } of contexts) {
      await this.addContextBlock(session, type, block, name);
    }
    if (!enabled && !isAgent(type)) {
      await this.disableChannel(session, type, name);
    }
  }
}

function descriptorOf(
  saved: SavedSession,
  name: string | undefined,
  overrideUrl: string | undefined,
): SessionDescriptor {
  const output = overrideUrl === undefined
    ? saved.output
    : { url: overrideUrl };
  const { liveTimerInterval } = saved;
  if (saved.snapshotMode) return { name, kind: "snapshot", output: "none" };
  if (liveTimerInterval === 0) return { name, output };
  return { name, kind: "live", liveTimerInterval, output };
}

/** The saved sessions in a place, or in the usual ones. */
async function readSaved(path: string | undefined): Promise<SavedSession[]> {
  if (path !== undefined) {
    return (await Promise.all(
      (await filesIn(path, true)).map(readFile),
    )).flat();
  }
  const home = homeDirectory();
  const places = [
    ...(home === undefined ? [] : [`${home}/.lttng/sessions`]),
    SYSTEM_DIRECTORY,
  ];
  const files = await Promise.all(places.map((place) => filesIn(place, false)));
  return (await Promise.all(files.flat().map(readFile))).flat();
}

/** A file, or those in a directory in the order of their names. */
async function filesIn(path: string, isNeeded: boolean): Promise<string[]> {
  try {
    if ((await Deno.stat(path)).isFile) return [path];
    const names: string[] = [];
    for await (const { name } of Deno.readDir(path)) {
      if (name.endsWith(EXTENSION)) names.push(`${path}/${name}`);
    }
    return names.toSorted();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    if (isMissing && !isNeeded) return [];
    throw controlError(
      isMissing ? "LOAD_SESSION_NOENT" : "LOAD_IO_FAIL",
      path,
      { cause: error },
    );
  }
}

async function readFile(path: string): Promise<SavedSession[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw controlError("LOAD_IO_FAIL", path, { cause: error });
  }
  try {
    return parseSavedSessions(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `${path}: ${reason}`;
    throw controlError("LOAD_INVALID_CONFIG", detail, { cause: error });
  }
}
