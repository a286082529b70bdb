/** Decodes the packets of one trace: their beginnings, and events one after the other. */

import type { PacketCursor } from "./bits.ts";
import { nanosecondsOf } from "./clock.ts";
import { type HeaderReader, makeHeaderReader } from "./event_header.ts";
import { type FieldReader, ReaderMaker, type Scope } from "./field_reader.ts";
import type {
  ClockClass,
  EventClass,
  EventRecord,
  FieldClass,
  NamedClass,
  StreamClass,
  StreamInfo,
  StructClass,
  StructValue,
  TraceClass,
  Value,
} from "./model.ts";
import type { EventBlock, StreamBlock, TraceBlocks } from "./tsdl.ts";

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

/** Members of the packet context that say how to read, and are not shown. */
const PACKET_FIELDS: readonly string[] = [
  "timestamp_begin",
  "timestamp_end",
  "content_size",
  "packet_size",
  "packet_seq_num",
  "events_discarded",
];

/** Decodes what the classes of one metadata file describe. */
export class TraceDecoder {
  readonly trace: TraceClass;
  readonly #blocks: TraceBlocks;
  readonly #maker: ReaderMaker;
  readonly #readHeader: FieldReader<Value[]> | undefined;
  readonly #streams = new Map<bigint, StreamDecoder>();

  /** @throws {SyntaxError} where the metadata's parts do not fit together. */
  constructor(path: string, blocks: TraceBlocks) {
    this.#blocks = blocks;
    this.#maker = new ReaderMaker(blocks.referenced);
    const header = blocks.packetHeader;
    if (header) {
      this.#readHeader = this.#maker.makeRoot("trace.packet.header", header);
    }
    const streams = new Map<bigint, StreamClass>();
    this.trace = {
      path,
      byteOrder: blocks.byteOrder,
      environment: blocks.environment,
      clocks: blocks.clocks,
      streams,
      ...(blocks.uuid === undefined ? {} : { uuid: blocks.uuid }),
    };
    for (const block of this.#streamBlocks()) {
      const decoder = new StreamDecoder(block, blocks, this.#maker);
      this.#streams.set(block.id, decoder);
      streams.set(block.id, decoder.class);
    }
  }

  /** A trace with events but without a stream block has one all the same. */
  #streamBlocks(): StreamBlock[] {
    const { streams } = this.#blocks;
    if (streams.size > 0) return [...streams.values()];
    return [{
      id: 0n,
      eventHeader: undefined,
      packetContext: undefined,
      eventContext: undefined,
    }];
  }

  /**
   * Reads a packet's header and context; the cursor is then at its first event.
   *
   * @throws {RangeError} where the bytes are no packet of this trace.
   */
  readStart(cursor: PacketCursor): PacketStart {
    const header = this.#blocks.packetHeader;
    const values = this.#readHeader?.(cursor) ?? [];
    const magic = header && memberOf(header, values, "magic");
    if (magic !== undefined && Number(magic) !== PACKET_MAGIC) {
      throw new RangeError(
        `no packet begins here: its magic is 0x${magic.toString(16)}`,
      );
    }
    if (header) this.#checkUuid(header, values);
    const id = integerIn(header, values, "stream_id");
    const stream = this.#streamOf(id);
    const context = stream.readContext(cursor);
    const fields = stream.packetContext;
    const begin = integerIn(fields, context, "timestamp_begin");
    cursor.clock.set(begin ?? 0n);
    return {
      stream,
      instanceId: integerIn(header, values, "stream_instance_id"),
      packetSize: integerIn(fields, context, "packet_size"),
      contentSize: integerIn(fields, context, "content_size"),
      timestampBegin: begin,
      timestampEnd: integerIn(fields, context, "timestamp_end"),
      eventsDiscarded: integerIn(fields, context, "events_discarded"),
      sequenceNumber: integerIn(fields, context, "packet_seq_num"),
      context: fields && stream.visibleContext(context),
      headerSize: cursor.position,
    };
  }

  #checkUuid(header: StructClass, values: readonly Value[]): void {
    const found = valueOf(header, values, "uuid");
    const { uuid } = this.trace;
    if (!Array.isArray(found) || uuid === undefined) return;
    const text = Uint8Array.from(found as number[]).toHex();
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

/** How one event class is read. */
interface EventDecoder {
  readonly class: EventClass;
  readonly readContext: FieldReader<Value[]> | undefined;
  readonly readPayload: FieldReader<Value[]> | undefined;
}

/** Decodes the events of one stream class. */
export class StreamDecoder {
  readonly class: StreamClass;
  /** With the members that are not shown. */
  readonly packetContext: StructClass | undefined;
  /** Ticks as nanoseconds since 1970. */
  readonly nanoseconds: (ticks: bigint) => bigint;
  readonly #visible: readonly number[];
  readonly #maker: HeaderMaker;
  readonly #readPacketContext: FieldReader<Value[]> | undefined;
  readonly #readEventHeader: HeaderReader | undefined;
  readonly #readEventContext: FieldReader<Value[]> | undefined;
  readonly #blocks = new Map<bigint, EventBlock>();
  readonly #classes = new Map<bigint, EventClass>();
  readonly #decoders = new Map<number, EventDecoder>();

