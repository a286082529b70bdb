/** Files made in another user's name, and locks that end with their process. */

import { cString, Errno, Libc, SystemError } from "./libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0x80000;
const LOCK_FILE_MODE = 0o660;

/**
 * Runs `use`, which must not wait for anything, with the rights to files of
 * user `uid` and group `gid`, and no more than those. For root alone: it is
 * what keeps a user from having root write where that user could not.
 */
export function asFileUser<T>(uid: number, gid: number, use: () => T): T {
  using libc = Libc.open();
  const { setfsuid, setfsgid, geteuid, getegid } = libc.call;
  // The calls change this thread alone, on which files are opened too.
  setfsgid(gid);
  setfsuid(uid);
  try {
    return use();
  } finally {
    setfsuid(geteuid());
    setfsgid(getegid());
  }
}

/**
 * Locks the file at `path`, made where it is missing; `undefined` when another
 * process holds it. The lock ends when it is disposed of, or the process ends.
 *
 * @throws {SystemError} When the file cannot be made.
 */
export function lockFile(path: string): Disposable | undefined {
  const libc = Libc.open();
  const { call } = libc;
  const flags = O_RDWR | O_CREAT | O_CLOEXEC;
  const fd = call.open(cString(path), flags, LOCK_FILE_MODE);
  if (fd < 0) {
    const error = new SystemError(`open ${path}`, libc.errno);
    libc[Symbol.dispose]();
    throw error;
  }
  if (call.flock(fd, LOCK_EX | LOCK_NB) < 0) {
    const { errno } = libc;
    call.close(fd);
    libc[Symbol.dispose]();
    if (errno === Errno.EAGAIN) return undefined;
    throw new SystemError(`flock ${path}`, errno);
  }
  return {
    [Symbol.dispose]() {
      call.close(fd);
      libc[Symbol.dispose]();
    },
  };
}
