/** The viewer against real relay daemons, the stock one and ours. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { viewerCommands } from "../../lib/wire/live.ts";
import type { RelayClient } from "../../lib/stream/relay_client.ts";
import type { RelayStream } from "../../lib/stream/relay_stream.ts";
import { SessionNotFoundError, ViewerError } from "../../lib/viewer/errors.ts";
import type { Attachment, FollowOptions } from "../../lib/viewer/attachment.ts";
import type { LiveItem } from "../../lib/viewer/items.ts";
import {
  type AttachOptions,
  LiveClient,
  type LiveClientOptions,
} from "../../lib/viewer/live_client.ts";
import { parseViewerUrl } from "../../lib/viewer/url.ts";
import { metadata } from "../stream/sample_trace.ts";
import {
  connectTo,
  eachRelay,
  hasIpv6,
  HOST,
  PATHNAME,
  prepare,
  send,
} from "../stream/relays.ts";
import { within } from "../support/process.ts";
import type { RelayProcess } from "../support/relay_process.ts";
import { Collected, join } from "./support/collected.ts";

const TARGET = { hostname: HOST, sessionName: "demo" };
const LIVE = { liveTimer: 100_000 };
const FILE = `${PATHNAME}/ch0_0`;
const WAIT_MS = 15_000;

/** A viewer of the relay daemon under test. */
function view(
  relay: RelayProcess,
  options: LiveClientOptions = {},
): Promise<LiveClient> {
  const { hostname, ports } = relay;
  return LiveClient.connect({ hostname, port: ports.live }, options);
}

/** What a viewer got so far; it asks for more only when told to. */
class Watcher {
  readonly collected = new Collected();
  readonly #items: AsyncIterator<LiveItem>;

  constructor(attachment: Attachment, options?: FollowOptions) {
    this.#items = attachment.follow({ pollMs: 10, ...options });
  }

  static async start(
    client: LiveClient,
    options: AttachOptions = { from: "beginning" },
  ): Promise<Watcher> {
    return new Watcher(await client.attach(TARGET, options));
  }

  /** Takes items until one is wanted, or all. */
  async until(wanted: (item: LiveItem) => boolean): Promise<Collected> {
    await within("an item of a viewer", this.#take(wanted), WAIT_MS);
    return this.collected;
  }

  /** Takes items until so many packets came. */
  untilPackets(count: number): Promise<Collected> {
    return this.until(() => this.collected.packets >= count);
  }

  untilEnd(): Promise<Collected> {
    return this.until(() => false);
  }

  async #take(wanted: (item: LiveItem) => boolean): Promise<void> {
    for (;;) {
      const { done, value } = await this.#items.next();
      if (done) return;
      this.collected.add(value);
      if (wanted(value)) return;
    }
  }
}

/** Sends packets of one event each, from `first` to below `end`. */
async function sendPackets(
  client: RelayClient,
  stream: RelayStream,
  first: number,
  end: number,
  packetBytes = 4096,
): Promise<void> {
  for (let n = first; n < end; n++) {
    await send(client, stream, {
      sequence: n,
      events: 1,
      first: n,
      packetBytes,
    });
  }
}

eachRelay("a viewer gets what is stored, byte for byte", async (relay) => {
  await using producer = await connectTo(relay);
  const { stream, metadataStream, output } = await prepare(
    relay,
    producer,
    LIVE,
  );
  await sendPackets(producer, stream, 0, 3);
  await using client = await view(relay);
  const watcher = await Watcher.start(client);
  await watcher.untilPackets(3);
  // Larger than what is asked for at once, and not a multiple of it.
  await sendPackets(producer, stream, 3, 5, 700_000);
  const more = new TextEncoder().encode("/* more */\n");
  await producer.sendMetadata(metadataStream, more);
  await sendPackets(producer, stream, 5, 6);
  await watcher.untilPackets(6);
  await producer.finish();
  const files = (await watcher.untilEnd()).files();
  assertEquals([...files.keys()].sort(), [FILE, `${PATHNAME}/metadata`]);
  for (const [path, bytes] of files) {
    assertEquals(bytes, await Deno.readFile(`${output}/${path}`), path);
  }
  assertEquals(files.get(`${PATHNAME}/metadata`), join([metadata, more]));
  assertEquals(watcher.collected.ended.length, 1);
  assertEquals(watcher.collected.lost, 0);
});

