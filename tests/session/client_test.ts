/** Our own client of session daemons drives our session daemon. */

import { assertEquals, assertRejects } from "@std/assert";
import { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { RunningDaemon } from "./support/running_daemon.ts";

const isLinux = Deno.build.os === "linux";

function test(
  name: string,
  fn: (client: SessionDaemon, daemon: RunningDaemon) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !isLinux,
    async fn() {
      await using daemon = await RunningDaemon.start();
      const { socketPath } = daemon;
      await fn(await SessionDaemon.connect({ socketPath }), daemon);
    },
  });
}

test("our client takes our session daemon for one of 2.13", async (client) => {
  assertEquals(await client.version(), 13);
});

test("our client records with our session daemon", async (client, daemon) => {
  const url = `${daemon.user.home}/trace`;
  await client.createSessionExt({ name: "one", output: { url } });
  await client.enableEvent("one", "kernel", { name: "fake_tick" });
  await client.startTracing("one");
  daemon.tracer.recordings.get("one")!.produce(10);
  await client.stopTracing("one");
  const [channel] = await client.listChannels("one", "kernel");
  assertEquals(channel?.name, "channel0");
  const [session] = await client.listSessions();
  assertEquals(session?.name, "one");
  await client.destroySession("one");
  assertEquals(await client.listSessions(), []);
});

test("our client gets our refusals with LTTng's code", async (client) => {
  const error = await assertRejects(
    () => client.startTracing("nope"),
    ControlError,
  );
  assertEquals(error.code, 23);
});
