/** The packets of one stream as they are handed in, such as from the network. */

import type { PacketCursor } from "./bits.ts";
import { asReadError, streamInfo } from "./data_file.ts";
import type { StreamInfo } from "./model.ts";
import type { OpenPacket, PacketInput } from "./packet_input.ts";
import type { TraceDecoder } from "./trace_decoder.ts";

/** A whole packet. */
export interface WholePacket {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it begins in the stream's data file, in bytes. */
  readonly offset: number;
}

/** A queue of packets. */
export class MemoryInput implements PacketInput {
  isEnded = false;
  readonly #path: string;
  readonly #trace: { readonly decoder: TraceDecoder | undefined };
  readonly #packets: WholePacket[] = [];
  #stream: StreamInfo | undefined;
  #bytes = 0;
  #inactive: (() => bigint | undefined) | undefined;

  /** `trace` knows all metadata that has come so far. */
  constructor(
    path: string,
    trace: { readonly decoder: TraceDecoder | undefined },
  ) {
    this.#path = path;
    this.#trace = trace;
  }

  /** Bytes that wait. */
  get queued(): number {
    return this.#bytes;
  }

  get knownUntil(): bigint | undefined {
    if (this.#packets.length > 0) return undefined;
    return this.#inactive?.();
  }

  /** No packet that is yet to come begins before `ticks`. */
  setInactive(ticks: bigint, streamClassId: bigint | undefined): void {
    this.#inactive = () =>
      this.#trace.decoder?.nanosecondsOf(streamClassId, ticks);
  }

  get stream(): StreamInfo {
    return this.#stream!;
  }

  /** Adds the stream's next packet. */
  push(packet: WholePacket): void {
    this.#packets.push(packet);
    this.#bytes += packet.bytes.length;
    this.#inactive = undefined;
  }

  next(cursor: PacketCursor): OpenPacket | undefined {
    const packet = this.#packets.shift();
    if (!packet) return undefined;
    const { bytes, offset } = packet;
    this.#bytes -= bytes.length;
    try {
      const { decoder } = this.#trace;
      if (!decoder) throw new RangeError("no metadata of it could be read");
      cursor.reset(bytes, bytes.length * 8);
      const start = decoder.readStart(cursor);
      if (this.#stream?.class !== start.stream.class) {
        this.#stream = streamInfo(this.#path, decoder, start);
      }
      return {
        start,
        stream: this.stream,
        path: this.#path,
        offset,
        room: bytes.length * 8,
        wantedRoom: Number(start.packetSize ?? bytes.length * 8),
      };
    } catch (error) {
      throw asReadError(error, this.#path, offset);
    }
  }

  more(): undefined {}
}
