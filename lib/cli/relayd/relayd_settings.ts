/** From the command line, files and environment to what `relayd` is to do. */

import {
  addressesClash,
  formatAddress,
  type ListenAddress,
  parseListenUrl,
} from "../../net/url.ts";
import { errorText } from "../../base/errors.ts";
import { configFileLayers } from "../daemon/config_layers.ts";
import type { DaemonRequest, DaemonSettings } from "../daemon/shell.ts";
import {
  environmentLayer,
  type MergedOptions,
  mergeLayers,
  OptionError,
  parseCommandLine,
  parseSwitch,
} from "../options/options.ts";
import {
  absolutePath,
  isAbsolutePath,
  requireHome,
  runDirectory,
  type Surroundings,
} from "../options/paths.ts";
import { DEFAULT_PORTS, RELAYD_OPTIONS } from "./relayd_options.ts";

/** What a listening port is for. */
export type Role = keyof typeof DEFAULT_PORTS;

/** What `relayd` is to do, checked as far as that needs no side effect. */
export interface RelaydSettings extends DaemonSettings {
  readonly addresses: Readonly<Record<Role, ListenAddress>>;
  readonly dynamicPorts: boolean;
  /** Absolute; may not exist yet. */
  readonly output: string;
  readonly groupOutputBy: "host" | "session";
  readonly allowClear: boolean;
  readonly pidFile: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly tracingGroup: string;
  readonly filePoolSize: number;
  readonly json: boolean;
  readonly verbosity: number;
  readonly keepAlive: boolean;
  /** Milliseconds; `undefined` keeps the default. */
  readonly socketTimeoutMs: number | undefined;
  readonly health:
    | { readonly path: string; readonly chosen: boolean }
    | undefined;
  /** `undefined` where the user has no home. */
  readonly runDirectory: string | undefined;
  readonly abortOnError: boolean;
  /** Lines to log once there is a log. */
  readonly warnings: readonly string[];
}

/** What a command line asks for. */
export type RelaydRequest = DaemonRequest<RelaydSettings>;

/** Fewest open trace files that make sense, as in LTTng. */
const LEAST_FILE_POOL_SIZE = 100;
/** Open trace files where the system's limit is unknown. */
const CAUTIOUS_FILE_POOL_SIZE = 512;
/** Keep-alive details that Deno's sockets cannot set. */
const UNSUPPORTED_KEEP_ALIVE = [
  "IDLE_TIME",
  "MAX_PROBE_COUNT",
  "PROBE_INTERVAL",
]
  .map((name) => `LTTNG_RELAYD_TCP_KEEP_ALIVE_${name}`);

type Options = MergedOptions<typeof RELAYD_OPTIONS>;

/**
 * Reads everything that configures `relayd`.
 *
 * @throws {OptionError} With one line for the user.
 */
export function readRelaydRequest(
  args: readonly string[],
  surroundings: Surroundings,
): RelaydRequest {
  const { layer, rest } = parseCommandLine(RELAYD_OPTIONS, args);
  for (const kind of ["help", "version", "list-options"] as const) {
    if (layer.given.has(kind)) return { kind };
  }
  const warnings = rest.map((argument) =>
    `Ignored argument: ${argument}: relayd takes options only`
  );
  const section = { name: "relayd", table: RELAYD_OPTIONS };
  const files = configFileLayers(section, layer, surroundings, warnings);
  const options = mergeLayers(RELAYD_OPTIONS, [
    environmentLayer(RELAYD_OPTIONS, surroundings.env),
    ...files,
    layer,
  ]);
  const settings = toSettings(options, surroundings, warnings);
  return { kind: "serve", settings };
}

function toSettings(
  options: Options,
  surroundings: Surroundings,
  warnings: string[],
): RelaydSettings {
  const { values } = options;
  if (surroundings.os === "windows") refuseOnWindows(options);
  for (const name of UNSUPPORTED_KEEP_ALIVE) {
    if ((integerVariable(name, surroundings) ?? 0) > 0) {
      warnings.push(`Not supported: ${name}: the system's value is used`);
    }
  }
  if (surroundings.env("NOTIFY_SOCKET")) {
    warnings.push(
      "Cannot notify systemd of readiness: use Type=forking with --background and --pid-file",
    );
  }
  const timeout = integerVariable("LTTNG_NETWORK_SOCKET_TIMEOUT", surroundings);
  return {
    addresses: readAddresses(options),
    dynamicPorts: values["dynamic-port-allocation"],
    output: readOutput(options, surroundings),
    groupOutputBy: readGrouping(options),
    allowClear: !values["disallow-clear"],
    background: values.daemonize
      ? "detach"
      : values.background
      ? "keep-error-stream"
      : "no",
    pidFile: resolved(values["pid-file"], surroundings),
    signalParent: values["sig-parent"],
    workingDirectory: resolved(values["working-directory"], surroundings),
    tracingGroup: values.group ?? "tracing",
    filePoolSize: readFilePoolSize(options, surroundings),
    json: values.json,
    verbosity: Math.min(values.verbose, 3),
    keepAlive: switchVariable("LTTNG_RELAYD_TCP_KEEP_ALIVE", surroundings) ??
      true,
    socketTimeoutMs: timeout !== undefined && timeout > 0 ? timeout : undefined,
    health: readHealth(surroundings),
    runDirectory: runDirectory(surroundings),
    abortOnError: switchVariable("LTTNG_ABORT_ON_ERROR", surroundings) ?? false,
    warnings,
  };
}

