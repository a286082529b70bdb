/** `relayd` around a relay that never finishes closing. */

import { runRelayd } from "../../../lib/cli/relayd/relayd.ts";
import { startFakeRelay } from "./fake_relay.ts";

Deno.exit(
  await runRelayd(
    Deno.args,
    (options) => startFakeRelay(options, () => new Promise(() => {})),
  ),
);
