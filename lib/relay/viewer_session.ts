/** One session that one viewer is attached to: which streams it was told of. */

import { Seek } from "../wire/live.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";
import type { Stream } from "./stream.ts";
import type { SessionWatcher, Trace } from "./stream_types.ts";
import { ViewerStream } from "./viewer_stream.ts";

/** Attached from its construction until it is disposed of. */
export class ViewerSession implements SessionWatcher, Disposable {
  readonly #store: Store;
  readonly #session: Session;
  /** Known, but not announced yet. */
  #waiting: ViewerStream[] = [];
  readonly #announced = new Set<ViewerStream>();
  /** The metadata of each trace, once it is published. */
  readonly #metadata = new Map<Trace, ViewerStream>();

  /** @param seek Where the streams of today start; later ones do so at theirs. */
  constructor(store: Store, session: Session, seek: number) {
    this.#store = store;
    this.#session = session;
    for (const stream of session.streams.values()) {
      if (stream.published) this.#add(stream, seek);
    }
    session.watchers.add(this);
  }

  streamPublished(stream: Stream): void {
    this.#add(stream, Seek.BEGINNING);
  }

  #add(stream: Stream, seek: number): void {
    const { trail } = stream;
    if (trail === undefined) return;
    const added = new ViewerStream(this.#store, stream, trail, seek);
    this.#waiting.push(added);
    if (stream.isMetadata) this.#metadata.set(stream.trace, added);
  }

  /** A connection of the session is gone. */
  get closed(): boolean {
    return this.#session.closedAt !== undefined;
  }

  /** Chunks are being renamed, and the one who does so is still there. */
  get rotating(): boolean {
    return !this.closed && this.#session.producer.ongoingRotation;
  }

  /** Whether there are streams to announce. */
  get hasNew(): boolean {
    return this.#waiting.some((stream) => this.#announceable(stream));
  }

  /** Viewers cannot read a trace without metadata. */
  #announceable({ stream }: ViewerStream): boolean {
    return this.#metadata.has(stream.trace);
  }

  /** The streams that the viewer is to be told of now. */
  announce(): readonly ViewerStream[] {
    const streams = this.#waiting.filter((it) => this.#announceable(it));
    if (streams.length === 0) return streams;
    this.#waiting = this.#waiting.filter((it) => !this.#announceable(it));
    for (const stream of streams) this.#announced.add(stream);
    return streams;
  }

  /** Whether the viewer was told of this stream here. */
  has(stream: ViewerStream): boolean {
    return this.#announced.has(stream);
  }

  /** The metadata of the trace that a stream belongs to. */
  metadataOf(stream: Stream): ViewerStream | undefined {
    return this.#metadata.get(stream.trace);
  }

  /** The viewer was told that there is no more of this stream. */
  forget(stream: ViewerStream): void {
    this.#announced.delete(stream);
    const { trace } = stream.stream;
    const left = [...this.#announced, ...this.#waiting];
    if (!left.some((other) => other.stream.trace === trace)) {
      this.#metadata.delete(trace);
    }
  }

  /** Nothing is open, to announce, or to read any more. */
  get over(): boolean {
    if (!this.closed || this.hasNew) return false;
    for (const stream of this.#announced) {
      if (!stream.stream.isMetadata || !stream.stream.closed) return false;
    }
    return this.#waiting.every(({ stream }) => stream.closed);
  }

  /** Detaches. */
  [Symbol.dispose](): void {
    this.#session.watchers.delete(this);
    for (const stream of this.#announced) stream.forget();
  }
}
