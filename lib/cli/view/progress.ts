/** A line on the terminal that says how far long work has come. */

/** How often the line changes, milliseconds. */
const INTERVAL = 200;
/** Work that takes less shows nothing, milliseconds. */
const PATIENCE = 1000;
const CLEAR = "\r\x1b[K";

/**
 * Shows progress on standard error where that is a terminal and standard output
 * is not, which would mix with it.
 */
export class Progress implements Disposable {
  readonly #isShown = Deno.stderr.isTerminal() && !Deno.stdout.isTerminal();
  #next = performance.now() + PATIENCE;
  #isOpen = false;

  /** Shows what `text` says, if it is time to; cheap enough to be called often. */
  show(text: () => string): void {
    if (!this.#isShown || performance.now() < this.#next) return;
    this.#next = performance.now() + INTERVAL;
    this.#isOpen = true;
    write(CLEAR + text());
  }

  /** Removes the line. */
  [Symbol.dispose](): void {
    if (this.#isOpen) write(CLEAR);
    this.#isOpen = false;
  }
}

function write(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Nobody looks.
  }
}
