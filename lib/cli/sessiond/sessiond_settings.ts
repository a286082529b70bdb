/** From the command line, files and environment to what a session daemon is to do. */

import { configFileLayers } from "../daemon/config_layers.ts";
import type { DaemonRequest, DaemonSettings } from "../daemon/shell.ts";
import {
  environmentLayer,
  mergeLayers,
  OptionError,
  parseCommandLine,
} from "../options/options.ts";
import {
  absolutePath,
  homeDirectory,
  runDirectory,
  type Surroundings,
} from "../options/paths.ts";
import { SESSIOND_OPTIONS } from "./sessiond_options.ts";

/** What a session daemon is to do. */
export interface SessiondSettings extends DaemonSettings {
  readonly runDirectory: string;
  readonly clientSocket: string;
  readonly healthSocket: string;
  readonly pidFile: string;
  readonly lockFile: string;
  readonly tracingGroup: string;
  readonly isRoot: boolean;
  readonly traceKernel: boolean;
  readonly json: boolean;
  readonly isQuiet: boolean;
  readonly verbosity: number;
  /** Files or directories of saved sessions; `mustBe` where it was asked for. */
  readonly load: readonly { readonly path: string; readonly mustBe: boolean }[];
  /** Lines to log once there is a log. */
  readonly warnings: readonly string[];
}

/** What a command line asks for. */
export type SessiondRequest = DaemonRequest<SessiondSettings>;

/** Saved sessions that every system's daemon loads. */
const SYSTEM_SESSIONS = "/etc/lttng/sessions/auto";

/**
 * Reads everything that configures a session daemon.
 *
 * @throws {OptionError} With one line for the user.
 */
export function readSessiondRequest(
  args: readonly string[],
  surroundings: Surroundings,
): SessiondRequest {
  const { layer, rest } = parseCommandLine(SESSIOND_OPTIONS, args);
  for (const kind of ["help", "version", "list-options"] as const) {
    if (layer.given.has(kind)) return { kind };
  }
  if (surroundings.os !== "linux") {
    throw new OptionError("A session daemon runs on Linux only");
  }
  const warnings = rest.map((argument) =>
    `Ignored argument: ${argument}: sessiond takes options only`
  );
  const section = { name: "sessiond", table: SESSIOND_OPTIONS };
  const { values } = mergeLayers(SESSIOND_OPTIONS, [
    environmentLayer(SESSIOND_OPTIONS, surroundings.env),
    ...configFileLayers(section, layer, surroundings, warnings),
    layer,
  ]);
  const directory = runDirectory(surroundings);
  if (directory === undefined) {
    throw new OptionError("No place for the sockets: set LTTNG_HOME");
  }
  if (values.quiet && values.verbose > 0) {
    throw new OptionError("Either --quiet or --verbose: remove one");
  }
  const resolved = (path: string) => absolutePath(path, surroundings);
  const settings: SessiondSettings = {
    runDirectory: directory,
    clientSocket: resolved(
      values["client-sock"] ?? `${directory}/client-lttng-sessiond`,
    ),
    healthSocket: `${directory}/sessiond-health`,
    pidFile: resolved(values["pid-file"] ?? `${directory}/lttng-sessiond.pid`),
    lockFile: `${directory}/lttng-sessiond.lck`,
    tracingGroup: values.group ?? "tracing",
    isRoot: surroundings.userId === 0,
    traceKernel: !values["no-kernel"],
    background: values.daemonize
      ? "detach"
      : values.background
      ? "keep-error-stream"
      : "no",
    signalParent: values["sig-parent"],
    json: values.json,
    isQuiet: values.quiet,
    verbosity: Math.min(values.verbose, 3),
    load: values.load === undefined
      ? automaticSessions(surroundings)
      : [{ path: resolved(values.load), mustBe: true }],
    warnings,
  };
  return { kind: "serve", settings };
}

function automaticSessions(
  surroundings: Surroundings,
): SessiondSettings["load"] {
  const home = homeDirectory(surroundings);
  const paths = home === undefined ? [] : [`${home}/.lttng/sessions/auto`];
  return [...paths, SYSTEM_SESSIONS].map((path) => ({ path, mustBe: false }));
}
