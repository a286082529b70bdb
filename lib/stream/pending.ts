/** Asks a relay daemon, as a consumer does, whether all that was sent is stored. */

import type { Deadline } from "./bounded.ts";
import type { ControlChannel } from "./control_channel.ts";
import type { StorageReport } from "./errors.ts";
import type { OpenStream, RelaySession } from "./relay_stream.ts";

/** Pause after the first round of questions; it doubles up to the last. */
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 200;

/**
 * Repeats BEGIN_DATA_PENDING, DATA_PENDING for each data stream,
 * QUIESCENT_CONTROL for each metadata stream and END_DATA_PENDING until nothing
 * is pending or the deadline has come, whichever is first.
 */
export async function pollUntilStored(
  control: ControlChannel,
  session: RelaySession,
  openStreams: () => Iterable<OpenStream>,
  deadline: Deadline,
): Promise<StorageReport> {
  const poll = new Poll(control, session, openStreams);
  for (
    let pause = FIRST_PAUSE_MS;;
    pause = Math.min(2 * pause, LAST_PAUSE_MS)
  ) {
    const answered = await deadline.reaches(poll.round());
    if (answered && poll.isStored) return poll.report(true, deadline.passedMs);
    if (!answered || !(await deadline.sleep(pause))) {
      return poll.report(false, deadline.passedMs);
    }
  }
}

class Poll {
  readonly #control: ControlChannel;
  readonly #session: RelaySession;
  readonly #openStreams: () => Iterable<OpenStream>;
  readonly #missing: Set<OpenStream>;
  #closedPending = false;

  constructor(
    control: ControlChannel,
    session: RelaySession,
    openStreams: () => Iterable<OpenStream>,
  ) {
    this.#control = control;
    this.#session = session;
    this.#openStreams = openStreams;
    this.#missing = new Set(openStreams());
  }

  get isStored(): boolean {
    return this.#missing.size === 0 && !this.#closedPending;
  }

  /** Asks about everything once. */
  async round(): Promise<void> {
    const sessionId = this.#session.id;
    await this.#control.request("BEGIN_DATA_PENDING", { sessionId });
    const streams = [...this.#openStreams()];
    for (const stream of this.#missing) {
      if (stream.isClosed) this.#missing.delete(stream);
    }
    const data = streams.filter((stream) => !stream.isMetadata);
    const metadata = streams.filter((stream) => stream.isMetadata);
    for (const stream of data) await this.#askData(stream);
    for (const stream of metadata) await this.#askMetadata(stream);
    const { code } = await this.#control.request("END_DATA_PENDING", {
      sessionId,
    });
    this.#closedPending = code !== 0;
  }

  report(stored: boolean, waitedMs: number): StorageReport {
    const missing = [...this.#missing];
    return {
      stored,
      missing: missing.filter((stream) => !stream.isMetadata)
        .map(({ name, pathname, lastSequenceNumber }) => ({
          name,
          pathname,
          lastSequenceNumber,
        })),
      missingMetadata: missing.filter((stream) => stream.isMetadata)
        .map(({ pathname }) => pathname),
      closedStreamsPending: this.#closedPending,
      waitedMs,
    };
  }

  async #askData(stream: OpenStream): Promise<void> {
    // A relay daemon hangs up on a question about a stream that is closed.
    if (stream.isClosed) return;
    const { code } = await this.#control.request("DATA_PENDING", {
      streamId: stream.id,
      lastNetSequenceNumber: stream.lastSequenceNumber,
    });
    if (code === 0) this.#missing.delete(stream);
    else this.#missing.add(stream);
  }

  async #askMetadata(stream: OpenStream): Promise<void> {
    if (stream.isClosed) return;
    const { id: streamId } = stream;
    await this.#control.request("QUIESCENT_CONTROL", { streamId });
    this.#missing.delete(stream);
  }
}
