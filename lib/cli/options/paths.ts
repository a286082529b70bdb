/** Paths on a command line, and the directories that LTTng keeps things in. */

import { OptionError } from "./options.ts";

/** The machine, as far as settings depend on it; tests make their own. */
export interface Surroundings {
  readonly os: typeof Deno.build.os;
  /** The user's id, `null` where there is no such thing. */
  readonly userId: number | null;
  readonly workingDirectory: string;
  readonly processId: number;
  env(name: string): string | undefined;
  /** The text of a file, `undefined` where there is none. */
  readTextFile(path: string): string | undefined;
  /** How many files may be open at once, `undefined` where unknown. */
  openFileLimit(): number | undefined;
}

/** Whether `path` does not depend on the working directory. */
export function isAbsolutePath(
  path: string,
  os: Surroundings["os"],
): boolean {
  return os === "windows"
    ? /^([A-Za-z]:[\\/]|\\\\)/.test(path)
    : path.startsWith("/");
}

/** `path`, seen from the working directory that relayd was started in. */
export function absolutePath(
  path: string,
  { os, workingDirectory }: Surroundings,
): string {
  return isAbsolutePath(path, os) ? path : `${workingDirectory}/${path}`;
}

/** `LTTNG_HOME`, else the user's home directory. */
export function homeDirectory(surroundings: Surroundings): string | undefined {
  const { os, env } = surroundings;
  for (const name of ["LTTNG_HOME", "HOME"]) {
    const home = env(name);
    if (home) return home;
  }
  if (os === "windows") return env("USERPROFILE");
  // A system service has no HOME.
  const user = String(surroundings.userId);
  return surroundings.readTextFile("/etc/passwd")?.split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[2] === user)?.[5];
}

/** The home directory where nothing else will do. */
export function requireHome(surroundings: Surroundings, instead: string) {
  const home = homeDirectory(surroundings);
  if (home !== undefined) return home;
  throw new OptionError(`No home directory: set LTTNG_HOME, or use ${instead}`);
}

/** Where sockets and port files go: `undefined` where there is no place. */
export function runDirectory(surroundings: Surroundings): string | undefined {
  const given = surroundings.env("LTTNG_RUNDIR");
  if (given) return absolutePath(given, surroundings);
  if (surroundings.userId === 0) return "/var/run/lttng";
  const home = homeDirectory(surroundings);
  return home === undefined ? undefined : `${home}/.lttng`;
}
