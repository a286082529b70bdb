/** Our session daemon and our client: the operator sees what did not arrive. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type OwnLttng, startOwnLttng } from "../cli/support/own_lttng.ts";
import { waitFor } from "../support/process.ts";
import { startRelay } from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { ThrottledLink } from "../support/throttle.ts";
import {
  RunningDaemon,
  type RunningOptions,
} from "./support/running_daemon.ts";

const RELAY_CONNECT_FAIL = 104;

interface World {
  readonly daemon: RunningDaemon;
  readonly client: OwnLttng;
  /** Runs our `lttng`, which must succeed; what it printed. */
  lttng(...args: string[]): Promise<string>;
}

function test(
  name: string,
  body: (world: World) => Promise<void>,
  options: RunningOptions = {},
): void {
  stockTest(name, { programs: SESSIOND_PROGRAMS }, async () => {
    await using daemon = await RunningDaemon.start(options);
    await using client = await startOwnLttng(daemon.user);
    await body({
      daemon,
      client,
      async lttng(...args) {
        const { code, stdout, stderr } = await client.run(args);
        assertEquals([code, stderr], [0, ""], `lttng ${args.join(" ")}`);
        return stdout;
      },
    });
  });
}

/** Creates a session called `one` with small sub-buffers, and starts it. */
async function start(
  { client }: World,
  ...output: string[]
): Promise<void> {
  for (
    const args of [
      ["create", "one", ...output],
      ["enable-channel", "-k", "ch", "--subbuf-size=4k", "--num-subbuf=4"],
      ["enable-event", "-k", "fake_tick", "--channel=ch"],
      ["start"],
    ]
  ) {
    const { code } = await client.run(args);
    // Where its output does not work, one of them is told so.
    if (code === RELAY_CONNECT_FAIL) await client.run(args);
  }
}

function relayUrl({ control, data }: { control: number; data: number }) {
  return `net://127.0.0.1:${control}:${data}`;
}

function recordingOf({ daemon }: World) {
  return daemon.tracer.recordings.get("one")!;
}

