/** Metadata on its way to the sink: each piece once, in order, and before what needs it. */

import { packMetadata } from "./metadata_packet.ts";
import type { TraceSink } from "./sink.ts";
import type { ByteOrder } from "./types.ts";

/** Declarations that wait until a packet, or the end, needs them written. */
export class MetadataQueue {
  readonly #sink: TraceSink;
  readonly #uuid: Uint8Array;
  readonly #byteOrder: ByteOrder;
  /** All that was appended: the sink may have to be given it again. */
  #text = "";
  /** How much of it the sink has. */
  #written = 0;
  /** Length of what was appended first. */
  #preambleLength = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(sink: TraceSink, uuid: Uint8Array, byteOrder: ByteOrder) {
    this.#sink = sink;
    this.#uuid = uuid;
    this.#byteOrder = byteOrder;
  }

  /** Adds whole declarations. */
  append(text: string): void {
    if (this.#text === "") this.#preambleLength = text.length;
    this.#text += text;
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

  /**
   * Gives the sink all metadata anew, with `preamble` in place of what was
   * appended first. Nothing has changed where it rejects.
   *
   * @throws {TypeError} The sink cannot replace metadata.
   */
  regenerate(preamble: string): Promise<void> {
    const run = this.#last.then(() => this.#replace(preamble));
    this.#last = run.catch(() => {});
    return run;
  }

  async #write(): Promise<void> {
    const text = this.#text.slice(this.#written);
    if (text === "") return;
    await this.#sink.writeMetadata(this.#pack(text));
    this.#written += text.length;
  }

  async #replace(preamble: string): Promise<void> {
    if (this.#sink.replaceMetadata === undefined) {
      throw new TypeError("This sink cannot replace its metadata");
    }
    const text = preamble + this.#text.slice(this.#preambleLength);
    await this.#sink.replaceMetadata(this.#pack(text));
    // More may have been appended meanwhile.
    this.#text = preamble + this.#text.slice(this.#preambleLength);
    this.#preambleLength = preamble.length;
    this.#written = text.length;
  }

  #pack(text: string): Uint8Array {
    return packMetadata(text, this.#uuid, this.#byteOrder);
  }
}
