/** Writes event packets: header, context, events, in a buffer of fixed size that is used again. */

import { Cursor, PACKET_FULL, setU64 } from "./cursor.ts";
import { type FieldWriter, prepareWriter } from "./encode.ts";
import type { EventClass } from "./event_class.ts";
import type { EventHeaderKind } from "./metadata.ts";
import type { PacketInfo } from "./sink.ts";
import type { ByteOrder } from "./types.ts";

/** The first four bytes of each event packet. */
export const PACKET_MAGIC = 0xC1FC1FC1;

/** Packets are padded to a multiple of this many bytes, a page in LTTng. */
export const PACKET_SIZE_UNIT = 4096;

/** Where the fields of packet header and context lie; `metadata.ts` says the same. */
const AT = {
  magic: 0,
  uuid: 4,
  streamClassId: 20,
  streamInstanceId: 24,
  timestampBegin: 32,
  timestampEnd: 40,
  contentSize: 48,
  packetSize: 56,
  sequenceNumber: 64,
  eventsDiscarded: 72,
  cpuId: 80,
} as const;

/** Size in bytes of packet header and packet context. */
export const PACKET_HEADER_SIZE = 84;

/** What never changes in the packets of one stream. */
export interface PacketWriterOptions {
  /** Bytes in the buffer: a multiple of {@linkcode PACKET_SIZE_UNIT}. */
  size: number;
  byteOrder: ByteOrder;
  /** The 16 bytes of the trace's UUID. */
  uuid: Uint8Array;
  streamClassId: number;
  streamInstanceId: number;
  eventHeader: EventHeaderKind;
}

/** An event class made ready for one stream class. */
export interface PreparedEvent {
  readonly id: number;
  readonly write: FieldWriter;
}

/** Makes `event` ready to be written under number `id`. */
export function prepareEvent(
  event: EventClass,
  id: number,
  byteOrder: ByteOrder,
): PreparedEvent {
  return { id, write: prepareWriter(event.payload, byteOrder, event.name) };
}

/** Timestamps closer than this fit the short form of an event header. */
const TIME_RANGE: Readonly<Record<EventHeaderKind, number>> = {
  compact: 2 ** 27,
  large: 2 ** 32,
};

/** Ids from here on need the long form. */
const EXTENDED_ID: Readonly<Record<EventHeaderKind, number>> = {
  compact: 31,
  large: 65535,
};

/**
 * One sub-buffer: {@linkcode begin}, {@linkcode write} until it says no,
 * {@linkcode end}, and {@linkcode content} until the next begin.
 */
export class PacketWriter {
  readonly #cursor: Cursor;
  readonly #little: boolean;
  readonly #options: PacketWriterOptions;
  readonly #isCompact: boolean;
  readonly #timeRange: number;
  readonly #extendedId: number;
  #begin = 0;
  #lastTime = 0;
  #events = 0;

