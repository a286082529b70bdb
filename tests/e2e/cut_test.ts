/** A producer cut off at every control message boundary harms nothing else. */

import { assert, assertEquals } from "@std/assert";
import { readTrace } from "../support/babeltrace.ts";
import { type Boundary, RelayProxy } from "../support/proxy.ts";
import { type RelayKind, relayUrl } from "../support/relay_process.ts";
import { type Sessiond, startSessiond } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { listTree, settle, traceDirectories } from "../support/trees.ts";
import { decodeIndexFile } from "../support/trees_index.ts";
import { metadataText } from "../support/trees_metadata.ts";
import { type UstApplication, ustMissing } from "../support/ust_app.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

/** Session daemons that record at the same time. */
const WORKERS = 4;
/** Events of one recording: some packets of 4096 bytes. */
const EVENTS = 100;
const FRESH_EVENTS = 10;
/**
 * How often a boundary after the same piece of the same command is cut: on
 * machines with many processors, a recording repeats some for each stream.
 */
const CUTS_OF_A_KIND = 8;

/** A session daemon with its application, used for one recording at a time. */
interface Producer {
  readonly sessiond: Sessiond;
  readonly application: UstApplication;
}

for (const kind of ["stock", SECOND_KIND] as const) {
  stockTest(
    `${kind} relayd serves on when a producer is cut at any control message`,
    { programs: PROGRAMS, skip: await ustMissing() },
    () => cutEverywhere(kind),
  );
}

async function cutEverywhere(kind: RelayKind): Promise<void> {
  await using world = await World.start(kind, {});
  await using stack = new AsyncDisposableStack();
  const producers: Producer[] = [];
  for (let number = 0; number < WORKERS; number++) {
    const sessiond = stack.use(await startSessiond());
    const application = await sessiond.startApplication();
    producers.push({ sessiond, application });
  }
  const [first] = producers;
  assert(first !== undefined);

  const whole = await recordThroughProxy(world, first, "whole", Infinity);
  const cuts = chooseCuts(whole.boundaries);
  assert(cuts.length >= 30, `Few boundaries: ${cuts.length}`);
  const count = cuts.length;
  let done = 0;
  await Promise.all(producers.map(async (producer) => {
    for (let cut; (cut = cuts.shift()) !== undefined;) {
      const { isCut } = await recordThroughProxy(
        world,
        producer,
        `cut-${cut}`,
        cut,
      );
      if (isCut) done++;
    }
  }));
  // Chance decides how often a producer polls, thus where the last ones are.
  assert(done > count * 0.8, `Cut ${done} recordings of ${count}`);

  assert(world.relay.child.running, `relayd ended: ${world.relay.log}`);
  await recordFresh(world);
  await settle(world.output);
  await world.relay.stop();
  await assertEverythingReads(world.output, count);
}

/** The boundaries to cut at, by their number in a whole recording. */
function chooseCuts(boundaries: readonly Boundary[]): number[] {
  const seen = new Map<string, number>();
  return boundaries.flatMap(({ command, sent }, number) => {
    const kind = `${command} ${sent}`;
    const times = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, times);
    return times <= CUTS_OF_A_KIND ? [number] : [];
  });
}

/** Records through a proxy that cuts at boundary number `cut`, if reached. */
async function recordThroughProxy(
  world: World,
  producer: Producer,
  session: string,
  cut: number,
): Promise<{ boundaries: readonly Boundary[]; isCut: boolean }> {
  const { sessiond, application } = producer;
  await using proxy = new RelayProxy(
    world.relay.ports,
    { cutAt: (_boundary, number) => number === cut },
  );
  const url = relayUrl("127.0.0.1", proxy.ports);
  // Any of these may fail when the connection is cut: that is the point.
  await sessiond.tryLttng("create", session, `--set-url=${url}`);
  await sessiond.tryLttng(
    ...["enable-channel", "-u", "-s", session, "--subbuf-size=4096", "ch"],
  );
  await sessiond.tryLttng(
    ...["enable-event", "-u", "-s", session, "-c", "ch", "tp:tptest"],
  );
  await sessiond.tryLttng("start", session);
  await application.emit(EVENTS);
  await sessiond.tryLttng("stop", session);
  await sessiond.tryLttng("destroy", session);
  return { boundaries: proxy.boundaries, isCut: proxy.isCut };
}

async function recordFresh(world: World): Promise<void> {
  await world.start("fresh");
  const application = await world.application();
  await application.emit(FRESH_EVENTS);
  await world.finish("fresh");
}

/** Reads all that is stored: whole packets, and events where there is metadata. */
async function assertEverythingReads(
  output: string,
  cuts: number,
): Promise<void> {
  let whole = 0;
  let readable = 0;
  let fresh = 0;
  for (const directory of await traceDirectories(output)) {
    await assertIndexesFit(`${output}/${directory}`);
    if (!await hasWholeMetadata(`${output}/${directory}`)) continue;
    const { code, events, errors } = await readTrace(`${output}/${directory}`);
    assertEquals(code, 0, `${directory}: ${errors.slice(0, 2_000)}`);
    readable++;
    if (events.length === EVENTS) whole++;
    if (/\/whole-/.test(directory)) assertEquals(events.length, EVENTS);
    if (/\/fresh-/.test(directory)) fresh = events.length;
  }
  assertEquals(fresh, FRESH_EVENTS);
  // Cuts after the last packet, at least, leave all events.
  assert(whole > 10, `Whole recordings: ${whole} of ${cuts}`);
  assert(readable > whole, `Recordings with metadata: ${readable}`);
}

/** Fails where an index file lists a packet that its data file lacks. */
async function assertIndexesFit(trace: string): Promise<void> {
  for (const path of await listTree(trace)) {
    const name = /^index\/(.*)\.idx$/.exec(path)?.[1];
    if (name === undefined) continue;
    const { size } = await Deno.stat(`${trace}/${name}`);
    const bytes = await Deno.readFile(`${trace}/${path}`);
    for (const entry of decodeIndexFile(bytes).entries) {
      const end = Number(entry.offset + entry.packetSize / 8n);
      assert(end <= size, `${trace}${path} lists up to ${end} of ${size}`);
    }
  }
}

/** Whether all metadata arrived: what is cut lacks the event at its end. */
async function hasWholeMetadata(trace: string): Promise<boolean> {
  const text = metadataText(await Deno.readFile(`${trace}/metadata`));
  return text.includes('"tp:tptest"') && text.trimEnd().endsWith("};");
}
