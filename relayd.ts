/** The relay daemon: receives LTTng traces over TCP and stores them. */

import { runRelayd } from "./lib/cli/relayd/relayd.ts";
import { startRelay } from "./lib/relay/server.ts";

Deno.exit(await runRelayd(Deno.args, startRelay));
