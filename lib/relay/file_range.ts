/** Parts of files that are read for viewers. */

/** Part of a file that a reply ends with. */
export interface FileRange {
  readonly file: Deno.FsFile;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

/** Fills `bytes` from `offset` on; returns whether the file has them all. */
export function readAt(
  file: Deno.FsFile,
  offset: number,
  bytes: Uint8Array,
): boolean {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) return false;
    at += count;
  }
  return true;
}
