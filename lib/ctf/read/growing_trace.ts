/** A trace whose metadata still comes: its decoder knows what has come so far. */

import { asReadError } from "./data_file.ts";
import type { ErrorListener } from "./model.ts";
import type { TraceDecoder } from "./trace_decoder.ts";
import { decodeMetadata } from "./trace_files.ts";

/** Metadata as it comes, in whole units. */
export class GrowingTrace {
  readonly #path: string;
  readonly #onError: ErrorListener;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #isStale = false;
  #decoder: TraceDecoder | undefined;

  constructor(path: string, onError: ErrorListener) {
    this.#path = path;
    this.#onError = onError;
  }

  /** Adds what follows the metadata so far. */
  append(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    this.#isStale = true;
  }

  /**
   * Decodes packets with all metadata so far; nothing where none came that
   * could be read. Where the newest cannot be read, the error is told and the
   * decoder before goes on.
   */
  get decoder(): TraceDecoder | undefined {
    if (this.#isStale) {
      this.#isStale = false;
      try {
        this.#decoder = decodeMetadata(this.#path, this.#bytes);
      } catch (error) {
        this.#onError(asReadError(error, `${this.#path}/metadata`, undefined));
      }
    }
    return this.#decoder;
  }
}
