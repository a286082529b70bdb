/** Decodes the packets of one trace: their beginnings, and events one after the other. */

import type { PacketCursor } from "./bits.ts";
import type { EventBlock, StreamBlock, TraceBlocks } from "./blocks.ts";
import { type MomentSetter, momentSetter, nanosecondsOf } from "./clock.ts";
import { type HeaderReader, makeHeaderReader } from "./event_header.ts";
import { type FieldReader, makeStructReader } from "./field_reader.ts";
import type {
  ClockClass,
  EventClass,
  FieldClass,
  Root,
  StreamClass,
  StructClass,
  StructValue,
  TraceClass,
  Value,
} from "./model.ts";
import { RoleFinder, type VisiblePart, visiblePart } from "./packet_roles.ts";
import { type Field, Resolver } from "./resolve.ts";
import { makeSkipper, type Skipper } from "./skip.ts";

/** The first four bytes of each event packet. */
const PACKET_MAGIC = 0xC1FC1FC1;

/** What a packet's header and context say; sizes in bits, times in ticks. */
export interface PacketStart {
  readonly stream: StreamDecoder;
  readonly instanceId: bigint | undefined;
  readonly packetSize: bigint | undefined;
  readonly contentSize: bigint | undefined;
  readonly timestampBegin: bigint | undefined;
  readonly timestampEnd: bigint | undefined;
  readonly eventsDiscarded: bigint | undefined;
  readonly sequenceNumber: bigint | undefined;
  /** Members as in `StreamClass.packetContext`. */
  readonly context: StructValue | undefined;
  /** Bits of the header and the context. */
  readonly headerSize: number;
}

/** A struct of the trace, and what reads it. */
interface Place {
  readonly read: FieldReader<Value[]>;
  readonly roles: RoleFinder;
}

function makePlace(field: Field<StructClass> | undefined): Place | undefined {
  return field &&
    { read: makeStructReader(field), roles: new RoleFinder(field.class) };
}

/** Decodes what the classes of one metadata file describe. */
export class TraceDecoder {
  readonly trace: TraceClass;
  readonly #header: Place | undefined;
  readonly #streams = new Map<bigint, StreamDecoder>();