eachRelay("a viewer that starts at the last gets what comes", async (relay) => {
  await using producer = await connectTo(relay);
  const { stream } = await prepare(relay, producer, LIVE);
  await sendPackets(producer, stream, 0, 5);
  await producer.waitUntilStored();
  await using client = await view(relay);
  const watcher = await Watcher.start(client, { from: "last" });
  await watcher.until((item) => item.kind === "idle");
  assertEquals(watcher.collected.packets, 0);
  await sendPackets(producer, stream, 5, 8);
  await watcher.untilPackets(3);
  await producer.finish();
  const collected = await watcher.untilEnd();
  assertEquals(collected.packets, 3);
  assertEquals(collected.files().get(`${PATHNAME}/metadata`), metadata);
});

eachRelay(
  "a viewer is told of inactivity, once for each time",
  async (relay) => {
    await using producer = await connectTo(relay);
    const { stream } = await prepare(relay, producer, LIVE);
    await sendPackets(producer, stream, 0, 1);
    await using client = await view(relay);
    const watcher = await Watcher.start(client);
    const inactive: LiveItem[] = [];
    for (const time of [5_000_000n, 6_000_000n]) {
      await producer.sendBeacon(stream, time, 0n);
      await watcher.until((item) => {
        if (item.kind !== "inactive") return false;
        inactive.push(item);
        return item.timestampEnd === time;
      });
    }
    assertEquals(inactive.length, 2);
    await producer.finish();
    await watcher.untilEnd();
  },
);

eachRelay("a viewer sees traces come and go", async (relay) => {
  await using producer = await connectTo(relay);
  const { stream, output } = await prepare(relay, producer, LIVE);
  await using client = await view(relay);
  const watcher = await Watcher.start(client);
  // Nothing of the first trace has come yet that could carry a flag.
  await watcher.until((item) => item.kind === "idle");
  const paths: string[] = [];
  for (let i = 0; i < 3; i++) {
    const pathname = `ust/pid/app-${i}`;
    paths.push(`${pathname}/ch0_0`, `${pathname}/metadata`);
    const data = await producer.addStream({ name: "ch0_0", pathname });
    const text = await producer.addStream({ name: "metadata", pathname });
    await producer.streamsSent();
    await producer.sendMetadata(text, metadata);
    await sendPackets(producer, data, 0, 4);
    await watcher.untilPackets(4 * (i + 1));
    await producer.closeStream(data);
    await producer.closeStream(text);
    await watcher.until((item) =>
      item.kind === "stream-ended" && item.stream.pathname === pathname &&
      item.stream.isMetadata
    );
  }
  await sendPackets(producer, stream, 0, 2);
  await watcher.untilPackets(14);
  await producer.finish();
  const files = (await watcher.untilEnd()).files();
  assertEquals(
    [...files.keys()].sort(),
    [...paths, FILE, `${PATHNAME}/metadata`].sort(),
  );
  for (const [path, bytes] of files) {
    assertEquals(bytes, await Deno.readFile(`${output}/${path}`), path);
  }
});

eachRelay("a viewer attaches to all consumers of a session", async (relay) => {
  const producers = [await connectTo(relay), await connectTo(relay)];
  await using stack = new AsyncDisposableStack();
  for (const producer of producers) stack.use(producer);
  const streams: RelayStream[] = [];
  for (const [i, producer] of producers.entries()) {
    const session = { ...LIVE, basePath: `consumer-${i}` };
    streams.push((await prepare(relay, producer, session)).stream);
  }
  await using client = await view(relay);
  const watcher = await Watcher.start(client);
  for (const [i, producer] of producers.entries()) {
    await sendPackets(producer, streams[i]!, 0, 2 + i);
  }
  await watcher.untilPackets(5);
  await producers[0]?.finish();
  await watcher.until((item) => item.kind === "session-ended");
  await sendPackets(producers[1]!, streams[1]!, 3, 4);
  await watcher.untilPackets(6);
  await producers[1]?.finish();
  assertEquals((await watcher.untilEnd()).ended.length, 2);
});

