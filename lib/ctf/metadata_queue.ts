/** Metadata on its way to the sink: each piece once, in order, and before what needs it. */

import { packMetadata } from "./metadata_packet.ts";
import type { TraceSink } from "./sink.ts";
import type { ByteOrder } from "./types.ts";

/** Declarations that wait until a packet, or the end, needs them written. */
export class MetadataQueue {
  readonly #sink: TraceSink;
  readonly #uuid: Uint8Array;
  readonly #byteOrder: ByteOrder;
  #pending = "";
  #last: Promise<void> = Promise.resolve();

  constructor(sink: TraceSink, uuid: Uint8Array, byteOrder: ByteOrder) {
    this.#sink = sink;
    this.#uuid = uuid;
    this.#byteOrder = byteOrder;
  }

  /** Adds whole declarations. */
  append(text: string): void {
    this.#pending += text;
  }

  /**
   * Resolves when all that was appended before the call is written. What
   * could not be written stays, and the next call tries it again.
   */
  flush(): Promise<void> {
    const run = this.#last.then(() => this.#write());
    this.#last = run.catch(() => {});
    return run;
  }

  async #write(): Promise<void> {
    const text = this.#pending;
    if (text === "") return;
    await this.#sink.writeMetadata(
      packMetadata(text, this.#uuid, this.#byteOrder),
    );
    this.#pending = this.#pending.slice(text.length);
  }
}
