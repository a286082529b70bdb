/** What of a trace is on its way and what was lost, in JSON reports. */

import type {
  SessionDelivery,
  StreamDelivery,
} from "../../control/delivery_types.ts";
import { markdownTable } from "../options/help.ts";
import { lossOf } from "./delivery.ts";
import type { ReportElement } from "./report.ts";
import type { Run } from "./run.ts";

/** One member of a JSON object: its name, its value and what that means. */
interface Member<T> {
  readonly name: string;
  readonly meaning: string;
  readonly value: (from: T) => string | bigint | boolean | undefined;
}

/** What is told of a session, beside its streams. */
const DELIVERY_MEMBERS: readonly Member<SessionDelivery>[] = [
  {
    name: "output_state",
    meaning:
      "`none`; `idle` before anything is recorded; `opening`; `ready`; " +
      "`failed`: it cannot be opened, and is tried again; `lost`: it worked, " +
      "and does so no more",
    value: ({ outputState }) => outputState,
  },
  {
    name: "output_url",
    meaning: "Where the trace goes; empty: nowhere",
    value: ({ url }) => url,
  },
  {
    name: "output_failure",
    meaning: "Why the output does not work; absent where it does",
    value: ({ failure }) => failure === "" ? undefined : failure,
  },
  {
    name: "more_in_buffers",
    meaning: "Whether the tracer's buffers held more when a stop ran out of " +
      "time",
    value: ({ hasMore }) => hasMore,
  },
  {
    name: "discarded_events",
    meaning: "Events lost, of all streams",
    value: (delivery) => lossOf(delivery).events,
  },
  {
    name: "lost_packets",
    meaning:
      "Packets overwritten, given up, or unconfirmed by an output that " +
      "is lost, of all streams",
    value: (delivery) => lossOf(delivery).packets,
  },
];

/** What is told of each of its `streams`. */
const STREAM_MEMBERS: readonly Member<StreamDelivery>[] = [
  {
    name: "name",
    meaning: "Channel and number of the stream: `channel0_3`",
    value: ({ name }) => name,
  },
  {
    name: "recorded_events",
    meaning: "Events in packets that the output has taken",
    value: ({ recordedEvents }) => recordedEvents,
  },
  {
    name: "discarded_events",
    meaning: "Events that no packet has, or that were in packets given up",
    value: ({ discardedEvents }) => discardedEvents,
  },
  {
    name: "pending_events",
    meaning: "Events in the tracer's buffers, or in packets that wait; 0 " +
      "where the tracer cannot tell",
    value: ({ pendingEvents }) => pendingEvents,
  },
  {
    name: "overwritten_packets",
    meaning: "Packets that newer ones replaced before they were read",
    value: ({ overwrittenPackets }) => overwrittenPackets,
  },
  {
    name: "given_up_packets",
    meaning: "Packets that no output took, or that one took with it",
    value: ({ givenUpPackets }) => givenUpPackets,
  },
  {
    name: "waiting_packets",
    meaning: "Packets on their way to the output",
    value: ({ waitingPackets }) => waitingPackets,
  },
  {
    name: "waiting_bytes",
    meaning: "Their size",
    value: ({ waitingBytes }) => waitingBytes,
  },
  {
    name: "unconfirmed_packets",
    meaning: "Packets sent, and not confirmed to be stored",
    value: ({ unconfirmedPackets }) => unconfirmedPackets,
  },
  {
    name: "unconfirmed_bytes",
    meaning: "Their size",
    value: ({ unconfirmedBytes }) => unconfirmedBytes,
  },
];

/** Adds all of it to a JSON report; LTTng's XML schema has no place for it. */
export function reportDelivery(
  run: Run,
  session: ReportElement,
  delivery: SessionDelivery | undefined,
): void {
  if (delivery === undefined || run.settings.form !== "json") return;
  const element = session.add("delivery");
  element.fields(valuesOf(DELIVERY_MEMBERS, delivery));
  const streams = element.add("streams");
  for (const stream of delivery.streams) {
    streams.add("stream").fields(valuesOf(STREAM_MEMBERS, stream));
  }
}

function valuesOf<T>(members: readonly Member<T>[], from: T) {
  return Object.fromEntries(
    members.map(({ name, value }) => [name, value(from)]),
  );
}

/** The members as a Markdown table. */
export function formatMarkdownDelivery(): string {
  const rows = [
    ...DELIVERY_MEMBERS,
    ...STREAM_MEMBERS.map(({ name, meaning }) => ({
      name: `streams[].${name}`,
      meaning,
    })),
  ].map(({ name, meaning }) => [`\`${name}\``, meaning]);
  return markdownTable(["Member", "Meaning"], rows);
}
