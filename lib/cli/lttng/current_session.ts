/** Makes a session the current one, and says so if that cannot be. */

import { homeDirectory } from "../../control/home.ts";
import {
  readCurrentSession,
  removeCurrentSession,
  writeCurrentSession,
} from "../../control/rc_file.ts";
import type { Run } from "./run.ts";
import { systemReason } from "../options/surroundings.ts";

/** Makes `session` the current one; `false` where it cannot be. */
export function makeCurrent(run: Run, session: string): boolean {
  const home = homeDirectory();
  if (home === undefined) return false;
  try {
    writeCurrentSession(home, session);
    return true;
  } catch (error) {
    if (error instanceof RangeError) {
      run.say.warning(`${error.message}: use --session`);
      return true;
    }
    run.say.error("Unable to create config file");
    run.say.hint(`${home}/.lttngrc: ${systemReason(error)}.`);
    return false;
  }
}

/** Leaves the user without a current session, if it is `session`. */
export function forgetIfCurrent(run: Run, session: string): void {
  const home = homeDirectory();
  if (home === undefined) return;
  try {
    if (readCurrentSession(home) === session) removeCurrentSession(home);
  } catch (error) {
    run.say.warning(`${home}/.lttngrc: ${systemReason(error)}`);
  }
}
