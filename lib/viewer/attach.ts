/** How a viewer finds the sessions that are meant, and attaches to them. */

import {
  AttachStatus,
  Seek,
  type SessionEntry,
  type streamEntry,
} from "../wire/live.ts";
import type { Decoded } from "../wire/struct.ts";
import { quote } from "../base/path.ts";
import { SessionNotFoundError, sessionText, ViewerError } from "./errors.ts";
import type { LiveSession } from "./items.ts";
import { ask, pause, type Plan } from "./plan.ts";

/** A session by its id, or all that have these names. */
export type SessionTarget =
  | { readonly sessionId: bigint }
  | {
    /** Name of the host that is traced. */
    readonly hostname: string;
    readonly sessionName: string;
  };

/** A session that was attached to, and its streams of that moment. */
export interface AttachedSession {
  readonly session: LiveSession;
  readonly streams: readonly Decoded<typeof streamEntry>[];
}

/** How to attach. */
export interface AttachPlanOptions {
  readonly target: SessionTarget;
  readonly from: "beginning" | "last";
  /** How long to wait for the session to appear, milliseconds. */
  readonly waitMs: number;
  /** Pause between two looks at what sessions there are, milliseconds. */
  readonly pollMs: number;
  readonly now: () => number;
  /** Sessions that the relay daemon may take the viewer to be attached to. */
  readonly held: Set<bigint>;
}

/** Whether a session is one that is meant. */
export function isMeant(target: SessionTarget, entry: SessionEntry): boolean {
  return "sessionId" in target
    ? entry.id === target.sessionId
    : entry.hostname === target.hostname &&
      entry.sessionName === target.sessionName;
}

/** Attaches to every session that is meant; CREATE_SESSION comes before. */
export function* attachPlan(
  options: AttachPlanOptions,
): Plan<AttachedSession[]> {
  const { target, now } = options;
  for (const end = now() + options.waitMs;;) {
    const { sessions } = yield* ask("LIST_SESSIONS", {});
    const meant = sessions.filter((entry) => isMeant(target, entry));
    const left = end - now();
    const attached = yield* attachToAll(meant, options, left > 0);
    if (attached.length > 0) return attached;
    if (left <= 0) {
      throw new SessionNotFoundError(notFoundText(options), sessions);
    }
    yield* pause(Math.min(options.pollMs, left));
  }
}

/**
 * Those of `meant` that could be attached to.
 *
 * @param mayEnd One that has just ended is no error: another may follow.
 */
function* attachToAll(
  meant: readonly SessionEntry[],
  options: AttachPlanOptions,
  mayEnd: boolean,
): Plan<AttachedSession[]> {
  const attached: AttachedSession[] = [];
  let refusal: ViewerError | undefined;
  for (const session of meant) {
    options.held.add(session.id);
    const { status, streams } = yield* askToAttach(session, options.from);
    if (status === AttachStatus.OK) {
      attached.push({ session, streams });
      continue;
    }
    // A session that refused is attached to by nobody here.
    options.held.delete(session.id);
    const error = new ViewerError(
      "ATTACH_SESSION",
      status,
      `Cannot attach to ${sessionText(session)}`,
    );
    if (!isHarmless(status)) throw error;
    if (status !== AttachStatus.UNKNOWN || !mayEnd) refusal ??= error;
  }
  if (attached.length === 0 && refusal !== undefined) throw refusal;
  return attached;
}

/** Asks to attach to one session. */
export function* askToAttach(session: LiveSession, from: "beginning" | "last") {
  return yield* ask("ATTACH_SESSION", {
    sessionId: session.id,
    offset: 0n,
    seek: from === "beginning" ? Seek.BEGINNING : Seek.LAST,
  });
}

/** Whether other sessions of the same names may be attached to all the same. */
function isHarmless(status: number): boolean {
  return status === AttachStatus.UNKNOWN || status === AttachStatus.NOT_LIVE;
}

function notFoundText({ target, waitMs }: AttachPlanOptions): string {
  const what = "sessionId" in target
    ? `session ${target.sessionId}`
    : `session ${quote(target.sessionName)} of host ${quote(target.hostname)}`;
  return waitMs > 0
    ? `Waited ${waitMs} ms in vain for ${what}`
    : `There is no ${what}`;
}
