/** Starts this repository's programs as their users do, and ends them. */

import { TextLineStream } from "@std/streams";

/** How long a daemon may take to end once told, milliseconds. */
const END_MS = 15_000;

/** Where the programs keep their files: in places of their own. */
export type Places = Readonly<
  Record<"LTTNG_HOME" | "LTTNG_RUNDIR", string>
>;

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

/** Prints a command line as one would type it. */
export function printCommand(...words: readonly string[]): void {
  console.log(`$ ${words.map(quoted).join(" ")}`);
}

/** `relayd` and `lttng` from the sources. */
function command(program: "relayd" | "lttng", args: readonly string[]) {
  const file = program === "lttng" ? "cli.ts" : "relayd.ts";
  const entry = new URL(`../../${file}`, import.meta.url).href;
  return ["run", "--quiet", "--allow-all", entry, ...args];
}

/** Lines of daemons' logs that wait while a command prints; else undefined. */
let held: string[] | undefined;

function printLogLine(line: string): void {
  if (held === undefined) console.log(line);
  else held.push(line);
}

/** Has `act` print alone. */
async function withoutLog<T>(act: () => Promise<T>): Promise<T> {
  held = [];
  try {
    return await act();
  } finally {
    for (const line of held) console.log(line);
    held = undefined;
  }
}

/**
 * Runs `lttng ARGUMENTS`, with what it prints, then what daemons said to it.
 *
 * @throws {Error} Where it fails, or `signal` ends it.
 */
export async function lttng(
  args: readonly string[],
  env: Places,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  printCommand("lttng", ...args);
  const { success, code } = await withoutLog(() =>
    new Deno.Command(Deno.execPath(), {
      args: command("lttng", args),
      env,
      signal,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).output()
  );
  signal.throwIfAborted();
  if (!success) throw new Error(`lttng ${args[0]} ended with status ${code}`);
}

/** A daemon in the background, out of reach of the terminal's Ctrl-C. */
export class Daemon {
  readonly #name: string;
  readonly #pidFile: string;
  /** Its log ends when the last process that writes to it does. */
  readonly #ended: Promise<void>;

  private constructor(name: string, pidFile: string, ended: Promise<void>) {
    this.#name = name;
    this.#pidFile = pidFile;
    this.#ended = ended;
  }

  /**
   * Starts one, and returns when it serves; its log is printed.
   *
   * @param name What its log lines begin with
   * @param words Program and arguments, `--background` and `--pid-file` aside
   * @throws {Error} Where it does not start: its log has said why.
   */
  static async start(
    name: string,
    words: readonly ["relayd" | "lttng", ...string[]],
    env: Places,
  ): Promise<Daemon> {
    printCommand(...words, "--background");
    const [program, ...args] = words;
    const pidFile = `${env.LTTNG_RUNDIR}/${name}.pid`;
    const child = new Deno.Command(Deno.execPath(), {
      args: command(program, [
        ...args,
        "--background",
        `--pid-file=${pidFile}`,
      ]),
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const daemon = new Daemon(name, pidFile, printLines(name, child.stderr));
    const { success } = await child.status;
    if (success) return daemon;
    await daemon.end();
    throw new Error(`${name} did not start`);
  }

  /** Ends it in peace, or else kills it. */
  async end(): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #signal(signal: Deno.Signal): void {
    try {
      Deno.kill(Number(Deno.readTextFileSync(this.#pidFile)), signal);
    } catch (error) {
      // It has ended by itself, or never came to write the file.
      if (error instanceof Deno.errors.NotFound) return;
      console.error(`Cannot end ${this.#name}: ${error}`);
    }
  }
}

async function printLines(
  name: string,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) printLogLine(`${name}: ${line}`);
}
