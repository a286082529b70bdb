/** Which session daemons are spoken to, and what tells them apart. */

/**
 * The minor version of a session daemon's protocol: 12 stands for 2.12.9 and
 * later, 13 for 2.13.5 and later, since both changed their requests on the way.
 */
export type SessiondMinor = 12 | 13 | 14 | 15;

/** Every supported minor, oldest first. */
export const SESSIOND_MINORS: readonly SessiondMinor[] = [12, 13, 14, 15];

/** What each minor is called. */
export const SESSIOND_VERSIONS: Readonly<Record<SessiondMinor, string>> = {
  12: "2.12.9 or later",
  13: "2.13.5 or later",
  14: "2.14",
  15: "2.15",
};