eachRelay(
  "a viewer is joined by a consumer that begins later",
  async (relay) => {
    await using first = await connectTo(relay);
    await prepare(relay, first, { ...LIVE, basePath: "first" });
    await using client = await view(relay);
    const watcher = new Watcher(
      await client.attach(TARGET, { from: "last" }),
      { sessionPollMs: 20 },
    );
    await watcher.until((item) => item.kind === "idle");
    await using second = await connectTo(relay);
    const session = { ...LIVE, basePath: "second" };
    const { stream } = await prepare(relay, second, session);
    await sendPackets(second, stream, 0, 3);
    await watcher.untilPackets(3);
    await first.finish();
    await second.finish();
    assertEquals((await watcher.untilEnd()).ended.length, 2);
  },
);

eachRelay("a viewer goes on through rotations", async (relay) => {
  await using producer = await connectTo(relay);
  const { stream, metadataStream } = await prepare(relay, producer, LIVE);
  await using client = await view(relay);
  const watcher = await Watcher.start(client);
  await watcher.until((item) => item.kind === "idle");
  for (let i = 0; i < 3; i++) {
    await sendPackets(producer, stream, 2 * i, 2 * i + 2);
    // The stock daemon skips what a viewer has not read when it rotates.
    await watcher.untilPackets(2 * i + 2);
    await producer.rotate();
    await producer.sendMetadata(metadataStream, metadata);
  }
  await sendPackets(producer, stream, 6, 8);
  await watcher.untilPackets(8);
  await producer.finish();
  const collected = await watcher.untilEnd();
  assertEquals(collected.packets, 8);
  assertEquals(collected.files().get(`${PATHNAME}/metadata`), metadata);
});

eachRelay(
  "a viewer sees the end of a producer that is cut off",
  async (relay) => {
    await using producer = await connectTo(relay);
    const { stream } = await prepare(relay, producer, LIVE);
    await sendPackets(producer, stream, 0, 3);
    await producer.waitUntilStored();
    await using client = await view(relay);
    const watcher = await Watcher.start(client);
    await watcher.untilPackets(3);
    producer.close();
    const collected = await watcher.untilEnd();
    assertEquals(collected.packets, 3);
    assertEquals(collected.ended.length, 1);
  },
);

eachRelay("a viewer that leaves may attach again", async (relay) => {
  await using producer = await connectTo(relay);
  const { stream } = await prepare(relay, producer, LIVE);
  await sendPackets(producer, stream, 0, 3);
  await using client = await view(relay);
  for (let i = 0; i < 3; i++) {
    const attachment = await client.attach(TARGET, { from: "beginning" });
    let packets = 0;
    for await (const item of attachment.follow({ pollMs: 10 })) {
      if (item.kind === "packet" && ++packets === 2) break;
    }
  }
  const [session] = await client.listSessions();
  assertEquals(session?.clients, 0);
});

eachRelay("a viewer waits for a session, then follows it", async (relay) => {
  await using client = await view(relay);
  await assertRejects(
    () => client.attach(TARGET),
    SessionNotFoundError,
    'There is no session "demo" of host "testhost": the relay daemon has none',
  );
  const attaching = client.attach(TARGET, { waitMs: WAIT_MS });
  await using producer = await connectTo(relay);
  const { stream } = await prepare(relay, producer, LIVE);
  await sendPackets(producer, stream, 0, 2);
  const watcher = new Watcher(await attaching);
  await watcher.until((item) => item.kind === "idle");
  await producer.finish();
  await watcher.untilEnd();
});

