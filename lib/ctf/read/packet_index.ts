/** Finds packets by the index file beside a data file, however long it is. */

import {
  decodeIndexEntry,
  decodeIndexHeader,
  INDEX_HEADER_SIZE,
  type IndexEntry,
} from "../index_file.ts";

/** Entries that are read at a time. */
const ENTRIES = 1024;

/**
 * The entries of the index of the data file `path`, in the file's order, up to
 * the first that does not follow the one before; none where there is no index.
 */
function* entriesOf(path: string): Generator<IndexEntry, void, undefined> {
  const cut = path.lastIndexOf("/");
  const indexPath = `${path.slice(0, cut)}/index${path.slice(cut)}.idx`;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(indexPath);
  } catch {
    return;
  }
  using open = file;
  const header = new Uint8Array(INDEX_HEADER_SIZE);
  if (readFully(open, header) < header.length) return;
  let format: ReturnType<typeof decodeIndexHeader>;
  try {
    format = decodeIndexHeader(header);
  } catch {
    return;
  }
  const { minor, stride } = format;
  const block = new Uint8Array(ENTRIES * stride);
  let offset = 0n;
  for (let length = block.length; length === block.length;) {
    length = readFully(open, block);
    for (let at = 0; at + stride <= length; at += stride) {
      const entry = decodeIndexEntry(block.subarray(at, at + stride), minor);
      const { packetSize } = entry;
      if (
        entry.offset !== offset || packetSize < 8n || packetSize % 8n !== 0n
      ) {
        return;
      }
      yield entry;
      offset += packetSize / 8n;
    }
  }
}

/** Bytes that were there, at most as many as `bytes` has. */
function readFully(file: Deno.FsFile, bytes: Uint8Array): number {
  let length = 0;
  while (length < bytes.length) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return length;
}

/** The first packet behind `offset`; nothing where no index tells. */
export function packetAfter(path: string, offset: number): number | undefined {
  for (const entry of entriesOf(path)) {
    if (entry.offset > offset) return Number(entry.offset);
  }
  return undefined;
}

/**
 * The packet before the first that `isWanted` by the time of its end in ticks,
 * or the last one; nothing where no index tells, or all are wanted.
 */
export function packetBefore(
  path: string,
  isWanted: (end: bigint) => boolean,
): number | undefined {
  let before: number | undefined;
  for (const { offset, timestampEnd } of entriesOf(path)) {
    if (isWanted(timestampEnd)) break;
    before = Number(offset);
  }
  return before;
}
