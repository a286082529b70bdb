/** `lttng`: the command line of an LTTng session daemon, that daemon, and a trace printer. */

import process from "node:process";
import { runProgram } from "./lib/cli/program.ts";

// Deno 2.6 warns of code of its own whenever a name is looked up.
Object.assign(process, { noDeprecation: true });

Deno.exit(await runProgram(Deno.args) & 0xFF);