eachRelay("a viewer is told that a session is not live", async (relay) => {
  await using producer = await connectTo(relay);
  await prepare(relay, producer);
  await using client = await view(relay);
  await assertRejects(
    () => client.attach(TARGET),
    ViewerError,
    'Cannot attach to session "demo" of host "testhost": it is not live',
  );
  assertEquals((await client.listSessions()).length, 1);
});

eachRelay(
  "a second viewer of a session is told that there is one",
  async (relay) => {
    await using producer = await connectTo(relay);
    await prepare(relay, producer, LIVE);
    await using first = await view(relay);
    const attachment = await first.attach(TARGET);
    await using second = await view(relay);
    await assertRejects(
      () => second.attach(TARGET),
      ViewerError,
      "a viewer is attached to it already",
    );
    await attachment.detach();
    assertEquals((await second.attach(TARGET)).sessions.length, 1);
  },
  { only: "stock" },
);

eachRelay("several viewers of a session each get everything", async (relay) => {
  await using producer = await connectTo(relay);
  const { stream, output } = await prepare(relay, producer, LIVE);
  await using stack = new AsyncDisposableStack();
  const following: Promise<Collected>[] = [];
  for (const announceMinor of [4, 8, 14, 15]) {
    const client = stack.use(await view(relay, { announceMinor }));
    following.push((await Watcher.start(client)).untilEnd());
  }
  await sendPackets(producer, stream, 0, 50, 20_000);
  await producer.finish();
  const stored = await Deno.readFile(`${output}/${FILE}`);
  for (const collected of await Promise.all(following)) {
    assertEquals(collected.files().get(FILE), stored);
  }
}, { only: "ours" });

const oldest = viewerCommands.CONNECT.since;
for (let minor = oldest; minor <= 15; minor++) {
  eachRelay(`a viewer of 2.${minor} lists and follows`, async (relay) => {
    await using producer = await connectTo(relay);
    const { stream } = await prepare(relay, producer, LIVE);
    await sendPackets(producer, stream, 0, 2);
    await using client = await view(relay, { announceMinor: minor });
    assertEquals(
      client.minor,
      relay.kind === "stock" ? Math.min(minor, 13) : minor,
    );
    const [session] = await client.listSessions();
    assertEquals(
      [session?.hostname, session?.sessionName, session?.liveTimer],
      [HOST, "demo", 100_000],
    );
    const watcher = await Watcher.start(client);
    await watcher.untilPackets(2);
    await producer.finish();
    await watcher.untilEnd();
  });
}

eachRelay("a viewer connects to an IPv6 address", async (relay) => {
  const url = parseViewerUrl(`net6://[::1]:${relay.ports.live}`);
  await using client = await LiveClient.connect(url);
  assert(client.peer.startsWith("[::1]:"), client.peer);
  assertEquals(await client.listSessions(), []);
}, {
  hostname: "::1",
  skip: hasIpv6() ? undefined : "This machine has no IPv6 loopback",
});

eachRelay("a viewer of a packet that is overwritten goes on", async (relay) => {
  await using producer = await connectTo(relay);
  await producer.createSession({ name: "demo", hostname: HOST, ...LIVE });
  await producer.createTraceChunk();
  const stream = await producer.addStream({
    name: "ch0_0",
    pathname: PATHNAME,
    tracefileSize: 4096n,
    tracefileCount: 2n,
  });
  const text = await producer.addStream({
    name: "metadata",
    pathname: PATHNAME,
  });
  await producer.streamsSent();
  await producer.sendMetadata(text, metadata);
  await using client = await view(relay);
  const watcher = await Watcher.start(client);
  await watcher.until((item) => item.kind === "idle");
  await sendPackets(producer, stream, 0, 10);
  await producer.waitUntilStored();
  await watcher.until((item) =>
    item.kind === "packet" && item.index.timestampBegin === 10_000_000n
  );
  await producer.finish();
  const collected = await watcher.untilEnd();
  assert(collected.packets >= 1 && collected.packets < 10);
});
