/** Starts `relayd` as its users do, in a directory of its own. */

import { TextLineStream } from "@std/streams";
import { relaydPermissionFlags } from "../../../lib/cli/relayd/relayd_options.ts";

/** The longest that any one thing may take on a busy machine, milliseconds. */
export const PATIENCE_MS = 30_000;

/** Ports that the system chooses, so that tests can run side by side. */
export const FREE_PORTS = [
  "--control-port=tcp://127.0.0.1:0",
  "--data-port=tcp://127.0.0.1:0",
  "--live-port=tcp://127.0.0.1:0",
  "--dynamic-port-allocation",
] as const;

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory that is removed with all that is in it. */
export class Scratch implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "relayd-test-" });

  /** Environment that keeps a relay daemon's files in here. */
  get environment(): Record<string, string> {
    return {
      LTTNG_HOME: this.path,
      LTTNG_RUNDIR: `${this.path}/run`,
      LTTNG_RELAYD_HEALTH: `${this.path}/health`,
      NOTIFY_SOCKET: "",
    };
  }

  /** Writes the configuration file that relayd finds by itself. */
  configure(text: string): void {
    Deno.mkdirSync(`${this.path}/.lttng`);
    Deno.writeTextFileSync(`${this.path}/.lttng/lttng.conf`, text);
  }

  /** The port that was written for `role`. */
  port(role: string): number {
    const path = `${this.path}/run/relayd/${role}.port`;
    return Number(Deno.readTextFileSync(path));
  }

  exists(name: string): boolean {
    return [...Deno.readDirSync(this.path)].some((entry) =>
      entry.name === name
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** What differs from `relayd.ts` with its own permissions. */
export interface Program {
  /** Path of a script, from the project's top directory. */
  readonly script?: string;
  readonly environment?: Record<string, string>;
}

/** How long what a program has printed may take to arrive, milliseconds. */
const DRAIN_MS = 500;

/**
 * Runs relayd until its first process ends. A daemon that this leaves in the
 * background may hold the pipes open: they are not waited for.
 */
export async function runToEnd(
  scratch: Scratch,
  args: readonly string[],
  program: Program = {},
): Promise<Ended> {
  const child = command(scratch, args, program).spawn();
  const [stdout, stderr] = [
    new Collector(child.stdout),
    new Collector(child.stderr),
  ];
  const { code } = await child.status;
  return { code, stdout: await stdout.end(), stderr: await stderr.end() };
}

/** Gathers what comes through a pipe. */
class Collector {
  #text = "";
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #reading: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    this.#reading = this.#read();
  }

  async end(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([this.#reading, late]);
    clearTimeout(timer);
    await this.#reader.cancel();
    await this.#reading;
    return this.#text;
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.#text += value;
    }
  }
}

/** A relay daemon that was started in the foreground. */
export class ServingRelayd implements AsyncDisposable {
  /** Its log lines so far. */
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #serving = Promise.withResolvers<void>();

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read(child.stderr);
  }

  /** Returns when the daemon says that it listens. */
  static async start(
    scratch: Scratch,
    args: readonly string[],
    program: Program = {},
  ): Promise<ServingRelayd> {
    const relayd = new ServingRelayd(
      command(scratch, args, program, "null").spawn(),
    );
    await relayd.#serving.promise;
    return relayd;
  }

  /** Sends `signal` and waits for the end. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.signal(signal);
    return await this.ended();
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
  }

  async #read(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const lines = stderr.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.lines.push(line);
      if (line.includes("Output directory: ")) this.#serving.resolve();
    }
    this.#serving.reject(
      new Error(`relayd ended:\n${this.lines.join("\n")}`),
    );
    // Only whoever still waits for it is to see that.
    this.#serving.promise.catch(() => {});
  }
}

/** Whether something accepts TCP connections on `port` of this machine. */
export async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Waits until `holds`, or fails saying what it waited for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!await holds()) {
    if (Date.now() > deadline) {
      throw new Error(`Not within ${PATIENCE_MS} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function command(
  scratch: Scratch,
  args: readonly string[],
  { script, environment }: Program,
  stdout: "piped" | "null" = "piped",
): Deno.Command {
  const top = new URL("../../../", import.meta.url);
  const executable = Deno.env.get("RELAYD_BIN");
  const compiled = executable !== undefined && script === undefined;
  const program = compiled ? [] : [
    "run",
    "--quiet",
    ...relaydPermissionFlags(),
    new URL(script ?? "relayd.ts", top).href,
  ];
  return new Deno.Command(compiled ? executable : Deno.execPath(), {
    args: [...program, ...args],
    env: { ...scratch.environment, ...environment },
    cwd: scratch.path,
    stdin: "null",
    stdout,
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}
