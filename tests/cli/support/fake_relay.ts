/** A relay daemon that only listens: for tests of the command line alone. */

import { listenAll } from "../../../lib/net/listen.ts";
import type { Relay, RelayOptions } from "../../../lib/relay/server.ts";

/** Listens on all three ports; `shutdown` is what `Relay.shutdown` does. */
export function startFakeRelay(
  { control, data, live }: RelayOptions,
  shutdown: () => Promise<void> = () => Promise.resolve(),
): Relay {
  const listeners = listenAll({ control, data, live });
  async function close() {
    for (const listener of Object.values(listeners)) listener.close();
    await shutdown();
  }
  return {
    addresses: {
      control: listeners.control.addr,
      data: listeners.data.addr,
      live: listeners.live.addr,
    },
    shutdown: close,
    [Symbol.asyncDispose]: close,
  };
}
