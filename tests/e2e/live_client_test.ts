/** Our viewer follows a stock session daemon's live session, through both relay daemons. */

import { assert, assertEquals } from "@std/assert";
import { LiveClient } from "../../lib/viewer/live_client.ts";
import { parseViewerUrl } from "../../lib/viewer/url.ts";
import { within } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import { listTree } from "../support/trees.ts";
import { ustMissing } from "../support/ust_app.ts";
import { Collected } from "../viewer/support/collected.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const SESSION = "demo";
const CREATE_LIVE = "--live=100000";
const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];
const END_MILLISECONDS = 30_000;
const KINDS = ["stock", SECOND_KIND] as const;
const skip = await ustMissing();

/** Starts a live session. */
async function start(world: World, channel: readonly string[]): Promise<void> {
  const create = [CREATE_LIVE, `--set-url=${world.url()}`];
  await world.start(SESSION, { create, channel });
}

/** Viewers that follow the session from its beginning. */
class Viewers extends AsyncDisposableStack {
  readonly #following: Promise<Collected>[] = [];

  /** Attaches; what comes is taken from then on. */
  async add(world: World): Promise<void> {
    const { live } = world.relay.ports;
    const url = parseViewerUrl(
      `net://127.0.0.1:${live}/host/${Deno.hostname()}/${SESSION}`,
    );
    const client = this.use(await LiveClient.connect(url));
    const attachment = await client.attach(url.target!, {
      from: "beginning",
      waitMs: END_MILLISECONDS,
    });
    const following = new Collected().takeAll(attachment.follow());
    following.catch(() => {});
    this.#following.push(following);
  }

  /** What each got, once all are at the end of the session. */
  async ended(): Promise<Collected[]> {
    const all = Promise.all(this.#following);
    return await within("the end of the viewers", all, END_MILLISECONDS);
  }
}

/** Data and metadata files below the output directory, by the path of their stream. */
async function storedFiles(world: World): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of (await listTree(world.output)).sort()) {
    const stream = /\/(ust\/.*)$/.exec(path)?.[1];
    if (stream === undefined || /\/index(\/|$)/.test(stream)) continue;
    const { isFile } = await Deno.stat(`${world.output}/${path}`);
    if (!isFile) continue;
    const bytes = await Deno.readFile(`${world.output}/${path}`);
    files.set(stream, bytes);
  }
  return files;
}

/**
 * Fails unless a viewer got what is stored, and something is.
 *
 * @param mayEndEarly Ends of streams may be missing.
 */
async function assertSameAsStored(
  world: World,
  collected: Collected,
  mayEndEarly = false,
): Promise<void> {
  await world.settle();
  const stored = await storedFiles(world);
  const received = collected.files();
  assertEquals([...received.keys()].sort(), [...stored.keys()].sort());
  for (const [path, bytes] of stored) {
    const got = received.get(path)!;
    if (!mayEndEarly) assertEquals(got.length, bytes.length, path);
    assertEquals(got, bytes.subarray(0, got.length), path);
  }
  assert(collected.packets > 0);
  assertEquals(collected.lost, 0);
}

for (const kind of KINDS) {
  const relay = kind === "stock"
    ? "the stock relay daemon"
    : "our relay daemon";

  stockTest(
    `our viewer gets what ${relay} stores, byte for byte`,
    { programs: PROGRAMS, skip },
    async () => {
      await using world = await World.start(kind, {});
      await start(world, SMALL_PACKETS);
      const application = await world.application();
      await application.emit(10);
      await using viewers = new Viewers();
      await viewers.add(world);
      await application.emit(500, 1_000);
      await application.emit(2_000);
      await world.finish(SESSION);
      const [collected] = await viewers.ended();
      await assertSameAsStored(world, collected!);
      assert(collected!.packets > 20, `${collected!.packets} packets`);
    },
  );

  stockTest(
    `our viewer sees applications come and go at ${relay}`,
    { programs: PROGRAMS, skip },
    async () => {
      await using world = await World.start(kind, {});
      await start(world, ["--buffers-pid"]);
      const first = await world.application("first");
      await first.emit(1);
      await using viewers = new Viewers();
      await viewers.add(world);
      for (const name of ["second", "third"]) {
        const application = await world.application(name);
        // Long enough that its streams are announced before they close.
        await application.emit(20, 30_000);
        await application.finish();
      }
      await first.emit(10);
      await world.finish(SESSION);
      const [collected] = await viewers.ended();
      const traces = new Set(collected!.streams.map(({ trace }) => trace));
      assertEquals(traces.size, 3);
      // The stock daemon hangs up on a stream as soon as it closes, whatever
      // the viewer has not asked for yet.
      await assertSameAsStored(world, collected!, kind === "stock");
    },
  );

  stockTest(
    `our viewer ends when the consumers of ${relay} are killed`,
    { programs: PROGRAMS, skip },
    async () => {
      await using world = await World.start(kind, {});
      await start(world, []);
      const application = await world.application();
      await application.emit(10);
      await using viewers = new Viewers();
      await viewers.add(world);
      await world.waitForPaths(/\.idx$/, 1);
      await world.sessiond.killConsumers();
      const [collected] = await viewers.ended();
      assertEquals(collected?.ended.length, 1);
    },
  );
}

stockTest(
  "our viewers, five at once, get what our relay daemon stores",
  { programs: PROGRAMS, skip },
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    await start(world, SMALL_PACKETS);
    const application = await world.application();
    await application.emit(10);
    await using viewers = new Viewers();
    for (let i = 0; i < 5; i++) await viewers.add(world);
    await application.emit(1_000, 200);
    await world.finish(SESSION);
    for (const collected of await viewers.ended()) {
      await assertSameAsStored(world, collected);
    }
  },
);

stockTest(
  "our viewer goes on after its session is cleared at our relay daemon",
  { programs: PROGRAMS, skip },
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    await start(world, SMALL_PACKETS);
    const application = await world.application();
    await application.emit(200);
    await using viewers = new Viewers();
    await viewers.add(world);
    await world.lttng("clear", SESSION);
    await application.emit(500, 200);
    await world.finish(SESSION);
    const [collected] = await viewers.ended();
    await world.settle();
    for (const [path, bytes] of await storedFiles(world)) {
      // What was cleared may have been received, and comes first.
      const got = collected!.files().get(path)!;
      assertEquals(got.subarray(got.length - bytes.length), bytes, path);
    }
  },
);
