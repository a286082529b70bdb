/** Shows that something takes its time, as the stock program does. */

import type { Console } from "./console.ts";

/** How often there is a dot, milliseconds. */
const DOT_MS = 200;

/** A message that begins with the first dot. */
export class Dots {
  #isBegun = false;

  constructor(readonly say: Console, readonly what: string) {}

  /** One more dot. */
  add(): void {
    this.say.part(this.#isBegun ? "." : `${this.what}.`);
    this.#isBegun = true;
  }

  /** Adds dots while `done` is waited for. */
  async until<T>(done: Promise<T>): Promise<T> {
    const timer = setInterval(() => this.add(), DOT_MS);
    try {
      return await done;
    } finally {
      clearInterval(timer);
    }
  }

  /** The line feed that ends the message, once; empty where none is begun. */
  end(): string {
    const end = this.#isBegun ? "\n" : "";
    this.#isBegun = false;
    return end;
  }
}
