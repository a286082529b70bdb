/** Clients of the session daemons that tests start. */

import { SessionDaemon } from "../../../lib/control/client.ts";
import type { ConnectOptions } from "../../../lib/control/link.ts";
import type { Sessiond } from "../../support/sessiond.ts";

/** A client that asks as the user whose session daemon it is. */
export function clientOf(
  { user }: Sessiond,
  options: ConnectOptions = {},
): Promise<SessionDaemon> {
  return SessionDaemon.connect({
    socketPath: `${user.home}/.lttng/client-lttng-sessiond`,
    credentials: { uid: user.uid, gid: user.uid },
    ...options,
  });
}
