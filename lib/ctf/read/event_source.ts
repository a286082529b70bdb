/** Reads one stream: its events one at a time, and what is missing between its packets. */

import { PacketCursor, PacketEndError } from "./bits.ts";
import { type Moment, setMoment, timeOf } from "./clock.ts";
import { asReadError } from "./data_file.ts";
import {
  type ErrorListener,
  type EventRecord,
  type LossRecord,
  type StreamInfo,
  TraceReadError,
} from "./model.ts";
import type { OpenPacket, PacketInput } from "./packet_input.ts";
import type { EventDecoder, PacketStart } from "./trace_decoder.ts";

/** The times between which messages are wanted: nanoseconds since 1970. */
export interface TimeRange {
  readonly begin?: bigint | undefined;
  readonly end?: bigint | undefined;
}

/**
 * Stands at one message of a stream after the other. An event's fields are not
 * read before somebody takes it, in the way that suits: as values, as text, or
 * not at all.
 */
export class EventSource implements Moment {
  /** The time of the message, or before which none can come. */
  seconds: number = -Infinity;
  nanoseconds: number = 0;
  /** Whether it stands at a message. */
  hasMessage: boolean = false;
  /** The message, if it is no event. */
  loss: LossRecord | undefined;
  /** The event's class, if it is one. */
  event!: EventDecoder;
  /** The packet that the event is in. */
  packet: OpenPacket | undefined;
  /** At the event's fields. */
  readonly cursor: PacketCursor = new PacketCursor(new Uint8Array(0));
  /** Decides between messages of the same time. */
  readonly order: number;

  readonly #input: PacketInput;
  readonly #range: TimeRange;
  readonly #onError: ErrorListener;
  readonly #losses: LossRecord[] = [];
  /** By how many bits the packet begins before the cursor's bytes. */
  #shift = 0;
  /** The last bit of the packet's content. */
  #end = 0;
  #previous: PacketStart | undefined;
  /** Where in the packet the event begins, in bits. */
  #eventAt = -1;
  /** Whether it is past the end of the range. */
  #isOver = false;
  /** Whether the event's fields are still to be gone over. */
  #isUntaken = false;
  /** What is wrong with the packet's size: told after its events. */
  #doubt: string | undefined;

  constructor(
    input: PacketInput,
    order: number,
    range: TimeRange,
    onError: ErrorListener,
  ) {
    this.#input = input;
    this.order = order;
    this.#range = range;
    this.#onError = onError;
  }

  /** The stream that the message is of. */
  get stream(): StreamInfo {
    return this.loss?.stream ?? this.packet!.stream;
  }

  /** Goes to the next message; false where there is none, or none yet. */
  advance(): boolean {
    if (this.#isUntaken) this.take((source) => source.skip());
    this.hasMessage = this.#findNext();
    return this.hasMessage;
  }

  /** Whether there will be no more messages. */
  get isEnded(): boolean {
    return this.#isOver || !this.hasMessage && this.#input.isEnded;
  }

  /**
   * Without a message, goes to the time before which none can come, where its
   * input knows of a later one; returns whether it did.
   */
  wait(): boolean {
    const until = this.#input.knownUntil;
    if (until === undefined) return false;
    const isLater = this.seconds === -Infinity || until > timeOf(this);
    if (isLater) setMoment(this, until);
    return isLater;
  }

  #finish(): false {
    this.#isOver = true;
    this.#isUntaken = false;
    this.packet = undefined;
    return false;
  }

  #findNext(): boolean {
    if (this.#isOver) return false;
    const { begin, end } = this.#range;
    for (;;) {
      const loss = this.loss = this.#losses.shift();
      if (loss) {
        setMoment(this, loss.timestamp);
        if (end !== undefined && loss.timestamp > end) return this.#finish();
        if (begin === undefined) return true;
        if ((loss.end ?? loss.timestamp) >= begin) return true;
      } else if (this.packet && this.#readHeader()) {
        if (end !== undefined && timeOf(this) > end) return this.#finish();
        if (begin === undefined || timeOf(this) >= begin) return true;
        this.take((source) => source.skip());
      } else if (!this.packet && !this.#openNext()) return false;
    }
  }

  /** Reads the next event's header; at a packet's end it closes that. */
  #readHeader(): boolean {
    const { cursor } = this;
    const { stream } = this.packet!.start;
    if (cursor.position >= cursor.end && !this.#more()) {
      this.#close();
      return false;
    }
    if (cursor.position + this.#shift === this.#eventAt) {
      this.#fail(
        new RangeError(`event ${this.event.class.name} takes no room`),
      );
      return false;
    }
    this.#eventAt = cursor.position + this.#shift;
    for (;;) {
      const before = cursor.position;
      try {
        cursor.eventId = 0;
        stream.readHeader(cursor);
        this.event = stream.eventOf(cursor.eventId);
        stream.setMoment(cursor.clock, this);
        this.#isUntaken = true;
        return true;
      } catch (error) {
        cursor.position = before;
        if (error instanceof PacketEndError && this.#more()) continue;
        this.#fail(error);
        return false;
      }
    }
  }

