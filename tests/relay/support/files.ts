/** What is in a directory, as a sorted list that tests compare. */

/** Paths of files, and of empty directories with a `/` behind them. */
export function filesBelow(directory: string): string[] {
  const found: string[] = [];
  function visit(path: string): void {
    const entries = [...Deno.readDirSync(`${directory}/${path}`)];
    if (entries.length === 0 && path !== "") found.push(path);
    for (const entry of entries) {
      if (entry.isDirectory) visit(`${path}${entry.name}/`);
      else found.push(`${path}${entry.name}`);
    }
  }
  visit("");
  return found.sort();
}
