/** Reads one stream: its packets in order of time, one at a time, and what is missing between them. */

import { PacketCursor } from "./bits.ts";
import {
  asReadError,
  type DataFile,
  type PacketPlace,
  readPacket,
} from "./data_file.ts";
import {
  type ErrorListener,
  type LossRecord,
  type Message,
  type StreamInfo,
  TraceReadError,
} from "./model.ts";
import type { PacketStart, StreamDecoder } from "./trace_decoder.ts";
import type { StructValue } from "./model.ts";

/** The times between which messages are wanted: nanoseconds since 1970. */
export interface TimeRange {
  readonly begin?: bigint | undefined;
  readonly end?: bigint | undefined;
}

/** One stream, which may lie in several data files. */
export class EventSource {
  readonly #places: readonly PacketPlace[];
  readonly #infos: ReadonlyMap<DataFile, StreamInfo>;
  readonly #range: TimeRange;
  readonly #onError: ErrorListener;
  readonly #cursor = new PacketCursor(new Uint8Array(0));
  readonly #losses: LossRecord[] = [];
  #next = 0;
  #place: PacketPlace | undefined;
  #previous: PacketStart | undefined;
  #decoder: StreamDecoder | undefined;
  #info: StreamInfo | undefined;
  #context: StructValue | undefined;
  /** What is wrong with the packet's size: told after its events. */
  #doubt: string | undefined;

  constructor(
    places: readonly PacketPlace[],
    infos: ReadonlyMap<DataFile, StreamInfo>,
    range: TimeRange,
    onError: ErrorListener,
  ) {
    this.#places = places;
    this.#infos = infos;
    this.#range = range;
    this.#onError = onError;
    this.#next = this.#firstPacket();
  }

  /** The packet before the first in range: its counters are needed. */
  #firstPacket(): number {
    const { begin } = this.#range;
    if (begin === undefined) return 0;
    const first = this.#places.findIndex(({ file, end }) =>
      end === undefined || file.start.stream.nanoseconds(end) >= begin
    );
    return Math.max(0, (first < 0 ? this.#places.length : first) - 1);
  }

  /** The stream's next message in range. */
  next(): Message | undefined {
    const { begin, end } = this.#range;
    for (;;) {
      const message = this.#losses.shift() ?? this.#nextEvent();
      if (message === undefined) {
        if (this.#openNext()) continue;
        return undefined;
      }
      if (end !== undefined && message.timestamp > end) return undefined;
      if (begin === undefined) return message;
      const last = message.kind === "event" ? undefined : message.end;
      if ((last ?? message.timestamp) >= begin) return message;
    }
  }

  /** The packet's next event; a damaged one ends the packet. */
  #nextEvent(): Message | undefined {
    const cursor = this.#cursor;
    const place = this.#place;
    if (!place) return undefined;
    const before = cursor.position;
    if (before < cursor.end) {
      try {
        return this.#decoder!.readEvent(cursor, this.#info!, this.#context);
      } catch (error) {
        this.#place = undefined;
        const offset = place.offset + Math.floor(before / 8);
        this.#onError(asReadError(error, place.file.path, offset));
        return undefined;
      }
    }
    this.#place = undefined;
    if (this.#doubt !== undefined) {
      const { file, offset } = place;
      this.#onError(new TraceReadError(file.path, offset, this.#doubt));
    }
    return undefined;
  }

  /** Goes to the next packet; false after the last. */
  #openNext(): boolean {
    const place = this.#places[this.#next++];
    if (!place) return false;
    try {
      this.#open(place);
    } catch (error) {
      this.#place = undefined;
      this.#onError(asReadError(error, place.file.path, place.offset));
    }
    return true;
  }

  #open(place: PacketPlace): void {
    const cursor = this.#cursor;
    const bytes = readPacket(place, cursor.bytes);
    const room = place.size * 8;
    cursor.reset(bytes, room);
    const start = place.file.decoder.readStart(cursor);
    const content = Number(start.contentSize ?? BigInt(place.wantedSize * 8));
    this.#doubt = doubtAbout(place, start, content);
    cursor.end = Math.min(content, room);
    if (cursor.position > cursor.end) {
      throw new RangeError(
        `a packet's content of ${content} bits is less than its header`,
      );
    }
    this.#info = this.#infos.get(place.file)!;
    this.#noteLosses(start);
    this.#previous = start;
    this.#decoder = start.stream;
    this.#context = start.context;
    this.#place = place;
  }

  #noteLosses(start: PacketStart): void {
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
      stream: this.#infos.get(this.#places[0]!.file)!,
      ...(count === undefined ? {} : { count }),
      ...(begin === undefined
        ? {}
        : { begin: nanoseconds(begin), beginCycles: begin }),
      ...(end === undefined ? {} : { end: nanoseconds(end), endCycles: end }),
    };
  }
}

function doubtAbout(
  place: PacketPlace,
  start: PacketStart,
  content: number,
): string | undefined {
  const { size, wantedSize } = place;
  if (size < wantedSize) {
    return `a packet of ${wantedSize} bytes, of which ${size} are there`;
  }
  if (content > wantedSize * 8) {
    return `a packet of ${wantedSize * 8} bits with a content of ${content}`;
  }
  const said = start.packetSize;
  if (said !== undefined && said !== BigInt(wantedSize * 8)) {
    return `a packet of ${said} bits, ${wantedSize * 8} by its index`;
  }
  return undefined;
}
