/** What can go wrong between a live viewer and its relay daemon. */

import { quote } from "../base/path.ts";
import {
  AttachStatus,
  CreateViewerSessionStatus,
  DetachStatus,
  type SessionEntry,
  type ViewerCommandName,
} from "../wire/live.ts";

/** What a status means, and what to do. */
const meanings: Partial<Record<ViewerCommandName, Record<number, string>>> = {
  CREATE_SESSION: {
    [CreateViewerSessionStatus.ERROR]: "it cannot serve another viewer",
  },
  ATTACH_SESSION: {
    [AttachStatus.ALREADY_ATTACHED]:
      "a viewer is attached to it already, and this relay daemon allows one: end that viewer first",
    [AttachStatus.UNKNOWN]: "it has ended, or there never was one",
    [AttachStatus.NOT_LIVE]:
      "it is not live: create it with lttng create --live",
    [AttachStatus.SEEK_ERROR]: "it cannot start there",
    [AttachStatus.NO_SESSION]: "the viewer has no viewer session",
  },
  DETACH_SESSION: {
    [DetachStatus.UNKNOWN]: "there is no such session",
    [DetachStatus.ERROR]: "the viewer is not attached to it",
  },
};

/** A relay daemon answered a viewer's command with a status that refuses it. */
export class ViewerError extends Error {
  override name = "ViewerError";

  constructor(
    /** The command that was refused. */
    readonly command: ViewerCommandName,
    /** Status of the reply; what it means depends on the command. */
    readonly status: number,
    /** What the command was to do, as in "Cannot attach to session 5". */
    what: string,
  ) {
    const meaning = meanings[command]?.[status] ?? "it does not say why";
    super(`${what}: ${meaning} (${command}, status ${status})`);
  }
}

/** The peer serves no live viewers of LTTng 2. */
export class ViewerVersionError extends Error {
  override name = "ViewerVersionError";
}

/** How many sessions an error names. */
const NAMED_SESSIONS = 20;

/** No session of the relay daemon is the one that is looked for. */
export class SessionNotFoundError extends Error {
  override name = "SessionNotFoundError";

  constructor(
    /** As in `No session "a" of host "b"`. */
    what: string,
    /** What sessions there are. */
    readonly sessions: readonly Readonly<SessionEntry>[],
  ) {
    super(`${what}: the relay daemon has ${listOf(sessions)}`);
  }
}

/** `session "a" of host "b"`, as errors name it. */
export function sessionText(
  session: Pick<SessionEntry, "hostname" | "sessionName">,
): string {
  return `session ${quote(session.sessionName)} of host ${
    quote(session.hostname)
  }`;
}

function listOf(sessions: readonly Readonly<SessionEntry>[]): string {
  if (sessions.length === 0) return "none";
  const named = sessions.slice(0, NAMED_SESSIONS).map((session) => {
    const live = session.liveTimer === 0 ? ", not live" : "";
    return `${sessionText(session)} (id ${session.id}${live})`;
  });
  const rest = sessions.length - named.length;
  return named.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
