/** Stock babeltrace2 follows a stock session daemon's live session through our relay daemon. */

import { assert, assertEquals } from "@std/assert";
import { readTrace } from "../support/babeltrace.ts";
import { ChildProgram, waitFor } from "../support/process.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { stockTest } from "../support/stock.ts";
import { traceDirectories } from "../support/trees.ts";
import { ustMissing } from "../support/ust_app.ts";
import { viewerCommands, viewerHeader } from "../../lib/wire/live.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const SESSION = "demo";
const ATTACH_MILLISECONDS = 15_000;
const END_MILLISECONDS = 15_000;
const skip = await ustMissing();

/** Sends one command without waiting for its reply. */
async function send(
  viewer: RawPeer,
  number: number,
  payload: Uint8Array,
): Promise<void> {
  const dataSize = BigInt(payload.length);
  await viewer.send(
    viewerHeader.encode({ dataSize, command: number, commandVersion: 0 }),
    payload,
  );
}

/** How many viewers are attached to each session that the daemon lists. */
async function clients(world: World): Promise<number[]> {
  const { CONNECT, LIST_SESSIONS } = viewerCommands;
  using viewer = await RawPeer.connect({ port: world.relay.ports.live });
  const request = { viewerSessionId: 0n, major: 2, minor: 4, type: 1 };
  await send(viewer, CONNECT.number, CONNECT.request.encode(request, 4));
  await viewer.read(20);
  await send(viewer, LIST_SESSIONS.number, new Uint8Array());
  const head = await viewer.read(4);
  const count = new DataView(head.buffer, head.byteOffset).getUint32(0);
  const entries = await viewer.read(count * 339);
  return LIST_SESSIONS.reply
    .decode(Uint8Array.from([...head, ...entries]), 4)
    .sessions.map((session) => session.clients);
}

/** Starts babeltrace2 viewers and returns once all are attached. */
async function startViewers(
  world: World,
  count: number,
): Promise<AsyncDisposableStack & { programs: ChildProgram[] }> {
  const stack = new AsyncDisposableStack();
  const host = Deno.hostname();
  const url =
    `net://127.0.0.1:${world.relay.ports.live}/host/${host}/${SESSION}`;
  const programs = Array.from({ length: count }, () =>
    stack.use(
      new ChildProgram({
        command: ["babeltrace2", "--input-format=lttng-live", url],
      }),
    ));
  await waitFor(`${count} viewers are attached`, async () => {
    for (const { running, stderr } of programs) assert(running, stderr);
    return (await clients(world)).some((attached) => attached === count);
  }, ATTACH_MILLISECONDS);
  return Object.assign(stack, { programs });
}

/** The numbers of the events that an ended viewer printed, as printed. */
async function printed(program: ChildProgram): Promise<number[]> {
  await waitFor(
    "the end of a viewer",
    () => !program.running,
    END_MILLISECONDS,
  );
  const { code } = await program.ended;
  assertEquals(code, 0, program.stderr);
  return [...program.stdout.matchAll(/\bintfield = (\d+)/g)]
    .map((match) => Number(match[1]));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** How many events babeltrace2 finds in what was stored. */
async function stored(world: World): Promise<number> {
  let events = 0;
  for (const directory of await traceDirectories(world.output)) {
    const reading = await readTrace(`${world.output}/${directory}`);
    assertEquals(reading.code, 0, reading.errors);
    events += reading.events.length;
  }
  return events;
}

async function following(timer: string, viewers: number): Promise<void> {
  await using world = await World.start(SECOND_KIND, {});
  await world.start(SESSION, {
    create: [`--live=${timer}`, `--set-url=${world.url()}`],
    channel: ["--subbuf-size=4096", "--num-subbuf=64"],
  });
  const application = await world.application();
  await application.emit(10);
  await world.waitForPaths(/\/ch_0$/, 1);
  await using stack = await startViewers(world, viewers);
  await application.emit(300, 1_000);
  await application.emit(700);
  await world.finish(SESSION);
  for (const program of stack.programs) {
    const events = await printed(program);
    // Whether what came before is seen depends on when it was attached.
    assertEquals(events.filter((event) => event >= 10), range(10, 1010));
    assertEquals(new Set(events).size, events.length, "an event twice");
  }
  await world.settle();
  assertEquals(await stored(world), 1010);
}

for (
  const [timer, viewers] of [["100000", 1], ["100000", 5], ["1000000", 5], [
    "10000000",
    2,
  ]] as [
    string,
    number,
  ][]
) {
  stockTest(
    `${viewers} viewers at a timer of ${timer} µs print each event once`,
    { programs: PROGRAMS, skip },
    () => following(timer, viewers),
  );
}

stockTest(
  "a viewer sees events while the session is being recorded",
  { programs: PROGRAMS, skip },
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    await world.start(SESSION, {
      create: ["--live=100000", `--set-url=${world.url()}`],
    });
    const application = await world.application();
    await application.emit(1);
    await world.waitForPaths(/\.idx$/, 1);
    await using stack = await startViewers(world, 1);
    const [viewer] = stack.programs;
    // Enough for its output buffer to be written, long before the end.
    await application.emit(500);
    await waitFor(
      "the viewer prints",
      () => viewer?.stdout.includes("intfield = 50,") ?? false,
      END_MILLISECONDS,
    );
    assert(viewer?.running);
    await world.finish(SESSION);
    assertEquals(
      (await printed(viewer)).filter((event) => event > 0),
      range(1, 501),
    );
  },
);

stockTest(
  "a viewer sees applications with buffers of their own come and go",
  { programs: PROGRAMS, skip },
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    await world.start(SESSION, {
      create: ["--live=100000", `--set-url=${world.url()}`],
      channel: ["--buffers-pid"],
    });
    const first = await world.application("first");
    await first.emit(1);
    await world.waitForPaths(/\.idx$/, 1);
    await using stack = await startViewers(world, 1);
    for (const name of ["second", "third"]) {
      const application = await world.application(name);
      await application.emit(20);
      await application.finish();
    }
    await first.emit(10);
    await world.finish(SESSION);
    for (const program of stack.programs) {
      const expected = [...range(0, 20), ...range(0, 20), ...range(1, 11)];
      const events = await printed(program);
      // The first event may have come before the viewer.
      const before = events.length - expected.length;
      assert(before === 0 || before === 1, `${events.length} events`);
      assertEquals(events.slice(before), expected);
    }
  },
);

stockTest(
  "a viewer goes on after its session is cleared",
  { programs: PROGRAMS, skip },
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    await world.start(SESSION, {
      create: ["--live=100000", `--set-url=${world.url()}`],
    });
    const application = await world.application();
    await application.emit(10);
    await world.waitForPaths(/\.idx$/, 1);
    await using stack = await startViewers(world, 1);
    await world.lttng("clear", SESSION);
    await application.emit(20);
    await world.finish(SESSION);
    for (const program of stack.programs) {
      const events = await printed(program);
      assertEquals(events.filter((event) => event >= 10), range(10, 30));
      assertEquals(new Set(events).size, events.length, "an event twice");
    }
  },
);

stockTest(
  "a viewer ends when the consumers of its session are killed",
  { programs: PROGRAMS, skip },
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    await world.start(SESSION, {
      create: ["--live=100000", `--set-url=${world.url()}`],
    });
    const application = await world.application();
    await application.emit(10);
    await world.waitForPaths(/\.idx$/, 1);
    await using stack = await startViewers(world, 1);
    await world.sessiond.killConsumers();
    for (const program of stack.programs) await printed(program);
  },
);
