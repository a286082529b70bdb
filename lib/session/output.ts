/** Where a consumer's packets go in the end: a directory here, or a relay daemon. */

import type { PacketInfo } from "../ctf/sink.ts";

/** How a stream's files are bounded. */
export interface StreamFiles {
  /** Bytes after which another file begins; 0: never. */
  readonly traceFileSize: bigint;
  /** How many files a stream keeps; 0: all. */
  readonly traceFileCount: bigint;
}

/** Takes the packets of one stream, one at a time. */
export interface OutputStream {
  writePacket(content: Uint8Array, info: PacketInfo): Promise<void>;
  /** Tells live viewers that there was nothing up to a time. */
  beacon?(timestamp: bigint, streamClassId: bigint): Promise<void>;
}

/** Where an archived trace chunk is. */
export type ChunkLocation =
  | { readonly kind: "local"; readonly path: string }
  | {
    readonly kind: "relay";
    readonly hostname: string;
    readonly controlPort: number;
    readonly dataPort: number;
    /** Below the relay daemon's own directory. */
    readonly path: string;
  };

/** Where the trace of one session goes. */
export interface TraceOutput {
  /** Opens a stream. */
  openStream(name: string, files: StreamFiles): Promise<OutputStream>;
  /** Appends metadata, which no packet keeps waiting. */
  writeMetadata(bytes: Uint8Array): Promise<void>;
  /**
   * Puts `bytes` in place of all metadata in the current trace chunk. Where it
   * rejects, the old metadata is still whole, or the output is lost.
   */
  replaceMetadata(bytes: Uint8Array): Promise<void>;
  /**
   * Whether {@linkcode replaceMetadata} can be asked for; changes nothing.
   *
   * @throws {RelayVersionError} The relay daemon does not know of it.
   */
  checkReplacing?(): void;
  /**
   * Whether everything is stored; waits for it no longer than `timeoutMs`.
   * Says what is missing.
   */
  waitUntilStored(timeoutMs: number): Promise<readonly string[]>;
  /** Archives what is there, and goes on in a new trace chunk. */
  rotate(timeoutMs: number): Promise<ChunkLocation>;
  /** Archives what is there; nothing follows. */
  archive(timeoutMs: number): Promise<ChunkLocation>;
  /** Deletes what is there, and goes on in a new trace chunk. */
  clear(timeoutMs: number): Promise<void>;
  /**
   * Ends; takes no longer than `timeoutMs`, and never rejects. What it has begun
   * to take may still be on its way then, and goes on by itself.
   */
  close(timeoutMs: number): Promise<void>;
  /** Resolves with the reason when nothing can be written any more. */
  readonly lost: Promise<Error>;
}
