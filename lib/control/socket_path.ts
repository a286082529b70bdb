/** Which session daemon a user's client speaks to. */

import { groupId, type Identity, identity } from "../os/identity.ts";
import { homeDirectory } from "./home.ts";

/** The group whose members may use root's session daemon. */
export const TRACING_GROUP = "tracing";

/** Where root's session daemon keeps its sockets. */
const SYSTEM_RUN_DIRECTORY = "/var/run/lttng";
const SOCKET_NAME = "client-lttng-sessiond";

/** What the choice depends on. */
export interface SocketSurroundings {
  readonly identity: Pick<Identity, "uid" | "groups">;
  /** Id of the tracing group; `undefined` where there is no such group. */
  readonly tracingGroup: number | undefined;
  readonly home: string | undefined;
  /** `LTTNG_RUNDIR`, which session daemons follow since 2.14. */
  readonly runDirectory: string | undefined;
}

/**
 * The sockets to try, best first: root has the system's session daemon;
 * members of the tracing group the system's, else their own; others their own.
 * Where `LTTNG_RUNDIR` is set, the one in there comes before all.
 */
export function socketCandidates(surroundings: SocketSurroundings): string[] {
  const { tracingGroup, home, runDirectory } = surroundings;
  const { uid, groups } = surroundings.identity;
  const system = SYSTEM_RUN_DIRECTORY;
  const own = home === undefined ? [] : [`${home}/.lttng`];
  const isMember = tracingGroup !== undefined && groups.includes(tracingGroup);
  const directories = uid === 0 ? [system] : isMember ? [system, ...own] : own;
  if (runDirectory) directories.unshift(runDirectory);
  return directories.map((directory) => `${directory}/${SOCKET_NAME}`);
}

/** {@linkcode socketCandidates} of this process. */
export function ownSocketCandidates(group = TRACING_GROUP): string[] {
  return socketCandidates({
    identity: identity(),
    tracingGroup: groupId(group),
    home: homeDirectory(),
    runDirectory: Deno.env.get("LTTNG_RUNDIR"),
  });
}
