/** Directories and small files that a daemon prepares before it serves. */

import type { Role } from "../relayd/relayd_settings.ts";
import { systemReason } from "../options/surroundings.ts";

/** Something that the machine does not let a daemon do; one line for the user. */
export class StartError extends Error {
  override name = "StartError";
}

/** Below these, Deno lets only a program with every permission write. */
const KEPT_FROM_PROGRAMS = /^\/(dev|proc|sys)(\/|$)/;

/**
 * Creates `path` where it is missing, and proves that files can be created in
 * it by creating one.
 *
 * @throws {StartError} When either fails.
 */
export function prepareOutput(path: string): void {
  try {
    if (KEPT_FROM_PROGRAMS.test(path)) {
      throw new Error("Deno keeps programs out of /dev, /proc and /sys");
    }
    Deno.mkdirSync(path, { recursive: true, mode: 0o770 });
    const probe = `${path}/.relayd-probe-${crypto.randomUUID()}`;
    Deno.openSync(probe, { write: true, createNew: true }).close();
    Deno.removeSync(probe);
  } catch (cause) {
    throw new StartError(
      `Cannot write to the output directory ${path}: ${
        pathReason(cause)
      }: choose another with --output`,
      { cause },
    );
  }
}

/** Changes to `path`, or says why not. */
export function changeDirectory(path: string): void {
  try {
    Deno.chdir(path);
  } catch (cause) {
    throw new StartError(
      `Cannot work in the directory ${path}: ${pathReason(cause)}`,
      { cause },
    );
  }
}

/**
 * A file with a daemon's process id. It is written beside its place first, so
 * that a bad path shows before the daemon listens, and whoever waits for the
 * file never reads half of it.
 */
export class PidFile implements Disposable {
  readonly #path: string;
  readonly #draft: string;
  #published = false;

  constructor(path: string) {
    this.#path = path;
    this.#draft = `${path}.${Deno.pid}.part`;
    try {
      Deno.writeTextFileSync(this.#draft, `${Deno.pid}\n`, { mode: 0o644 });
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** Puts the file in its place, over one that is there. */
  publish(): void {
    try {
      Deno.renameSync(this.#draft, this.#path);
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#published = true;
  }

  [Symbol.dispose](): void {
    removeFile(this.#published ? this.#path : this.#draft);
  }

  #failed(cause: unknown): StartError {
    return new StartError(
      `Cannot write the process id file ${this.#path}: ${pathReason(cause)}`,
      { cause },
    );
  }
}

/**
 * Creates the run directory and `relayd` in it, which only `groupId`'s members
 * and the user enter; returns the latter's path.
 */
export function prepareRunDirectory(
  runDirectory: string,
  groupId: number | undefined,
): string {
  const path = `${runDirectory}/relayd`;
  try {
    Deno.mkdirSync(runDirectory, { recursive: true, mode: 0o755 });
    if (!exists(path)) {
      Deno.mkdirSync(path, { mode: 0o770 });
      if (groupId !== undefined) Deno.chownSync(path, 0, groupId);
    }
  } catch (cause) {
    throw new StartError(
      `Cannot create the run directory ${path}: ${
        pathReason(cause)
      }: choose another with LTTNG_RUNDIR`,
      { cause },
    );
  }
  return path;
}

/** Writes `control.port`, `data.port` and `live.port`; removed when disposed. */
export function writePortFiles(
  directory: string,
  ports: Readonly<Record<Role, number>>,
): Disposable {
  const written: string[] = [];
  function remove() {
    written.forEach(removeFile);
  }
  try {
    for (const [role, port] of Object.entries(ports)) {
      const path = `${directory}/${role}.port`;
      Deno.writeTextFileSync(`${path}.part`, `${port}\n`);
      Deno.renameSync(`${path}.part`, path);
      written.push(path);
    }
  } catch (cause) {
    remove();
    throw new StartError(
      `Cannot write the port files in ${directory}: ${pathReason(cause)}`,
      { cause },
    );
  }
  return { [Symbol.dispose]: remove };
}

/** The id of the group `name`, `undefined` where there is none. */
export function groupId(name: string): number | undefined {
  let groups: string;
  try {
    groups = Deno.readTextFileSync("/etc/group");
  } catch {
    return undefined;
  }
  const fields = groups.split("\n").map((line) => line.split(":"))
    .find(([group]) => group === name);
  return fields?.[2] === undefined ? undefined : Number(fields[2]);
}

/** Why a path cannot be used. */
export function pathReason(error: unknown): string {
  if (
    error instanceof Deno.errors.AlreadyExists ||
    error instanceof Deno.errors.NotADirectory
  ) {
    return "a file is in the way";
  }
  return systemReason(error);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a file at the end, when nothing is left to be done about failure. */
function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Someone else removed it, or the directory.
  }
}
