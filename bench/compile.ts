/** Compiles the C programs of the benchmarks. */

/**
 * Compiles one of the C files beside this one.
 *
 * @param name Its name without `.c`
 * @param directory Where the executable goes
 * @returns The executable's path
 * @throws {Error} If there is no C compiler or it fails
 */
export async function compileC(
  name: string,
  directory: string,
): Promise<string> {
  const source = decodeURIComponent(
    new URL(`${name}.c`, import.meta.url).pathname,
  );
  const target = `${directory}/${name}`;
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command("gcc", {
      args: ["-O2", "-o", target, source],
      stdout: "null",
      stderr: "piped",
    }).output();
  } catch (cause) {
    throw new Error(
      `Cannot compile ${name}.c: gcc is needed (apt-get install gcc libc6-dev)`,
      { cause },
    );
  }
  if (!result.success) {
    const text = new TextDecoder().decode(result.stderr);
    throw new Error(`Cannot compile ${name}.c: ${text.trim()}`);
  }
  return target;
}
