/** `lttng view URL`: a live session at a relay daemon, or the sessions that are there. */

import type { ErrorListener } from "../../ctf/read/model.ts";
import { ConnectionError } from "../../net/connection.ts";
import {
  SessionNotFoundError,
  ViewerError,
  ViewerVersionError,
} from "../../viewer/errors.ts";
import { liveSources } from "../../viewer/events.ts";
import type { LiveSession } from "../../viewer/items.ts";
import { LiveClient } from "../../viewer/live_client.ts";
import type { ViewerUrl } from "../../viewer/url.ts";
import { OptionError } from "../options/options.ts";
import { rangeOf } from "./view_directory.ts";
import type { ViewSettings } from "./view_options.ts";
import { type ViewNames, ViewOutput, writeOutput } from "./view_output.ts";

/**
 * Writes what the session that `url` names records from now on, to its end;
 * without a session, the sessions that there are.
 *
 * @throws {OptionError} Where the relay daemon or the session is not there.
 */
export async function viewLive(
  url: ViewerUrl,
  settings: ViewSettings,
  onError: ErrorListener,
  signal: AbortSignal,
): Promise<void> {
  try {
    await using client = await LiveClient.connect(url, { signal });
    if (url.target === undefined) {
      const sessions = await client.listSessions({ signal });
      return writeOutput(new TextEncoder().encode(sessionList(sessions, url)));
    }
    await follow(client, url.target, settings, onError, signal);
  } catch (error) {
    if (signal.aborted) return;
    const isPeers = error instanceof ConnectionError ||
      error instanceof ViewerError ||
      error instanceof ViewerVersionError ||
      error instanceof SessionNotFoundError;
    if (!isPeers) throw error;
    throw new OptionError(error.message, { cause: error });
  }
}

async function follow(
  client: LiveClient,
  target: NonNullable<ViewerUrl["target"]>,
  settings: ViewSettings,
  onError: ErrorListener,
  signal: AbortSignal,
): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n;
  const range = rangeOf(settings, () => now);
  const output = new ViewOutput(settings, NAMES, range);
  const attachment = await client.attach(target, {
    signal,
    from: settings.from,
    waitMs: settings.follow ? Infinity : 0,
  });
  const items = attachment.follow({ signal });
  let isWanted = settings.limit > 0;
  try {
    for await (const sources of liveSources(items, { range, onError })) {
      for (const source of sources) {
        isWanted = output.add(source);
        if (!isWanted) break;
      }
      output.flush();
      if (!isWanted) break;
    }
  } finally {
    output.end();
  }
}

const NAMES: ViewNames = {
  traceName: ({ path }) => path,
  streamName: ({ path }) => path,
  streamNumber: () => undefined,
};

/** The sessions as URLs to read them by, as babeltrace2 lists them. */
function sessionList(
  sessions: readonly LiveSession[],
  { hostname, port }: ViewerUrl,
): string {
  const host = hostname.includes(":")
    ? `net6://[${hostname}]`
    : `net://${hostname}`;
  return sessions.map((
    { hostname, sessionName, liveTimer, streams, clients },
  ) =>
    `${host}:${port}/host/${hostname}/${sessionName} ` +
    `(timer = ${liveTimer}, ${streams} stream(s), ${clients} client(s) connected)\n`
  ).join("");
}
