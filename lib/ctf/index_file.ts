/**
 * The CTF index file that lies beside each data file: its header, its entries,
 * both minors. Format: lttng-tools 2.13, "CTF index" 1.0 and 1.1.
 */

/** The first four bytes of an index file, read as a big-endian u32. */
export const INDEX_MAGIC = 0xC1F1DCC1;

/** The only major version there is. */
export const INDEX_MAJOR = 1;

/** Size in bytes of the header of an index file. */
export const INDEX_HEADER_SIZE = 16;

/** 1.0 has seven fields an entry; 1.1 adds stream instance and sequence number. */
export type IndexMinor = 0 | 1;

/** Where one packet lies in its data file, and what the packet says of itself. */
export interface IndexEntry {
  /** Offset of the packet in the data file, in bytes. */
  offset: bigint;
  /** Packet size with its padding, in bits. */
  packetSize: bigint;
  /** Packet size without its padding, in bits. */
  contentSize: bigint;
  /** Clock value at the packet's beginning. */
  timestampBegin: bigint;
  /** Clock value at the packet's end. */
  timestampEnd: bigint;
  /** Events discarded in the stream so far (a running total). */
  eventsDiscarded: bigint;
  /** Id of the CTF stream class, which LTTng calls the channel. */
  streamId: bigint;
  /** Which stream of that class: the CPU number in LTTng. 1.1 only. */
  streamInstanceId?: bigint;
  /** Position of the packet in its stream, from 0. 1.1 only. */
  packetSequenceNumber?: bigint;
}

/** A whole index file, decoded. */
export interface IndexFile {
  minor: IndexMinor;
  entries: IndexEntry[];
}

/** What an index 1.1 entry holds where the value was never told. */
const UNKNOWN = 0xFFFF_FFFF_FFFF_FFFFn;

/** The declared layout: every field is a big-endian u64, in this order. */
const FIELDS = [
  "offset",
  "packetSize",
  "contentSize",
  "timestampBegin",
  "timestampEnd",
  "eventsDiscarded",
  "streamId",
  "streamInstanceId",
  "packetSequenceNumber",
] as const satisfies readonly (keyof IndexEntry)[];

/** How many of {@linkcode FIELDS} a minor has. */
const FIELD_COUNT: Readonly<Record<IndexMinor, number>> = { 0: 7, 1: 9 };

const FIELD_SIZE = 8;

/** Size in bytes of one entry: 56 for index 1.0, 72 for index 1.1. */
export function entrySize(minor: IndexMinor): number {
  return FIELD_COUNT[minor] * FIELD_SIZE;
}

/** The 16 bytes that open an index file. */
export function indexHeader(minor: IndexMinor): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(INDEX_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, INDEX_MAGIC);
  view.setUint32(4, INDEX_MAJOR);
  view.setUint32(8, minor);
  view.setUint32(12, entrySize(minor));
  return bytes;
}

/**
 * One entry as it lies in the file. In 1.1 a field that is not given is
 * written as all ones, which is how LTTng says "unknown".
 *
 * @throws {RangeError} where a value does not fit an unsigned 64-bit integer.
 */
export function encodeIndexEntry(
  entry: IndexEntry,
  minor: IndexMinor,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(entrySize(minor));
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < FIELD_COUNT[minor]; index++) {
    const name = FIELDS[index]!;
    const value = entry[name] ?? UNKNOWN;
    if (BigInt.asUintN(64, value) !== value) {
      throw new RangeError(
        `Cannot encode an index entry: ${name} is ${value}, not in 0..2^64-1`,
      );
    }
    view.setBigUint64(index * FIELD_SIZE, value);
  }
  return bytes;
}

/**
 * Every entry of an index file. Entries longer than ours (a later minor) are
 * read as far as they are known.
 *
 * @throws {RangeError} where the file is not a CTF index 1.x or was cut short.
 */
export function decodeIndexFile(bytes: Uint8Array): IndexFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { minor, stride } = decodeIndexHeader(bytes);
  const body = bytes.length - INDEX_HEADER_SIZE;
  if (body % stride !== 0) {
    throw new RangeError(
      `Cannot decode an index file: ${body} bytes of entries are not a ` +
        `multiple of the entry size ${stride}`,
    );
  }
  const entries: IndexEntry[] = [];
  for (let at = INDEX_HEADER_SIZE; at < bytes.length; at += stride) {
    entries.push(decodeEntryAt(view, at, minor));
  }
  return { minor, entries };
}

/**
 * One entry from its own bytes.
 *
 * @throws {RangeError} where there are fewer bytes than the minor's entry has.
 */
export function decodeIndexEntry(
  bytes: Uint8Array,
  minor: IndexMinor,
): IndexEntry {
  if (bytes.length < entrySize(minor)) {
    throw new RangeError(
      `Cannot decode an index entry: ${bytes.length} bytes, ` +
        `${entrySize(minor)} needed`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeEntryAt(view, 0, minor);
}

/**
 * The minor of an index file, and how many bytes each of its entries has.
 *
 * @throws {RangeError} where the bytes do not begin a CTF index 1.x.
 */
export function decodeIndexHeader(
  bytes: Uint8Array,
): { minor: IndexMinor; stride: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < INDEX_HEADER_SIZE) {
    throw new RangeError(
      `Cannot decode an index file: ${view.byteLength} bytes, ` +
        `its header alone has ${INDEX_HEADER_SIZE}`,
    );
  }
  const magic = view.getUint32(0);
  if (magic !== INDEX_MAGIC) {
    throw new RangeError(
      `Cannot decode an index file: it begins with 0x${magic.toString(16)}, ` +
        `not 0x${INDEX_MAGIC.toString(16)}`,
    );
  }
  const major = view.getUint32(4);
  if (major !== INDEX_MAJOR) {
    throw new RangeError(
      `Cannot decode an index file: its major version is ${major}, ` +
        `not ${INDEX_MAJOR}`,
    );
  }
  const minor: IndexMinor = view.getUint32(8) === 0 ? 0 : 1;
  const stride = view.getUint32(12);
  if (stride < entrySize(minor)) {
    throw new RangeError(
      `Cannot decode an index file: its entries have ${stride} bytes, ` +
        `${entrySize(minor)} needed`,
    );
  }
  return { minor, stride };
}

function decodeEntryAt(
  view: DataView,
  at: number,
  minor: IndexMinor,
): IndexEntry {
  function read(index: number): bigint {
    return view.getBigUint64(at + index * FIELD_SIZE);
  }
  const entry: IndexEntry = {
    offset: read(0),
    packetSize: read(1),
    contentSize: read(2),
    timestampBegin: read(3),
    timestampEnd: read(4),
    eventsDiscarded: read(5),
    streamId: read(6),
  };
  if (minor === 1) {
    entry.streamInstanceId = read(7);
    entry.packetSequenceNumber = read(8);
  }
  return entry;
}
