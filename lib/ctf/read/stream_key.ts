/** Tells which stream of a recording a data file belongs to. */

import type { DataFile } from "./data_file.ts";

/**
 * The same for all files of one stream: trace files and archives go on. A file
 * that does not say its stream is one of its own.
 */
export function streamKey({ path, decoder, start }: DataFile): string {
  const { instanceId, stream } = start;
  const { uid, uuid, path: directory } = decoder.trace;
  return instanceId === undefined
    ? path
    : `${uid ?? uuid ?? directory} ${stream.class.id} ${instanceId}`;
}

/** Orders the files of one stream. */
export function compareFiles(a: DataFile, b: DataFile): number {
  const [first, second] = [beginOf(a), beginOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function beginOf({ start }: DataFile): bigint {
  return start.timestampBegin ?? 0n;
}
