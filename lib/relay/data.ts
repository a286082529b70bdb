/** The data connection: takes packets apart as they come, straight into files. */

import { errorText, FatalPeerError } from "../base/errors.ts";
import { streamId } from "../base/ids.ts";
import { DATA_BUFFER_BYTES, DATA_BUFFER_BYTES_IDLE } from "../base/limits.ts";
import { dataHeader } from "../wire/relay.ts";
import type { Collector } from "./collector.ts";
import { lossReason, type Peer } from "./peer.ts";
import type { Stream } from "./stream.ts";
import type { DataBinding, StreamOwner } from "./stream_types.ts";

/** Reads in a row that fill little of the buffer before it shrinks. */
const SMALL_READS = 256;
const GROWTH = 4;
/** Packets of fewer bytes are not worth a turn of their own. */
const SMALL_PACKET_BYTES = 32 * 1024;
/** A read of so many bytes says that there is enough for the next one. */
const BUSY_READ_BYTES = 96 * 1024;

/** Serves one data connection until it ends, by either side. */
export async function serveData(
  collector: Collector,
  peer: Peer,
): Promise<void> {
  const connection = new DataConnection(collector, peer);
  let failure: string | undefined;
  try {
    await connection.serve();
  } catch (error) {
    failure = lossReason(error);
  }
  if (failure !== undefined) {
    collector.log.warning(`Data connection of ${peer} closed: ${failure}`);
  }
  peer.close();
  connection.session?.dataClosed(failure !== undefined);
  collector.flush();
}

class DataConnection implements DataBinding {
  readonly #collector: Collector;
  readonly #peer: Peer;
  /** The session of its first packet. */
  session: StreamOwner | undefined;
  #buffer = new Uint8Array(DATA_BUFFER_BYTES_IDLE);
  /** Bytes of an unfinished header at the start of the buffer. */
  #have = 0;
  /** The stream of the packet that is coming in, and its missing bytes. */
  #stream: Stream | undefined;
  #missing = 0;
  /** Bytes of the last packet that began. */
  #packetSize = 0;
  #smallReads = 0;

  constructor(collector: Collector, peer: Peer) {
    this.#collector = collector;
    this.#peer = peer;
  }

  /** The session was cut: nothing more is taken. */
  end(): void {
    this.#peer.close();
  }

  async serve(): Promise<void> {
    const { conn } = this.#peer;
    for (;;) {
      const space = this.#have === 0
        ? this.#buffer
        : this.#buffer.subarray(this.#have);
      const count = await conn.read(space);
      if (count === null) return;
      this.#take(this.#have + count);
      this.#fit(count);
      // Small packets collect in the socket for a moment: nobody waits for
      // them, while the replies on control connections are waited for.
      const drained = count < Math.min(space.length, BUSY_READ_BYTES);
      if (drained && this.#packetSize < SMALL_PACKET_BYTES) {
        await this.#collector.nextTick();
      } else {
        this.#collector.flush();
      }
    }
  }

  /** Takes the first `end` bytes of the buffer apart. */
  #take(end: number): void {
    let at = 0;
    while (at < end) {
      if (this.#stream === undefined) {
        if (end - at < dataHeader.size) break;
        this.#begin(this.#buffer.subarray(at, at + dataHeader.size));
        at += dataHeader.size;
      }
      const stream = this.#stream!;
      if (stream.closed) {
        throw new FatalPeerError(`${stream} closed while a packet came in`);
      }
      const count = Math.min(this.#missing, end - at);
      if (count > 0) {
        this.#write(
          stream,
          () => stream.appendPayload(this.#buffer.subarray(at, at + count)),
        );
        at += count;
        this.#missing -= count;
      }
      if (this.#missing === 0) {
        this.#stream = undefined;
        this.#write(stream, () => stream.endPacket());
      }
    }
    if (at > 0 && at < end) this.#buffer.copyWithin(0, at, end);
    this.#have = end - at;
  }

  #begin(bytes: Uint8Array): void {
    const header = dataHeader.decode(bytes);
    const stream = this.#collector.stream(streamId(header.streamId));
    if (stream === undefined) {
      throw new FatalPeerError(`No such stream: ${header.streamId}`);
    }
    const session = stream.owner;
    if (this.session === undefined) {
      session.bindData(this);
      this.session = session;
    } else if (this.session !== session) {
      throw new FatalPeerError(`${stream} belongs to another session`);
    }
    this.#write(stream, () =>
      stream.beginPacket(
        header.netSequenceNumber,
        header.dataSize,
        header.paddingSize,
      ));
    this.#stream = stream;
    this.#missing = this.#packetSize = header.dataSize;
  }

  /** What fails here fails for the session: it has no reply to carry it. */
  #write(stream: Stream, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof FatalPeerError)) {
        this.session?.abort(`${stream}: ${errorText(error)}`);
      }
      throw error;
    }
  }

  /** Lets the buffer follow the traffic. */
  #fit(count: number): void {
    const size = this.#buffer.length;
    if (count === size && size < DATA_BUFFER_BYTES) {
      this.#resize(Math.min(size * GROWTH, DATA_BUFFER_BYTES));
    } else if (count * GROWTH * GROWTH > size) {
      this.#smallReads = 0;
    } else if (++this.#smallReads === SMALL_READS) {
      this.#resize(Math.max(size / GROWTH, DATA_BUFFER_BYTES_IDLE));
    }
  }

  #resize(size: number): void {
    const buffer = new Uint8Array(size);
    buffer.set(this.#buffer.subarray(0, this.#have));
    this.#buffer = buffer;
    this.#smallReads = 0;
  }
}
