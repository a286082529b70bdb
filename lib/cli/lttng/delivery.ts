/**
 * What of a trace is on its way and what was lost, in lines for people. Only
 * this project's session daemon tells.
 */

import type {
  DeliveryOptions,
  SessionDelivery,
  StreamDelivery,
} from "../../control/delivery_types.ts";
import { ControlError } from "../../control/errors.ts";
import { lttngErrorNumber } from "../../wire/lttng_error.ts";
import { counted, sizeText } from "./amounts.ts";
import type { Run } from "./run.ts";
import type { Loss } from "./session_stats.ts";

/** Streams that a line names; the others it counts. */
const STREAMS_NAMED = 8;

/** Codes that say that an output does not work. */
export const OUTPUT_FAILURES = ["RELAYD_CONNECT_FAIL", "FILE_CREATION_ERROR"];

/**
 * What became of a session's trace; `undefined` where the session daemon cannot
 * tell, which is no failure.
 */
export async function askDelivery(
  run: Run,
  session: string,
  options: DeliveryOptions = {},
): Promise<SessionDelivery | undefined> {
  try {
    return await run.ask((daemon) => daemon.sessionDelivery(session, options));
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}

/** What is lost for good, of all streams. */
export function lossOf(delivery: SessionDelivery): Loss {
  let events = 0n;
  let packets = 0n;
  for (const stream of delivery.streams) {
    events += stream.discardedEvents;
    packets += stream.overwrittenPackets + stream.givenUpPackets;
    if (delivery.outputState === "lost") packets += stream.unconfirmedPackets;
  }
  return { events, packets };
}

/** `delivery` without the losses that `told` has already. */
export function deliverySince(
  told: SessionDelivery,
  delivery: SessionDelivery,
): SessionDelivery {
  const before = new Map(told.streams.map((stream) => [stream.name, stream]));
  const wasLost = told.outputState === "lost";
  return {
    ...delivery,
    streams: delivery.streams.map((stream) => {
      const known = before.get(stream.name);
      if (known === undefined) return stream;
      const less = (key: Exclude<keyof StreamDelivery, "name">) =>
        stream[key] > known[key] ? stream[key] - known[key] : 0n;
      return {
        ...stream,
        discardedEvents: less("discardedEvents"),
        overwrittenPackets: less("overwrittenPackets"),
        givenUpPackets: less("givenUpPackets"),
        unconfirmedPackets: wasLost
          ? less("unconfirmedPackets")
          : stream.unconfirmedPackets,
      };
    }),
  };
}

/** How it is with the session whose delivery is told. */
export type SessionPhase = "recording" | "stopped" | "destroyed";

/**
 * What an operator should know, a line each: nothing where everything is, or
 * will be, stored. How much was lost in all is not repeated.
 */
export function deliveryLines(
  delivery: SessionDelivery,
  phase: SessionPhase,
): string[] {
  const lines = [outputLine(delivery, phase), wayLine(delivery, phase)];
  lines.push(streamLine(
    "Packets given up",
    delivery,
    ({ givenUpPackets }) => givenUpPackets,
  ));
  if (phase === "destroyed" || delivery.outputState === "lost") {
    lines.push(streamLine(
      "Packets sent, but not confirmed to be stored",
      delivery,
      ({ unconfirmedPackets }) => unconfirmedPackets,
    ));
  }
  // That of a single stream is the total, which is told already.
  const discarding = delivery.streams.filter(({ discardedEvents }) =>
    discardedEvents > 0n
  );
  if (discarding.length > 1) {
    lines.push(streamLine(
      "Events discarded",
      delivery,
      ({ discardedEvents }) => discardedEvents,
    ));
  }
  return lines.filter((line) => line !== undefined);
}

/** Totals of what was lost, for lists that have no place for channels. */
export function lossLine(delivery: SessionDelivery): string | undefined {
  const { events, packets } = lossOf(delivery);
  const parts = [
    ...(events > 0n ? [`${counted(events, "event")} discarded`] : []),
    ...(packets > 0n ? [`${counted(packets, "packet")} lost`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** Why nothing is stored. */
export function outputLine(
  { outputState, url, failure }: SessionDelivery,
  phase: SessionPhase,
): string | undefined {
  const isOver = phase === "destroyed";
  if (outputState === "failed") {
    const how = isOver ? "did not work" : "does not work, and is tried again";
    return `Output ${url} ${how}: ${failure}`;
  }
  if (outputState !== "lost") return undefined;
  return `Output ${url} ${isOver ? "was" : "is"} lost: ${failure}`;
}

/** What is on its way. While a session records, something always is. */
export function wayLine(
  delivery: SessionDelivery,
  phase: SessionPhase,
): string | undefined {
  const { outputState, streams, url, hasMore } = delivery;
  const isUsual = phase === "recording" && outputState === "ready";
  if (isUsual || phase === "destroyed") return undefined;
  const isLost = outputState === "lost";
  const packetsOf = (stream: StreamDelivery) =>
    stream.waitingPackets + (isLost ? 0n : stream.unconfirmedPackets);
  let packets = 0n;
  let bytes = 0n;
  for (const stream of streams) {
    packets += packetsOf(stream);
    bytes += stream.waitingBytes + (isLost ? 0n : stream.unconfirmedBytes);
  }
  if (packets === 0n) return undefined;
  const where = isLost ? "wait for" : "still on their way to";
  return `${counted(packets, "packet")} (${sizeText(bytes)}) ${where} ` +
    `${url}: ${namesOf(streams, packetsOf)}` +
    (hasMore ? `; ${moreText(streams)}` : "");
}

/** What has not even been sent. */
function moreText(streams: readonly StreamDelivery[]): string {
  const events = streams.reduce((sum, one) => sum + one.pendingEvents, 0n);
  return events === 0n
    ? "more is in the tracer's buffers"
    : `not sent yet: ${counted(events, "event")}`;
}

function streamLine(
  title: string,
  { streams }: SessionDelivery,
  countOf: (stream: StreamDelivery) => bigint,
): string | undefined {
  const names = namesOf(streams, countOf);
  return names === "" ? undefined : `${title}: ${names}`;
}

/** `stream channel0_0 9, channel0_1 3`: those with most first. */
function namesOf(
  streams: readonly StreamDelivery[],
  countOf: (stream: StreamDelivery) => bigint,
): string {
  const counts = streams.map((stream) => ({
    name: stream.name,
    count: countOf(stream),
  })).filter(({ count }) => count > 0n)
    .toSorted((a, b) => Number(b.count - a.count));
  if (counts.length === 0) return "";
  const more = counts.length - STREAMS_NAMED;
  const named = counts.slice(0, STREAMS_NAMED)
    .map(({ name, count }) => `${name} ${count}`).join(", ");
  return `stream ${named}` + (more > 0 ? ` and ${more} more streams` : "");
}

/** Says the lines after a command about one session. */
export function printDelivery(
  run: Run,
  session: string,
  delivery: SessionDelivery | undefined,
  phase: SessionPhase,
): void {
  if (delivery === undefined) return;
  run.tellsOutput = true;
  for (const line of deliveryLines(delivery, phase)) {
    run.say.message(`Session ${session}: ${line}`);
  }
}

/**
 * Says why an output does not work after a command that ended with `status`:
 * a code has no room for the reason.
 */
export async function explainOutput(run: Run, status: number): Promise<void> {
  const { lastSession, tellsOutput } = run;
  const isMeant = OUTPUT_FAILURES.some((name) =>
    lttngErrorNumber(name) === status
  );
  if (!isMeant || tellsOutput || lastSession === undefined) return;
  const delivery = await askDelivery(run, lastSession);
  const line = delivery && outputLine(delivery, "recording");
  if (line !== undefined) run.say.explain(`Session ${lastSession}: ${line}`);
}