  /** @throws {RangeError} where the size is not a multiple of 4096 bytes. */
  constructor(options: PacketWriterOptions) {
    const { size, streamClassId, streamInstanceId } = options;
    if (!Number.isInteger(size) || size < 1 || size % PACKET_SIZE_UNIT !== 0) {
      throw new RangeError(
        `Cannot make a sub-buffer: its size is ${size} bytes, ` +
          `not a multiple of ${PACKET_SIZE_UNIT}`,
      );
    }
    this.#options = options;
    this.#cursor = new Cursor(size);
    this.#little = options.byteOrder === "le";
    this.#isCompact = options.eventHeader === "compact";
    this.#timeRange = TIME_RANGE[options.eventHeader];
    this.#extendedId = EXTENDED_ID[options.eventHeader];
    const { view, bytes } = this.#cursor;
    view.setUint32(AT.magic, PACKET_MAGIC, this.#little);
    bytes.set(options.uuid, AT.uuid);
    view.setUint32(AT.streamClassId, streamClassId, this.#little);
    setU64(view, AT.streamInstanceId, streamInstanceId, this.#little);
    view.setUint32(AT.cpuId, streamInstanceId, this.#little);
  }

  /** Events written since {@linkcode begin}. */
  get events(): number {
    return this.#events;
  }

  /** The packet's bytes without its padding. */
  get content(): Uint8Array<ArrayBuffer> {
    const { bit, bytes, position } = this.#cursor;
    return bytes.subarray(0, bit === 0 ? position : position + 1);
  }

  /** Starts an empty packet at `time`, in clock ticks. */
  begin(time: number): void {
    this.#begin = time;
    this.#lastTime = time;
    this.#events = 0;
    this.#cursor.position = PACKET_HEADER_SIZE;
    this.#cursor.bit = 0;
  }

  /**
   * Writes one event, or returns `false` and leaves the packet as it was
   * where the event does not fit what is left.
   *
   * @throws {RangeError | TypeError} where a value does not fit its field; the
   * packet is left as it was.
   */
  write(event: PreparedEvent, time: number, values: unknown): boolean {
    const cursor = this.#cursor;
    const { position, bit } = cursor;
    try {
      this.#writeHeader(event.id, time);
      event.write(cursor, values);
    } catch (error) {
      cursor.position = position;
      cursor.bit = bit;
      if (error === PACKET_FULL) return false;
      throw error;
    }
    this.#lastTime = time;
    this.#events++;
    return true;
  }

  /** Finishes the packet; `eventsDiscarded` is the stream's running total. */
  end(
    time: number,
    eventsDiscarded: number,
    sequenceNumber: number,
  ): PacketInfo {
    const { view, bits } = this.#cursor;
    const little = this.#little;
    const packetSize = 8 * PACKET_SIZE_UNIT *
      Math.ceil(bits / (8 * PACKET_SIZE_UNIT));
    setU64(view, AT.timestampBegin, this.#begin, little);
    setU64(view, AT.timestampEnd, time, little);
    setU64(view, AT.contentSize, bits, little);
    setU64(view, AT.packetSize, packetSize, little);
    setU64(view, AT.sequenceNumber, sequenceNumber, little);
    setU64(view, AT.eventsDiscarded, eventsDiscarded, little);
    return {
      packetSize: BigInt(packetSize),
      contentSize: BigInt(bits),
      timestampBegin: BigInt(this.#begin),
      timestampEnd: BigInt(time),
      eventsDiscarded: BigInt(eventsDiscarded),
      streamClassId: BigInt(this.#options.streamClassId),
      streamInstanceId: BigInt(this.#options.streamInstanceId),
      packetSequenceNumber: BigInt(sequenceNumber),
    };
  }

  #writeHeader(id: number, time: number): void {
    const cursor = this.#cursor;
    cursor.alignToByte();
    // The first event of a packet carries its whole time, as in LTTng: what
    // comes before it need not be known to read on from here.
    const isShort = this.#events > 0 && id < this.#extendedId &&
      time - this.#lastTime < this.#timeRange;
    if (isShort) this.#writeShortHeader(id, time);
    else this.#writeLongHeader(id, time);
  }

  #writeShortHeader(id: number, time: number): void {
    const { view } = this.#cursor;
    const little = this.#little;
    if (!this.#isCompact) {
      const at = this.#cursor.take(6);
      view.setUint16(at, id, little);
      view.setUint32(at + 2, time >>> 0, little);
      return;
    }
    // 5 and 27 bits side by side: the id comes first, which is the low end in
    // little-endian and the high end in big-endian.
    const ticks = (time >>> 0) & 0x7FF_FFFF;
    const word = little ? ticks * 32 + id : id * 2 ** 27 + ticks;
    view.setUint32(this.#cursor.take(4), word, little);
  }

  #writeLongHeader(id: number, time: number): void {
    const { view } = this.#cursor;
    const little = this.#little;
    const prefix = this.#isCompact ? 1 : 2;
    const at = this.#cursor.take(prefix + 12);
    if (this.#isCompact) view.setUint8(at, little ? 31 : 31 << 3);
    else view.setUint16(at, 65535, little);
    view.setUint32(at + prefix, id, little);
    setU64(view, at + prefix + 4, time, little);
  }
}
