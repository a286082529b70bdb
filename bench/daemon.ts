/** Starts a relay daemon for the benchmark, measures it, and stops it. */

import type { Ports } from "./generator.ts";

/** How to start one of the two sides. */
export interface Side {
  /** Column title. */
  readonly name: string;
  readonly command: string;
  /** Arguments before the daemon's own. */
  readonly prefix: readonly string[];
}

/** The clock ticks of /proc, which Linux fixes for programs at 100 Hz. */
const TICKS_PER_SECOND = 100;
/** The longest wait for a daemon to accept, or to end, in milliseconds. */
const PATIENCE_MS = 15_000;

/** Finds ports that are free now. */
function freePorts(): Ports {
  const listeners = [0, 1, 2].map(() =>
    Deno.listen({ hostname: "127.0.0.1", port: 0 })
  );
  const [control, data, live] = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return { control: control!, data: data!, live: live! };
}

/** Waits until a port accepts, or the daemon has ended. */
async function awaitPort(port: number, daemon: Relay): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  while (performance.now() < limit && !daemon.ended) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(
    `${daemon.side.name} does not accept on port ${port}: ${await daemon
      .logTail()}`,
  );
}

/** A running relay daemon. */
export class Relay implements AsyncDisposable {
  readonly ports: Ports = freePorts();
  /** Where it stores traces. */
  readonly output: string;
  /** True once the process is gone. */
  ended = false;
  readonly #home: string;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(readonly side: Side, directory: string) {
    this.output = `${directory}/traces`;
    this.#home = `${directory}/home`;
    Deno.mkdirSync(this.output, { recursive: true });
    Deno.mkdirSync(this.#home, { recursive: true });
    this.#child = new Deno.Command(side.command, {
      args: [
        ...side.prefix,
        "-C",
        `tcp://127.0.0.1:${this.ports.control}`,
        "-D",
        `tcp://127.0.0.1:${this.ports.data}`,
        "-L",
        `tcp://127.0.0.1:${this.ports.live}`,
        "-o",
        this.output,
      ],
      // Its own home, so that no configuration of the machine takes part; the
      // Deno cache stays where it is.
      env: {
        LTTNG_HOME: this.#home,
        LTTNG_RUNDIR: this.#home,
        LTTNG_RELAYD_HEALTH: `${this.#home}/health`,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#log = new Response(this.#child.stderr).text();
    this.#child.status.then(() => this.ended = true);
  }

  /**
   * Starts a daemon and waits until it accepts.
   *
   * @param side Which daemon
   * @param directory An empty directory for its output and its home
   * @throws {Error} If it does not accept in time
   */
  static async start(side: Side, directory: string): Promise<Relay> {
    const relay = new Relay(side, directory);
    try {
      await awaitPort(relay.ports.control, relay);
      await awaitPort(relay.ports.data, relay);
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw error;
    }
    return relay;
  }

  /** Processor seconds so far, user and system, of all its threads. */
  processorSeconds(): number {
    const text = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
    // The second field is the program's name, which may contain anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Bytes of memory that are its own: Pss, or VmRSS where that is hidden. */
  memoryBytes(): number {
    const directory = `/proc/${this.#child.pid}`;
    for (
      const [file, pattern] of [
        ["smaps_rollup", /^Pss:\s+(\d+) kB/m],
        ["status", /^VmRSS:\s+(\d+) kB/m],
      ] as const
    ) {
      try {
        const match = Deno.readTextFileSync(`${directory}/${file}`).match(
          pattern,
        );
        if (match) return Number(match[1]) * 1024;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound && file === "status") {
          throw error;
        }
      }
    }
    throw new Error(`Cannot read the memory of process ${this.#child.pid}`);
  }

  /** The end of what the daemon printed on standard error, once it ended. */
  async logTail(): Promise<string> {
    if (!this.ended) return "it is still running";
    return (await this.#log).trim().split("\n").slice(-5).join("\n");
  }

  /** Stops the daemon: asks first, kills if it does not listen. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ended) this.#child.kill("SIGTERM");
    const timer = setTimeout(() => {
      if (!this.ended) this.#child.kill("SIGKILL");
    }, PATIENCE_MS / 3);
    await this.#child.status;
    clearTimeout(timer);
    await this.#log;
  }
}
