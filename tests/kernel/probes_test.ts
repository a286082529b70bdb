import { assert, assertEquals, assertRejects } from "@std/assert";
import { Probes } from "../../lib/kernel/probes.ts";
import { instanceName, ourselves } from "../../lib/kernel/instance_name.ts";
import {
  exists,
  KernelTracingError,
  readFile,
  Tracefs,
  writeFile,
} from "../../lib/kernel/tracefs.ts";
import { readTrace } from "../support/babeltrace.ts";
import { run } from "../support/process.ts";
import { stockMissing } from "../support/stock.ts";
import { MemorySink } from "../tracer/memory_sink.ts";
import { recordOne, withTrace } from "./support/recordings.ts";
import { tracefsMissing, tracefsTest } from "./support/tracefs.ts";

const CALLS = 321;

/** A program that calls a function so often as it is told. */
const PROGRAM = `
#include <stdlib.h>
__attribute__((noinline)) void probe_me(void) { __asm__ volatile(""); }
int main(int argc, char **argv) {
  for (int left = atoi(argv[1]); left > 0; left--) probe_me();
  return 0;
}
`;

/** Why this kernel cannot probe programs; `undefined` where it can. */
function uprobesMissing(): string | undefined {
  if (tracefsMissing() !== undefined) return undefined;
  if (exists(`${Tracefs.find()}/uprobe_events`)) return undefined;
  return "this kernel has no CONFIG_UPROBE_EVENTS";
}

const NEEDS = {
  skip: uprobesMissing() ?? stockMissing("gcc", "babeltrace2"),
};

/** Runs `act` with the path of the compiled program. */
async function withProgram(act: (path: string) => Promise<void>) {
  const directory = await Deno.makeTempDir();
  try {
    const source = `${directory}/program.c`;
    const path = `${directory}/program`;
    await Deno.writeTextFile(source, PROGRAM);
    const { code, stderr } = await run({
      command: ["gcc", "-O1", "-o", path, source],
    });
    assertEquals([code, stderr], [0, ""]);
    await act(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Definitions of ours that the kernel has. */
function definitions(): string[] {
  const { path } = Tracefs.open();
  const file = exists(`${path}/dynamic_events`)
    ? "dynamic_events"
    : "uprobe_events";
  return readFile(`${path}/${file}`).split("\n").filter((line) =>
    line.includes(`_${Deno.pid}_`)
  );
}

tracefsTest("a user-space probe records every call of a function", async () => {
  await withProgram(async (program) => {
    await withTrace(async (path, sink) => {
      const report = await recordOne(
        sink,
        {},
        async ({ recording, channel }) => {
          assertEquals(
            await channel.enable({
              kind: "userspace probe",
              pattern: "my-probe",
              path: program,
              place: { kind: "function", symbol: "probe_me" },
            }),
            ["my-probe"],
          );
          assertEquals(definitions().length, 1);
          await recording.start();
          await run({ command: [program, String(CALLS)] });
          await recording.stop();
        },
      );
      assertEquals([report.events, report.errors], [CALLS, []]);
      const { events } = await readTrace(path);
      assertEquals(events.length, CALLS);
      assert(/my-probe: .*\{ ip = 0x[0-9A-F]+ \}/.test(events[0]!), events[0]);
    });
  });
  assertEquals(definitions(), []);
}, NEEDS);

tracefsTest("a probe can be disabled while it is recorded", async () => {
  await withProgram(async (program) => {
    const sink = new MemorySink();
    await recordOne(sink, {}, async ({ recording, channel }) => {
      await recording.start();
      await channel.enable({
        kind: "userspace probe",
        pattern: "probe",
        path: program,
        place: { kind: "function", symbol: "probe_me" },
      });
      await run({ command: [program, "10"] });
      channel.disable({ kind: "userspace probe", pattern: "probe" });
      assertEquals(definitions(), []);
      await run({ command: [program, "10"] });
      await recording.stop();
      assertEquals((await recording.statistics()).events, 10);
    });
  });
}, NEEDS);

tracefsTest(
  "a probe that is disabled leaves what it recorded, to be read on demand",
  async () => {
    await withProgram(async (program) => {
      const options = { channel: { readOnDemand: true, overwrite: true } };
      await recordOne(new MemorySink(), options, async (one) => {
        const { recording, channel } = one;
        await recording.start();
        await channel.enable({
          kind: "userspace probe",
          pattern: "probe",
          path: program,
          place: { kind: "function", symbol: "probe_me" },
        });
        await run({ command: [program, "10"] });
        channel.disable({ kind: "userspace probe", pattern: "probe" });
        await run({ command: [program, "10"] });
        await recording.flush();
        assertEquals((await recording.statistics()).events, 10);
      });
    });
    assertEquals(definitions(), []);
  },
  NEEDS,
);

tracefsTest(
  "a probe of what the program does not have is refused",
  async () => {
    await withProgram(async (program) => {
      await recordOne(new MemorySink(), {}, async ({ channel }) => {
        const enable = (path: string, symbol: string) =>
          channel.enable({
            kind: "userspace probe",
            pattern: "p",
            path,
            place: { kind: "function", symbol },
          });
        await assertRejects(
          () => enable(program, "nothing"),
          KernelTracingError,
          `Cannot make a probe of p: ${program}: it has no function "nothing"`,
        );
        await assertRejects(
          () => enable("/etc/hostname", "main"),
          KernelTracingError,
          "it is no executable and no shared object",
        );
        await assertRejects(
          () => enable("relative", "main"),
          KernelTracingError,
          "is not an absolute path",
        );
      });
    });
    assertEquals(definitions(), []);
  },
  NEEDS,
);

tracefsTest(
  "a probe of the kernel works, or is refused with the reason",
  async () => {
    const { path } = Tracefs.open();
    const sink = new MemorySink();
    await recordOne(sink, {}, async ({ recording, channel }) => {
      const enable = () =>
        channel.enable({
          kind: "function",
          pattern: "reads",
          place: { symbol: "vfs_read" },
        });
      if (!exists(`${path}/kprobe_events`)) {
        await assertRejects(
          enable,
          KernelTracingError,
          "this kernel has no probes of its functions (CONFIG_KPROBE_EVENTS)",
        );
        return;
      }
      assertEquals(await enable(), ["reads_entry", "reads_exit"]);
      await recording.start();
      await Deno.readTextFile("/etc/hostname");
      await recording.stop();
      assert((await recording.statistics()).events >= 2);
    });
    assertEquals(definitions(), []);
  },
);

tracefsTest(
  "Probes.removeStale() removes probes of processes that are gone",
  async () => {
    await withProgram((program) => {
      const tracefs = Tracefs.open();
      const { namespace, pid } = ourselves();
      const name = `lttng_probe_${namespace}_${pid}_1/event_0`;
      const file = ["dynamic_events", "uprobe_events"]
        .map((file) => `${tracefs.path}/${file}`).find(exists)!;
      writeFile(file, `p:${name} ${program}:0x1000\n`, { append: true });
      assertEquals(Probes.removeStale(tracefs), [name]);
      assertEquals(definitions(), []);
      // The same process as the name of an instance says it.
      assert(instanceName(ourselves(), 0, "x").includes(`.${pid}.`));
      return Promise.resolve();
    });
  },
  NEEDS,
);
