/** The user's home, where LTTng keeps sockets, saved sessions and traces. */

import { homeOfUser } from "../os/identity.ts";

/**
 * `LTTNG_HOME`, else `HOME`, else what the user database says; `undefined`
 * where there is none.
 */
export function homeDirectory(): string | undefined {
  for (const name of ["LTTNG_HOME", "HOME"]) {
    const home = Deno.env.get(name);
    if (home) return home;
  }
  const uid = Deno.uid();
  return uid === null ? undefined : homeOfUser(uid);
}
