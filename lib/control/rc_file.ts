/** The current session: `.lttngrc` in the user's home, as `lttng` keeps it. */

/** Where the current session is kept. */
export function rcFilePath(home: string): string {
  return `${home}/.lttngrc`;
}

/**
 * The current session of the user whose home is `home`; `undefined` where
 * there is none.
 */
export function readCurrentSession(home: string): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(rcFilePath(home));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return /^session=(\S+)/m.exec(text)?.[1];
}

/** Makes `session` the current one. */
export function writeCurrentSession(home: string, session: string): void {
  if (!/^\S+$/.test(session)) {
    throw new RangeError(
      `${rcFilePath(home)} cannot hold a name with a blank: "${session}"`,
    );
  }
  Deno.writeTextFileSync(rcFilePath(home), `session=${session}\n`);
}

/** Leaves the user without a current session; no error where there is none. */
export function removeCurrentSession(home: string): void {
  try {
    Deno.removeSync(rcFilePath(home));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
