/** The program `relayd`: from its command line to its exit status. */

import { systemClock } from "../../base/clock.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../base/limits.ts";
import { createLog, type Log } from "../../base/log.ts";
import { VERSION } from "../../base/version.ts";
import { ListenError } from "../../net/listen.ts";
import {
  formatAddress,
  isLoopback,
  type ListenAddress,
} from "../../net/url.ts";
import type { Relay, RelayOptions } from "../../relay/server.ts";
import { type Readiness, writeErrorLine } from "../daemon/background.ts";
import {
  closeWithin,
  EndSignals,
  logInternalErrors,
} from "../daemon/end_signals.ts";
import { serveHealth } from "../daemon/health.ts";
import { FAILURE, runDaemon } from "../daemon/shell.ts";
import { OptionError } from "../options/options.ts";
import {
  RELAYD_BACKGROUND_VARIABLE,
  RELAYD_OPTIONS,
  relaydHelp,
  relaydPermissionFlags,
} from "./relayd_options.ts";
import {
  readRelaydRequest,
  type RelaydSettings,
  type Role,
} from "./relayd_settings.ts";
import {
  changeDirectory,
  groupId,
  PidFile,
  prepareOutput,
  prepareRunDirectory,
  StartError,
  writePortFiles,
} from "../daemon/run_files.ts";
import { systemReason, systemSurroundings } from "../options/surroundings.ts";

/** How a relay daemon is started; a parameter, so that tests can replace it. */
export type StartRelay = (options: RelayOptions) => Relay;

/**
 * How long closing may take, milliseconds: a second more than the relay grants
 * its own connections, so that its line about them comes first.
 */
const END_TIMEOUT_MS = SHUTDOWN_TIMEOUT_MS + 1_000;
/** Exit status that a shell reports of a program that aborted. */
const ABORTED = 134;
/** Permissions of no use once the daemon serves. */
const STARTUP_PERMISSIONS = ["run", "env", "sys", "ffi"] as const;

/** Runs `relayd` until a signal ends it; returns its exit status. */
export function runRelayd(
  args: readonly string[],
  startRelay: StartRelay,
): Promise<number> {
  return runDaemon<RelaydSettings>(args, {
    version: VERSION,
    options: RELAYD_OPTIONS,
    help: relaydHelp,
    background: {
      command: [],
      variable: RELAYD_BACKGROUND_VARIABLE,
      permissions: relaydPermissionFlags,
    },
    backgroundLevel: "info",
    read: () => readRelaydRequest(args, systemSurroundings()),
    refuse: (reason) => startupLog(args).error(reason),
    explain: startErrorText,
    log: settingsLog,
    serve: (settings, readiness, log) =>
      serve(settings, startRelay, readiness, log),
  });
}

/** Everything is checked before the first listener, and undone in reverse. */
async function serve(
  settings: RelaydSettings,
  startRelay: StartRelay,
  readiness: Readiness,
  log: Log,
): Promise<number> {
  using cleanup = new DisposableStack();
  settings.warnings.forEach((warning) => log.warning(warning));
  if (settings.background !== "no") changeDirectory("/");
  if (settings.workingDirectory !== undefined) {
    changeDirectory(settings.workingDirectory);
  }
  prepareOutput(settings.output);
  const pidFile = settings.pidFile === undefined
    ? undefined
    : cleanup.use(new PidFile(settings.pidFile));
  const group = Deno.uid() === 0 ? groupId(settings.tracingGroup) : undefined;
  const directory = settings.dynamicPorts
    ? portDirectory(settings, group)
    : undefined;
  cleanup.use(startHealth(settings, group, log));
  using end = new EndSignals();
  const relay = startRelay(relayOptions(settings, log));
  try {
    if (directory !== undefined) {
      cleanup.use(writePortFiles(directory, ports(relay)));
    }
    pidFile?.publish();
    logStart(relay, settings, log);
    readiness.ready();
  } catch (error) {
    await relay.shutdown();
    throw error;
  }
  cleanup.defer(logInternalErrors(log));
  dropPermissions();
  const signal = await end.first;
  log.info(`Stopping: ${signal}`, { signal });
  return await shutDown(relay, end, log);
}

