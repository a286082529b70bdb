/** Sessions that a viewer is attached to, and the items that they bring. */

import { LIVE_PACKET_BYTES } from "../base/limits.ts";
import { ConnectionError } from "../net/connection.ts";
import { viewerCommands } from "../wire/live.ts";
import { WireError } from "../wire/struct.ts";
import type { AttachedSession } from "./attach.ts";
import type { ViewerChannel } from "./channel.ts";
import { Follower, type FollowerOptions } from "./follower.ts";
import type { LiveItem, LiveSession } from "./items.ts";
import type { Plan } from "./plan.ts";
import { duration, type Timer } from "./timer.ts";

/** Pause before what had nothing is asked again, unless told otherwise (ms). */
const POLL_MS = 100;
/** Pause between two looks for more sessions, unless told otherwise (ms). */
const SESSION_POLL_MS = 1_000;
/** What stock viewers ask for at once, and every relay daemon knows. */
const REQUEST_BYTES = 256 * 1024;

/** How sessions are followed. */
export interface FollowOptions {
  /** Ends the iteration at once with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Pause before a stream that had nothing is asked again, milliseconds.
   *
   * @default {100}
   */
  readonly pollMs?: number;
  /**
   * Pause between two looks for more sessions of the same names, milliseconds:
   * a consumer daemon may begin later than the others. A session that was
   * attached to by its id is not joined by others.
   *
   * @default {1000}
   */
  readonly sessionPollMs?: number;
  /**
   * Most bytes of a packet that are asked for at once. More spare round trips.
   *
   * @default {262144}
   */
  readonly requestBytes?: number;
}

/** What carries a plan out. */
export interface Surroundings {
  readonly channel: ViewerChannel;
  readonly timer: Timer;
}

/** Carries a plan out: yields its items, returns its outcome. */
export async function* carryOut<T>(
  plan: Plan<T>,
  { channel, timer }: Surroundings,
  signal: AbortSignal | undefined,
): AsyncGenerator<LiveItem, T> {
  for (let outcome: unknown;;) {
    signal?.throwIfAborted();
    const { done, value } = nextStep(plan, outcome, channel);
    outcome = undefined;
    if (done) return value;
    if (value.kind === "give") yield value.item;
    else if (value.kind === "pause") {
      await timer.sleep(value.milliseconds, signal);
    } else {
      outcome = await channel.request(value.name, value.request, signal);
    }
  }
}

function nextStep<T>(plan: Plan<T>, outcome: unknown, channel: ViewerChannel) {
  try {
    return plan.next(outcome);
  } catch (error) {
    throw error instanceof WireError ? channel.refuse(error) : error;
  }
}

/** What an attachment is made of. */
export interface AttachmentParts extends Surroundings {
  readonly attached: readonly AttachedSession[];
  /** Sessions that the relay daemon may take the viewer to be attached to. */
  readonly held: Set<bigint>;
  readonly isMeant: FollowerOptions["isMeant"];
}

/**
 * Sessions that the viewer is attached to. It is detached by
 * {@linkcode detach}, by the end of {@linkcode follow}, however that comes, and
 * with its client.
 */
export class Attachment implements AsyncDisposable {
  readonly #parts: AttachmentParts;
  #following: Following | undefined;
  #detached: Promise<void> | undefined;

  /** Made by `LiveClient.attach()`. */
  constructor(parts: AttachmentParts) {
    this.#parts = parts;
  }

  /** The sessions that were attached to; more may join while following. */
  get sessions(): readonly LiveSession[] {
    return this.#parts.attached.map(({ session }) => session);
  }

  /**
   * What the sessions bring, until all have ended; see {@linkcode LiveItem} for
   * the order. The relay daemon is asked for nothing while nobody waits for
   * the next item. Leaving the iteration detaches.
   *
   * @throws {TypeError} It was called before, or the viewer is detached.
   * @throws {RangeError} A pause or size is not above 0.
   */
  follow(options: FollowOptions = {}): AsyncIterableIterator<LiveItem> {
    if (this.#following !== undefined) {
      throw new TypeError("An attachment can be followed once: attach again");
    }
    if (this.#detached !== undefined) {
      throw new TypeError("The viewer is detached: attach again");
    }
    const { channel, timer, attached, held, isMeant } = this.#parts;
    const follower = new Follower(attached, {
      pollMs: duration("pollMs", options.pollMs ?? POLL_MS),
      sessionPollMs: duration(
        "sessionPollMs",
        options.sessionPollMs ?? SESSION_POLL_MS,
      ),
      requestBytes: requestBytes(options.requestBytes ?? REQUEST_BYTES),
      isMeant,
      canDetach: canDetach(channel),
      now: () => timer.now(),
      held,
    });
    this.#following = new Following(
      (signal) => carryOut(follower.run(), this.#parts, signal),
      options.signal,
      () => this.detach(),
    );
    return this.#following;
  }

  /**
   * Ends the iteration, if there is one, and detaches. A relay daemon before
   * 2.8 cannot do that: the connection is closed then.
   */
  detach(): Promise<void> {
    this.#following?.stop();
    this.#detached ??= release(this.#parts.channel, this.#parts.held);
    return this.#detached;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.detach();
  }
}

/** Detaches from all of `held`; a connection that is lost has done so. */
export async function release(
  channel: ViewerChannel,
  held: ReadonlySet<bigint>,
): Promise<void> {
  if (held.size === 0) return;
  if (!canDetach(channel)) {
    channel.fail(
      new ConnectionError(
        "The connection was closed to detach: the relay daemon has no other way before 2.8",
      ),
    );
    return;
  }
  // All are queued at once, before whatever is asked next.
  const replies = [...held].map((sessionId) =>
    channel.request("DETACH_SESSION", { sessionId })
  );
  await Promise.allSettled(replies);
}

function canDetach(channel: ViewerChannel): boolean {
  return channel.minor >= viewerCommands.DETACH_SESSION.since;
}

function requestBytes(bytes: number): number {
  if (bytes >= 1) return Math.min(Math.trunc(bytes), LIVE_PACKET_BYTES);
  throw new RangeError(`Cannot use requestBytes ${bytes}: it is not above 0`);
}

/** The iteration over the items. */
class Following implements AsyncIterableIterator<LiveItem> {
  readonly #stop = new AbortController();
  readonly #items: AsyncGenerator<LiveItem, void>;
  readonly #detach: () => Promise<void>;
  #over = false;

  constructor(
    start: (signal: AbortSignal) => AsyncGenerator<LiveItem, void>,
    signal: AbortSignal | undefined,
    detach: () => Promise<void>,
  ) {
    const signals = [this.#stop.signal, ...(signal ? [signal] : [])];
    this.#items = start(AbortSignal.any(signals));
    this.#detach = detach;
  }

  /** The next item is the end, even if it is awaited already. */
  stop(): void {
    this.#over = true;
    this.#stop.abort();
  }

  async next(): Promise<IteratorResult<LiveItem>> {
    if (this.#over) return { done: true, value: undefined };
    try {
      const result = await this.#items.next();
      if (!result.done && !this.#stop.signal.aborted) return result;
      this.#over = true;
      return { done: true, value: undefined };
    } catch (error) {
      if (this.#stop.signal.aborted) return { done: true, value: undefined };
      this.#over = true;
      // Nobody waits for it: an aborted iteration ends at once.
      this.#detach();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<LiveItem>> {
    await this.#detach();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
