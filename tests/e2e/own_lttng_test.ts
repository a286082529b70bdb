/**
 * Our `lttng` makes a stock session daemon stream a stock application to our
 * relay daemon; babeltrace2 and `lttng view` read back what was produced.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startOwnLttng } from "../cli/support/own_lttng.ts";
import { viewCommand } from "../cli/support/view_process.ts";
import { readTrace } from "../support/babeltrace.ts";
import { ChildProgram, run, waitFor } from "../support/process.ts";
import { type RelayProcess, startRelay } from "../support/relay_process.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { listTree, traceDirectories } from "../support/trees.ts";
import { UST_EVENT, ustMissing } from "../support/ust_app.ts";

const options = {
  programs: [...SESSIOND_PROGRAMS, "babeltrace2", "gcc"],
  skip: await ustMissing(),
};

/** Everything that takes part. */
interface World {
  readonly relay: RelayProcess;
  readonly sessiond: Sessiond;
  /** Runs our `lttng`, which must succeed and warn of nothing. */
  lttng(...args: string[]): Promise<string>;
}

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  await using relay = await startRelay("ours");
  await using sessiond = await startSessiond();
  await using client = await startOwnLttng(sessiond.user);
  await body({
    relay,
    sessiond,
    lttng: async (...args) => {
      const { code, stdout, stderr } = await client.run(args);
      assertEquals([code, stderr], [0, ""], `lttng ${args.join(" ")}`);
      return stdout;
    },
  });
}

/** What babeltrace2 and `lttng view` find in all traces of the relay daemon. */
async function stored({ relay }: World) {
  const found = { events: [] as string[], discarded: 0, viewed: 0 };
  for (const name of await traceDirectories(relay.output)) {
    const directory = `${relay.output}/${name}`;
    const reading = await readTrace(directory);
    assertEquals(reading.code, 0, reading.errors);
    found.events.push(...reading.events);
    found.discarded += reading.discardedEvents;
    const [program, args] = viewCommand("--json", directory);
    const { code, stdout } = await run({ command: [program, ...args] });
    assertEquals(code, 0);
    found.viewed += stdout.split("\n").filter((line) => line !== "").length;
  }
  return found;
}

/** Waits until everything that was produced is stored or counted as lost. */
async function conserved(world: World, produced: number): Promise<string[]> {
  let found = await stored(world);
  await waitFor(`${produced} events are stored`, async () => {
    found = await stored(world);
    return found.events.length + found.discarded >= produced;
  });
  assertEquals(found.events.length + found.discarded, produced);
  assertEquals(found.viewed, found.events.length);
  return found.events;
}

for (const scheme of ["--buffers-uid", "--buffers-pid"]) {
  stockTest(
    `lttng records to our relay daemon what its rules choose, ${scheme}`,
    options,
    () =>
      inWorld(async (world) => {
        const { lttng, relay, sessiond } = world;
        await lttng("create", "demo", `--set-url=${relay.url()}`);
        await lttng("enable-channel", "-u", "ch", scheme, "--num-subbuf=8");
        const rule = ["enable-event", "--userspace", "--channel=ch"];
        const filter = "intfield < 100 || intfield >= 150";
        await lttng(
          ...[...rule, UST_EVENT, "--loglevel=TRACE_DEBUG"],
          ...["--filter", filter],
        );
        // These match nothing: by their exclusion, and by their level.
        await lttng(...rule, "tp:*", `--exclude=${UST_EVENT}`);
        await lttng(...rule, "tp:tp*", "--loglevel=INFO");
        await lttng("add-context", "-u", "-c", "ch", "-t", "vpid", "-t", "ip");
        await lttng("start");
        const application = await sessiond.startApplication("app");
        await application.emit(150);
        assertStringIncludes(
          await lttng("rotate"),
          "Trace chunk archive for session demo is now readable on relay " +
            "tcp://127.0.0.1/",
        );
        await application.emit(50);
        assertStringIncludes(await lttng("stop"), "Tracing stopped for ");
        const events = await conserved(world, 150);
        for (const event of events) {
          assert(/vpid = ID, ip = \d+/.test(event), event);
        }
        assertStringIncludes(await lttng("destroy"), "Session demo destroyed");
        await conserved(world, 150);
      }),
  );
}

stockTest(
  "lttng stop says how many events were lost",
  options,
  () =>
    inWorld(async (world) => {
      const { lttng, relay, sessiond } = world;
      await lttng("create", "small", `--set-url=${relay.url()}`);
      const size = ["--subbuf-size=4k", "--num-subbuf=2"];
      await lttng("enable-channel", "-u", "ch", ...size);
      await lttng("enable-event", "-u", "-c", "ch", UST_EVENT);
      await lttng("start");
      const application = await sessiond.startApplication("app", 1_000);
      await application.emit(5_000);
      const [, lost = ""] = /^Warning: (\d+) events were discarded, /m
        .exec(await lttng("stop")) ?? [];
      const events = await conserved(world, 5_000);
      assertEquals(Number(lost), 5_000 - events.length);
      assert(events.length < 5_000, "the buffers were too large for this test");
      await lttng("destroy");
    }),
);

stockTest(
  "lttng sends snapshots to our relay daemon",
  options,
  () =>
    inWorld(async (world) => {
      const { lttng, relay, sessiond } = world;
      await lttng("create", "snap", "--snapshot", `--set-url=${relay.url()}`);
      await lttng("enable-event", "-u", UST_EVENT);
      await lttng("start");
      const application = await sessiond.startApplication("app");
      await application.emit(30);
      await lttng("snapshot", "record", "--name=first");
      await conserved(world, 30);
      await application.emit(12);
      await lttng("snapshot", "record");
      // The second holds what the first did, and more.
      await conserved(world, 30 + 42);
      await lttng("destroy");
    }),
);

stockTest(
  "the viewer that lttng create --live names prints all events",
  options,
  () =>
    inWorld(async (world) => {
      const { lttng, relay, sessiond } = world;
      const text = await lttng(
        ...["create", "lively", "--live=100000", `--set-url=${relay.url()}`],
      );
      await lttng("enable-event", "-u", UST_EVENT);
      await lttng("start");
      const application = await sessiond.startApplication("app");
      await application.emit(1);
      await waitFor(
        "the first packet",
        async () =>
          (await listTree(relay.output)).some((path) => path.endsWith(".idx")),
      );
      const [, line = ""] = /^Follow it with: (.*)$/m.exec(text) ?? [];
      // The relay daemon of this test has a live port of its own.
      const command = line.replace(":5344/", `:${relay.ports.live}/`).split(
        " ",
      );
      await using viewer = new ChildProgram({ command });
      await waitFor("the viewer prints", async () => {
        assert(viewer.running, viewer.stderr);
        await application.emit(50);
        return viewer.stdout.includes("intfield = 1,");
      });
      await lttng("destroy");
      await waitFor("the end of the viewer", () => !viewer.running);
      const printed = [...viewer.stdout.matchAll(/\bintfield = (\d+)/g)];
      const last = printed.map((match) => Number(match[1]));
      // Whether what came before it is seen depends on when it attached.
      assertEquals(last.at(-1), application.produced - 1);
      assertEquals(new Set(last).size, last.length);
      await conserved(world, application.produced);
    }),
);
