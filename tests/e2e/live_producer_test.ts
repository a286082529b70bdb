/** Stock babeltrace2 follows producers that stock LTTng 2.13 is not: older, newer, rotating. */

import { assert, assertEquals } from "@std/assert";
import { startViewers, type Viewers } from "../support/live_viewer.ts";
import type { RelayProcess } from "../support/relay_process.ts";
import {
  connectTo,
  eachRelay,
  HOST,
  prepare,
  readEvents,
  send,
  upTo,
} from "../stream/relays.ts";
import { metadata } from "../stream/sample_trace.ts";

const LIVE = { liveTimer: 100_000 };
const PACKETS = 8;
const EVENTS = 20;
/**
 * The stock relay daemon lets one viewer attach, and what that one has not read
 * when a chunk or the session ends is lost for it.
 */
const OURS = { only: "ours" } as const;

/** One session from its creation to what a viewer and the files have of it. */
async function followed(relay: RelayProcess, minor: number): Promise<void> {
  const name = `minor-${minor}`;
  await using client = await connectTo(relay, { announceMinor: minor });
  const { stream, output } = await prepare(relay, client, { name, ...LIVE });
  await using viewers = await startViewers(relay, 1, { name, hostname: HOST });
  for (let sequence = 0; sequence < PACKETS; sequence++) {
    const first = sequence * EVENTS;
    await send(client, stream, { sequence, events: EVENTS, first });
    const end = 1_000_000n * BigInt(first + EVENTS);
    await client.sendBeacon(stream, end, 0n);
  }
  assert((await client.finish()).stored);
  await assertSeen(viewers);
  assertEquals(await readEvents(output), upTo(PACKETS * EVENTS), name);
}

async function assertSeen(viewers: Viewers): Promise<void> {
  for (const viewer of viewers.programs) {
    assertEquals(await viewer.values("n"), upTo(PACKETS * EVENTS));
    assertEquals(viewer.errors, "");
  }
}

eachRelay(
  "viewers follow producers of LTTng 2.4 to 2.15 at once",
  async (relay) => {
    const minors = [4, 7, 8, 10, 11, 12, 13, 15];
    const sessions = minors.map((minor) => followed(relay, minor));
    await Promise.allSettled(sessions);
    await Promise.all(sessions);
  },
  OURS,
);

for (const viewerCount of [1, 3]) {
  eachRelay(
    `${viewerCount} viewers see every event of a session that is rotated`,
    async (relay) => {
      await using client = await connectTo(relay);
      const { stream, metadataStream, output } = await prepare(
        relay,
        client,
        { name: "demo", ...LIVE },
      );
      await using viewers = await startViewers(relay, viewerCount, {
        name: "demo",
        hostname: HOST,
      });
      for (let sequence = 0; sequence < PACKETS; sequence++) {
        const first = sequence * EVENTS;
        await send(client, stream, { sequence, events: EVENTS, first });
        // Some chunks have one packet, some have several.
        if (sequence % 3 === 1) continue;
        assert((await client.rotate()).finished);
        await client.sendMetadata(metadataStream, metadata);
      }
      assert((await client.finish()).stored);
      await assertSeen(viewers);
      assertEquals(await readEvents(output), upTo(PACKETS * EVENTS));
    },
    OURS,
  );
}
