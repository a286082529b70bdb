/**
 * `lttng view` follows what a stock session daemon records: live, through both
 * relay daemons, and in a directory.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { viewCommand } from "../cli/support/view_process.ts";
import { ChildProgram, run, waitFor } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import { ustMissing } from "../support/ust_app.ts";
import { PROGRAMS, SECOND_KIND, World } from "./scenario.ts";

const SESSION = "demo";
const CREATE_LIVE = "--live=100000";
const SMALL_PACKETS = ["--subbuf-size=4096", "--num-subbuf=64"];
const END_MILLISECONDS = 30_000;
const NEEDS = { programs: PROGRAMS, skip: await ustMissing() };

/** A running `lttng view`. */
function startView(...args: string[]): ChildProgram {
  const [program, before] = viewCommand(...args);
  return new ChildProgram({
    command: [program, ...before],
    env: { TZ: "UTC" },
  });
}

function liveUrl(world: World): string {
  const { live } = world.relay.ports;
  return `net://127.0.0.1:${live}/host/${Deno.hostname()}/${SESSION}`;
}

/** What a viewer printed until it ended by itself. */
async function printed(view: ChildProgram): Promise<string> {
  await waitFor("the end of a view", () => !view.running, END_MILLISECONDS);
  const { code } = await view.ended;
  assertEquals([code, view.stderr], [0, ""]);
  return view.stdout;
}

/** All that is stored, as babeltrace2 prints it. */
async function stored(directory: string): Promise<string> {
  const { code, stdout, stderr } = await run({
    command: ["babeltrace2", directory],
    env: { TZ: "UTC" },
  });
  assertEquals(code, 0, stderr);
  return stdout;
}

function lineCount(text: string): number {
  return text.split("\n").length - 1;
}

for (const kind of ["stock", SECOND_KIND] as const) {
  // The stock relay daemon allows one viewer.
  const count = kind === "stock" ? 1 : 3;
  stockTest(
    `${count} lttng view print a live session as it is stored, from its beginning (${kind})`,
    NEEDS,
    async () => {
      await using world = await World.start(kind, {});
      const create = [CREATE_LIVE, `--set-url=${world.url()}`];
      await world.start(SESSION, { create, channel: SMALL_PACKETS });
      await using stack = new AsyncDisposableStack();
      const views = Array.from(
        { length: count },
        () =>
          stack.use(startView("--follow", "--from=beginning", liveUrl(world))),
      );
      const application = await world.application();
      await application.emit(10);
      await application.emit(500, 500);
      await waitFor(
        "all views print while it is recorded",
        () => views.every(({ stdout }) => stdout.includes("intfield = 50,")),
        END_MILLISECONDS,
      );
      assert(views.every(({ running }) => running));
      await application.emit(490);
      await world.finish(SESSION);
      await world.settle();
      const expected = await stored(world.output);
      assertEquals(lineCount(expected), 1000);
      for (const view of views) assertEquals(await printed(view), expected);
    },
  );
}

stockTest(
  "lttng view lists the live sessions of a relay daemon",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const create = [CREATE_LIVE, `--set-url=${world.url()}`];
    await world.start(SESSION, { create });
    const { live } = world.relay.ports;
    await using view = startView(`net://127.0.0.1:${live}`);
    assertStringIncludes(
      await printed(view),
      `${liveUrl(world)} (timer = 100000, `,
    );
    await using other = startView(`${liveUrl(world)}x`);
    await waitFor("the end of a view", () => !other.running, END_MILLISECONDS);
    assertEquals((await other.ended).code, 1);
    assertStringIncludes(other.stderr, SESSION);
  },
);

stockTest(
  "lttng view follows a directory through rotations, until Ctrl-C",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const channel = [...SMALL_PACKETS, "--switch-timer=100000"];
    await world.start(SESSION, { channel });
    await using view = startView("--follow", world.output);
    const application = await world.application();
    for (let round = 0; round < 3; round++) {
      await application.emit(200, 200);
      await world.lttng("rotate", SESSION);
    }
    await application.emit(100);
    await world.finish(SESSION);
    await world.settle();
    await waitFor(
      "all events are printed",
      () => lineCount(view.stdout) >= 700,
      END_MILLISECONDS,
    );
    view.signal("SIGINT");
    assertEquals(await printed(view), await stored(world.output));
  },
);

stockTest(
  "lttng view --summary of a live session is told at Ctrl-C",
  NEEDS,
  async () => {
    await using world = await World.start(SECOND_KIND, {});
    const create = [CREATE_LIVE, `--set-url=${world.url()}`];
    await world.start(SESSION, { create });
    const application = await world.application();
    await application.emit(25);
    await using text = startView("--from=beginning", liveUrl(world));
    await using view = startView(
      ...["--summary", "--from=beginning", liveUrl(world)],
    );
    await waitFor(
      "another view prints",
      () => lineCount(text.stdout) === 25,
      END_MILLISECONDS,
    );
    // It has no sign of its own that it got as far.
    await application.emit(10);
    await waitFor(
      "another view prints",
      () => lineCount(text.stdout) === 35,
      END_MILLISECONDS,
    );
    view.signal("SIGINT");
    assertStringIncludes(await printed(view), "Loss: none lost");
  },
);
