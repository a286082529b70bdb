/** The target side of LTTng: so far it prints stored traces. */

import { runLttng } from "./lib/cli/lttng.ts";

Deno.exit(await runLttng(Deno.args));
