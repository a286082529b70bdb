/** The command line that follows a live session. */

import type { SessionInfo } from "../../control/session_types.ts";

/** Where a relay daemon's live port is, unless told otherwise. */
const LIVE_PORT = 5344;

/** The viewer's command line for a live session of this machine. */
export function viewerCommand({ name, path }: SessionInfo): string {
  const [, digit = "4", host = "localhost"] =
    /^tcp([46]):\/\/(\[[^\]]*\]|[^:/]*)/.exec(path) ?? [];
  const scheme = digit === "6" ? "net6" : "net";
  const target = Deno.hostname();
  return `babeltrace2 --input-format=lttng-live ${scheme}://${host}:` +
    `${LIVE_PORT}/host/${target}/${name}`;
}
