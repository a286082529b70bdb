/** Who this process is to the system: user, groups, home directory. */

import { cString, Libc, nativeBuffer } from "./libc.ts";

/** Where the C library's `struct group` has the id (64-bit Linux). */
const GROUP_ID_OFFSET = 16;
/** Where the C library's `struct passwd` has the home (64-bit Linux). */
const PASSWD_HOME_OFFSET = 32;

/** User and groups of this process. */
export interface Identity {
  /** Real user id. */
  readonly uid: number;
  readonly effectiveUid: number;
  readonly effectiveGid: number;
  /** Supplementary group ids. */
  readonly groups: readonly number[];
}

/** Who this process is. */
export function identity(): Identity {
  using libc = Libc.open();
  const { call } = libc;
  return {
    uid: call.getuid(),
    effectiveUid: call.geteuid(),
    effectiveGid: call.getegid(),
    groups: supplementaryGroups(libc),
  };
}

function supplementaryGroups(libc: Libc): number[] {
  const count = libc.check("getgroups", libc.call.getgroups(0, null));
  if (count === 0) return [];
  const buffer = nativeBuffer(count * 4);
  const got = libc.check("getgroups", libc.call.getgroups(count, buffer));
  return [...new Uint32Array(buffer.buffer, 0, got)];
}

/** The id of the group called `name`; `undefined` when there is none. */
export function groupId(name: string): number | undefined {
  using libc = Libc.open();
  const entry = libc.call.getgrnam(cString(name));
  if (entry === null) return undefined;
  return new Deno.UnsafePointerView(entry).getUint32(GROUP_ID_OFFSET);
}

/** The home directory that the user database has for `uid`. */
export function homeOfUser(uid: number): string | undefined {
  using libc = Libc.open();
  const entry = libc.call.getpwuid(uid);
  if (entry === null) return undefined;
  const home = new Deno.UnsafePointerView(entry).getPointer(PASSWD_HOME_OFFSET);
  return home === null
    ? undefined
    : new Deno.UnsafePointerView(home).getCString();
}
