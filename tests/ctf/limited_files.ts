/** A program that writes packets until the system refuses, for a test that limits the size of files. */

import { errorText } from "../../lib/base/errors.ts";
import { DirectorySink } from "../../lib/ctf/directory_sink.ts";

const PACKETS = 8;
const PACKET_SIZE = 1024 * 1024;

const sink = new DirectorySink(Deno.args[0]!);
const stream = await sink.openStream("ch0_0");
const content = new Uint8Array(PACKET_SIZE);
let stored = 0;
let refusal = "";
for (let number = 0; number < PACKETS; number++) {
  try {
    await stream.writePacket(content.fill(number + 1), {
      packetSize: BigInt(PACKET_SIZE * 8),
      contentSize: BigInt(PACKET_SIZE * 8),
      timestampBegin: 0n,
      timestampEnd: 0n,
      eventsDiscarded: 0n,
      streamClassId: 0n,
      streamInstanceId: 0n,
      packetSequenceNumber: BigInt(number),
    });
    stored++;
  } catch (error) {
    refusal = errorText(error);
  }
}
await sink.close();
console.log(JSON.stringify({ stored, refusal }));
