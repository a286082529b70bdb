/** Packets and their indexes, in the order they were handed over. */

import type { PacketInfo } from "../ctf/sink.ts";
import { dataHeader } from "../wire/relay.ts";
import type { RelayLink } from "./link.ts";
import type { OpenStream } from "./relay_stream.ts";

/** Sends packets on the data connection, their indexes on the control one. */
export class PacketSender {
  readonly #link: RelayLink;
  readonly #indexWindow: number;
  /** Indexes sent and not looked at, oldest first. */
  readonly #answers: Promise<unknown>[] = [];
  /** Packets that wait for {@linkcode release}; unset while none has to. */
  #held: (() => void)[] | undefined;

  constructor(link: RelayLink, indexWindow: number) {
    this.#link = link;
    this.#indexWindow = indexWindow;
  }

  /** Sends a packet; its index too, if `withIndex`. */
  async send(
    stream: OpenStream,
    content: Uint8Array,
    packet: PacketInfo,
    withIndex: boolean,
  ): Promise<void> {
    const sending = this.#send(stream, content, packet, withIndex);
    stream.sending.add(sending);
    try {
      await sending;
    } finally {
      stream.sending.delete(sending);
    }
  }

  /**
   * Keeps back the packets that follow. While a rotation is being registered
   * no packet of the new chunk may arrive: lttng-relayd 2.13 crashes on one
   * that overtakes ROTATE_STREAMS.
   */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was kept back, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const submit of held) submit();
  }

  async #send(
    stream: OpenStream,
    content: Uint8Array,
    packet: PacketInfo,
    withIndex: boolean,
  ): Promise<void> {
    const sequenceNumber = await this.#submit(stream, content, packet);
    if (!withIndex) return;
    const answer = this.#link.control.request("SEND_INDEX", {
      relayStreamId: stream.id,
      netSequenceNumber: sequenceNumber,
      packetSize: packet.packetSize,
      contentSize: packet.contentSize,
      timestampBegin: packet.timestampBegin,
      timestampEnd: packet.timestampEnd,
      eventsDiscarded: packet.eventsDiscarded,
      streamId: packet.streamClassId,
      streamInstanceId: packet.streamInstanceId,
      packetSequenceNumber: packet.packetSequenceNumber,
    });
    // Whoever takes it off the list sees the error; perhaps nobody does.
    answer.catch(() => {});
    this.#answers.push(answer);
    if (this.#answers.length >= this.#indexWindow) await this.#answers.shift();
  }

  /** Resolves with the sequence number when the socket has the packet. */
  #submit(
    stream: OpenStream,
    content: Uint8Array,
    packet: PacketInfo,
  ): Promise<bigint> {
    const held = this.#held;
    if (held === undefined) return this.#write(stream, content, packet);
    return new Promise((resolve) => {
      held.push(() => resolve(this.#write(stream, content, packet)));
    });
  }

  /** Takes the next sequence number before it waits for anything. */
  async #write(
    stream: OpenStream,
    content: Uint8Array,
    packet: PacketInfo,
  ): Promise<bigint> {
    const sequenceNumber = stream.nextSequenceNumber;
    const header = dataHeader.encode({
      circuitId: 0n,
      streamId: stream.id,
      netSequenceNumber: sequenceNumber,
      dataSize: content.length,
      paddingSize: Number(packet.packetSize / 8n) - content.length,
    });
    const sent = this.#link.data.send(header, content);
    stream.nextSequenceNumber++;
    stream.nextPacketSequenceNumber = packet.packetSequenceNumber + 1n;
    await sent;
    return sequenceNumber;
  }
}
