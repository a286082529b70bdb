/** What of a session's trace is on its way, and what was lost. */

import {
  FAILURE_BYTES,
  OutputState,
  type sessionDelivery,
  type streamDelivery,
} from "../wire/sessiond/delivery.ts";
import type { Decoded } from "../wire/struct.ts";
import { Bounded } from "./bounded.ts";
import type { Handlers } from "./command.ts";
import type { ConsumerState } from "./consumer.ts";
import { shortUrl } from "./destination.ts";
import type { Session } from "./session.ts";

/** What became of the trace of a session. */
export type SessionDelivery = Decoded<typeof sessionDelivery>;
/** What became of one stream of it. */
export type StreamDelivery = Decoded<typeof streamDelivery>;

/** How long tracer and output may take to say how far they are (ms). */
const REFRESH_TIMEOUT_MS = 500;

const outputStates: Readonly<Record<ConsumerState, number>> = {
  idle: OutputState.IDLE,
  opening: OutputState.OPENING,
  ready: OutputState.READY,
  failed: OutputState.FAILED,
  lost: OutputState.LOST,
};

export const deliveryCommands: Handlers<"SESSION_DELIVERY"> = {
  async SESSION_DELIVERY({ session: name, hasEnded }, context) {
    const { sessions, caller, host } = context;
    if (hasEnded) return sessions.ended.find(name, caller, host.clock.now());
    const session = sessions.find(name, caller);
    // Not in turn: it must also answer while something else goes on.
    const { kernel, consumer } = session;
    const bounded = new Bounded(REFRESH_TIMEOUT_MS);
    await Promise.all([
      bounded.reaches(consumer?.refresh(REFRESH_TIMEOUT_MS) ?? done),
      bounded.reaches(kernel?.tracing.refreshStatistics?.() ?? done),
    ]);
    return deliveryOf(session);
  },
};

const done = Promise.resolve();

/** What became of the trace of `session`, as of the last counts. */
export function deliveryOf(session: Session): SessionDelivery {
  const { consumer, destination } = session;
  const hasOutput = consumer !== undefined || !session.isSnapshot &&
      destination.kind !== "none";
  return {
    outputState: !hasOutput
      ? OutputState.NONE
      : outputStates[consumer?.state ?? "idle"],
    hasMore: session.hasMore,
    url: hasOutput ? shortUrl(destination) : "",
    failure: bounded(consumer?.failure?.message ?? ""),
    streams: streamsOf(session),
  };
}

/** The streams that the tracer counts, then those that only the consumer has. */
function streamsOf({ kernel, consumer }: Session): StreamDelivery[] {
  const streams = new Map<string, StreamDelivery>();
  const stream = (name: string) => {
    const found = streams.get(name) ?? unheard(name);
    streams.set(name, found);
    return found;
  };
  for (const channel of kernel?.channels.values() ?? []) {
    for (const counts of channel.tracing.statistics()) {
      const one = stream(counts.name);
      one.recordedEvents += BigInt(counts.recorded);
      one.discardedEvents += BigInt(counts.discarded);
      one.overwrittenPackets += BigInt(counts.lostPackets);
      one.pendingEvents += BigInt(counts.pending ?? 0);
    }
  }
  for (const counts of consumer?.counts ?? []) {
    const one = stream(counts.name);
    one.givenUpPackets += BigInt(counts.dropped);
    one.waitingPackets += BigInt(counts.waiting);
    one.waitingBytes += BigInt(counts.waitingBytes);
    one.unconfirmedPackets += BigInt(counts.unconfirmed);
    one.unconfirmedBytes += BigInt(counts.unconfirmedBytes);
  }
  return [...streams.values()];
}

function unheard(name: string): StreamDelivery {
  return {
    name,
    recordedEvents: 0n,
    discardedEvents: 0n,
    pendingEvents: 0n,
    overwrittenPackets: 0n,
    givenUpPackets: 0n,
    waitingPackets: 0n,
    waitingBytes: 0n,
    unconfirmedPackets: 0n,
    unconfirmedBytes: 0n,
  };
}

/** One line that fits, whatever a relay daemon or a system may have said. */
function bounded(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\0-\x1F\x7F]+/g, " ");
  const bytes = new Uint8Array(FAILURE_BYTES);
  const { read } = new TextEncoder().encodeInto(line, bytes);
  return line.slice(0, read);
}
