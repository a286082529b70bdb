/** All sessions: finding, naming and listing them. */

import type { Clock } from "../base/clock.ts";
import { SESSION_NAME_BYTES } from "../base/limits.ts";
import { EndedSessions } from "./ended_sessions.ts";
import { refuse } from "./errors.ts";
import type { Caller } from "./host.ts";
import type { Session } from "./session.ts";
import { dateTime } from "./time_text.ts";

/** Most sessions at once. */
const SESSIONS_MAXIMUM = 4_096;

/** The sessions that there are. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  /** Those that were destroyed last. */
  readonly ended = new EndedSessions();

  /** All of them, newest first. */
  get all(): Session[] {
    return [...this.#sessions.values()].reverse();
  }

  /** Those that `caller` may control, newest first. */
  of(caller: Caller): Session[] {
    return this.all.filter((session) => mayControl(caller, session));
  }

  has(name: string): boolean {
    return this.#sessions.has(name);
  }

  /**
   * The session of that name.
   *
   * @throws {CommandError} SESS_NOT_FOUND, EPERM where it is another's.
   */
  find(name: string, caller: Caller): Session {
    const session = this.#sessions.get(name);
    if (session === undefined) refuse("SESS_NOT_FOUND");
    if (mayControl(caller, session)) return session;
    refuse(
      "EPERM",
      `Session ${name} belongs to user ${session.options.owner.uid}, not ${caller.uid}`,
    );
  }

  /** @throws {CommandError} When there are too many. */
  add(session: Session): void {
    if (this.#sessions.size >= SESSIONS_MAXIMUM) {
      refuse("SESSION_FAIL", `There are ${SESSIONS_MAXIMUM} sessions already`);
    }
    this.#sessions.set(session.name, session);
  }

  remove(session: Session): void {
    this.#sessions.delete(session.name);
  }

  /**
   * Whether a new session may be called `name`.
   *
   * @throws {CommandError} With the reason against it.
   */
  checkName(name: string): void {
    if (name.includes("/")) refuse("SESSION_INVALID_CHAR");
    const size = new TextEncoder().encode(name).length;
    if (size >= SESSION_NAME_BYTES) {
      refuse("INVALID", `A session name of ${size} bytes > 254`);
    }
    if (this.has(name)) refuse("EXIST_SESS");
  }

  /** `auto-YYYYMMDD-HHMMSS`, or the first of `auto1-…` that is free. */
  makeName(clock: Clock): string {
    const time = dateTime(clock.now());
    for (let number = 0;; number++) {
      const name = `auto${number === 0 ? "" : number}-${time}`;
      if (!this.has(name)) return name;
    }
  }
}

/** A session is its owner's and root's. */
function mayControl(caller: Caller, { options }: Session): boolean {
  return caller.uid === 0 || caller.uid === options.owner.uid;
}
