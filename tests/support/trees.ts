/**
 * Describes the files a relay daemon left, with the names, times and ids that
 * differ from run to run replaced, so that two runs can be compared.
 */

import { decodeIndexFile, type IndexEntry } from "./trees_index.ts";
import { metadataLines } from "./trees_metadata.ts";

/** What of a tree is compared beyond names, kinds and permissions. */
export interface TreeOptions {
  /** File sizes, and the packets that index files list. */
  readonly sizes: boolean;
}

/** A directory tree as text: one line for each entry, sorted. */
export async function describeTree(
  root: string,
  options: TreeOptions,
): Promise<string[]> {
  const lines: string[] = [];
  for (const path of await listTree(root)) {
    lines.push(...await describeEntry(root, path, options));
  }
  return lines.sort();
}

/** Every path below `root`, relative to it, directories with a final `/`. */
export async function listTree(root: string): Promise<string[]> {
  const paths: string[] = [];
  const walk = async (directory: string): Promise<void> => {
    for await (const entry of Deno.readDir(`${root}/${directory}`)) {
      const path = `${directory}${entry.name}`;
      if (entry.isDirectory) {
        paths.push(`${path}/`);
        await walk(`${path}/`);
      } else {
        paths.push(path);
      }
    }
  };
  await walk("");
  return paths.sort();
}

/** A path without the times, ids and process ids that LTTng puts in names. */
export function normalisePath(path: string): string {
  return path
    .replace(/\d{8}T\d{6}[+-]\d{4}-\d{8}T\d{6}[+-]\d{4}-/g, "START-END-")
    .replace(/\d{8}T\d{6}[+-]\d{4}-/g, "START-")
    .replace(/-\d+-\d{8}-\d{6}(?=\/|$)/g, "-NUMBER-DATETIME")
    .replace(/-\d{8}-\d{6}(?=-|\/|$)/g, "-DATETIME")
    .replace(/(^|\/)uid\/\d+(?=\/)/g, "$1uid/UID");
}

/** Directories below `root` that hold a metadata file, sorted by shown name. */
export async function traceDirectories(root: string): Promise<string[]> {
  const shown = (path: string) => `${normalisePath(path)} ${path}`;
  return (await listTree(root))
    .filter((path) => /(^|\/)metadata$/.test(path))
    .map((path) => path.slice(0, -"metadata".length))
    .sort((a, b) => shown(a) < shown(b) ? -1 : 1);
}

/** Waits until nothing below `root` has changed for `milliseconds`. */
export async function settle(
  root: string,
  milliseconds = CALM_MILLISECONDS,
): Promise<void> {
  const deadline = Date.now() + SETTLE_MILLISECONDS;
  let previous = "";
  let changed = Date.now();
  while (Date.now() - changed < milliseconds) {
    if (Date.now() > deadline) {
      throw new Error(`Waited ${SETTLE_MILLISECONDS} ms in vain: calm files`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    const current = await sizesBelow(root);
    if (current !== previous) changed = Date.now();
    previous = current;
  }
}

const SETTLE_MILLISECONDS = 20_000;
const CALM_MILLISECONDS = 200;
const POLL_MILLISECONDS = 50;

async function sizesBelow(root: string): Promise<string> {
  const lines: string[] = [];
  try {
    for (const path of await listTree(root)) {
      const info = await Deno.lstat(`${root}/${path}`);
      lines.push(`${path} ${info.size}`);
    }
  } catch (error) {
    // Something was renamed while we looked: not calm yet.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${Math.random()}`;
  }
  return lines.join("\n");
}

async function describeEntry(
  root: string,
  path: string,
  options: TreeOptions,
): Promise<string[]> {
  const info = await Deno.lstat(`${root}/${path}`);
  const mode = ((info.mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
  const name = normalisePath(path);
  if (path.endsWith("/")) return [`${name} ${mode}`];
  const bytes = await Deno.readFile(`${root}/${path}`);
  if (path.endsWith(".idx")) {
    const { version, entries } = decodeIndexFile(bytes);
    const lines = [`${name} ${mode} index ${version}`];
    if (options.sizes) {
      lines.push(
        ...entries.map((entry, at) =>
          `${name} entry ${number(at)}: ${describeIndex(entry)}`
        ),
      );
    }
    return lines;
  }
  if (/(^|\/)metadata$/.test(path)) {
    const lines = metadataLines(bytes);
    return [
      `${name} ${mode} metadata`,
      ...lines.map((line, at) => `${name} line ${number(at)}: ${line}`),
    ];
  }
  return [options.sizes ? `${name} ${mode} ${info.size}` : `${name} ${mode}`];
}

/** A line or entry number that sorts. */
function number(value: number): string {
  return `${value}`.padStart(6, "0");
}

/** The fields of an index entry that do not depend on time. */
function describeIndex(entry: IndexEntry): string {
  return `offset ${entry.offset}, packet ${entry.packetSize}, ` +
    `discarded ${entry.eventsDiscarded}, class ${entry.streamId}, ` +
    `instance ${entry.streamInstanceId}, number ${entry.packetSequenceNumber}`;
}