  /**
   * Goes over the event's fields with `read`, which may be called twice, and
   * returns what that does; nothing where they are damaged.
   */
  take<Result>(read: (source: this) => Result): Result | undefined {
    const { cursor } = this;
    this.#isUntaken = false;
    for (;;) {
      const before = cursor.position;
      try {
        return read(this);
      } catch (error) {
        cursor.position = before;
        if (error instanceof PacketEndError && this.#more()) continue;
        this.#fail(error);
        return undefined;
      }
    }
  }

  /** For {@linkcode take}: leaves the event out. */
  skip(): void {
    this.event.skip(this.cursor);
  }

  /** For {@linkcode take}: the event's values. */
  record(): EventRecord {
    const { cursor, event } = this;
    const { start, stream } = this.packet!;
    const { streamContext, context, payload } = event.read(cursor);
    return {
      kind: "event",
      timestamp: timeOf(this),
      cycles: cursor.clock.ticks,
      stream,
      class: event.class,
      packetContext: start.context,
      streamContext,
      context,
      payload,
    };
  }

  /** Brings in more of the packet, if there is more. */
  #more(): boolean {
    const { cursor } = this;
    if (cursor.end + this.#shift >= this.#end) return false;
    const shift = this.#input.more(cursor);
    if (shift === undefined) return false;
    this.#shift = shift;
    cursor.end = Math.min(cursor.end, this.#end - shift);
    return cursor.position < cursor.end;
  }

  /** The event, and with it the rest of the packet, cannot be read. */
  #fail(error: unknown): void {
    const { path, offset } = this.packet!;
    const at = Math.floor((this.cursor.position + this.#shift) / 8);
    this.packet = undefined;
    this.#onError(asReadError(error, path, offset + at));
  }

  #close(): void {
    const { path, offset } = this.packet!;
    this.packet = undefined;
    if (this.#doubt === undefined) return;
    this.#onError(new TraceReadError(path, offset, this.#doubt));
  }

  /** Goes to the next packet; false where there is none. */
  #openNext(): boolean {
    try {
      const packet = this.#input.next(this.cursor);
      if (!packet) return false;
      this.#open(packet);
    } catch (error) {
      if (!(error instanceof TraceReadError)) throw error;
      this.#onError(error);
    }
    return true;
  }

  #open(packet: OpenPacket): void {
    const { cursor } = this;
    const { start, room, wantedRoom, path, offset } = packet;
    const content = Number(start.contentSize ?? BigInt(wantedRoom));
    if (content < start.headerSize) {
      throw new TraceReadError(
        path,
        offset,
        `a packet's content of ${content} bits is less than its header`,
      );
    }
    this.#doubt = doubtAbout(packet, content);
    this.#shift = 0;
    this.#eventAt = -1;
    this.#end = this.#isEarlier(start)
      ? start.headerSize
      : Math.min(content, room);
    cursor.end = Math.min(cursor.end, this.#end);
    this.#noteLosses(packet);
    this.#previous = start;
    this.packet = packet;
  }

  /** Whether all that a packet has is before the range. */
  #isEarlier({ stream, timestampEnd }: PacketStart): boolean {
    const { begin } = this.#range;
    return begin !== undefined && timestampEnd !== undefined &&
      stream.nanoseconds(timestampEnd) < begin;
  }

  #noteLosses({ start }: OpenPacket): void {
    const previous = this.#previous;
    const { eventsDiscarded, sequenceNumber } = start;
    const before = previous?.eventsDiscarded;
    if (eventsDiscarded !== undefined && eventsDiscarded > (before ?? 0n)) {
      // What the first packet counts was lost before it, or in it: how much
      // of it in this recording cannot be known.
      this.#losses.push(
        before === undefined
          ? this.#loss("discarded_events", start, undefined, {
            begin: start.timestampBegin,
            end: start.timestampEnd,
          })
          : this.#loss("discarded_events", start, eventsDiscarded - before, {
            begin: previous?.timestampEnd,
            end: start.timestampEnd,
          }),
      );
    }
    const expected = previous?.sequenceNumber;
    if (
      sequenceNumber !== undefined && expected !== undefined &&
      sequenceNumber > expected + 1n
    ) {
      this.#losses.push(
        this.#loss("lost_packets", start, sequenceNumber - expected - 1n, {
          begin: previous?.timestampEnd,
          end: start.timestampBegin,
        }),
      );
    }
  }

  #loss(
    kind: LossRecord["kind"],
    start: PacketStart,
    count: bigint | undefined,
    range: { begin: bigint | undefined; end: bigint | undefined },
  ): LossRecord {
    const { begin, end } = range;
    const { nanoseconds } = start.stream;
    const at = begin ?? start.timestampBegin ?? 0n;
    return {
      kind,
      timestamp: nanoseconds(at),
      stream: this.#input.stream,
      ...(count === undefined ? {} : { count }),
      ...(begin === undefined
        ? {}
        : { begin: nanoseconds(begin), beginCycles: begin }),
      ...(end === undefined ? {} : { end: nanoseconds(end), endCycles: end }),
    };
  }
}

function doubtAbout(
  { start, room, wantedRoom }: OpenPacket,
  content: number,
): string | undefined {
  if (room < wantedRoom) {
    return `a packet of ${wantedRoom / 8} bytes, of which ${
      room / 8
    } are there`;
  }
  if (content > wantedRoom) {
    return `a packet of ${wantedRoom} bits with a content of ${content}`;
  }
  return start.packetSize !== undefined && start.packetSize > BigInt(wantedRoom)
    ? `a packet of ${start.packetSize} bits, ${wantedRoom} by its index`
    : undefined;
}
