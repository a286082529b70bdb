/** What session and relay daemons leave on disk. */

/** Bytes of the data files below `directory`, indexes and metadata aside. */
export function dataBytes(directory: string): number {
  let bytes = 0;
  for (const entry of Deno.readDirSync(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory && entry.name !== "index") bytes += dataBytes(path);
    else if (/_\d+$/.test(entry.name)) bytes += Deno.statSync(path).size;
  }
  return bytes;
}
