/**
 * Our session daemon as root, for the stock client. The run directory of root is
 * fixed: a mount of its own keeps it apart from any other daemon.
 */

import {
  ChildProgram,
  type ProgramResult,
  run,
  waitFor,
} from "../../support/process.ts";
import { SESSIOND_PROGRAMS } from "../../support/sessiond.ts";

const ENTRY = new URL("../../../cli.ts", import.meta.url).pathname;
const RUN_DIRECTORY = "/run/lttng";
const PATIENCE_MS = 60_000;

/** Programs that it needs. */
export const ROOT_DAEMON_PROGRAMS: readonly string[] = [
  ...SESSIOND_PROGRAMS,
  "unshare",
  "nsenter",
];

/** A root daemon that nobody else sees. */
export class RootDaemon implements AsyncDisposable {
  private constructor(readonly home: string, readonly child: ChildProgram) {}

  /**
   * Starts one; `enter` goes before its command, to run it in a namespace.
   */
  static async start(enter: readonly string[] = []): Promise<RootDaemon> {
    const home = await Deno.makeTempDir({ prefix: "lttng-root-" });
    const script = `mkdir -p ${RUN_DIRECTORY} && ` +
      `mount -t tmpfs none ${RUN_DIRECTORY} && ` +
      `exec "$0" run --quiet -A "$1" sessiond --verbose`;
    const child = new ChildProgram({
      command: [
        ...[...enter, "unshare", "--mount", "sh", "-c", script],
        ...[Deno.execPath(), ENTRY],
      ],
      env: { LTTNG_HOME: home, LTTNG_RUNDIR: "" },
    });
    const daemon = new RootDaemon(home, child);
    try {
      // Its own word: before it has its mount, a client would reach another's.
      await waitFor("the root daemon serves", () => {
        if (!child.running) throw new Error(`It ended: ${child.stderr}`);
        return child.stderr.includes("Clients: ");
      }, PATIENCE_MS);
      return daemon;
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs the stock `lttng ARGUMENTS`, whatever it answers. */
  tryLttng(...args: string[]): Promise<ProgramResult> {
    return run({
      command: [
        "nsenter",
        `--mount=/proc/${this.child.pid}/ns/mnt`,
        ...["lttng", "--no-sessiond", ...args],
      ],
      env: { LTTNG_HOME: this.home },
    }, PATIENCE_MS);
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
        this.child.stderr,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.running) await this.child.stop();
    await Deno.remove(this.home, { recursive: true });
  }
}
