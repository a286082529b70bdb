/**
 * `deno task compile [--target TRIPLE]… [--all] [--output DIR]`: makes the
 * stand-alone executables `relayd` and `lttng`, by default for this machine.
 *
 * DENORT_BIN names a base executable where Deno cannot download its own, and
 * DENO_FOR_COMPILE a Deno of the version that fits it.
 */

import { parseArgs } from "@std/cli/parse-args";
import { PROGRAMS } from "./programs.ts";
import { run, step } from "./run.ts";

/** Every target that `deno compile` knows. */
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
];

const options = parseArgs(Deno.args, {
  string: ["target", "output"],
  boolean: ["all", "help"],
  collect: ["target"],
  unknown: (argument) => fail(`Unknown argument: ${argument}`),
});
const targets = options.all ? TARGETS : options.target as string[];
if (options.help) {
  console.log(
    "Usage: deno task compile [--target TRIPLE]... [--all] [--output DIR]\n\n" +
      `Targets:\n  ${TARGETS.join("\n  ")}`,
  );
  Deno.exit();
}
for (const target of targets) {
  if (!TARGETS.includes(target)) {
    fail(`Unknown target: ${target}. Use one of:\n  ${TARGETS.join("\n  ")}`);
  }
}

const output = (options.output as string | undefined) ?? "dist";
const deno = Deno.env.get("DENO_FOR_COMPILE") ?? Deno.execPath();
for (const target of targets.length > 0 ? targets : [undefined]) {
  for (const program of PROGRAMS) {
    const windows = target?.includes("windows") ??
      (Deno.build.os === "windows");
    const directory = target === undefined ? output : `${output}/${target}`;
    const file = `${directory}/${program.name}${windows ? ".exe" : ""}`;
    step(file);
    await run(deno, [
      "compile",
      "--exclude=node_modules",
      ...program.permissions,
      ...program.workers.map((worker) => `--include=${worker}`),
      ...(target === undefined ? [] : ["--target", target]),
      "--output",
      file,
      program.entry,
    ]);
    const { size } = await Deno.stat(file);
    console.log(`${file}: ${(size / 1e6).toFixed(1)} MB`);
  }
}

function fail(message: string): never {
  console.error(`Error: ${message}`);
  Deno.exit(1);
}
