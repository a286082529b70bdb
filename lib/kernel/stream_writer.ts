/** Hands the packets of one stream to the sink, in order, and counts what it refuses. */

import type { MetadataQueue } from "../ctf/metadata_queue.ts";
import type { PacketInfo, StreamSink, TraceSink } from "../ctf/sink.ts";

/** A packet on its way. */
export interface OutgoingPacket {
  readonly content: Uint8Array;
  readonly info: PacketInfo;
  readonly events: number;
}

/** One stream of a sink, opened with its first packet or by {@linkcode open}. */
export class StreamWriter {
  /** Events in packets that the sink has taken. */
  events = 0;
  /** Packets that the sink has taken. */
  packets = 0;
  /** Events in packets that the sink refused. */
  refused = 0;
  readonly #name: string;
  readonly #sink: TraceSink;
  readonly #metadata: MetadataQueue;
  readonly #report: (error: unknown) => void;
  #stream: StreamSink | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    sink: TraceSink,
    metadata: MetadataQueue,
    report: (error: unknown) => void,
  ) {
    this.#name = name;
    this.#sink = sink;
    this.#metadata = metadata;
    this.#report = report;
  }

  /** Opens the stream, where it is not open. @throws what the sink throws. */
  async open(): Promise<void> {
    this.#stream ??= await this.#sink.openStream(this.#name);
  }

  /** Resolves when the sink has taken or refused the packet; never rejects. */
  write(packet: OutgoingPacket): Promise<void> {
    this.#last = this.#last.then(() => this.#write(packet));
    return this.#last;
  }

  /** Resolves when nothing is on its way. */
  async drain(): Promise<void> {
    await this.#last;
  }

  /** Closes the stream after what is on its way. */
  async close(): Promise<void> {
    await this.#last;
    await this.#stream?.close();
  }

  async #write({ content, info, events }: OutgoingPacket): Promise<void> {
    try {
      // A reader must know of an event class before it meets its events.
      await this.#metadata.flush();
      await this.open();
      await this.#stream!.writePacket(content, info);
      this.events += events;
      this.packets++;
    } catch (error) {
      this.refused += events;
      this.#report(error);
    }
  }
}
