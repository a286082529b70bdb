/** The daemons that `lttng create` starts where they are missing. */

import { SessionDaemon } from "../../control/client.ts";
import { homeDirectory } from "../../control/home.ts";
import type { Run } from "./run.ts";
import { CommandFailure } from "./status.ts";
import { systemReason } from "../options/surroundings.ts";

/** Names the session daemon to start. */
export const SESSIOND_PATH_VARIABLE = "LTTNG_SESSIOND_PATH";

/** Where distributions put LTTng's programs. */
const PROGRAM_DIRECTORIES = ["/usr/bin", "/usr/local/bin"];

/** Where live viewers connect to a relay daemon of this machine. */
const LIVE_PORT = 5344;

/** Starts a session daemon unless one answers. */
export async function ensureSessiond(run: Run): Promise<void> {
  const { noSessiond, sessiondPath, group } = run.settings;
  if (noSessiond || await SessionDaemon.isAlive({ group })) return;
  const named = sessiondPath ?? Deno.env.get(SESSIOND_PATH_VARIABLE);
  const stock = named ?? installed("lttng-sessiond");
  // The one inside records the kernel only, so the stock one comes first.
  const isInside = named === undefined && !isExecutable(stock) &&
    Deno.build.standalone;
  const path = isInside ? Deno.execPath() : stock;
  run.say.debug(1, `Session daemon binary path: ${path}`);
  try {
    await launchSessiond(run, path, isInside ? ["sessiond"] : []);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    run.fail(error);
    throw new CommandFailure(
      `Problem occurred while launching session daemon (${path})`,
    );
  }
}

async function launchSessiond(
  run: Run,
  path: string,
  command: readonly string[],
): Promise<void> {
  if (!isExecutable(path)) {
    throw new CommandFailure(
      `No such file or access denied: ${path}`,
      undefined,
      `Install lttng-tools, or name one: lttng --sessiond-path=PATH create, or ` +
        `${SESSIOND_PATH_VARIABLE}.`,
    );
  }
  run.say.message("Spawning a session daemon");
  let status: Deno.CommandStatus;
  try {
    // It leaves once its daemon accepts commands.
    status = await new Deno.Command(path, {
      args: [...command, "--daemonize"],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
  } catch (error) {
    throw new CommandFailure(systemReason(error));
  }
  if (status.signal !== null) {
    throw new CommandFailure(
      `Session daemon was killed by signal ${status.code - 128}`,
    );
  }
  if (status.code === 0) return;
  throw new CommandFailure(
    `Session daemon terminated with an error (exit status: ${status.code})`,
    undefined,
    `See what it says: ${path}. Its files are in ` +
      `${homeDirectory() ?? "~"}/.lttng, or in /var/run/lttng for root.`,
  );
}

/** Starts a relay daemon of this machine unless its live port answers. */
export async function ensureRelayd(run: Run): Promise<void> {
  if (await answers(LIVE_PORT)) return;
  const path = run.settings.relaydPath ?? ownRelayd() ??
    installed("lttng-relayd");
  run.say.message("Spawning a relayd daemon");
  try {
    const child = new Deno.Command(path, {
      args: ["-L", `tcp://localhost:${LIVE_PORT}`],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    child.unref();
  } catch (error) {
    run.say.hint(`${path}: ${systemReason(error)}.`);
    throw new CommandFailure("No relayd found. Use --relayd-path.");
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** The `relayd` beside this program, where both are compiled. */
function ownRelayd(): string | undefined {
  if (!Deno.build.standalone) return undefined;
  const path = Deno.execPath().replace(/[^/]*$/, "relayd");
  return isExecutable(path) ? path : undefined;
}

function installed(program: string): string {
  const paths = PROGRAM_DIRECTORIES.map((directory) =>
    `${directory}/${program}`
  );
  return paths.find(isExecutable) ?? `${PROGRAM_DIRECTORIES[0]}/${program}`;
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch {
    return false;
  }
}
