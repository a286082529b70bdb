/** Followers under test: of session 5, with replies from a fake relay daemon. */

import {
  MetadataStatus,
  NewStreamsStatus,
  type SessionEntry,
} from "../../../lib/wire/live.ts";
import {
  Follower,
  type FollowerOptions,
} from "../../../lib/viewer/follower.ts";
import {
  type FakeRelay,
  metadata,
  metadataStream,
  session,
  stream,
  type StreamEntry,
} from "./fake_relay.ts";
import { PlanRun } from "./plan_run.ts";

/** A GET_METADATA reply: nothing new. */
export const NO_NEW = {
  status: MetadataStatus.NO_NEW,
  metadata: new Uint8Array(),
};

/** A GET_NEW_STREAMS reply: the session is over. */
export const HANG_UP = { status: NewStreamsStatus.HANG_UP, streams: [] };

/** A GET_NEW_STREAMS reply: ask again later. */
export const ROTATING = { status: NewStreamsStatus.NO_NEW, streams: [] };

/** A GET_NEW_STREAMS reply with these streams. */
export function newStreams(...streams: StreamEntry[]) {
  return { status: NewStreamsStatus.OK, streams };
}

/** Follows session 5 with these streams, and what else is attached. */
export function follow(
  relay: FakeRelay,
  streams: readonly StreamEntry[],
  options: Partial<FollowerOptions> = {},
  others: readonly SessionEntry[] = [],
): PlanRun<void> {
  const attached = [
    { session: session(5n), streams },
    ...others.map((session) => ({ session, streams: [] })),
  ];
  return new PlanRun(relay, (now) =>
    new Follower(attached, {
      pollMs: 100,
      sessionPollMs: 1_000,
      requestBytes: 1024,
      isMeant: undefined,
      canDetach: true,
      held: new Set(),
      now,
      ...options,
    }).run());
}

/** One trace whose metadata is there: stream 1 of metadata, stream 2 of data. */
export function oneTrace(relay: FakeRelay): StreamEntry[] {
  relay.then(relay.metadata, 1n, metadata("text"));
  return [stream(2n), metadataStream(1n)];
}

/** What comes first of {@linkcode oneTrace}. */
export const BEGINNING = [
  "session 5",
  "stream 1",
  "stream 2",
  "metadata 1 text",
];
