/** Starts a stock session daemon that disturbs nobody; see `StockUser`. */

import { ChildProgram, type ProgramResult, run, waitFor } from "./process.ts";
import {
  commandAs,
  createStockUser,
  removeStockUser,
  type StockUser,
} from "./sessiond_user.ts";
import {
  startUstApplication,
  type UstApplication,
  type UstOptions,
} from "./ust_app.ts";
import { freePorts } from "./relay_process.ts";

/** Programs a session daemon under test needs. */
export const SESSIOND_PROGRAMS: readonly string[] = [
  "lttng",
  "lttng-sessiond",
  "setpriv",
];

const START_MILLISECONDS = 20_000;
const COMMAND_MILLISECONDS = 45_000;

/** A running stock session daemon, its consumers and its applications. */
export class Sessiond implements AsyncDisposable {
  readonly #applications: UstApplication[] = [];
  /** Milliseconds since 1970. */
  readonly startedAt = Date.now();

  constructor(readonly user: StockUser, readonly child: ChildProgram) {}

  /** Runs `lttng ARGUMENTS`, whatever it answers. */
  tryLttng(...args: string[]): Promise<ProgramResult> {
    return run(
      commandAs(this.user, ["lttng", "--no-sessiond", ...args]),
      COMMAND_MILLISECONDS,
    );
  }

  /**
   * Runs `lttng ARGUMENTS` and returns what it printed.
   *
   * @throws {Error} When its exit code is not 0.
   */
  async lttng(...args: string[]): Promise<string> {
    const result = await this.tryLttng(...args);
    if (result.code !== 0) {
      throw new Error(
        `lttng ${args.join(" ")} failed with ${result.code}: ` +
          result.stdout + result.stderr,
      );
    }
    return result.stdout + result.stderr;
  }

  /**
   * Starts an application that registers with this session daemon.
   *
   * @param name What LTTng shall call it: at most 15 characters.
   * @param payload Bytes of payload in each of its events.
   */
  async startApplication(
    name = "app",
    payload = 16,
  ): Promise<UstApplication> {
    return await this.#start({ name, program: "app", args: [`${payload}`] });
  }

  /** Starts an application that records every kind of field in each round. */
  startFieldsApplication(name = "fields"): Promise<UstApplication> {
    return this.#start({ name, program: "fields" });
  }

  async #start(options: UstOptions): Promise<UstApplication> {
    const application = await startUstApplication(this.user, options);
    this.#applications.push(application);
    return application;
  }

  /** Process ids of its running consumer daemons. */
  consumerPids(): number[] {
    return childPids(this.child.pid);
  }

  /** Kills its consumer daemons with SIGKILL and waits until they are gone. */
  async killConsumers(): Promise<void> {
    const pids = this.consumerPids();
    if (pids.length === 0) throw new Error("No consumer daemon is running");
    for (const pid of pids) Deno.kill(pid, "SIGKILL");
    await waitFor(
      "the end of the consumer daemons",
      () => pids.every((pid) => !isRunning(pid)),
    );
  }

  /** Kills the session daemon with SIGKILL; its consumers end by themselves. */
  async kill(): Promise<void> {
    const consumers = this.consumerPids();
    await this.child.kill();
    await waitFor(
      "the end of the consumer daemons",
      () => consumers.every((pid) => !isRunning(pid)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const application of this.#applications) {
      await application[Symbol.asyncDispose]();
    }
    const consumers = this.child.running ? this.consumerPids() : [];
    try {
      await this.child.stop();
    } finally {
      for (const pid of consumers) {
        if (isRunning(pid)) Deno.kill(pid, "SIGKILL");
      }
      await removeStockUser(this.user);
    }
  }
}

/** Starts a session daemon and returns once it answers `lttng list`. */
export async function startSessiond(): Promise<Sessiond> {
  const user = await createStockUser();
  const [agentPort = 0] = freePorts(1);
  const child = new ChildProgram(
    commandAs(user, ["lttng-sessiond", `--agent-tcp-port=${agentPort}`]),
  );
  const sessiond = new Sessiond(user, child);
  try {
    await waitFor("the session daemon answers", async () => {
      if (!child.running) {
        throw new Error(`Session daemon ended at start: ${child.stderr}`);
      }
      return (await sessiond.tryLttng("list")).code === 0;
    }, START_MILLISECONDS);
    return sessiond;
  } catch (error) {
    await sessiond[Symbol.asyncDispose]();
    throw error;
  }
}

/** How long one may take to begin, milliseconds. */
const BEGIN_MILLISECONDS = 300;

/**
 * Starts two that list things in the same order: its hash tables go by the
 * second in which it began.
 */
export async function startAlikeSessionds(): Promise<[Sessiond, Sessiond]> {
  while (true) {
    const pair = await Promise.all([startSessiond(), startSessiond()]);
    const seconds = pair.flatMap(({ startedAt }) =>
      [startedAt, startedAt + BEGIN_MILLISECONDS]
        .map((time) => Math.floor(time / 1_000))
    );
    if (new Set(seconds).size === 1) return pair;
    for (const one of pair) await one[Symbol.asyncDispose]();
  }
}

/** Whether a process that is not a zombie has this id. */
export function isRunning(pid: number): boolean {
  return processState(pid)?.state !== "Z" && processState(pid) !== undefined;
}

/** Process ids of the children of `parent` that are no zombies. */
function childPids(parent: number): number[] {
  const pids: number[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    const process = processState(Number(entry.name));
    if (process?.parent === parent && process.state !== "Z") {
      pids.push(Number(entry.name));
    }
  }
  return pids;
}

function processState(
  pid: number,
): { state: string; parent: number } | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The command name, in parentheses, may hold blanks.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]) };
  } catch {
    return undefined;
  }
}
