import { assertEquals, assertMatch } from "@std/assert";
import { SystemError } from "../../lib/os/libc.ts";
import { run } from "../support/process.ts";

/** What a process of its own, which ends at once, prints of its scheduling. */
const SCRIPT = `
import { setRealTimePriority } from "${new URL(
  "../../lib/os/scheduling.ts",
  import.meta.url,
)}";
try {
  setRealTimePriority(1);
} catch (error) {
  console.log(error.message);
  Deno.exit(3);
}
// Fields 40 and 41: priority and policy.
const stat = Deno.readTextFileSync("/proc/thread-self/stat");
console.log(stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(37, 39).join(" "));
`;

Deno.test("setRealTimePriority() makes the thread a real-time one", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, SCRIPT);
  const result = await run({ command: [Deno.execPath(), "run", "-A", file] });
  await Deno.remove(file);
  // Where it is not allowed the system's own word for it is the message.
  if (result.code === 3) {
    assertMatch(result.stdout, /^sched_setscheduler: Operation not permitted/);
    assertEquals(new SystemError("a", 1).message, "a: Operation not permitted");
    return;
  }
  assertEquals([result.code, result.stdout.trim()], [0, "1 1"]);
});
