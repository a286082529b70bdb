/** Parses a metadata file in whichever language it is. */

import type { TraceBlocks } from "./blocks.ts";
import { parseCtf2, RECORD_SEPARATOR } from "./ctf2/parse.ts";
import { metadataText } from "./metadata_text.ts";
import { parseTsdl } from "./tsdl.ts";

/**
 * Parses the metadata file `path` whose bytes are given: TSDL (CTF 1.8), or
 * JSON (CTF 2). What packets say of their version is no help: LTTng-UST writes
 * 1.8 around either.
 *
 * @throws {TraceReadError} where its packets are damaged.
 * @throws {SyntaxError} where it is not written in its language.
 */
export function parseMetadata(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): TraceBlocks {
  const text = metadataText(path, bytes);
  return text.startsWith(RECORD_SEPARATOR) ? parseCtf2(text) : parseTsdl(text);
}
