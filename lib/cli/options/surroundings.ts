/** The real machine, as settings see it. */

import type { Surroundings } from "./paths.ts";

/** This process's surroundings. */
export function systemSurroundings(): Surroundings {
  return {
    os: Deno.build.os,
    userId: Deno.uid(),
    workingDirectory: Deno.cwd(),
    processId: Deno.pid,
    env: (name) => Deno.env.get(name),
    readTextFile,
    openFileLimit,
  };
}

/** Why the system refused, without the number and the path it adds. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/ \(os error \d+\).*$/s, "");
}

function readTextFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw new Error(systemReason(error), { cause: error });
  }
}

/**
 * Deno has no `getrlimit` and lets only a program with all permissions read
 * `/proc`, so a shell, which inherits the limit, is asked where that fails.
 */
function openFileLimit(): number | undefined {
  if (Deno.build.os === "windows") return undefined;
  return limitFromProc() ?? limitFromShell();
}

function limitFromProc(): number | undefined {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    return toLimit(/^Max open files\s+(\S+)/m.exec(limits)?.[1]);
  } catch {
    return undefined;
  }
}

function limitFromShell(): number | undefined {
  try {
    const { stdout } = new Deno.Command("/bin/sh", {
      args: ["-c", "ulimit -n"],
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return toLimit(new TextDecoder().decode(stdout).trim());
  } catch {
    // Without permission to run programs the limit stays unknown.
    return undefined;
  }
}

function toLimit(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
