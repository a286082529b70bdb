/** Our session daemon in the process of a test, on a socket that stock clients find. */

import { createLog } from "../../../lib/base/log.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { UnixListener } from "../../../lib/os/unix_listener.ts";
import { SessionDaemon } from "../../../lib/session/daemon.ts";
import type { DaemonHost } from "../../../lib/session/host.ts";
import { serveClients } from "../../../lib/session/server.ts";
import { SystemOutputs } from "../../../lib/session/system_outputs.ts";
import { type ProgramResult, run } from "../../support/process.ts";
import {
  commandAs,
  createStockUser,
  removeStockUser,
  type StockUser,
} from "../../support/sessiond_user.ts";
import { FakeTracer } from "./fake_tracer.ts";

const COMMAND_MILLISECONDS = 45_000;

/** Name of the machine in traces. */
export const HOSTNAME = "target";

/** What a test may have otherwise. */
export type RunningOptions =
  & Partial<Pick<DaemonHost, "mayTraceKernel" | "stopTimeoutMs" | "retryMs">>
  & { readonly requestTimeoutMs?: number };

/** A session daemon that a stock `lttng` can drive. */
export class RunningDaemon implements AsyncDisposable {
  readonly tracer = new FakeTracer();
  /** Its log, a line each. */
  readonly lines: string[] = [];
  readonly daemon: SessionDaemon;
  readonly #listener: UnixListener;
  readonly #served: Promise<void>;

  private constructor(readonly user: StockUser, options: RunningOptions) {
    const { requestTimeoutMs, ...host } = options;
    const isRoot = Deno.uid() === 0;
    const log = createLog({
      level: "debug",
      json: false,
      write: (line) => this.lines.push(line),
      now: Date.now,
    });
    this.daemon = new SessionDaemon({
      tracer: this.tracer,
      mayTraceKernel: true,
      clock: systemClock,
      log,
      outputs: new SystemOutputs({
        clock: systemClock,
        hostname: HOSTNAME,
        isRoot,
      }),
      every(milliseconds, act) {
        const timer = setInterval(act, milliseconds);
        return { [Symbol.dispose]: () => clearInterval(timer) };
      },
      ...host,
    });
    const directory = `${user.home}/.lttng`;
    Deno.mkdirSync(directory, { mode: 0o700 });
    const path = `${directory}/client-lttng-sessiond`;
    this.#listener = UnixListener.listen(path, 64);
    for (const place of [directory, path]) {
      if (isRoot) Deno.chownSync(place, user.uid, user.uid);
    }
    this.#served = serveClients(this.#listener, {
      daemon: this.daemon,
      log,
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    });
  }

  /** Starts one, for a user of its own. */
  static async start(options: RunningOptions = {}): Promise<RunningDaemon> {
    return new RunningDaemon(await createStockUser(), options);
  }

  /** Its client socket. */
  get socketPath(): string {
    return this.#listener.path;
  }

  /** Runs the stock `lttng ARGUMENTS`, whatever it answers. */
  tryLttng(...args: string[]): Promise<ProgramResult> {
    return run(
      commandAs(this.user, ["lttng", "--no-sessiond", ...args]),
      COMMAND_MILLISECONDS,
    );
  }

  /**
   * Runs the stock `lttng ARGUMENTS` and returns what it printed.
   *
   * @throws {Error} When its exit code is not 0.
   */
  async lttng(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryLttng(...args);
    if (code === 0) return stdout + stderr;
    throw new Error(
      `lttng ${args.join(" ")} failed with ${code}: ${stdout}${stderr}\n` +
        this.lines.join("\n"),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.close();
    await this.#listener.close();
    await this.#served;
    await removeStockUser(this.user);
  }
}
