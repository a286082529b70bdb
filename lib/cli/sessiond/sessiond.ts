/** The program `lttng sessiond`: from its command line to its exit status. */

import { systemClock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import { createLog, type Log, silentLog } from "../../base/log.ts";
import { PROTOCOL_VERSION, VERSION } from "../../base/version.ts";
import { SessionDaemon as SessionClient } from "../../control/client.ts";
import { UnixListener } from "../../os/unix_listener.ts";
import { SessionDaemon } from "../../session/daemon.ts";
import { serveClients } from "../../session/server.ts";
import { SystemOutputs } from "../../session/system_outputs.ts";
import type { Tracer } from "../../session/tracer.ts";
import { unavailableTracer } from "../../session/unavailable_tracer.ts";
import { type Readiness, writeErrorLine } from "../daemon/background.ts";
import {
  closeWithin,
  EndSignals,
  logInternalErrors,
} from "../daemon/end_signals.ts";
import { removeStaleSocket, serveHealth } from "../daemon/health.ts";
import { FAILURE, runDaemon } from "../daemon/shell.ts";
import { OptionError } from "../options/options.ts";
import {
  changeDirectory,
  groupId,
  pathReason,
  PidFile,
  StartError,
} from "../daemon/run_files.ts";
import {
  lockRunDirectory,
  prepareSessiondDirectory,
} from "./sessiond_files.ts";
import {
  SESSIOND_BACKGROUND_VARIABLE,
  SESSIOND_OPTIONS,
  sessiondHelp,
  sessiondPermissionFlags,
} from "./sessiond_options.ts";
import {
  readSessiondRequest,
  type SessiondSettings,
} from "./sessiond_settings.ts";
import { systemReason, systemSurroundings } from "../options/surroundings.ts";

/** Makes the tracer of the kernel; a parameter, so that tests can replace it. */
export type MakeTracer = () => Tracer;

/** How long the end may take, milliseconds: a destroy, and its outputs. */
const END_TIMEOUT_MS = 9_000;
/** Connections that wait to be accepted, as in stock daemons. */
const BACKLOG = 64;

/** Runs a session daemon until a signal ends it; returns its exit status. */
export function runSessiond(
  args: readonly string[],
  makeTracer: MakeTracer,
): Promise<number> {
  return runDaemon<SessiondSettings>(args, {
    version: `${VERSION} (LTTng ${PROTOCOL_VERSION})`,
    options: SESSIOND_OPTIONS,
    help: sessiondHelp,
    background: {
      command: ["sessiond"],
      variable: SESSIOND_BACKGROUND_VARIABLE,
      permissions: sessiondPermissionFlags,
    },
    // Whoever has a daemon started in passing wants to hear nothing of it.
    backgroundLevel: "debug",
    read: () => readSessiondRequest(args, systemSurroundings()),
    refuse: (reason) => writeErrorLine(`Error: ${reason}`),
    explain: startErrorText,
    log: settingsLog,
    serve: (settings, readiness, log) =>
      serve(settings, makeTracer, readiness, log),
  });
}

/** Everything is checked before the socket is there, and undone in reverse. */
async function serve(
  settings: SessiondSettings,
  makeTracer: MakeTracer,
  readiness: Readiness,
  log: Log,
): Promise<number> {
  using cleanup = new DisposableStack();
  settings.warnings.forEach((warning) => log.warning(warning));
  if (settings.background !== "no") changeDirectory("/");
  const group = settings.isRoot ? groupId(settings.tracingGroup) : undefined;
  // Traces are for their owner's group too: each file says so itself.
  Deno.umask(0);
  prepareSessiondDirectory(settings, group);
  cleanup.use(lockRunDirectory(settings));
  const pidFile = cleanup.use(new PidFile(settings.pidFile));
  cleanup.use(serveHealth(
    settings.healthSocket,
    group === undefined ? undefined : { groupId: group },
    "choose another directory with LTTNG_RUNDIR",
  ));
  using end = new EndSignals();
  cleanup.defer(logInternalErrors(log));
  const tracer = settings.traceKernel
    ? makeTracer()
    : unavailableTracer("The daemon was started with --no-kernel");
  const daemon = makeDaemon(settings, tracer, log);
  const listener = listen(settings, group);
  const served = serveClients(listener, { daemon, log });
  try {
    await loadSessions(settings, log);
    pidFile.publish();
    // Started in passing, it says nothing of where it serves either.
    const { background, clientSocket } = settings;
    const say = background === "no" ? log.info : log.debug;
    say(`Clients: ${clientSocket}`);
    const { unavailable } = tracer;
    if (settings.traceKernel && settings.isRoot && unavailable !== undefined) {
      log.warning(`The kernel cannot be traced: ${unavailable}`);
    }
    readiness.ready();
    const signal = await end.first;
    log.info(`Stopping: ${signal}`, { signal });
    const cut = await closeWithin(daemon.close(), END_TIMEOUT_MS, end);
    if (cut !== undefined) {
      log.error(`${cut}: ended with sessions open`);
      return FAILURE;
    }
    log.info("Stopped");
    return 0;
  } finally {
    removeSocket(settings.clientSocket);
    await listener.close();
    await served;
  }
}

function makeDaemon(
  settings: SessiondSettings,
  tracer: Tracer,
  log: Log,
): SessionDaemon {
  return new SessionDaemon({
    tracer,
    mayTraceKernel: settings.isRoot,
    clock: systemClock,
    log,
    outputs: new SystemOutputs({
      clock: systemClock,
      hostname: Deno.hostname(),
      isRoot: settings.isRoot,
    }),
    every(milliseconds, act) {
      const timer = setInterval(act, milliseconds);
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
  });
}

/** The client socket, for the user and the tracing group. */
function listen(
  { clientSocket }: SessiondSettings,
  group: number | undefined,
): UnixListener {
  try {
    removeStaleSocket(clientSocket);
    const listener = UnixListener.listen(clientSocket, BACKLOG);
    Deno.chmodSync(clientSocket, 0o660);
    if (group !== undefined) Deno.chownSync(clientSocket, 0, group);
    return listener;
  } catch (cause) {
    throw new StartError(
      `Cannot make the client socket ${clientSocket}: ${
        pathReason(cause)
      }: choose another with --client-sock`,
      { cause },
    );
  }
}

/** Has saved sessions made anew, by a client like any other. */
async function loadSessions(
  { load, clientSocket }: SessiondSettings,
  log: Log,
): Promise<void> {
  for (const { path, mustBe } of load) {
    if (!mustBe && !isThere(path)) continue;
    try {
      const client = await SessionClient.connect({ socketPath: clientSocket });
      const names = await client.loadSession({ path });
      if (names.length > 0) {
        log.info(`Loaded from ${path}: ${names.join(", ")}`);
      }
    } catch (error) {
      log.error(`Cannot load sessions from ${path}: ${errorText(error)}`);
    }
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Someone else removed it.
  }
}

function settingsLog(
  settings: SessiondSettings,
  write: (line: string) => void,
): Log {
  if (settings.isQuiet) return silentLog;
  return createLog({
    level: settings.verbosity > 0 ? "debug" : "info",
    json: settings.json,
    write,
    now: systemClock.now,
  });
}

function startErrorText(error: unknown): string {
  if (error instanceof StartError || error instanceof OptionError) {
    return error.message;
  }
  return `Cannot start: ${systemReason(error)}`;
}
