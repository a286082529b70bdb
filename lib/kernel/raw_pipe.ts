/** The pages of one processor, from `trace_pipe_raw`, without ever waiting for them. */

import { closeSync, constants, openSync, readSync } from "node:fs";
import type { PageSource } from "./page.ts";

/** There is a page, but not at this moment. */
const BUSY = -1;

/** An open `trace_pipe_raw`. */
export class RawPipe implements PageSource {
  #fd: number | undefined;

  /**
   * A read that waits would be woken by every event, and its own wake-up is
   * one: `node:fs` can open without waiting, `Deno.open` cannot.
   */
  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** The next page, or what the kernel copies of it. */
  read(page: Uint8Array): number {
    if (this.#fd === undefined) return 0;
    try {
      // No end of file: the kernel says 0 where there are events, but a writer
      // is in the way.
      return readSync(this.#fd, page) || BUSY;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "EAGAIN" || code === "EINTR") return 0;
      throw error;
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}
