/** Which program the executable is: `lttng`, or the daemon that it has inside. */

import process from "node:process";
import { TracefsTracer } from "../kernel/tracefs_tracer.ts";
import { KernelSessionTracer } from "../session/kernel.ts";
import { runLttng } from "./lttng/lttng.ts";
import { runSessiond } from "./sessiond/sessiond.ts";

/** The name of the daemon, as a link to the executable may have it. */
const SESSIOND_NAME = /(^|\/)lttng-sessiond$/;

/** Runs what was called; returns its exit status. */
export async function runProgram(args: readonly string[]): Promise<number> {
  if (SESSIOND_NAME.test(process.argv0)) {
    const own = args[0] === "sessiond" ? args.slice(1) : args;
    return await runSessiond(own, makeTracer);
  }
  if (args[0] === "sessiond") {
    return await runSessiond(args.slice(1), makeTracer);
  }
  return await runLttng(args);
}

function makeTracer() {
  return new KernelSessionTracer(new TracefsTracer());
}
