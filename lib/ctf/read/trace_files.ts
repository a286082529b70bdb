/** Finds the files of traces below a directory. */

import { errorText } from "../../base/errors.ts";
import { asReadError } from "./data_file.ts";
import { parseMetadata } from "./metadata.ts";
import { TraceReadError } from "./model.ts";
import { TraceDecoder } from "./trace_decoder.ts";

/** Directories nested deeper are not searched: links may lead round. */
const MAX_DEPTH = 32;

/** Directories with a metadata file; a trace is not searched for others. */
export function findTraces(path: string, depth = 0): string[] {
  const root = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (isFile(`${root}/metadata`)) return [root];
  if (depth >= MAX_DEPTH) return [];
  let names: string[];
  try {
    names = [...Deno.readDirSync(root)]
      .filter((entry) => entry.isDirectory || entry.isSymlink)
      .map((entry) => entry.name).sort();
  } catch (error) {
    if (depth > 0) return [];
    throw new TraceReadError(root, undefined, errorText(error), {
      cause: error,
    });
  }
  return names.flatMap((name) => findTraces(`${root}/${name}`, depth + 1));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * The decoder of the trace in `directory`.
 *
 * @throws {TraceReadError} where its metadata cannot be read.
 */
export function openTrace(directory: string): TraceDecoder {
  const path = `${directory}/metadata`;
  try {
    return decodeMetadata(directory, Deno.readFileSync(path));
  } catch (error) {
    throw asReadError(error, path, undefined);
  }
}

/**
 * The decoder of a trace by the bytes of its metadata.
 *
 * @throws {TraceReadError} where they are damaged or cut short.
 * @throws {SyntaxError} where they are not metadata.
 */
export function decodeMetadata(
  directory: string,
  bytes: Uint8Array<ArrayBuffer>,
): TraceDecoder {
  const blocks = parseMetadata(`${directory}/metadata`, bytes);
  return new TraceDecoder(directory, blocks);
}

/** As babeltrace2: all files that are not hidden. */
export function dataFileNames(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .filter(({ name }) => name !== "metadata" && !name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => isFile(`${directory}/${name}`))
    .sort();
}
