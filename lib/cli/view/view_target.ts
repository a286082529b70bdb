/** What `lttng view` is to read: a directory, a live session's URL, or a session by name. */

import { SessionDaemon } from "../../control/client.ts";
import { ControlError } from "../../control/errors.ts";
import type { SessionInfo } from "../../control/session_types.ts";
import { homeDirectory } from "../../control/home.ts";
import { readCurrentSession } from "../../control/rc_file.ts";
import { parseViewerUrl, type ViewerUrl } from "../../viewer/url.ts";
import { OptionError } from "../options/options.ts";

/** Where messages come from. */
export type ViewTarget =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "live"; readonly url: ViewerUrl };

/**
 * Finds what an argument names: a URL, else a path that is there, else a
 * session. Without an argument it is the current session.
 *
 * @throws {OptionError} Where there is no such thing, or it cannot be read here.
 */
export async function findTarget(
  argument: string | undefined,
): Promise<ViewTarget> {
  if (argument === undefined) return await sessionTarget(currentSession());
  if (argument.includes("://")) return urlTarget(argument);
  if (argument.includes("/") || isThere(argument)) {
    return { kind: "directory", path: argument };
  }
  return await sessionTarget(argument, `No such path: ${argument}: `);
}

function urlTarget(text: string): ViewTarget {
  try {
    return { kind: "live", url: parseViewerUrl(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new OptionError(error.message);
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function currentSession(): string {
  const home = homeDirectory();
  const session = home === undefined ? undefined : readCurrentSession(home);
  if (session !== undefined) return session;
  throw new OptionError(
    "Nothing to read: there is no current session: " +
      "name a path, a URL or a session: see --help",
  );
}

/** `before` begins the error where there is no such session. */
async function sessionTarget(name: string, before = ""): Promise<ViewTarget> {
  let sessions: SessionInfo[];
  try {
    const daemon = await SessionDaemon.connect();
    sessions = await daemon.listSessions();
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    throw new OptionError(
      `${before}Cannot ask for session ${name}: ${error.message}`,
    );
  }
  const session = sessions.find((each) => each.name === name);
  if (session !== undefined) return targetOf(session);
  const others = sessions.map((each) => each.name).join(", ");
  throw new OptionError(
    `${before}No session ${name}` +
      (others === "" ? ": there are no sessions" : `: there are ${others}`),
  );
}

function targetOf(
  { name, path, liveTimerInterval }: SessionInfo,
): ViewTarget {
  if (path.startsWith("/")) return { kind: "directory", path };
  const remote = /^(?:tcp|net)(4|6)?:\/\/(\[[^\]]*\]|[^/:[]+)/.exec(path);
  if (remote === null) {
    throw new OptionError(
      `Session ${name} has no output of its own: name the directory of a snapshot`,
    );
  }
  if (liveTimerInterval === 0) {
    throw new OptionError(
      `Session ${name} is not live, and is stored elsewhere: ${path}: ` +
        "read it on that machine",
    );
  }
  const [, family = "4", host = ""] = remote;
  const scheme = family === "6" ? "net6" : "net";
  return urlTarget(`${scheme}://${host}/host/${Deno.hostname()}/${name}`);
}
