/** The target side of LTTng: so far its help and its version. */

import { runLttng } from "./lib/cli/lttng.ts";

Deno.exit(runLttng(Deno.args));
