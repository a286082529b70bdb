/**
 * `--background` and `--daemonize`: start this program again, away from the
 * terminal, and wait until it says that it serves.
 */

import { TextLineStream } from "@std/streams";
import { systemReason } from "../options/surroundings.ts";

/** Whether a daemon goes to the background, and whether it lets go of its terminal. */
export type BackgroundMode = "no" | "keep-error-stream" | "detach";

/** How a program starts itself again. */
export interface BackgroundProgram {
  /** Words before the arguments of the daemon: a command of the program. */
  readonly command: readonly string[];
  /** Marks the process that is started. */
  readonly variable: string;
  /** Permissions of `deno run`, where it is no executable of its own. */
  readonly permissions: () => readonly string[];
}

/** What the background process writes to its standard output when it serves. */
const READY_LINE = "ready";
/** Before a log line that the background process cannot write itself. */
const LOG_PREFIX = "log ";
/** How long the background process may take to serve, milliseconds. */
const READY_TIMEOUT_MS = 30_000;

/** How a process that serves tells the world. */
export interface Readiness {
  /** Takes a log line, as long as anyone can read it. */
  writeLine(line: string): void;
  /** Says that all ports accept. */
  ready(): void;
}

/** How the background process ended up: it serves, or why not. */
export type Launch =
  | { readonly ready: true; readonly pid: number }
  | { readonly ready: false; readonly reason: string | undefined };

/**
 * Starts the background process and waits for it, a bounded time.
 *
 * Its log lines up to then go to standard error. `reason` is `undefined` where
 * those have said it already.
 */
export async function launchInBackground(
  args: readonly string[],
  mode: BackgroundMode,
  program: BackgroundProgram,
): Promise<Launch> {
  let child: Deno.ChildProcess;
  try {
    child = spawnAgain(args, mode, program);
  } catch (error) {
    const reason = `Cannot start the background process: ${
      systemReason(error)
    }`;
    return { ready: false, reason };
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, READY_TIMEOUT_MS);
  try {
    const { ready, lines } = await waitUntilReady(child);
    if (ready) {
      child.unref();
      return { ready, pid: child.pid };
    }
    const { code } = await child.status;
    if (late) {
      const seconds = READY_TIMEOUT_MS / 1_000;
      return { ready: false, reason: `Not ready within ${seconds} s: stopped` };
    }
    // With status 1 it has said why itself, where it could.
    const explained = code === 1 && (mode !== "detach" || lines > 0);
    return {
      ready: false,
      reason: explained
        ? undefined
        : `The background process ended with status ${code}`,
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether this is the process that {@linkcode launchInBackground} started; the
 * mark is taken away, so that no process started from here bears it.
 */
export function isBackgroundProcess(
  mode: BackgroundMode,
  { variable }: BackgroundProgram,
): boolean {
  const mark = Deno.env.get(variable);
  if (mark !== undefined) Deno.env.delete(variable);
  return mode !== "no" && mark === mode;
}

/** Readiness of a process that someone started, with its terminal. */
export function foregroundReadiness(signalParent: boolean): Readiness {
  return {
    writeLine: writeErrorLine,
    ready: () => {
      if (signalParent) Deno.kill(Deno.ppid, "SIGUSR1");
    },
  };
}

/** Readiness of the background process, told through its standard output. */
export function backgroundReadiness(
  mode: BackgroundMode,
): Readiness {
  if (mode !== "detach") {
    return { writeLine: writeErrorLine, ready: () => tellParent(READY_LINE) };
  }
  let parentReads = true;
  return {
    writeLine: (line) => {
      if (!parentReads) return;
      try {
        tellParent(LOG_PREFIX + line);
      } catch {
        // ready() will find the parent gone.
      }
    },
    ready: () => {
      tellParent(READY_LINE);
      parentReads = false;
    },
  };
}

/** Writes a line to standard error, or drops it where nobody can read it. */
export function writeErrorLine(line: string): void {
  try {
    writeAll(Deno.stderr, line);
  } catch {
    // A closed or full pipe must not stop the daemon.
  }
}

/** @throws {Error} When the parent has gone: then nobody waits for us. */
function tellParent(line: string): void {
  writeAll(Deno.stdout, line);
}

function writeAll(stream: typeof Deno.stderr, line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) {
    at += stream.writeSync(bytes.subarray(at));
  }
}

function spawnAgain(
  args: readonly string[],
  mode: BackgroundMode,
  { command, variable, permissions }: BackgroundProgram,
): Deno.ChildProcess {
  const program = Deno.build.standalone
    ? []
    : ["run", "--quiet", ...permissions(), Deno.mainModule];
  return new Deno.Command(Deno.execPath(), {
    args: [...program, ...command, ...args],
    env: { [variable]: mode },
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: mode === "detach" ? "null" : "inherit",
  }).spawn();
}

/** `lines` counts the log lines that were passed on. */
async function waitUntilReady(
  child: Deno.ChildProcess,
): Promise<{ ready: boolean; lines: number }> {
  const output = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  let lines = 0;
  for await (const line of output) {
    if (line === READY_LINE) return { ready: true, lines };
    if (!line.startsWith(LOG_PREFIX)) continue;
    writeErrorLine(line.slice(LOG_PREFIX.length));
    lines++;
  }
  return { ready: false, lines };
}
