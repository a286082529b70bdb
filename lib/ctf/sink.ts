/** Where a trace goes: the contract between its writer and a directory or a relay daemon. */

/** What a packet says of itself, as its index entry will. */
export interface PacketInfo {
  /** Packet size with its padding, in bits. */
  packetSize: bigint;
  /** Packet size without its padding, in bits. */
  contentSize: bigint;
  /** Clock value at the packet's beginning. */
  timestampBegin: bigint;
  /** Clock value at the packet's end. */
  timestampEnd: bigint;
  /** Events discarded in the stream up to this packet's end (a running total). */
  eventsDiscarded: bigint;
  /** Id of the CTF stream class, which LTTng calls the channel. */
  streamClassId: bigint;
  /** Which stream of that class. */
  streamInstanceId: bigint;
  /** Position of the packet in its stream, from 0. */
  packetSequenceNumber: bigint;
}

/** Takes the packets of one stream, in order, one at a time. */
export interface StreamSink {
  /**
   * Stores one packet. `content` may be shorter than `info.packetSize / 8`
   * bytes: the rest is zeros. It is the caller's again once the promise
   * settles.
   */
  writePacket(content: Uint8Array, info: PacketInfo): Promise<void>;
  /** No packet follows. */
  close(): Promise<void>;
}

/** Takes a whole trace. */
export interface TraceSink {
  /** Appends metadata: whole units only, before the packets that need it. */
  writeMetadata(bytes: Uint8Array): Promise<void>;
  /**
   * Puts `bytes`, whole units that declare the same, in place of all metadata
   * so far; unset where the sink cannot. Where it rejects, the old metadata is
   * still whole, or the sink takes nothing more.
   */
  replaceMetadata?(bytes: Uint8Array): Promise<void>;
  /** A stream called `name`, in LTTng's form `channel_instance` (`ch0_0`). */
  openStream(name: string): Promise<StreamSink>;
  /** Nothing follows. Streams that are still open are closed. */
  close(): Promise<void>;
}
