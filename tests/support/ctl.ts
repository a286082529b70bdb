/** Compiles and runs the C programs that drive a session daemon through liblttng-ctl. */

import { type ProgramOptions, run } from "./process.ts";
import { commandAs, type StockUser } from "./sessiond_user.ts";
import { notInstalled, stockMissing } from "./stock.ts";

/** Programs a test with these needs. */
export const CTL_PROGRAMS: readonly string[] = ["gcc"];

/** `sessions` needs no tracer; `recording` records the kernel. */
export type CtlProgram = "sessions" | "recording";

/** Why the programs cannot be compiled here; `undefined` where they can. */
export async function ctlMissing(): Promise<string | undefined> {
  const reason = stockMissing(...CTL_PROGRAMS);
  if (reason !== undefined) return reason;
  const { code } = await run({
    command: ["gcc", "-E", "-include", "lttng/lttng.h", "/dev/null"],
  });
  return code === 0 ? undefined : notInstalled("liblttng-ctl-dev");
}

const compilations = new Map<CtlProgram, Promise<string>>();

/** Path of an executable for all to run, compiled once for each test file. */
export function compiledCtl(program: CtlProgram): Promise<string> {
  const compilation = compilations.get(program) ?? compile(program);
  compilations.set(program, compilation);
  return compilation;
}

async function compile(name: CtlProgram): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "lttng-ctl-" });
  addEventListener("unload", () => {
    Deno.removeSync(directory, { recursive: true });
  });
  const source = new URL("./ctl/", import.meta.url).pathname;
  const program = `${directory}/${name}`;
  const { code, stderr } = await run({
    command: [
      ...["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-I", source],
      ...["-o", program, `${source}${name}.c`, "-llttng-ctl"],
    ],
  });
  if (code !== 0) throw new Error(`Compiling ${name}.c failed: ${stderr}`);
  await Deno.chmod(directory, 0o755);
  await Deno.chmod(program, 0o755);
  return program;
}

/** Command of one of them as a user whose session daemon runs. */
export async function ctlCommand(
  user: StockUser,
  program: CtlProgram,
  ...args: string[]
): Promise<ProgramOptions> {
  return commandAs(user, [await compiledCtl(program), ...args]);
}
