/** Runs a command for a task, with its output where the task's own goes. */

/** Runs `command`; ends this process with its exit code when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const code = await runForCode(command, args, env);
  if (code !== 0) Deno.exit(code);
}

/** Runs `command` and returns its exit code. */
export async function runForCode(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number> {
  const child = new Deno.Command(command, { args: [...args], env }).spawn();
  return (await child.status).code;
}

/** Says which step of several begins. */
export function step(name: string): void {
  console.log(`\n== ${name}`);
}
