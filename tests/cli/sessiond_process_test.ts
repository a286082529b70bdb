import { assert, assertEquals } from "@std/assert";
import { SESSIOND_PROGRAMS } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import {
  denoIsPrivate,
  SessiondPlace,
} from "../session/support/sessiond_process.ts";

function test(name: string, fn: (place: SessiondPlace) => Promise<void>) {
  const skip = Deno.uid() === 0 ? denoIsPrivate() : undefined;
  stockTest(name, { programs: SESSIOND_PROGRAMS, skip }, async () => {
    await using place = await SessiondPlace.make();
    await fn(place);
  });
}

function modeOf(path: string): string {
  const { mode } = Deno.statSync(path);
  return ((mode ?? 0) & 0o777).toString(8);
}

test("lttng sessiond --daemonize returns when clients are served, and leaves the stock files", async (place) => {
  const { code, stderr } = await place.run("--daemonize");
  assertEquals(code, 0, stderr);
  const { pid, runDirectory } = place;
  assert(pid !== undefined);
  const list = await place.tryLttng("--no-sessiond", "list");
  assertEquals(list.stdout.trim(), "Currently no available recording session");
  assertEquals(modeOf(runDirectory), "700");
  for (const name of ["client-lttng-sessiond", "sessiond-health"]) {
    assertEquals(modeOf(`${runDirectory}/${name}`), "660", name);
  }
  assertEquals(modeOf(`${runDirectory}/lttng-sessiond.pid`), "644");
  await place.endBackground(pid);
  const left = [...Deno.readDirSync(runDirectory)].map(({ name }) => name);
  assertEquals(left, ["lttng-sessiond.lck"]);
});

test("lttng sessiond refuses to be the second of its user", async (place) => {
  await place.start();
  const { code, stderr } = await place.run();
  assertEquals(code, 1);
  assert(stderr.includes("A session daemon is running already"), stderr);
  const daemonized = await place.run("--daemonize");
  assertEquals(daemonized.code, 1);
  assert(daemonized.stderr.includes("running already"), daemonized.stderr);
});

test("lttng sessiond takes the place of one that was killed", async (place) => {
  const first = await place.start();
  await first.kill();
  const second = await place.start();
  assert(second.pid !== first.pid);
  const { code } = await place.tryLttng("--no-sessiond", "list");
  assertEquals(code, 0);
});

test("lttng sessiond answers for its health", async (place) => {
  await place.start();
  using conn = await Deno.connect({
    transport: "unix",
    path: `${place.runDirectory}/sessiond-health`,
  });
  await conn.write(new Uint8Array(4));
  const reply = new Uint8Array(8);
  assertEquals(await conn.read(reply), 8);
  assertEquals(reply, new Uint8Array(8));
});

test("lttng sessiond ends its sessions when told to end", async (place) => {
  const child = await place.start();
  const { home } = place.user;
  await place.tryLttng("create", "one", "--output", `${home}/one`);
  const { code } = await child.stop();
  assertEquals(code, 0, child.stderr);
  assert(child.stderr.includes("Session one destroyed"), child.stderr);
  assert(child.stderr.includes("Stopped"), child.stderr);
});

test("lttng sessiond of a user refuses the kernel, as stock daemons do", async (place) => {
  await place.start("--no-kernel");
  const { code, stderr } = await place.tryLttng("list", "--kernel");
  assertEquals(code, 1);
  assert(stderr.includes("Tracing the kernel requires a root"), stderr);
});

test("lttng sessiond loads saved sessions at its start", async (place) => {
  const { home, uid } = place.user;
  const first = await place.start();
  await place.tryLttng("create", "kept", "--output", `${home}/kept`);
  const directory = `${home}/.lttng/sessions/auto`;
  await place.tryLttng("save", "--output-path", directory);
  assertEquals(Deno.statSync(`${directory}/kept.lttng`).uid, uid);
  await first.stop();
  await place.start();
  const { stdout } = await place.tryLttng("list");
  assert(stdout.includes("kept [inactive]"), stdout);
});

test("lttng sessiond explains what it cannot do, in one line", async (place) => {
  const { code, stderr } = await place.run("--client-sock=/no/such/place");
  assertEquals(code, 1);
  assertEquals(stderr.trim().split("\n").length, 1, stderr);
  assert(stderr.includes("Cannot make the client socket"), stderr);
  const unknown = await place.run("--damonize");
  assert(unknown.stderr.includes("did you mean --daemonize?"), unknown.stderr);
});

test("the stock client starts a link called lttng-sessiond to it", async (place) => {
  const { home, uid } = place.user;
  const link = `${home}/lttng-sessiond`;
  const entry = new URL("../../cli.ts", import.meta.url).pathname;
  await Deno.writeTextFile(
    link,
    `#!/bin/sh\nexport DENO_DIR=${home}/deno\n` +
      `exec ${Deno.execPath()} run --quiet -A ${entry} sessiond "$@"\n`,
  );
  await Deno.chmod(link, 0o755);
  await Deno.chown(link, uid, uid);
  const { code, stdout, stderr } = await place.tryLttng(
    `--sessiond-path=${link}`,
    "create",
    "one",
    `--output=${home}/one`,
  );
  assertEquals(code, 0, stderr);
  assert(stdout.includes("Spawning a session daemon"), stdout);
  assert(stdout.includes("Session one created."), stdout);
});
