/**
 * Who runs stock programs in tests. For a user that is not root the run
 * directory of LTTng is `$LTTNG_HOME/.lttng`, so a temporary `LTTNG_HOME` keeps
 * a session daemon, its consumers and its applications apart from all others.
 * Where the tests run as root, they get a user id of their own for this reason.
 */

import type { ProgramOptions } from "./process.ts";

/** User ids that no distribution hands out: above people, below 16 bits' end. */
const FIRST_USER_ID = 30_000;
const USER_ID_COUNT = 29_000;

/** The identity and home under which stock programs run. */
export interface StockUser {
  /** Value of `HOME` and `LTTNG_HOME`. */
  readonly home: string;
  /** User id of the programs. */
  readonly uid: number;
}

/** Makes a temporary home, owned by a user that is not root. */
export async function createStockUser(): Promise<StockUser> {
  const home = await Deno.makeTempDir({ prefix: "lttng-home-" });
  const own = Deno.uid() ?? 0;
  if (own !== 0) return { home, uid: own };
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  const uid = FIRST_USER_ID + random % USER_ID_COUNT;
  await Deno.chown(home, uid, uid);
  return { home, uid };
}

/** `command` as `user` runs it. */
export function commandAs(
  user: StockUser,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ProgramOptions {
  const id = `${user.uid}`;
  const prefix = Deno.uid() === user.uid
    ? []
    : ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
  return {
    command: [...prefix, ...command],
    env: { HOME: user.home, LTTNG_HOME: user.home, ...env },
  };
}

/** Removes the home, and the wait object that UST keeps by user id. */
export async function removeStockUser(user: StockUser): Promise<void> {
  await Deno.remove(user.home, { recursive: true });
  if (user.uid === Deno.uid()) return;
  for (const entry of Deno.readDirSync("/dev/shm")) {
    if (/^lttng-ust-wait-\d+-(\d+)$/.exec(entry.name)?.[1] === `${user.uid}`) {
      Deno.removeSync(`/dev/shm/${entry.name}`);
    }
  }
}
