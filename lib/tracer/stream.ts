/** One stream of a tracer: a ring of sub-buffers between the program and the sink. */

import type { EventClass } from "../ctf/event_class.ts";
import {
  PACKET_SIZE_UNIT,
  PacketWriter,
  type PacketWriterOptions,
  type PreparedEvent,
} from "../ctf/packet.ts";
import type { PacketInfo, StreamSink } from "../ctf/sink.ts";
import type { FieldDeclarations, ValuesOf } from "../ctf/types.ts";

/** What a stream needs of its tracer. */
export interface StreamHost {
  /** Ticks of the trace's clock. */
  now(): number;
  /** The event class under its number, declared in the metadata. */
  prepare(event: EventClass): PreparedEvent;
  /** Resolves when the streams of the beginning are open; never rejects. */
  readonly opened: Promise<void>;
  /** Resolves when every declaration made so far is with the sink. */
  flushMetadata(): Promise<void>;
  /** Opens the stream in the sink. */
  openStream(name: string): Promise<StreamSink>;
  /** Takes what the sink threw. */
  report(error: unknown): void;
}

/** Counts of one stream, or of all streams of a tracer. */
export interface TracerStatistics {
  /** Events in packets that the sink has taken. */
  readonly events: number;
  /** Events lost: no free sub-buffer, too large for one, or the sink failed. */
  readonly discarded: number;
  /** Packets that the sink has taken. */
  readonly packets: number;
}

interface FullPacket {
  readonly packet: PacketWriter;
  readonly info: PacketInfo;
}

/**
 * Records events in one stream: see {@linkcode Tracer.stream}. A program
 * writes into one sub-buffer while the sink takes the full ones. Where all
 * are full events are discarded, never waited for.
 */
export class TracerStream {
  /** The name under which the sink knows the stream, as `channel0_0`. */
  readonly name: string;
  readonly #host: StreamHost;
  readonly #options: PacketWriterOptions;
  readonly #free: PacketWriter[] = [];
  readonly #full: FullPacket[] = [];
  #current: PacketWriter | undefined;
  #sink: StreamSink | undefined;
  #pump: Promise<void> | undefined;
  #recording = true;
  #abandoned = false;
  #lastTime = 0;
  #sequence = 0;
  #events = 0;
  #discarded = 0;
  #packets = 0;
  /** The running total that the last packet handed over says. */
  #discardedTold = 0;

  /** For the tracer alone: use {@linkcode Tracer.stream}. */
  constructor(
    host: StreamHost,
    name: string,
    subBufferCount: number,
    options: PacketWriterOptions,
  ) {
    this.#host = host;
    this.#options = options;
    this.name = name;
    for (let index = 0; index < subBufferCount; index++) {
      this.#free.push(new PacketWriter(options));
    }
  }

  /** What became of this stream's events so far. */
  get statistics(): TracerStatistics {
    return {
      events: this.#events,
      discarded: this.#discarded,
      packets: this.#packets,
    };
  }

