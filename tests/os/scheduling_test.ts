import { assertEquals, assertMatch } from "@std/assert";
import { SystemError } from "../../lib/os/libc.ts";
import { run } from "../support/process.ts";

/** Fields 40 and 41 of a thread's `stat`: priority and policy. */
const READ = `
const scheduling = (thread) => {
  const stat = Deno.readTextFileSync("/proc/" + thread + "/stat");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(37, 39).join(" ");
};
`;

/** Runs `script` with `name` imported, in a process of its own that ends at once. */
async function printed(name: string, script: string): Promise<string> {
  const module = new URL("../../lib/os/scheduling.ts", import.meta.url);
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    file,
    `import { ${name} } from "${module}";
try {
  ${name}(1);
} catch (error) {
  console.log(error.message);
  Deno.exit(3);
}${READ}${script}`,
  );
  const result = await run({
    command: [Deno.execPath(), "run", "-A", "--no-check", file],
  });
  await Deno.remove(file);
  // Where it is not allowed the system's own word for it is the message.
  if (result.code === 3) {
    assertMatch(result.stdout, /^sched_setscheduler: Operation not permitted/);
    assertEquals(new SystemError("a", 1).message, "a: Operation not permitted");
    return "";
  }
  assertEquals(result.code, 0, result.stderr);
  return result.stdout.trim();
}

const ignore = Deno.build.os !== "linux";

Deno.test("setRealTimePriority() makes the thread a real-time one", {
  ignore,
}, async () => {
  const script = 'console.log(scheduling("thread-self"));';
  const text = await printed("setRealTimePriority", script);
  if (text !== "") assertEquals(text, "1 1");
});

Deno.test(
  "setEnginePriority() makes the engine's threads real-time ones, and no other",
  {
    ignore,
  },
  async () => {
    const script = `
for (const { name } of Deno.readDirSync("/proc/self/task")) {
  const thread = "self/task/" + name;
  let comm;
  try {
    comm = Deno.readTextFileSync("/proc/" + thread + "/comm");
  } catch {
    continue;
  }
  console.log(comm.startsWith("V8 ") ? "engine" : "other", scheduling(thread));
}
`;
    const text = await printed("setEnginePriority", script);
    if (text === "") return;
    assertEquals([...new Set(text.split("\n"))].sort(), [
      "engine 1 1",
      "other 0 0",
    ]);
  },
);
