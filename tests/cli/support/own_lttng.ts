/** Our `lttng`, run as the user of a stock session daemon. */

import {
  ChildProgram,
  type ProgramResult,
  run,
  waitFor,
} from "../../support/process.ts";
import { commandAs, type StockUser } from "../../support/sessiond_user.ts";

const COMMAND_MILLISECONDS = 60_000;

/** Runs our `lttng` as another user. */
export interface OwnLttng extends AsyncDisposable {
  /** Runs `lttng ARGUMENTS`, whatever it answers. */
  run(args: readonly string[], hints?: boolean): Promise<ProgramResult>;
}

/** Our `lttng`: from the sources, or the executable that LTTNG_BIN names. */
export async function startOwnLttng(user: StockUser): Promise<OwnLttng> {
  const executable = Deno.env.get("LTTNG_BIN");
  if (executable === undefined) return new LttngFromSources(user);
  // Where it is, another user may not be able to read it.
  const program = `${user.home}/lttng`;
  await Deno.copyFile(executable, program);
  await Deno.chmod(program, 0o755);
  return new LttngExecutable(user, program);
}

/** The executable, started for each run. */
class LttngExecutable implements OwnLttng {
  constructor(readonly user: StockUser, readonly program: string) {}

  run(args: readonly string[], hints = false): Promise<ProgramResult> {
    const env = { LTTNG_HINTS: hints ? "1" : "0" };
    const command = commandAs(this.user, [this.program, ...args], env);
    return run(command, COMMAND_MILLISECONDS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** The sources, in one process for all runs. */
class LttngFromSources implements OwnLttng {
  readonly #child: ChildProgram;
  #answers = 0;

  constructor(user: StockUser) {
    const script = new URL("./lttng_as_user.ts", import.meta.url).pathname;
    this.#child = new ChildProgram({
      command: [
        ...[Deno.execPath(), "run", "--quiet", "--allow-all", script],
        `${user.uid}`,
      ],
      env: { HOME: user.home, LTTNG_HOME: user.home },
    });
  }

  async run(args: readonly string[], hints = false): Promise<ProgramResult> {
    const index = this.#answers++;
    await this.#child.writeLine(JSON.stringify({ args, hints }));
    const line = await waitFor(
      `the answer of lttng ${args.join(" ")}`,
      () => {
        const lines = this.#child.stdout.split("\n");
        if (lines.length > index + 1) return lines[index];
        if (!this.#child.running) throw new Error(this.#child.stderr);
        return undefined;
      },
      COMMAND_MILLISECONDS,
    );
    return JSON.parse(line) as ProgramResult;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.kill();
  }
}