  /**
   * Records one event, at once. Returns `false` where it was discarded: no
   * sub-buffer is free or the event is larger than one (both are counted), or
   * the tracer was stopped (which is not).
   *
   * @throws {RangeError | TypeError} where a value does not fit its field:
   * nothing is recorded. Values of an event that is discarded because no
   * sub-buffer is free are not looked at.
   */
  record<Fields extends FieldDeclarations>(
    event: EventClass<Fields>,
    values: ValuesOf<Fields>,
  ): boolean {
    if (!this.#recording) return false;
    const prepared = this.#host.prepare(event);
    const time = this.#time();
    const packet = this.#current ?? this.#beginNext(time);
    if (packet === undefined) {
      this.#discarded++;
      return false;
    }
    return packet.write(prepared, time, values) ||
      this.#writeToNext(packet, prepared, time, values);
  }

  /** Hands over what is recorded, though its sub-buffer is not full. */
  handOver(): void {
    if (this.#abandoned) return;
    const isUntold = this.#discarded > this.#discardedTold;
    const time = this.#time();
    const packet = this.#current ??
      (isUntold ? this.#beginNext(time) : undefined);
    if (packet && (packet.events > 0 || isUntold)) this.#end(packet, time);
  }

  /** Resolves when the sink has taken, or refused, all that is handed over. */
  async drain(): Promise<void> {
    while (this.#pump) await this.#pump;
  }

  /** Takes no more events, and hands over all there are. */
  async finish(): Promise<void> {
    this.#recording = false;
    this.handOver();
    await this.drain();
    // Losses that no packet tells of yet, those of refused packets too, need
    // an empty one. Where the sink refuses it there is nowhere left to tell.
    this.handOver();
    await this.drain();
  }

  /** Gives up on the sink: what it has not taken is lost, and counted. */
  abandon(): number {
    this.#recording = false;
    this.#abandoned = true;
    const packets = this.#full.length;
    for (const { packet } of this.#full) this.#discarded += packet.events;
    this.#discarded += this.#current?.events ?? 0;
    this.#full.length = 0;
    this.#current = undefined;
    return packets;
  }

  /** Opens the stream in the sink before its first packet. */
  async open(): Promise<void> {
    this.#sink ??= await this.#host.openStream(this.name);
  }

  /** Closes the stream in the sink, where it was ever opened. */
  async close(): Promise<void> {
    await this.#sink?.close();
  }

  /** The clock's time, which never goes back within the stream. */
  #time(): number {
    const time = Math.floor(this.#host.now());
    if (time > this.#lastTime) this.#lastTime = time;
    return this.#lastTime;
  }

  #beginNext(time: number): PacketWriter | undefined {
    const packet = this.#free.pop();
    packet?.begin(time);
    this.#current = packet;
    return packet;
  }

  /** For an event that does not fit the rest of `packet`. */
  #writeToNext(
    packet: PacketWriter,
    event: PreparedEvent,
    time: number,
    values: unknown,
  ): boolean {
    if (packet.events === 0) {
      this.#discarded++;
      return false;
    }
    const next = this.#free.pop();
    if (next === undefined) {
      this.#discarded++;
      this.#end(packet, time);
      return false;
    }
    // Written before the other ends: an event too large for any sub-buffer
    // must not cut short the one that is being filled.
    next.begin(time);
    let fits = false;
    try {
      fits = next.write(event, time, values);
    } finally {
      if (!fits) this.#free.push(next);
    }
    if (!fits) {
      this.#discarded++;
      return false;
    }
    this.#end(packet, time);
    this.#current = next;
    return true;
  }

  #end(packet: PacketWriter, time: number): void {
    // Leaves number 0 to the packet that says where counting begins.
    if (this.#sequence === 0 && this.#discarded > 0) this.#sequence = 1;
    const info = packet.end(time, this.#discarded, this.#sequence++);
    this.#discardedTold = this.#discarded;
    this.#current = undefined;
    this.#full.push({ packet, info });
    this.#pump ??= this.#deliver();
  }

  async #deliver(): Promise<void> {
    // Never in the same turn as record(): a sink's work is not the program's.
    await this.#host.opened;
    for (let full = this.#full[0]; full; full = this.#full[0]) {
      const delivered = await this.#deliverOne(full);
      if (this.#abandoned) break;
      if (delivered) {
        this.#events += full.packet.events;
        this.#packets++;
      } else {
        this.#discarded += full.packet.events;
        // Told in vain: say it again.
        this.#discardedTold = -1;
      }
      this.#full.shift();
      this.#free.push(full.packet);
    }
    this.#pump = undefined;
  }

  async #deliverOne({ packet, info }: FullPacket): Promise<boolean> {
    try {
      await this.#host.flushMetadata();
      if (this.#abandoned) return false;
      await this.open();
      await this.#writeOrigin(info);
      await this.#sink!.writePacket(packet.content, info);
      return true;
    } catch (error) {
      this.#host.report(error);
      return false;
    }
  }

  /**
   * Readers take losses from the difference of two packets: where the first
   * packet would tell of some already, an empty one with none goes before it.
   */
  async #writeOrigin(first: PacketInfo): Promise<void> {
    if (this.#packets > 0 || first.eventsDiscarded === 0n) return;
    const origin = new PacketWriter({
      ...this.#options,
      size: PACKET_SIZE_UNIT,
    });
    const time = Number(first.timestampBegin);
    origin.begin(time);
    const info = origin.end(time, 0, Number(first.packetSequenceNumber) - 1);
    await this.#sink!.writePacket(origin.content, info);
    if (!this.#abandoned) this.#packets++;
  }
}
