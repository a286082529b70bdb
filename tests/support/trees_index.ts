/** Reads CTF index files in tests, independently of the code under test. */

const MAGIC = 0xc1f1dcc1;
const HEADER_BYTES = 16;

/** One packet, as the index file lists it. */
export interface IndexEntry {
  /** Offset of the packet in the data file (bytes). */
  readonly offset: bigint;
  /** Size with padding (bits). */
  readonly packetSize: bigint;
  /** Size without padding (bits). */
  readonly contentSize: bigint;
  readonly timestampBegin: bigint;
  readonly timestampEnd: bigint;
  readonly eventsDiscarded: bigint;
  readonly streamId: bigint;
  readonly streamInstanceId: bigint;
  readonly packetSequenceNumber: bigint;
}

/** What an index file holds. */
export interface IndexFile {
  /** Major and minor number and entry length. */
  readonly version: string;
  readonly entries: readonly IndexEntry[];
}

/**
 * Decodes an index file.
 *
 * @throws {Error} When it is short or starts with another magic number.
 */
export function decodeIndexFile(bytes: Uint8Array): IndexFile {
  if (bytes.length < HEADER_BYTES) {
    throw new Error(`Index file too short: ${bytes.length} < ${HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  if (magic !== MAGIC) {
    throw new Error(`Not an index file: magic number ${magic.toString(16)}`);
  }
  const entryBytes = view.getUint32(12);
  const body = bytes.length - HEADER_BYTES;
  if (entryBytes === 0 || body % entryBytes !== 0) {
    throw new Error(`Index file of ${body} bytes, entries of ${entryBytes}`);
  }
  const entries: IndexEntry[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; at += entryBytes) {
    entries.push(decodeEntry(view, at, entryBytes));
  }
  const version = `${view.getUint32(4)}.${view.getUint32(8)} ${entryBytes}`;
  return { version, entries };
}

function decodeEntry(
  view: DataView,
  at: number,
  entryBytes: number,
): IndexEntry {
  const field = (number: number): bigint =>
    (number + 1) * 8 <= entryBytes ? view.getBigUint64(at + number * 8) : -1n;
  return {
    offset: field(0),
    packetSize: field(1),
    contentSize: field(2),
    timestampBegin: field(3),
    timestampEnd: field(4),
    eventsDiscarded: field(5),
    streamId: field(6),
    streamInstanceId: field(7),
    packetSequenceNumber: field(8),
  };
}