/** Closes the relay within a bounded time; a second signal ends the wait. */
async function shutDown(
  relay: Relay,
  end: EndSignals,
  log: Log,
): Promise<number> {
  const cut = await closeWithin(relay.shutdown(), END_TIMEOUT_MS, end);
  if (cut === undefined) {
    log.info("Stopped");
    return 0;
  }
  log.error(`${cut}: ended with connections open`);
  return FAILURE;
}

function relayOptions(settings: RelaydSettings, log: Log): RelayOptions {
  const { addresses, socketTimeoutMs } = settings;
  return {
    control: addresses.control,
    data: addresses.data,
    live: addresses.live,
    output: settings.output,
    groupOutputBy: settings.groupOutputBy,
    allowClear: settings.allowClear,
    filePoolSize: settings.filePoolSize,
    keepAlive: settings.keepAlive,
    ...(socketTimeoutMs === undefined ? {} : { socketTimeoutMs }),
    log,
    clock: systemClock,
  };
}

function portDirectory(
  { runDirectory }: RelaydSettings,
  group: number | undefined,
): string {
  if (runDirectory !== undefined) {
    return prepareRunDirectory(runDirectory, group);
  }
  throw new StartError("No place for the port files: set LTTNG_RUNDIR");
}

/** A health socket nobody asked for is no reason not to serve. */
function startHealth(
  { health, runDirectory }: RelaydSettings,
  group: number | undefined,
  log: Log,
): Disposable | undefined {
  if (health === undefined) return undefined;
  const owner = group === undefined ? undefined : { groupId: group };
  if (health.chosen) {
    if (Deno.build.os !== "windows") return serveHealth(health.path, owner);
    throw new StartError(
      "No health socket on Windows: unset LTTNG_RELAYD_HEALTH",
    );
  }
  if (runDirectory === undefined) return undefined;
  try {
    prepareRunDirectory(runDirectory, group);
    return serveHealth(health.path, owner);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    log.warning(`No health socket: ${error.message}`);
    return undefined;
  }
}

function ports({ addresses }: Relay): Record<Role, number> {
  const { control, data, live } = addresses;
  return { control: control.port, data: data.port, live: live.port };
}

function logStart(relay: Relay, settings: RelaydSettings, log: Log): void {
  const { control, data, live } = relay.addresses;
  logAddress("control", "Control connections", control, log);
  logAddress("data", "Trace data", data, log);
  logAddress("live", "Live viewers", live, log);
  const { output, groupOutputBy } = settings;
  log.info(`Output directory: ${output}, grouped by ${groupOutputBy}`, {
    output,
    groupOutputBy,
  });
  log.debug(`Trace files open at once: ${settings.filePoolSize} at most`);
  const open = [control, data, live].filter(({ hostname }) =>
    !isLoopback(hostname)
  );
  if (open.length === 0) return;
  log.warning(
    `No authentication and no encryption: whoever reaches ${
      open.map(formatAddress).join(" or ")
    } can use it`,
  );
}

function logAddress(
  role: Role,
  label: string,
  address: ListenAddress,
  log: Log,
): void {
  const { hostname, port } = address;
  log.info(`${label}: ${formatAddress(address)}`, { role, hostname, port });
}

function dropPermissions(): void {
  for (const name of STARTUP_PERMISSIONS) Deno.permissions.revokeSync({ name });
}

function settingsLog(
  settings: RelaydSettings,
  write: (line: string) => void,
): Log {
  const log = createLog({
    level: settings.verbosity > 0 ? "debug" : "info",
    json: settings.json,
    write,
    now: systemClock.now,
  });
  if (!settings.abortOnError) return log;
  return {
    ...log,
    error: (message, fields) => {
      log.error(message, fields);
      Deno.exit(ABORTED);
    },
  };
}

/** The log before there are settings. */
function startupLog(args: readonly string[]): Log {
  return createLog({
    level: "info",
    json: args.includes("--json"),
    write: writeErrorLine,
    now: systemClock.now,
  });
}

function startErrorText(error: unknown): string {
  if (error instanceof ListenError) {
    return `${error.message}: choose another address with --${error.role}-port`;
  }
  if (error instanceof StartError || error instanceof OptionError) {
    return error.message;
  }
  return `Cannot start: ${systemReason(error)}`;
}
