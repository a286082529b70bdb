/** `lttng`: the command line of an LTTng session daemon, and a trace printer. */

import process from "node:process";
import { runLttng } from "./lib/cli/lttng.ts";

// Deno 2.6 warns of code of its own whenever a name is looked up.
Object.assign(process, { noDeprecation: true });

Deno.exit(await runLttng(Deno.args) & 0xFF);
