/** What a running program was started as. */

/**
 * The first word of the command line of a process; `undefined` when there is
 * none of this id.
 */
export async function programName(pid: number): Promise<string | undefined> {
  const bytes = await commandLine(`/proc/${pid}/cmdline`);
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Deno lets only a program with all permissions read `/proc`. */
async function commandLine(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) return undefined;
  }
  try {
    const { success, stdout } = await new Deno.Command("cat", {
      args: [path],
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? stdout : undefined;
  } catch {
    return undefined;
  }
}
