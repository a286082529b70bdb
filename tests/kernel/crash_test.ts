import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { exists, readFile, writeFile } from "../../lib/kernel/tracefs.ts";
import { TracefsTracer } from "../../lib/kernel/tracefs_tracer.ts";
import { waitFor, within } from "../support/process.ts";
import { instancesOf, tracefsTest } from "./support/tracefs.ts";

const PROGRAM = new URL("./support/endless_recording.ts", import.meta.url);

tracefsTest(
  "a recording process that is killed leaves no tracing that runs, and the next run removes the rest",
  async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", PROGRAM.pathname],
      stdout: "piped",
    }).spawn();
    const tracer = new TracefsTracer();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    let path: string | undefined;
    try {
      const { value } = await within("the program", lines.read(), 30_000);
      assertEquals(value, "recording");
      const [name] = instancesOf(child.pid);
      path = `${tracer.path}/instances/${name}`;
      assertEquals(readFile(`${path}/tracing_on`).trim(), "1");
      assertEquals(tracer.cleanUp(), []);
      const size = Number.parseInt(readFile(`${path}/buffer_size_kb`));

      child.kill("SIGKILL");
      await child.status;
      await waitFor(
        "tracing to be off",
        () => readFile(`${path}/tracing_on`).trim() === "0",
      );
      const left = Number.parseInt(readFile(`${path}/buffer_size_kb`));
      // Two pages are the least.
      assert(left <= 256 && left < size / 8, `${left} of ${size} KiB are left`);

      assertEquals(tracer.cleanUp(), [name]);
      assert(!exists(path));
    } finally {
      await lines.cancel();
      if (path !== undefined && exists(path)) {
        writeFile(`${path}/events/enable`, "0");
        Deno.removeSync(path);
      }
    }
  },
);