/** Windows cannot hand a terminal's process on, and has no SIGUSR1. */
function refuseOnWindows(options: Options): void {
  for (const name of ["background", "daemonize", "sig-parent"] as const) {
    if (!options.values[name]) continue;
    throw new OptionError(
      `${
        options.origin(name)
      }: Not possible on Windows: start relayd without it, or as a service`,
    );
  }
}

function readAddresses(options: Options): Record<Role, ListenAddress> {
  const dynamic = options.values["dynamic-port-allocation"];
  const addresses = {
    control: readAddress("control", "0.0.0.0", options, dynamic),
    data: readAddress("data", "0.0.0.0", options, dynamic),
    live: readAddress("live", "127.0.0.1", options, dynamic),
  };
  const pairs = [["control", "data"], ["control", "live"], ["data", "live"]];
  for (const [one, other] of pairs as [Role, Role][]) {
    if (!addressesClash(addresses[one], addresses[other])) continue;
    throw new OptionError(
      `The ${one} and ${other} ports are equal: ${
        formatAddress(addresses[other])
      }: change ${options.origin(`${one}-port`)} or ${
        options.origin(`${other}-port`)
      }`,
    );
  }
  return addresses;
}

function readAddress(
  role: Role,
  hostname: string,
  options: Options,
  dynamic: boolean,
): ListenAddress {
  const name = `${role}-port` as const;
  const text = options.values[name];
  const otherwise = dynamic ? 0 : DEFAULT_PORTS[role];
  if (text === undefined) return { hostname, port: otherwise };
  const url = explain(options.origin(name), () => parseListenUrl(text));
  if (url.port === 0 && !dynamic) {
    throw new OptionError(
      `${
        options.origin(name)
      }: Port 0 needs --dynamic-port-allocation: "${text}"`,
    );
  }
  return { hostname: url.hostname, port: url.port ?? otherwise };
}

function readOutput(options: Options, surroundings: Surroundings): string {
  const { output } = options.values;
  if (output === undefined) {
    return absolutePath(
      `${requireHome(surroundings, "--output")}/lttng-traces`,
      surroundings,
    );
  }
  if (isAbsolutePath(output, surroundings.os)) return output;
  throw new OptionError(
    `${options.origin("output")}: Not an absolute path: "${output}": write "${
      absolutePath(output, surroundings)
    }"`,
  );
}

function readGrouping({ values }: Options): "host" | "session" {
  if (values["group-output-by-host"] && values["group-output-by-session"]) {
    throw new OptionError(
      "Traces are grouped by host or by session: remove --group-output-by-host or --group-output-by-session",
    );
  }
  return values["group-output-by-session"] ? "session" : "host";
}

function readFilePoolSize(
  options: Options,
  surroundings: Surroundings,
): number {
  const limit = surroundings.openFileLimit();
  const text = options.values["fd-pool-size"];
  if (text === undefined) {
    // The rest of the limit is for connections.
    return limit === undefined
      ? CAUTIOUS_FILE_POOL_SIZE
      : Math.floor(limit * 3 / 4);
  }
  const origin = options.origin("fd-pool-size");
  if (!/^\d{1,15}$/.test(text)) {
    throw new OptionError(`${origin}: Not a number: "${text}"`);
  }
  const size = Number(text);
  if (size < LEAST_FILE_POOL_SIZE) {
    throw new OptionError(
      `${origin}: Too small: ${size} is less than ${LEAST_FILE_POOL_SIZE}`,
    );
  }
  if (limit !== undefined && size > limit) {
    throw new OptionError(
      `${origin}: Too large: ${size} is more than the ${limit} files that may be open at once: see ulimit -n`,
    );
  }
  return size;
}

function readHealth(surroundings: Surroundings): RelaydSettings["health"] {
  const given = surroundings.env("LTTNG_RELAYD_HEALTH");
  if (given) return { path: absolutePath(given, surroundings), chosen: true };
  const directory = runDirectory(surroundings);
  if (directory === undefined || surroundings.os === "windows") {
    return undefined;
  }
  const path = `${directory}/relayd/health-${surroundings.processId}`;
  return { path, chosen: false };
}

function resolved(
  path: string | undefined,
  surroundings: Surroundings,
): string | undefined {
  return path === undefined ? undefined : absolutePath(path, surroundings);
}

function switchVariable(
  name: string,
  { env }: Surroundings,
): boolean | undefined {
  const text = env(name);
  if (text === undefined || text === "") return undefined;
  const on = parseSwitch(text);
  if (on !== undefined) return on;
  throw new OptionError(`${name}: Neither 1 nor 0: "${text}"`);
}

function integerVariable(
  name: string,
  { env }: Surroundings,
): number | undefined {
  const text = env(name);
  if (text === undefined || text === "") return undefined;
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new OptionError(`${name}: Not a number: "${text}"`);
}

/** Runs `read`; its error becomes the user's, with where the text came from. */
function explain<T>(origin: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new OptionError(`${origin}: ${errorText(error)}`);
  }
}
