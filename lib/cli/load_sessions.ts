/** Makes sessions anew from files that `lttng save` wrote. */

import { ControlError, controlError } from "../control/errors.ts";
import type { EventInfo } from "../control/recording_types.ts";
import { hasCode, type Run } from "./run.ts";
import {
  readSavedSessions,
  type SavedChannel,
  type SavedDomain,
  type SavedOutput,
  type SavedSession,
} from "./saved_file.ts";

/** What is loaded, and how. */
export interface LoadOptions {
  /** A file or a directory; unset, the usual directories. */
  readonly path: string | undefined;
  /** Only this session. */
  readonly session: string | undefined;
  /** A session of the same name is destroyed first. */
  readonly overwrite: boolean;
  readonly overrideName: string | undefined;
  readonly overrideOutput: SavedOutput | undefined;
}

const EXTENSION = ".lttng";

/** Where sessions of all users are saved. */
export const SYSTEM_DIRECTORY = "/etc/lttng/sessions";

/**
 * Loads from one file or directory; whether a session was found.
 *
 * @throws {ControlError} LOAD_SESSION_NOENT, LOAD_IO_FAIL,
 * LOAD_INVALID_CONFIG, or what the session daemon says.
 */
export async function loadFrom(
  run: Run,
  path: string,
  options: LoadOptions,
): Promise<boolean> {
  let isFound = false;
  for (const file of filesAt(path)) {
    const sessions = sessionsIn(run, file);
    for (const saved of sessions) {
      if (options.session !== undefined && saved.name !== options.session) {
        continue;
      }
      await loadOne(run, saved, options);
      isFound = true;
      if (options.session !== undefined) return true;
    }
  }
  return isFound;
}

function filesAt(path: string): string[] {
  try {
    if (!Deno.statSync(path).isDirectory) return [path];
    return Array.from(Deno.readDirSync(path), ({ name }) => name)
      .filter((name) => name.endsWith(EXTENSION) && name.length > 1)
      .sort()
      .map((name) => `${path}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw controlError("LOAD_IO_FAIL", path, { cause: error });
  }
}

function sessionsIn(run: Run, file: string): SavedSession[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      throw controlError("EPERM", `${file} cannot be read`, { cause: error });
    }
    throw controlError("LOAD_IO_FAIL", file, { cause: error });
  }
  try {
    return readSavedSessions(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    run.say.error("Session configuration file validation failed");
    run.say.explain(`${file}: ${error.message}`);
    throw controlError("LOAD_INVALID_CONFIG", undefined, { cause: error });
  }
}

/** Makes one session; one that cannot be made whole is destroyed again. */
async function loadOne(
  run: Run,
  saved: SavedSession,
  options: LoadOptions,
): Promise<void> {
  const name = options.overrideName ?? saved.name;
  if (options.overwrite) await destroyOld(run, name);
  await createSaved(run, name, saved, options.overrideOutput);
  try {
    await fill(run, name, saved);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    run.say.error(`Failed to load session ${name}: ${error.text}`);
    await run.ask((daemon) => daemon.destroySession(name));
    throw error;
  }
}

async function destroyOld(run: Run, name: string): Promise<void> {
  try {
    await run.ask((daemon) => daemon.destroySession(name));
  } catch (error) {
    if (hasCode(error, "SESS_NOT_FOUND")) return;
    run.say.error("Failed to destroy existing session.");
    throw error;
  }
}

async function createSaved(
  run: Run,
  name: string,
  saved: SavedSession,
  override: SavedOutput | undefined,
): Promise<void> {
  if (saved.isSnapshot) {
    await run.ask((daemon) =>
      daemon.createSessionExt({ name, kind: "snapshot", output: "none" })
    );
    for (const { name: output, maximumSize, ...to } of saved.snapshotOutputs) {
      const { path, controlUri, dataUri } = override ?? to;
      const url = path ?? controlUri;
      await run.ask((daemon) =>
        daemon.snapshotAddOutput(name, {
          name: output,
          ...{ maximumSize, url, dataUrl: dataUri },
        })
      );
    }
    return;
  }
  const { path, controlUri, dataUri } = override ?? saved.output;
  const { liveTimerInterval } = saved;
  const controlUrl = controlUri ?? dataUri;
  const dataUrl = dataUri ?? controlUri;
  if (controlUrl === undefined || dataUrl === undefined) {
    if (liveTimerInterval > 0) throw controlError("LOAD_INVALID_CONFIG");
    await run.ask((daemon) => daemon.createSession(name, path));
    return;
  }
  if (liveTimerInterval > 0) {
    const output = { controlUrl, dataUrl };
    await run.ask((daemon) =>
      daemon.createSessionExt({ name, kind: "live", liveTimerInterval, output })
    );
    return;
  }
  await run.ask((daemon) => daemon.createSession(name));
  await run.ask((daemon) => daemon.setConsumerUri(name, controlUrl, dataUrl));
}

async function fill(
  run: Run,
  session: string,
  saved: SavedSession,
): Promise<void> {
  const { shmPath, rotationPeriod, rotationSize } = saved;
  if (shmPath !== undefined) {
    await run.ask((daemon) => daemon.setSessionShmPath(session, shmPath));
  }
  for (const domain of saved.domains) await fillDomain(run, session, domain);
  if (rotationPeriod !== undefined) {
    await run.ask((daemon) =>
      daemon.addRotationSchedule(session, "periodic", rotationPeriod)
    );
  }
  if (rotationSize !== undefined) {
    await run.ask((daemon) =>
      daemon.addRotationSchedule(session, "size", rotationSize)
    );
  }
  if (saved.isStarted) {
    await run.ask((daemon) => daemon.startTracing(session));
  }
}

async function fillDomain(
  run: Run,
  session: string,
  domain: SavedDomain,
): Promise<void> {
  for (const channel of domain.channels) {
    await fillChannel(run, session, domain, channel);
  }
  for (const { attribute, values } of domain.trackers) {
    const policy = values.length === 0 ? "exclude all" : "include set";
    await run.ask((daemon) =>
      daemon.setTrackingPolicy(session, domain.type, attribute, policy)
    );
    for (const value of values) {
      await run.ask((daemon) =>
        daemon.addInclusion(session, domain.type, attribute, value)
      );
    }
  }
}

async function fillChannel(
  run: Run,
  session: string,
  { type }: SavedDomain,
  channel: SavedChannel,
): Promise<void> {
  const { attributes, events, contexts, isEnabled } = channel;
  const { name } = attributes;
  await run.ask((daemon) => daemon.enableChannel(session, type, attributes));
  for (const event of events) await enable(event);
  // Rules are made enabled: all are disabled, and some enabled again.
  await run.ask((daemon) =>
    daemon.disableEvent(session, type, "", { channel: name })
  );
  for (const event of events) if (event.enabled) await enable(event);
  for (const context of contexts) {
    await run.ask((daemon) => daemon.addContext(session, type, context, name));
  }
  if (!isEnabled) {
    await run.ask((daemon) => daemon.disableChannel(session, type, name));
  }

  async function enable(event: EventInfo): Promise<void> {
    const rule = { ...event, bufferType: attributes.bufferType };
    try {
      await run.ask((daemon) => daemon.enableEvent(session, type, rule, name));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      run.say.warning(`Enabling event (name:${event.name}) on load failed.`);
      run.say.hint(`${error.message}.`);
      throw controlError("LOAD_INVALID_CONFIG", undefined, { cause: error });
    }
  }
}
