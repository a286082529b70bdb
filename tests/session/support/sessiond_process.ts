/** `lttng sessiond` as its users start it, in a directory of its own. */

import {
  ChildProgram,
  type ProgramResult,
  run,
  waitFor,
} from "../../support/process.ts";
import {
  commandAs,
  createStockUser,
  removeStockUser,
  type StockUser,
} from "../../support/sessiond_user.ts";

const ENTRY = new URL("../../../cli.ts", import.meta.url).pathname;

/** The longest that starting or ending may take on a busy machine, ms. */
const PATIENCE_MS = 30_000;

/** Why other users cannot run this Deno; `undefined` where they can. */
export function denoIsPrivate(): string | undefined {
  const parts = Deno.execPath().split("/");
  for (let count = 2; count <= parts.length; count++) {
    const path = parts.slice(0, count).join("/");
    const { mode } = Deno.statSync(path);
    if (((mode ?? 0) & 0o001) === 0) return `${path} is not for other users`;
  }
  return undefined;
}

let modules: Promise<string> | undefined;

/**
 * A copy of the modules that Deno downloaded, for all to read: others cannot
 * look into the home of the one who runs the tests. Made once, and removed when
 * the tests end.
 */
function sharedModules(): Promise<string> {
  modules ??= copyModules();
  return modules;
}

async function copyModules(): Promise<string> {
  const info = await run({ command: [Deno.execPath(), "info", "--json"] });
  const directory = await Deno.makeTempDir({ prefix: "deno-modules-" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(directory, { recursive: true });
  });
  await Deno.chmod(directory, 0o755);
  const { denoDir } = JSON.parse(info.stdout);
  const { code, stderr } = await run({
    command: ["cp", "-r", `${denoDir}/npm`, directory],
  });
  if (code !== 0) throw new Error(stderr);
  return `${directory}/npm`;
}

/** A place for a session daemon, and what is in it. */
export class SessiondPlace implements AsyncDisposable {
  readonly #started: ChildProgram[] = [];

  private constructor(readonly user: StockUser) {}

  /** Makes one, for a user that is not root, with Deno's modules in reach. */
  static async make(): Promise<SessiondPlace> {
    const user = await createStockUser();
    const place = new SessiondPlace(user);
    const cache = `${user.home}/deno`;
    await Deno.mkdir(cache);
    await Deno.chown(cache, user.uid, user.uid);
    await Deno.symlink(await sharedModules(), `${cache}/npm`);
    return place;
  }

  /** Its run directory. */
  get runDirectory(): string {
    return `${this.user.home}/.lttng`;
  }

  /** The process id in the daemon's file; `undefined` without one. */
  get pid(): number | undefined {
    try {
      const path = `${this.runDirectory}/lttng-sessiond.pid`;
      return Number(Deno.readTextFileSync(path));
    } catch {
      return undefined;
    }
  }

  #command(args: readonly string[]) {
    return this.#program(ENTRY, "sessiond", ...args);
  }

  #program(...words: string[]) {
    const command = [Deno.execPath(), "run", "--quiet", "-A", ...words];
    return commandAs(this.user, command, {
      DENO_DIR: `${this.user.home}/deno`,
      LTTNG_RUNDIR: "",
    });
  }

  /** Runs another of this repository's programs to its end. */
  runProgram(path: string, ...args: string[]): Promise<ProgramResult> {
    return run(this.#program(path, ...args), PATIENCE_MS);
  }

  /** Runs it to its end, as with `--daemonize`. */
  run(...args: string[]): Promise<ProgramResult> {
    return run(this.#command(args), PATIENCE_MS);
  }

  /** Starts it in the foreground, and waits until it serves. */
  async start(...args: string[]): Promise<ChildProgram> {
    const child = new ChildProgram(this.#command(args));
    this.#started.push(child);
    await waitFor("the session daemon serves", () => {
      if (!child.running) throw new Error(`It ended: ${child.stderr}`);
      return this.pid === child.pid;
    }, PATIENCE_MS);
    return child;
  }

  /** Runs the stock `lttng ARGUMENTS`, whatever it answers. */
  tryLttng(...args: string[]): Promise<ProgramResult> {
    return run(commandAs(this.user, ["lttng", ...args]), PATIENCE_MS);
  }

  /** Ends a daemon in the background, by its process id. */
  async endBackground(pid: number): Promise<void> {
    Deno.kill(pid, "SIGTERM");
    await waitFor(
      "the end of the session daemon",
      () => this.pid === undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started) if (child.running) await child.stop();
    const { pid } = this;
    if (pid !== undefined) await this.endBackground(pid);
    await removeStockUser(this.user);
  }
}
