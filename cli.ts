/** `lttng`: the command line of an LTTng session daemon, and a trace printer. */

import { runLttng } from "./lib/cli/lttng.ts";

Deno.exit(await runLttng(Deno.args) & 0xFF);