  /** @throws {SyntaxError} where the metadata's parts do not fit together. */
  constructor(path: string, blocks: TraceBlocks) {
    const resolver = new Resolver();
    const header = blocks.packetHeader &&
      resolver.resolve("trace.packet.header", blocks.packetHeader);
    for (const block of streamBlocks(blocks)) {
      this.#streams.set(block.id, new StreamDecoder(block, blocks, resolver));
    }
    this.#header = makePlace(header);
    this.trace = {
      path,
      environment: blocks.environment,
      clocks: blocks.clocks,
      streams: new Map(
        [...this.#streams].map(([id, decoder]) => [id, decoder.class]),
      ),
      ...(blocks.byteOrder === undefined
        ? {}
        : { byteOrder: blocks.byteOrder }),
      ...(blocks.uuid === undefined ? {} : { uuid: blocks.uuid }),
      ...(blocks.uid === undefined ? {} : { uid: blocks.uid }),
    };
  }

  /**
   * Reads a packet's header and context; the cursor is then at its first event.
   *
   * @throws {RangeError} where the bytes are no packet of this trace.
   */
  readStart(cursor: PacketCursor): PacketStart {
    const header = this.#header?.roles;
    const values = this.#header?.read(cursor) ?? [];
    const magic = header?.integer(values, "magic");
    if (magic !== undefined && Number(magic) !== PACKET_MAGIC) {
      throw new RangeError(
        `no packet begins here: its magic is 0x${magic.toString(16)}`,
      );
    }
    this.#checkUuid(header?.find(values, "trace-uuid"));
    const stream = this.#streamOf(header?.integer(values, "stream-class-id"));
    const context = stream.packetContext?.roles;
    const fields = stream.packetContext?.read(cursor) ?? [];
    const begin = context?.integer(fields, "timestamp");
    cursor.clock.set(begin ?? 0n);
    return {
      stream,
      instanceId: header?.integer(values, "stream-id"),
      packetSize: context?.integer(fields, "packet-size"),
      contentSize: context?.integer(fields, "content-size"),
      timestampBegin: begin,
      timestampEnd: context?.integer(fields, "timestamp-end"),
      eventsDiscarded: context?.integer(fields, "events-discarded"),
      sequenceNumber: context?.integer(fields, "sequence-number"),
      context: stream.visible?.of(fields),
      headerSize: cursor.position,
    };
  }

  /**
   * Nanoseconds since 1970 of ticks in a stream class, or where that is not
   * known of any: LTTng's traces have one clock.
   */
  nanosecondsOf(id: bigint | undefined, ticks: bigint): bigint | undefined {
    const stream = (id === undefined ? undefined : this.#streams.get(id)) ??
      this.#streams.values().next().value;
    return stream?.nanoseconds(ticks);
  }

  #checkUuid(found: Value | undefined): void {
    const { uuid } = this.trace;
    if (typeof found !== "object" || uuid === undefined) return;
    const text = Uint8Array.from(found as ArrayLike<number>).toHex();
    if (text !== uuid.replaceAll("-", "")) {
      throw new RangeError(
        `the packet is of another trace: its UUID is ${text}, not ${uuid}`,
      );
    }
  }

  #streamOf(id: bigint | undefined): StreamDecoder {
    const only = this.#streams.size === 1
      ? this.#streams.values().next().value
      : undefined;
    const stream = id === undefined ? only : this.#streams.get(id);
    if (!stream) throw new RangeError(`the metadata has no stream ${id}`);
    return stream;
  }
}

/** A trace with events but without a stream block has one all the same. */
function streamBlocks({ streams }: TraceBlocks): StreamBlock[] {
  if (streams.size > 0) return [...streams.values()];
  return [{
    id: 0n,
    clock: undefined,
    eventHeader: undefined,
    packetContext: undefined,
    eventContext: undefined,
  }];
}

/** Decodes the events of one stream class. */
export class StreamDecoder {
  readonly class: StreamClass;
  /** With the members that are not shown. */
  readonly packetContext: Place | undefined;
  /** Ticks as nanoseconds since 1970. */
  readonly nanoseconds: (ticks: bigint) => bigint;
  /** The time that a clock shows. */
  readonly setMoment: MomentSetter;
  /** Reads what comes before each event's fields. */
  readonly readHeader: HeaderReader;
  /** What of the packet context is shown. */
  readonly visible: VisiblePart | undefined;
  readonly #events = new Map<number, EventDecoder>();

  constructor(block: StreamBlock, blocks: TraceBlocks, base: Resolver) {
    const resolver = new Resolver(base);
    const { id, packetContext, eventHeader, eventContext } = block;
    const resolve = (root: Root, structClass: StructClass | undefined) =>
      structClass && resolver.resolve(root, structClass);
    const packetField = resolve("stream.packet.context", packetContext);
    const headerField = resolve("stream.event.header", eventHeader);
    const contextField = resolve("stream.event.context", eventContext);
    for (const event of blocks.events) {
      if (event.streamId !== id) continue;
      const decoder = new EventDecoder(event, contextField, resolver);
      this.#events.set(Number(event.id), decoder);
    }
    // Only now is it known which of their fields others refer to.
    this.packetContext = makePlace(packetField);
    this.readHeader = headerField
      ? makeHeaderReader(headerField) ?? makeStructReader(headerField)
      : () => {};
    this.visible = packetContext && visiblePart(packetContext);
    const clock = clockOf(block, blocks);
    this.nanoseconds = clock ? nanosecondsOf(clock) : () => 0n;
    this.setMoment = momentSetter(clock);
    this.class = {
      id,
      events: new Map(
        [...this.#events.values()].map((
          event,
        ) => [event.class.id, event.class]),
      ),
      ...(this.visible ? { packetContext: this.visible.class } : {}),
      ...(eventContext ? { eventContext } : {}),
      ...(clock ? { clock } : {}),
    };
  }

  /** @throws {RangeError} where the metadata has no such event. */
  eventOf(id: number | bigint): EventDecoder {
    const event = this.#events.get(Number(id));
    if (event) return event;
    throw new RangeError(
      `the metadata has no event ${id} in stream ${this.class.id}`,
    );
  }
}