/** Records more than a slow or absent output takes. */
async function overload(world: World): Promise<void> {
  for (let round = 0; round < 10; round++) {
    recordingOf(world).produce(200, "event of a busy machine");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What `--json` has of the session. */
async function jsonDelivery({ lttng }: World, ...args: string[]) {
  const { output } = JSON.parse(await lttng("--json", ...args));
  return output.sessions[0].delivery;
}

test("lttng list says what the stock one says where nothing is wrong", async (world) => {
  const { daemon, lttng } = world;
  await start(world);
  recordingOf(world).produce(10);
  for (const args of [["list"], ["list", "one"], ["status"]]) {
    assertEquals(await lttng(...args), await daemon.lttng(...args));
  }
  const stopped = await lttng("stop");
  assertMatch(stopped, /^Waiting for data availability\.*\nTracing stopped /);
  for (const args of [["list"], ["list", "one"], ["status"]]) {
    assertEquals(await lttng(...args), await daemon.lttng(...args));
  }
  assertMatch(
    await lttng("destroy"),
    /^(Destroying session one\.*\n)?Session one destroyed\n$/,
  );
});

test("lttng --json list has what became of each stream", async (world) => {
  await start(world);
  recordingOf(world).produce(10);
  await world.lttng("stop");
  const { streams, output_url, ...session } = await jsonDelivery(
    world,
    "list",
    "one",
  );
  assertMatch(output_url, /^file:\/\/\/.*\/lttng-traces\/one-/);
  assertEquals(session, {
    output_state: "ready",
    more_in_buffers: false,
    discarded_events: 0,
    lost_packets: 0,
  });
  assertEquals(
    streams.map(({ name, recorded_events }: Record<string, unknown>) => [
      name,
      recorded_events,
    ]),
    [["ch_0", 5], ["ch_1", 5]],
  );
  const xml = await world.lttng("--mi=xml", "list", "one");
  assert(!xml.includes("delivery"), xml);
});

test("lttng stop says once what was discarded, and of which streams", async (world) => {
  const { lttng } = world;
  await start(world);
  // More than its buffers hold, all at once.
  recordingOf(world).produce(2_000, "event of a busy machine");
  const stopped = await lttng("stop");
  const total = Number(
    /Warning: (\d+) events were discarded/.exec(stopped)![1],
  );
  const [, first = 0, second = 0] =
    /Session one: Events discarded: stream ch_\d (\d+), ch_\d (\d+)\n/
      .exec(stopped) ?? [];
  assertEquals(Number(first) + Number(second), total, stopped);
  assert((await lttng("list")).includes(`    ${total} events discarded\n`));
  assert((await lttng("status")).includes("    Events discarded: stream ch_"));
  const destroyed = await lttng("destroy");
  // It was told at the stop.
  assert(!/Warning|Events/.test(destroyed), destroyed);
});

test("lttng destroy of a session that records says what was discarded", async (world) => {
  await start(world);
  recordingOf(world).produce(2_000, "event of a busy machine");
  const destroyed = await world.lttng("destroy");
  assertEquals(destroyed.match(/events were discarded/g)?.length, 1);
});

test(
  "lttng stop over a slow link says what is on its way, status until it has arrived",
  async (world) => {
    const { client, lttng } = world;
    await using relay = await startRelay("ours");
    await using link = new ThrottledLink(relay.ports, 50_000);
    await start(world, `--set-url=${relayUrl(link.ports)}`);
    await overload(world);
    const { code, stdout } = await client.run(["stop"]);
    assertEquals(code, 0, stdout);
    const way = new RegExp(
      "Session one: \\d+ packets? \\([\\d.]+ KiB\\) still on their way to " +
        `${relayUrl(link.ports)}: stream ch_\\d \\d+`,
    );
    assertMatch(stdout, way);
    const { streams } = await jsonDelivery(world, "status");
    const bytes = streams.reduce(
      (sum: number, stream: Record<string, number>) =>
        sum + stream.waiting_bytes! + stream.unconfirmed_bytes!,
      0,
    );
    assert(bytes > 0, JSON.stringify(streams));
    await waitFor("everything has arrived", async () => {
      return !(await lttng("status")).includes("still on their way");
    }, 60_000);
    assertEquals(await jsonDelivery(world, "list"), {
      ...await jsonDelivery(world, "status"),
    });
  },
  { stopTimeoutMs: 500 },
);

test(
  "lttng destroy over a slow link says what did not arrive",
  async (world) => {
    await using relay = await startRelay("ours");
    await using link = new ThrottledLink(relay.ports, 50_000);
    await start(world, `--set-url=${relayUrl(link.ports)}`);
    await overload(world);
    await world.client.run(["stop"]);
    const stop = await jsonDelivery(world, "status");
    const destroyed = await world.lttng("destroy");
    assertMatch(
      destroyed,
      /Session one: Packets (given up|sent, but not confirmed to be stored): stream ch_/,
    );
    // What the stop has told is not told again.
    const more = /Warning: (\d+) events were discarded/.exec(destroyed)?.[1] ??
      0;
    const total = world.daemon.tracer.recordings.get("one")!.channels[0]!
      .statistics().reduce((sum, { discarded }) => sum + discarded, 0);
    assert(Number(more) <= total - stop.discarded_events, destroyed);
  },
  { stopTimeoutMs: 500 },
);

test(
  "lttng status and list say as long as a relay daemon is absent, and stop counts",
  async (world) => {
    const { client, lttng } = world;
    await start(world, "--set-url=net://127.0.0.1:1:1");
    await overload(world);
    for (let time = 0; time < 2; time++) {
      for (const args of [["status"], ["list"], ["list", "one"]]) {
        assertMatch(
          await lttng(...args),
          /\n {4}Output net:\/\/127.0.0.1:1:1 does not work, and is tried again: No relay daemon at 127.0.0.1, ports 1 and 1: /,
        );
      }
    }
    const { code, stdout } = await client.run(["stop"]);
    assertEquals(code, 0);
    assertMatch(stdout, /Session one: Output net:.* does not work/);
    assertMatch(
      stdout,
      /Session one: \d+ packets .* still on their way to net:/,
    );
    const destroyed = await lttng("destroy");
    assertMatch(
      destroyed,
      /Warning: \d+ events were discarded and \d+ packets /,
    );
    assertMatch(destroyed, /Session one: Packets given up: stream ch_\d \d+/);
  },
  { stopTimeoutMs: 200 },
);

test(
  "lttng stop of a session whose relay daemon was killed says what was lost",
  async (world) => {
    const { client, lttng } = world;
    const relay = await startRelay("ours");
    await start(world, `--set-url=${relayUrl(relay.ports)}`);
    recordingOf(world).produce(10);
    await relay[Symbol.asyncDispose]();
    await waitFor("the daemon knows", async () => {
      return (await lttng("status")).includes("is lost");
    });
    await overload(world);
    const { code, stdout, stderr } = await client.run(["stop"]);
    assertEquals(code, RELAY_CONNECT_FAIL);
    assertMatch(stderr, /Unable to connect to lttng-relayd/);
    assertMatch(stdout, /Warning: \d+ events were discarded and \d+ packets /);
    assertMatch(stdout, /Session one: Output net:.* is lost: /);
    assertMatch(stdout, /Session one: Packets given up: stream ch_/);
    assertMatch(stdout, /Tracing stopped for session one\n$/);
    assertMatch(await lttng("status"), /Recording session one: \[inactive\]/);
    assertMatch(await lttng("status"), /is lost/);
    const { output_state, output_failure } = await jsonDelivery(world, "list");
    assertEquals(output_state, "lost");
    assert(output_failure.length > 0);
    const destroyed = await lttng("destroy");
    // All of it was told at the stop.
    assertMatch(destroyed, /Session one: Output net:.* was lost: .*\n$/);
    assert(!/Warning|Packets|Events/.test(destroyed), destroyed);
  },
  { stopTimeoutMs: 500 },
);

test(
  "lttng --json stop and destroy have what did not arrive",
  async (world) => {
    await start(world, "--set-url=net://127.0.0.1:1:1");
    await overload(world);
    const stop = await jsonDelivery(world, "stop");
    assertEquals(stop.output_state, "failed");
    assert(stop.streams[0].waiting_packets > 0);
    const destroy = await jsonDelivery(world, "destroy");
    assertEquals(destroy.streams[0].waiting_packets, 0);
    assert(destroy.streams[0].given_up_packets > 0);
    const { produced } = recordingOf(world).channels[0]!;
    assertEquals(destroy.discarded_events, produced);
  },
  { stopTimeoutMs: 200 },
);

test("a command that is told of an absent relay daemon says why", async ({ client, lttng }) => {
  await client.run(["create", "one", "--set-url=net://127.0.0.1:1:1"]);
  let { code, stderr } = await client.run(["enable-event", "-k", "fake_tick"]);
  if (code === 0) {
    await waitFor("the daemon knows", async () => {
      return (await lttng("status")).includes("does not work");
    });
    ({ code, stderr } = await client.run(["start"]));
  }
  assertEquals(code, RELAY_CONNECT_FAIL);
  const [error, reason] = stderr.split("\n");
  assertMatch(error!, /^Error: .*Unable to connect to lttng-relayd/);
  assertMatch(reason!, /^Session one: Output net:.*: Connection refused/);
});
