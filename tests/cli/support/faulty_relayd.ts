/** `relayd` around a relay with two faults of its own, once it serves. */

import { runRelayd } from "../../../lib/cli/relayd/relayd.ts";
import { startFakeRelay } from "./fake_relay.ts";

Deno.exit(
  await runRelayd(Deno.args, (options) => {
    setTimeout(() => void Promise.reject(new Error("promise\nbroken")), 200);
    setTimeout(() => {
      throw new Error("timer broken");
    }, 250);
    return startFakeRelay(options);
  }),
);
