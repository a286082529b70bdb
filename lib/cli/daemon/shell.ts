/**
 * The shell of a daemon: from its command line to its exit status, in the
 * foreground or the background.
 */

import type { Log } from "../../base/log.ts";
import { formatOptionList } from "../options/help.ts";
import type { OptionTable } from "../options/options.ts";
import {
  type BackgroundMode,
  type BackgroundProgram,
  backgroundReadiness,
  foregroundReadiness,
  isBackgroundProcess,
  launchInBackground,
  type Readiness,
  writeErrorLine,
} from "./background.ts";

/** What the shell needs to know of a daemon's settings. */
export interface DaemonSettings {
  readonly background: BackgroundMode;
  /** Whether the parent gets SIGUSR1 once the daemon serves. */
  readonly signalParent: boolean;
}

/** What a command line asks for. */
export type DaemonRequest<Settings extends DaemonSettings> =
  | { readonly kind: "help" | "version" | "list-options" }
  | { readonly kind: "serve"; readonly settings: Settings };

/** One daemon. */
export interface Daemon<Settings extends DaemonSettings> {
  /** What it answers to `--version`. */
  readonly version: string;
  readonly options: OptionTable;
  readonly help: () => string;
  readonly background: BackgroundProgram;
  /** How important it is that it went to the background. */
  readonly backgroundLevel: "info" | "debug";
  /** Takes the reason why there are no settings. */
  readonly refuse: (reason: string) => void;
  /** @throws {Error} Where the command line cannot be understood. */
  readonly read: () => DaemonRequest<Settings>;
  readonly log: (settings: Settings, write: (line: string) => void) => Log;
  /**
   * Serves until a signal ends it; gives its exit status.
   *
   * @throws {Error} Where it cannot start.
   */
  readonly serve: (
    settings: Settings,
    readiness: Readiness,
    log: Log,
  ) => Promise<number>;
  /** Why it could not start, in one line. */
  readonly explain: (error: unknown) => string;
}

/** Exit status after an error. */
export const FAILURE = 1;

/** Runs a daemon until it ends, or is in the background; gives its exit status. */
export async function runDaemon<Settings extends DaemonSettings>(
  args: readonly string[],
  daemon: Daemon<Settings>,
): Promise<number> {
  let request: DaemonRequest<Settings>;
  try {
    request = daemon.read();
  } catch (error) {
    daemon.refuse(daemon.explain(error));
    return FAILURE;
  }
  switch (request.kind) {
    case "help":
      return print(daemon.help());
    case "version":
      return print(`${daemon.version}\n`);
    case "list-options":
      return print(formatOptionList(daemon.options));
    case "serve":
      return await run(args, request.settings, daemon);
  }
}

async function run<Settings extends DaemonSettings>(
  args: readonly string[],
  settings: Settings,
  daemon: Daemon<Settings>,
): Promise<number> {
  const { background, signalParent } = settings;
  if (background === "no") {
    return await serve(settings, daemon, foregroundReadiness(signalParent));
  }
  if (isBackgroundProcess(background, daemon.background)) {
    return await serve(settings, daemon, backgroundReadiness(background));
  }
  const log = daemon.log(settings, writeErrorLine);
  const launch = await launchInBackground(args, background, daemon.background);
  if (!launch.ready) {
    if (launch.reason !== undefined) log.error(launch.reason);
    return FAILURE;
  }
  const { pid } = launch;
  log[daemon.backgroundLevel](`In the background: process ${pid}`, { pid });
  // The process that asked for the signal is the one that started this one.
  if (signalParent) Deno.kill(Deno.ppid, "SIGUSR1");
  return 0;
}

async function serve<Settings extends DaemonSettings>(
  settings: Settings,
  daemon: Daemon<Settings>,
  readiness: Readiness,
): Promise<number> {
  const log = daemon.log(settings, readiness.writeLine);
  try {
    return await daemon.serve(settings, readiness, log);
  } catch (error) {
    log.error(daemon.explain(error));
    return FAILURE;
  }
}

function print(text: string): number {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
  return 0;
}
