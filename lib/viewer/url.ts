/** Where a viewer connects to and what it follows, as babeltrace2's URLs say it. */

import { parseHostAndPort } from "../net/url.ts";

/** Port of a relay daemon that was not told otherwise. */
export const VIEWER_PORT = 5344;

/** What a viewer's URL says. */
export interface ViewerUrl {
  /** The relay daemon: a host name, or an IP address without brackets. */
  readonly hostname: string;
  /** 5344 where the URL names none. */
  readonly port: number;
  /** The session, where the URL names one. */
  readonly target?: {
    /** Name of the host that is traced. */
    readonly hostname: string;
    readonly sessionName: string;
  };
}

const FORM = "net://HOST[:PORT]/host/TARGET/SESSION";

/**
 * Reads `net://HOST[:PORT]` and `net://HOST[:PORT]/host/TARGET/SESSION`, with
 * `net4://` for the same and `net6://` for IPv6.
 *
 * As babeltrace2 2.0 does, it takes the names of target and session as they
 * stand: nothing is percent-decoded, and a backslash takes the meaning of the
 * next `/` without vanishing. Unlike it, IPv6 addresses can be written, in
 * brackets, and a port is a number and nothing else.
 *
 * @throws {SyntaxError} With one line that says what is wrong and what to
 * write instead.
 */
export function parseViewerUrl(text: string): ViewerUrl {
  const match = /^([^:]*):\/\/([^/]*)(.*)$/s.exec(text);
  if (match === null) {
    throw new SyntaxError(`Not a URL: "${text}": write ${FORM}`);
  }
  const [, scheme = "", authority = "", path = ""] = match;
  if (!["net", "net4", "net6"].includes(scheme)) {
    throw new SyntaxError(
      `Unknown protocol "${scheme}" in "${text}": use net, net4 or net6`,
    );
  }
  const { hostname, port = VIEWER_PORT } = parseAuthority(
    authority,
    scheme,
    text,
  );
  return path === ""
    ? { hostname, port }
    : { hostname, port, target: parsePath(path, text) };
}

function parseAuthority(authority: string, scheme: string, text: string) {
  const family = scheme === "net6" ? 6 : 4;
  if (authority.startsWith("[") && family === 4) {
    throw new SyntaxError(`An IPv6 address needs net6://: "${text}"`);
  }
  return parseHostAndPort(authority, { family, text, lowestPort: 1 });
}

/** What stands after the first `/`: `host`, the target, the session. */
function parsePath(path: string, text: string): ViewerUrl["target"] & object {
  const [, host, ...names] = splitAtSlashes(path);
  if (host !== "host") {
    throw new SyntaxError(
      `After host and port comes nothing, or /host/TARGET/SESSION: "${text}"`,
    );
  }
  const [hostname = "", sessionName = "", ...rest] = names;
  if (hostname === "") {
    throw new SyntaxError(`No target host name in "${text}": write ${FORM}`);
  }
  if (sessionName === "") {
    throw new SyntaxError(`No session name in "${text}": write ${FORM}`);
  }
  if (rest.length > 0) {
    throw new SyntaxError(`Nothing follows the session name: "${text}"`);
  }
  return { hostname, sessionName };
}

/** A `\` keeps itself and what follows it in one part. */
function splitAtSlashes(path: string): string[] {
  const parts = [""];
  for (const [piece] of path.matchAll(/\\.|./gsu)) {
    if (piece === "/") parts.push("");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}