  constructor(block: StreamBlock, blocks: TraceBlocks, base: ReaderMaker) {
    const maker = new HeaderMaker(blocks.referenced, base);
    this.#maker = maker;
    const { packetContext, eventHeader, eventContext } = block;
    this.packetContext = packetContext;
    this.#readPacketContext = packetContext &&
      maker.makeRoot("stream.packet.context", packetContext);
    this.#readEventHeader = eventHeader && (
      isReferenced("stream.event.header.", blocks)
        ? maker.makeHeader(eventHeader)
        : makeHeaderReader(eventHeader) ?? maker.makeHeader(eventHeader)
    );
    this.#readEventContext = eventContext &&
      maker.makeRoot("stream.event.context", eventContext);
    this.#visible = (packetContext?.members ?? []).flatMap(
      ({ rawName }, index) => PACKET_FIELDS.includes(rawName) ? [] : [index],
    );
    const clock = clockOf(block, blocks);
    this.nanoseconds = clock ? nanosecondsOf(clock) : () => 0n;
    for (const event of blocks.events) {
      if (event.streamId !== block.id) continue;
      this.#blocks.set(event.id, event);
      this.#classes.set(event.id, classOf(event));
    }
    this.class = {
      id: block.id,
      events: this.#classes,
      ...(packetContext ? { packetContext: this.#shown(packetContext) } : {}),
      ...(eventContext ? { eventContext } : {}),
      ...(clock ? { clock } : {}),
    };
  }

  #shown(packetContext: StructClass): StructClass {
    const { members } = packetContext;
    return {
      ...packetContext,
      members: this.#visible.map((index) => members[index]!),
    };
  }

  readContext(cursor: PacketCursor): Value[] {
    return this.#readPacketContext?.(cursor) ?? [];
  }

  /** What of a packet context's values is shown. */
  visibleContext(values: readonly Value[]): StructValue {
    return this.#visible.map((index) => values[index]!);
  }

  /**
   * Reads the event at the cursor.
   *
   * @throws {RangeError} where it is damaged or its class is not known.
   */
  readEvent(
    cursor: PacketCursor,
    stream: StreamInfo,
    packetContext: StructValue | undefined,
  ): EventRecord {
    const before = cursor.position;
    cursor.eventId = 0;
    this.#readEventHeader?.(cursor);
    const id = Number(cursor.eventId);
    const decoder = this.#decoders.get(id) ?? this.#prepare(id);
    const streamContext = this.#readEventContext?.(cursor);
    const context = decoder.readContext?.(cursor);
    const payload = decoder.readPayload?.(cursor);
    if (cursor.position === before) {
      throw new RangeError(`event ${decoder.class.name} takes no room`);
    }
    const cycles = cursor.clock.ticks;
    return {
      kind: "event",
      timestamp: this.nanoseconds(cycles),
      cycles,
      stream,
      class: decoder.class,
      packetContext,
      streamContext,
      context,
      payload,
    };
  }

  #prepare(id: number): EventDecoder {
    const block = this.#blocks.get(BigInt(id));
    if (!block) {
      throw new RangeError(
        `the metadata has no event ${id} in stream ${this.class.id}`,
      );
    }
    const maker = new ReaderMaker(this.#maker.referenced, this.#maker);
    const { context, payload } = block;
    const decoder: EventDecoder = {
      class: this.#classes.get(block.id)!,
      readContext: context && maker.makeRoot("event.context", context),
      readPayload: payload && maker.makeRoot("event.fields", payload),
    };
    this.#decoders.set(id, decoder);
    return decoder;
  }
}

/** Reads event headers, and notes the id and the time on the way. */
class HeaderMaker extends ReaderMaker {
  #isHeader = false;

  makeHeader(header: StructClass): FieldReader<Value[]> {
    this.#isHeader = true;
    const reader = this.makeRoot("stream.event.header", header);
    this.#isHeader = false;
    return reader;
  }

  protected override makeMember(member: NamedClass, scope: Scope): FieldReader {
    const reader = super.makeMember(member, scope);
    const container = integerClassOf(member.class);
    if (!this.#isHeader || !container) return reader;
    if (member.rawName === "id") {
      return (cursor) => cursor.eventId = reader(cursor) as number;
    }
    if (container.clock === undefined) return reader;
    const { size } = container;
    return (cursor) => {
      const value = reader(cursor) as number;
      cursor.clock.update(value, size);
      return value;
    };
  }
}

/** Whether a field somewhere has its length or tag in this place. */
function isReferenced(place: string, { referenced }: TraceBlocks): boolean {
  return [...referenced].some((path) => path.startsWith(place));
}

function integerClassOf(fieldClass: FieldClass) {
  if (fieldClass.kind === "enumeration") return fieldClass.container;
  return fieldClass.kind === "integer" ? fieldClass : undefined;
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
  blocks: TraceBlocks,
): ClockClass | undefined {
  const name = clockNameIn(block.eventHeader) ??
    clockNameIn(block.packetContext);
  if (name !== undefined) return blocks.clocks.get(name);
  return blocks.clocks.size === 1
    ? blocks.clocks.values().next().value
    : undefined;
}

function clockNameIn(fieldClass: FieldClass | undefined): string | undefined {
  switch (fieldClass?.kind) {
    case "integer":
      return fieldClass.clock;
    case "enumeration":
      return fieldClass.container.clock;
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

function valueOf(
  fieldClass: StructClass,
  values: readonly Value[],
  name: string,
): Value | undefined {
  return values[
    fieldClass.members.findIndex(({ rawName }) => rawName === name)
  ];
}

function memberOf(
  fieldClass: StructClass,
  values: readonly Value[],
  name: string,
): number | bigint | undefined {
  const value = valueOf(fieldClass, values, name);
  return typeof value === "number" || typeof value === "bigint"
    ? value
    : undefined;
}

function integerIn(
  fieldClass: StructClass | undefined,
  values: readonly Value[],
  name: string,
): bigint | undefined {
  const value = fieldClass && memberOf(fieldClass, values, name);
  return value === undefined ? undefined : BigInt(value);
}
