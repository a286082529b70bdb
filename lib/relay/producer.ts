/**
 * One tracing session of one session daemon: what its consumers, each with a
 * relay session and connections of its own, share.
 */

import { Code, FatalPeerError } from "../base/errors.ts";
import type { ChunkId } from "../base/ids.ts";
import * as limits from "../base/limits.ts";
import type { Chunk } from "./chunk.ts";
import type { Session } from "./session.ts";

/** The chunks and the rotation that sibling consumers have in common. */
export class Producer {
  /** Its session daemon's UUID and session; unset before 2.11: no siblings. */
  readonly key: string | undefined;
  readonly #chunks = new Map<ChunkId, Chunk>();
  readonly #sessions = new Set<Session>();
  /**
   * CREATE_TRACE_CHUNK has come and CLOSE_TRACE_CHUNK of the chunk before has
   * not: directories are being renamed, viewers must wait.
   */
  ongoingRotation = false;

  constructor(key: string | undefined) {
    this.key = key;
  }

  /** A consumer of it connected. */
  join(session: Session): void {
    this.#sessions.add(session);
  }

  /** A consumer of it has ended. */
  leave(session: Session): void {
    this.#sessions.delete(session);
  }

  /** No consumer of it is left. */
  get empty(): boolean {
    return this.#sessions.size === 0;
  }

  /** The chunk with this id, while anything holds it. */
  chunk(id: ChunkId): Chunk | undefined {
    return this.#chunks.get(id);
  }

  /** The chunk with this id, or the error that answers the peer. */
  knownChunk(id: ChunkId, code: Code): Chunk {
    const chunk = this.#chunks.get(id);
    if (chunk === undefined) {
      throw new FatalPeerError(`Trace chunk ${id} is not known`, code);
    }
    return chunk;
  }

  /** The chunk that a sibling made already, or a new one. */
  shareChunk(id: ChunkId, make: () => Chunk): Chunk {
    const existing = this.#chunks.get(id);
    if (existing !== undefined) return existing;
    if (this.#chunks.size >= limits.CHUNKS_PER_SESSION) {
      throw new FatalPeerError(
        `${this.#chunks.size + 1} open trace chunks > ` +
          limits.CHUNKS_PER_SESSION,
        Code.NO_MEMORY,
      );
    }
    const chunk = make();
    this.#chunks.set(id, chunk);
    return chunk;
  }

  /** The last holder of a chunk is gone. */
  chunkEnded(chunk: Chunk): void {
    if (chunk.id !== undefined) this.#chunks.delete(chunk.id);
  }
}