/** The structs of an event, in the order in which they are in a packet. */
export interface EventFields {
  readonly streamContext: Field<StructClass> | undefined;
  readonly context: Field<StructClass> | undefined;
  readonly payload: Field<StructClass> | undefined;
}

/** An event's values, as {@linkcode EventFields} has their fields. */
export type EventValues = {
  readonly [Name in keyof EventFields]: StructValue | undefined;
};

/** Decodes the fields of one event class; what that takes is made when needed. */
export class EventDecoder {
  readonly class: EventClass;
  readonly fields: EventFields;
  #readers:
    | Record<keyof EventFields, FieldReader<Value[]> | undefined>
    | undefined;
  #skip: Skipper | undefined;

  constructor(
    block: EventBlock,
    streamContext: Field<StructClass> | undefined,
    base: Resolver,
  ) {
    const { context, payload } = block;
    const resolver = new Resolver(base);
    this.class = classOf(block);
    this.fields = {
      streamContext,
      context: context && resolver.resolve("event.context", context),
      payload: payload && resolver.resolve("event.fields", payload),
    };
  }

  /** @throws {RangeError} where the fields are damaged. */
  read(cursor: PacketCursor): EventValues {
    const readers = this.#readers ??= readersOf(this.fields);
    return {
      streamContext: readers.streamContext?.(cursor),
      context: readers.context?.(cursor),
      payload: readers.payload?.(cursor),
    };
  }

  /**
   * Goes behind the fields without a look at what needs none.
   *
   * @throws {RangeError} where the fields are damaged.
   */
  skip(cursor: PacketCursor): void {
    const { streamContext, context, payload } = this.fields;
    this.#skip ??= makeSkipper(
      [streamContext, context, payload].filter((field) => field !== undefined),
    );
    this.#skip(cursor);
  }
}

function readersOf({ streamContext, context, payload }: EventFields) {
  return {
    streamContext: streamContext && makeStructReader(streamContext),
    context: context && makeStructReader(context),
    payload: payload && makeStructReader(payload),
  };
}

function classOf(event: EventBlock): EventClass {
  const { id, name, logLevel, emfUri, context, payload } = event;
  return {
    id,
    name,
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(emfUri === undefined ? {} : { emfUri }),
    ...(context ? { context } : {}),
    ...(payload ? { payload } : {}),
  };
}

/** The clock that a stream's header, or else its packets, refer to. */
function clockOf(
  block: StreamBlock,
  { clocks }: TraceBlocks,
): ClockClass | undefined {
  const name = block.clock ?? clockNameIn(block.eventHeader) ??
    clockNameIn(block.packetContext);
  if (name !== undefined) return clocks.get(name);
  return clocks.size === 1 ? clocks.values().next().value : undefined;
}

function clockNameIn(fieldClass: FieldClass | undefined): string | undefined {
  switch (fieldClass?.kind) {
    case "integer":
      return fieldClass.clock;
    case "enumeration":
      return clockNameIn(fieldClass.container);
    case "struct":
    case "variant": {
      const inner = fieldClass.kind === "struct"
        ? fieldClass.members
        : fieldClass.options;
      for (const member of inner) {
        const name = clockNameIn(member.class);
        if (name !== undefined) return name;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}
