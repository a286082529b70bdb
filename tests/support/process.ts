/** Child processes of a test: output kept, every wait bounded, stopped by their own pid. */

/** How long a process may take to end once asked, before it is killed (ms). */
const STOP_MILLISECONDS = 10_000;
/** How long a program that is run to its end may take (ms). */
const RUN_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 20;

/** Waits `milliseconds`. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Polls `condition` until it gives something other than `undefined` or
 * `false`, and returns that.
 *
 * @throws {Error} Naming `what` when `milliseconds` have passed.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  milliseconds = STOP_MILLISECONDS,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + milliseconds;
  while (true) {
    const value = await condition();
    if (value !== undefined && value !== false) {
      return value as Exclude<T, undefined | false>;
    }
    if (Date.now() > deadline) {
      throw new Error(`Waited ${milliseconds} ms in vain: ${what}`);
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** Resolves like `promise`, or throws naming `what` after `milliseconds`. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  milliseconds: number,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${milliseconds} ms in vain: ${what}`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A program's command line and surroundings. */
export interface ProgramOptions {
  /** Program first. */
  readonly command: readonly string[];
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program that ran to its end left. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; kills it and throws after `milliseconds`. */
export async function run(
  options: ProgramOptions,
  milliseconds = RUN_MILLISECONDS,
): Promise<ProgramResult> {
  await using child = new ChildProgram(options);
  child.closeInput();
  const status = await within(
    `the end of ${options.command.join(" ")}`,
    child.ended,
    milliseconds,
  );
  return { code: status.code, stdout: child.stdout, stderr: child.stderr };
}

/** A running program whose output is kept. */
export class ChildProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #name: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output = { stdout: "", stderr: "" };
  #inputClosed = false;
  #running = true;
  /** Resolves once the process has ended and all its output is read. */
  readonly ended: Promise<Deno.CommandStatus>;

  constructor(options: ProgramOptions) {
    const [program = "", ...args] = options.command;
    this.#name = options.command.join(" ");
    this.#child = new Deno.Command(program, {
      args,
      env: { ...options.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.ended = this.#collect();
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#output.stdout;
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#output.stderr;
  }

  /** Whether the process has not ended yet. */
  get running(): boolean {
    return this.#running;
  }

  /** Writes one line to the standard input. */
  async writeLine(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Closes the standard input; an ended process is no error. */
  closeInput(): void {
    if (this.#inputClosed) return;
    this.#inputClosed = true;
    this.#input.close().catch(() => {});
  }

  /** Sends a signal; does nothing once the process has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.#running) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It may have ended on its own between the test and the signal.
      if (this.#running && !(error instanceof TypeError)) throw error;
    }
  }

  /** Ends the process with SIGTERM, then SIGKILL, and returns its status. */
  async stop(): Promise<Deno.CommandStatus> {
    this.closeInput();
    this.signal("SIGTERM");
    try {
      return await within(
        `the end of ${this.#name} after SIGTERM`,
        this.ended,
        STOP_MILLISECONDS,
      );
    } catch (error) {
      this.signal("SIGKILL");
      await this.ended;
      throw error;
    }
  }

  /** Kills the process with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    this.closeInput();
    await within(
      `the end of ${this.#name} after SIGKILL`,
      this.ended,
      STOP_MILLISECONDS,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #collect(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#child.status.then((status) => {
        this.#running = false;
        return status;
      }),
      this.#read("stdout"),
      this.#read("stderr"),
    ]);
    return status;
  }

  async #read(name: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child[name]) {
      this.#output[name] += decoder.decode(bytes, { stream: true });
    }
  }
}
