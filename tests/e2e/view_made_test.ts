/** `lttng view` beside babeltrace2 on hand-made traces of other tracers and machines. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSameText } from "../cli/support/view_process.ts";
import { withTraceDirectory } from "../ctf/recording.ts";
import {
  BARE_EVENTS,
  BARE_TRACES,
  writeBareTrace,
} from "../support/ctf/bare_traces.ts";
import {
  KERNEL_EVENTS,
  MACHINES,
  writeKernelTrace,
} from "../support/ctf/kernel_trace.ts";
import { stockTest } from "../support/stock.ts";

const NEEDS = { programs: ["babeltrace2"] };
/** Everything in the shortest and in the longest form, and the clock as it is. */
const OPTIONS: readonly (readonly string[])[] = [
  [],
  ["--fields=all", "--names=all", "--clock-date", "--clock-gmt"],
  ["--clock-cycles", "--names=none"],
];

/** Compares a trace in every form; returns what was said of losses. */
async function compare(directory: string, events: number): Promise<string> {
  let errors = "";
  for (const options of OPTIONS) {
    const { stdout, stderr } = await assertSameText(directory, ...options);
    assertEquals(stdout.split("\n").length - 1, events, options.join(" "));
    errors = stderr;
  }
  return errors;
}

for (const machine of MACHINES) {
  stockTest(
    `lttng view prints a kernel's trace of ${machine.name} as babeltrace2 does`,
    NEEDS,
    () =>
      withTraceDirectory(async (directory) => {
        await writeKernelTrace(directory, machine);
        const errors = await compare(directory, KERNEL_EVENTS);
        assertStringIncludes(errors, "Tracer discarded 1 packet between");
        assertStringIncludes(errors, "Tracer discarded 3 events between");
        await assertSameText(
          directory,
          ...["--begin=1700000060", "--end=1700000100.5"],
        );
      }),
  );
}

for (const trace of BARE_TRACES) {
  stockTest(
    `lttng view prints a trace ${trace.name} as babeltrace2 does`,
    NEEDS,
    () =>
      withTraceDirectory(async (directory) => {
        for (const order of ["le", "be"] as const) {
          await writeBareTrace(`${directory}/${order}`, trace, order);
          await compare(`${directory}/${order}`, BARE_EVENTS);
        }
      }),
  );
}
