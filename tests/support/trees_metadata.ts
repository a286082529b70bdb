/** Reads packetised CTF 1.8 metadata in tests, without what differs from run to run. */

const MAGIC = 0x75d11d57;
const HEADER_BYTES = 37;

/**
 * The lines of text in a packetised metadata file, with what differs from run
 * to run replaced.
 *
 * @throws {Error} When a packet is damaged.
 */
export function metadataLines(bytes: Uint8Array): string[] {
  return normaliseMetadata(metadataText(bytes)).split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The text in the packets of a metadata file. */
export function metadataText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at < bytes.length;) {
    if (at + HEADER_BYTES > bytes.length) {
      throw new Error(`Metadata packet cut at ${bytes.length - at} bytes`);
    }
    const magic = view.getUint32(at, true);
    if (magic !== MAGIC) {
      throw new Error(`Not a metadata packet: ${magic.toString(16)} at ${at}`);
    }
    const content = view.getUint32(at + 24, true) / 8;
    const size = view.getUint32(at + 28, true) / 8;
    if (content < HEADER_BYTES || size < content || at + size > bytes.length) {
      throw new Error(
        `Metadata packet of ${content} in ${size} bytes at ${at}, ` +
          `file of ${bytes.length}`,
      );
    }
    const padding = bytes.subarray(at + content, at + size);
    if (padding.some((byte) => byte !== 0)) {
      throw new Error(`Metadata padding is not zero at ${at + content}`);
    }
    text += decoder.decode(bytes.subarray(at + HEADER_BYTES, at + content));
    at += size;
  }
  return text;
}

/** Metadata text with unique ids, times and process ids replaced. */
export function normaliseMetadata(text: string): string {
  return text
    .replace(/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"UUID"')
    .replace(/\b(offset|vpid|vtid|freq|tracer_buffering_id) = \d+/g, "$1 = N")
    .replace(/\d{8}T\d{6}[+-]\d{4}/g, "DATETIME");
}
