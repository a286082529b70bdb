/** A small valid CTF 1.8 trace, made by hand: events `tick` with a 32-bit `n`. */

import type { PacketInfo } from "../../lib/ctf/sink.ts";

const UUID = "2a6422d0-6cee-11e0-8c08-cb07d7b3a564";
const MAGIC = 0xC1FC_1FC1;
const HEADER_BYTES = 4 + 16 + 4;
const CONTEXT_BYTES = 7 * 8;
const EVENT_BYTES = 8 + 4;

/** TSDL text of the trace. */
export const metadata = new TextEncoder().encode(`/* CTF 1.8 */
typealias integer { size = 32; align = 8; byte_order = be; } := uint32_t;
typealias integer { size = 64; align = 8; byte_order = be; } := uint64_t;
typealias integer { size = 8; align = 8; } := uint8_t;
trace {
  major = 1; minor = 8; byte_order = be; uuid = "${UUID}";
  packet.header := struct { uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; };
};
clock { name = "monotonic"; freq = 1000000000; };
typealias integer { size = 64; align = 8; byte_order = be; map = clock.monotonic.value; } := time_t;
stream {
  id = 0;
  packet.context := struct {
    time_t timestamp_begin; time_t timestamp_end; uint64_t content_size;
    uint64_t packet_size; uint64_t packet_seq_num; uint64_t events_discarded;
    uint64_t stream_instance_id;
  };
  event.header := struct { time_t timestamp; };
};
event { name = "tick"; id = 0; stream_id = 0; fields := struct { uint32_t n; }; };
`);

/** What a packet is to contain. */
export interface SampleOptions {
  /** Packet sequence number. */
  readonly sequence: number;
  /** How many events. */
  readonly events: number;
  /** `n` of the first event; its time is `1_000_000 * (n + 1)` ns. */
  readonly first: number;
  /** Packet size with padding, bytes. */
  readonly packetBytes?: number;
  readonly instance?: number;
}

/** Content and index of a packet. */
export interface SamplePacket {
  readonly content: Uint8Array;
  readonly index: PacketInfo;
}

/** Encodes one packet. */
export function samplePacket(options: SampleOptions): SamplePacket {
  const { sequence, events, first, packetBytes = 4096, instance = 0 } = options;
  const contentBytes = HEADER_BYTES + CONTEXT_BYTES + events * EVENT_BYTES;
  const index = {
    packetSize: BigInt(packetBytes * 8),
    contentSize: BigInt(contentBytes * 8),
    timestampBegin: timeOf(first),
    timestampEnd: timeOf(first + Math.max(0, events - 1)),
    eventsDiscarded: 0n,
    streamClassId: 0n,
    streamInstanceId: BigInt(instance),
    packetSequenceNumber: BigInt(sequence),
  };
  const content = new Uint8Array(contentBytes);
  const view = new DataView(content.buffer);
  view.setUint32(0, MAGIC);
  content.set(Uint8Array.fromHex(UUID.replaceAll("-", "")), 4);
  const context = [
    index.timestampBegin,
    index.timestampEnd,
    index.contentSize,
    index.packetSize,
    index.packetSequenceNumber,
    index.eventsDiscarded,
    index.streamInstanceId,
  ];
  context.forEach((value, i) => view.setBigUint64(HEADER_BYTES + 8 * i, value));
  for (let i = 0; i < events; i++) {
    const offset = HEADER_BYTES + CONTEXT_BYTES + i * EVENT_BYTES;
    view.setBigUint64(offset, timeOf(first + i));
    view.setUint32(offset + 8, first + i);
  }
  return { content, index };
}

function timeOf(n: number): bigint {
  return 1_000_000n * BigInt(n + 1);
}
