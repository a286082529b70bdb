/** Metadata in packets, as LTTng-UST sends and stores it (CTF 1.8 §7.1). */

import type { ByteOrder } from "./types.ts";

/** The first four bytes of each metadata packet. */
export const METADATA_MAGIC = 0x75D11D57;

/** Size in bytes of a metadata packet with its padding, as in LTTng-UST. */
export const METADATA_PACKET_SIZE = 4096;

/** Magic, UUID, checksum, two sizes, three schemes, major and minor. */
export const METADATA_HEADER_SIZE = 4 + 16 + 4 + 4 + 4 + 5;

/**
 * `text` in as many packets as it needs, each
 * {@linkcode METADATA_PACKET_SIZE} bytes long and filled up with zeros. Text
 * of its own declarations makes a whole unit: readers can take in one result
 * of this function after the other.
 */
export function packMetadata(
  text: string,
  uuid: Uint8Array,
  byteOrder: ByteOrder,
): Uint8Array<ArrayBuffer> {
  const content = new TextEncoder().encode(text);
  const room = METADATA_PACKET_SIZE - METADATA_HEADER_SIZE;
  const count = Math.ceil(content.length / room);
  const bytes = new Uint8Array(count * METADATA_PACKET_SIZE);
  for (let index = 0; index < count; index++) {
    const part = content.subarray(index * room, (index + 1) * room);
    const start = index * METADATA_PACKET_SIZE;
    writeHeader(
      new DataView(bytes.buffer, start, METADATA_HEADER_SIZE),
      part.length,
      uuid,
      byteOrder === "le",
    );
    bytes.set(part, start + METADATA_HEADER_SIZE);
  }
  return bytes;
}

function writeHeader(
  view: DataView<ArrayBuffer>,
  textLength: number,
  uuid: Uint8Array,
  little: boolean,
): void {
  view.setUint32(0, METADATA_MAGIC, little);
  new Uint8Array(view.buffer, view.byteOffset + 4, 16).set(uuid);
  view.setUint32(20, 0, little); // No checksum.
  view.setUint32(24, (METADATA_HEADER_SIZE + textLength) * 8, little);
  view.setUint32(28, METADATA_PACKET_SIZE * 8, little);
  view.setUint8(32, 0); // Not compressed,
  view.setUint8(33, 0); // not encrypted,
  view.setUint8(34, 0); // and no checksum scheme.
  view.setUint8(35, 1); // CTF 1.8.
  view.setUint8(36, 8);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The 16 bytes of a UUID.
 *
 * @throws {RangeError} where the text is not a UUID.
 */
export function parseUuid(text: string): Uint8Array<ArrayBuffer> {
  if (!UUID.test(text)) {
    throw new RangeError(`Cannot read a UUID: "${text}"`);
  }
  return Uint8Array.fromHex(text.replaceAll("-", ""));
}
