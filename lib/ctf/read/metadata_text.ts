/** Takes the text out of a metadata file, which may be in packets (CTF 1.8 §7.1, CTF2-PMETA-1.0). */

import { METADATA_HEADER_SIZE, METADATA_MAGIC } from "../metadata_packet.ts";
import { RECORD_SEPARATOR } from "./ctf2/parse.ts";
import { TraceReadError } from "./model.ts";

/**
 * The text of the metadata file `path` whose bytes are given.
 *
 * @throws {TraceReadError} where a packet's header is wrong or it is cut short.
 */
export function metadataText(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): string {
  const little = packetByteOrder(bytes);
  if (little === undefined) return plainText(path, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const { contentEnd, packetEnd } = readHeader(path, view, at, little);
    const content = bytes.subarray(at + METADATA_HEADER_SIZE, contentEnd);
    text += decoder.decode(content, { stream: true });
    at = packetEnd;
  }
  return text + decoder.decode();
}

/** Whether the file is in packets, and then whether in little-endian ones. */
function packetByteOrder(bytes: Uint8Array<ArrayBuffer>): boolean | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) === METADATA_MAGIC) return true;
  if (view.getUint32(0, false) === METADATA_MAGIC) return false;
  return undefined;
}

function plainText(path: string, bytes: Uint8Array<ArrayBuffer>): string {
  const text = new TextDecoder().decode(bytes);
  const isCtf2 = text.startsWith(RECORD_SEPARATOR);
  if (!isCtf2 && !/^\s*\/\*\s*CTF\s+1\.8/.test(text)) {
    throw new TraceReadError(
      path,
      0,
      'it begins neither with "/* CTF 1.8" nor with byte 0x1E (CTF 2)',
    );
  }
  return text;
}

function readHeader(
  path: string,
  view: DataView<ArrayBuffer>,
  at: number,
  little: boolean,
): { contentEnd: number; packetEnd: number } {
  function fail(detail: string): never {
    throw new TraceReadError(path, at, detail);
  }
  const left = view.byteLength - at;
  if (left < METADATA_HEADER_SIZE) {
    fail(`${left} bytes are less than the header of a metadata packet`);
  }
  if (view.getUint32(at, little) !== METADATA_MAGIC) {
    fail("no metadata packet begins here");
  }
  const contentSize = view.getUint32(at + 24, little) / 8;
  const packetSize = view.getUint32(at + 28, little) / 8;
  for (const scheme of [32, 33]) {
    if (view.getUint8(at + scheme) !== 0) {
      fail("compressed or encrypted metadata is not supported");
    }
  }
  if (
    contentSize < METADATA_HEADER_SIZE || contentSize > packetSize ||
    !Number.isInteger(packetSize)
  ) {
    fail(`a metadata packet of ${packetSize} bytes with ${contentSize} used`);
  }
  if (packetSize > left) {
    fail(
      `a metadata packet of ${packetSize} bytes, of which ${left} are there`,
    );
  }
  return { contentEnd: at + contentSize, packetEnd: at + packetSize };
}
