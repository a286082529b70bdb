/** Our `lttng`, run as the user of a stock session daemon. */

import {
  ChildProgram,
  type ProgramResult,
  waitFor,
} from "../../support/process.ts";
import type { StockUser } from "../../support/sessiond_user.ts";

const COMMAND_MILLISECONDS = 60_000;

/** Runs our `lttng` as another user, without a new process for each run. */
export class OwnLttng implements AsyncDisposable {
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

  /** Runs `lttng ARGUMENTS`, whatever it answers. */
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
