/** The events of followed sessions, in order of time. */

import { LIVE_WAITING_BYTES } from "../base/limits.ts";
import { EventSource, type TimeRange } from "../ctf/read/event_source.ts";
import { GrowingMerge } from "../ctf/read/growing_merge.ts";
import { GrowingTrace } from "../ctf/read/growing_trace.ts";
import { MemoryInput } from "../ctf/read/memory_input.ts";
import {
  type ErrorListener,
  type Message,
  TraceReadError,
} from "../ctf/read/model.ts";
import type { LiveItem, LiveStream, LiveTrace } from "./items.ts";

/** How events are made of what a relay daemon serves. */
export interface LiveEventsOptions {
  /** Messages that are wanted. */
  readonly range?: TimeRange;
  /**
   * Is told of what is damaged, and of packets that the relay daemon could
   * not deliver; reading goes on with what is not. Without it the first such
   * error is thrown.
   */
  readonly onError?: ErrorListener;
}

/**
 * The events of what {@linkcode Attachment.follow} yields, and what was lost
 * between them, in order of time over all streams. An event comes when no
 * stream can have an earlier one any more: for streams at rest that is told by
 * the live timer of their session.
 *
 * @example Following the events of a session
 * ```ts ignore
 * const url = parseViewerUrl("net://localhost/host/target/demo");
 * await using client = await LiveClient.connect(url);
 * const attachment = await client.attach(url.target!);
 * for await (const message of liveEvents(attachment.follow())) {
 *   if (message.kind === "event") console.log(message.class.name);
 * }
 * ```
 */
export async function* liveEvents(
  items: AsyncIterable<LiveItem>,
  options: LiveEventsOptions = {},
): AsyncGenerator<Message, void, undefined> {
  for await (const sources of liveSources(items, options)) {
    for (const source of sources) {
      const message = source.loss ?? source.take(() => source.record());
      if (message) yield message;
    }
  }
}

/**
 * The same as sources that stand at each message in turn; those whose turn it
 * is after one item at once.
 */
export async function* liveSources(
  items: AsyncIterable<LiveItem>,
  options: LiveEventsOptions = {},
): AsyncGenerator<Iterable<EventSource>, void, undefined> {
  const events = new LiveMerge(options);
  for await (const item of items) {
    events.take(item);
    yield events.ready();
    if (events.isOver) return;
  }
}

/** Puts the packets of live streams together. */
class LiveMerge {
  readonly #range: TimeRange;
  readonly #onError: ErrorListener;
  readonly #merge = new GrowingMerge();
  readonly #traces = new Map<LiveTrace, GrowingTrace>();
  readonly #inputs = new Map<LiveStream, MemoryInput>();
  #order = 0;

  constructor({ range = {}, onError = raise }: LiveEventsOptions) {
    this.#range = range;
    this.#onError = onError;
  }

  /** Whether everything in the range has come. */
  get isOver(): boolean {
    return this.#range.end !== undefined && this.#order > 0 &&
      this.#merge.isEnded;
  }

  /** The sources that stand at messages whose turn it is now. */
  ready(): Iterable<EventSource> {
    // So much that streams which say nothing can be waited for no longer.
    const isTooMuch = this.#waiting() > LIVE_WAITING_BYTES;
    return this.#merge.ready(() => isTooMuch);
  }

  #waiting(): number {
    let bytes = 0;
    for (const input of this.#inputs.values()) bytes += input.queued;
    return bytes;
  }

  take(item: LiveItem): void {
    switch (item.kind) {
      case "stream":
        if (!item.stream.isMetadata) this.#add(item.stream);
        break;
      case "metadata":
        this.#traceOf(item.stream).append(item.bytes);
        break;
      case "packet":
        this.#inputs.get(item.stream)?.push({
          bytes: item.bytes,
          offset: Number(item.index.offset),
        });
        break;
      case "packet-lost":
        this.#onError(
          new TraceReadError(
            pathOf(item.stream),
            Number(item.index.offset),
            `a packet could not be had: ${item.reason}`,
          ),
        );
        break;
      case "inactive":
        this.#inputs.get(item.stream)
          ?.setInactive(item.timestampEnd, item.streamClassId);
        break;
      case "stream-ended":
        this.#end(item.stream);
        break;
    }
  }

  #add(stream: LiveStream): void {
    const input = new MemoryInput(pathOf(stream), this.#traceOf(stream));
    this.#inputs.set(stream, input);
    this.#merge.add(
      new EventSource(input, this.#order++, this.#range, this.#onError),
    );
  }

  #end(stream: LiveStream): void {
    const input = this.#inputs.get(stream);
    if (input) input.isEnded = true;
    this.#inputs.delete(stream);
  }

  #traceOf({ trace, session, pathname }: LiveStream): GrowingTrace {
    let known = this.#traces.get(trace);
    if (known === undefined) {
      const { hostname, sessionName } = session;
      const path = `${hostname}/${sessionName}/${pathname}`;
      known = new GrowingTrace(path, this.#onError);
      this.#traces.set(trace, known);
    }
    return known;
  }
}

function raise(error: TraceReadError): never {
  throw error;
}

/** Names a stream: it has no file here. */
function pathOf({ session, pathname, channelName }: LiveStream): string {
  const { hostname, sessionName } = session;
  return [hostname, sessionName, pathname, channelName].join("/");
}
