/** The raw peer itself, against relay daemons: any bytes out, exact bytes in. */

import { assertEquals, assertRejects } from "@std/assert";
import { commands } from "../../lib/wire/relay.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eachRelay } from "./relays.ts";

/** VERSION of a peer that speaks 2.13. */
const VERSION = commands.VERSION.request.encode({ major: 2, minor: 13 }, 0);

eachRelay(
  "RawPeer reads exactly what a relay daemon answers",
  async (relay) => {
    using peer = await RawPeer.connect({ port: relay.ports.control });
    await peer.sendCommand(5, VERSION);
    const reply = await peer.read(8);
    assertEquals([...reply.slice(0, 4)], [0, 0, 0, 2]);
    await peer.sendCommand(22, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]));
    assertEquals([...await peer.read(12)], [
      0,
      0,
      0,
      152,
      ...new Array(8).fill(0),
    ]);
    await peer.expectSilence(50);
  },
);

eachRelay("RawPeer sees the end after an unknown command", async (relay) => {
  using peer = await RawPeer.connect({ port: relay.ports.control });
  await peer.sendCommand(99);
  assertEquals([...await peer.readToEnd()], [0, 0, 0, 11]);
});

eachRelay("RawPeer sees the end after data for no stream", async (relay) => {
  using peer = await RawPeer.connect({ port: relay.ports.data });
  await peer.sendData(
    { streamId: 77n, netSequenceNumber: 0n, dataSize: 4, paddingSize: 0 },
    new Uint8Array(4),
  );
  assertEquals((await peer.readToEnd()).length, 0);
});

eachRelay("RawPeer.read() ends in time when nothing comes", async (relay) => {
  using peer = await RawPeer.connect({ port: relay.ports.control });
  await assertRejects(() => peer.read(1, 50), Error, "Waited 50 ms");
  await assertRejects(() => peer.readToEnd(50), Error, "Waited 50 ms");
  await peer.closeWrite();
  assertEquals((await peer.readToEnd()).length, 0);
});
