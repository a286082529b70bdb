/** A program whose system calls a test can count. */

import { ChildProgram, waitFor } from "../../support/process.ts";

const PATIENCE_MS = 60_000;

/**
 * A shell whose system calls are recorded: it opens files when it is told to,
 * and no others, all on one processor.
 */
export class OpeningShell implements AsyncDisposable {
  readonly child = new ChildProgram({
    // Other languages' messages are in files.
    env: { LC_ALL: "C" },
    command: [
      ...["taskset", "--cpu-list", "0", "bash", "-c"],
      "exec 2>/dev/null; while read file count; do " +
      'for ((n = 0; n < count; n++)); do : < "$file"; done; echo done; done',
    ],
  });
  #rounds = 0;

  /** Opens `file` so many times. */
  async open(file: "/etc/hostname" | "/no/such", count: number): Promise<void> {
    await this.child.writeLine(`${file} ${count}`);
    this.#rounds++;
    await waitFor(
      "the shell has opened its files",
      () => this.child.stdout.split("done").length > this.#rounds,
      PATIENCE_MS,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}
