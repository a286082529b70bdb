/**
 * Where a viewer's metadata goes on in another file that repeats it. The text
 * is the same there, but the packets that it comes in need not be.
 */

import { readAt } from "./file_range.ts";

/** The header of a TSDL metadata packet (CTF 1.8, section 7.1), bytes. */
const HEADER_BYTES = 37;
const MAGIC = 0x75D11D57;
/** Offsets in the header: u32, in bits. */
const CONTENT_SIZE_AT = 24;
const PACKET_SIZE_AT = 28;

interface Packet {
  readonly header: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** In bytes. */
  readonly textBytes: number;
  readonly size: number;
}

/** The first metadata that a viewer has not got. */
export interface Continuation {
  /** A packet of text from the middle of one; empty where it is not needed. */
  readonly head: Uint8Array;
  /** Where whole packets go on, bytes in the file. */
  readonly offset: number;
}

/**
 * How many bytes of text a file has from `begin` to `end`; undefined where
 * these are not metadata packets.
 */
export function textBytes(
  file: Deno.FsFile,
  begin: number,
  end: number,
): number | undefined {
  let sum = 0;
  for (let at = begin; at < end;) {
    const packet = readPacket(file, at, end);
    if (packet === undefined) return undefined;
    sum += packet.textBytes;
    at += packet.size;
  }
  return sum;
}

/**
 * Passes over the first `skip` bytes of text in a file of `end` bytes.
 * Returns undefined where there is no more than that, or no packet.
 */
export function continueAfter(
  file: Deno.FsFile,
  skip: number,
  end: number,
): Continuation | undefined {
  for (let at = 0; at < end;) {
    const packet = readPacket(file, at, end);
    if (packet === undefined) return undefined;
    if (skip === 0) return { head: new Uint8Array(), offset: at };
    if (skip < packet.textBytes) {
      const text = new Uint8Array(packet.textBytes - skip);
      if (!readAt(file, at + HEADER_BYTES + skip, text)) return undefined;
      return { head: packetOf(packet, text), offset: at + packet.size };
    }
    skip -= packet.textBytes;
    at += packet.size;
  }
  return undefined;
}

function readPacket(
  file: Deno.FsFile,
  at: number,
  end: number,
): Packet | undefined {
  const header = new Uint8Array(HEADER_BYTES);
  if (at + HEADER_BYTES > end || !readAt(file, at, header)) return undefined;
  const view = new DataView(header.buffer);
  const littleEndian = view.getUint32(0, true) === MAGIC;
  if (!littleEndian && view.getUint32(0) !== MAGIC) return undefined;
  const content = view.getUint32(CONTENT_SIZE_AT, littleEndian) / 8;
  const size = view.getUint32(PACKET_SIZE_AT, littleEndian) / 8;
  const whole = Number.isInteger(content) && Number.isInteger(size) &&
    content >= HEADER_BYTES && size >= content && at + size <= end;
  if (!whole) return undefined;
  return {
    header,
    view,
    littleEndian,
    textBytes: content - HEADER_BYTES,
    size,
  };
}

function packetOf(from: Packet, text: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + text.length);
  packet.set(from.header);
  packet.set(text, HEADER_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint32(CONTENT_SIZE_AT, packet.length * 8, from.littleEndian);
  view.setUint32(PACKET_SIZE_AT, packet.length * 8, from.littleEndian);
  return packet;
}
