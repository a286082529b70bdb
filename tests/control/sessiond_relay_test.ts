/** Sessions that record to a relay daemon, driven by this library alone. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import {
  chooseRelayPorts,
  type RelayKind,
  relayUrl,
  startRelay,
} from "../support/relay_process.ts";
import { SESSIOND_PROGRAMS, startSessiond } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { UST_EVENT, ustMissing } from "../support/ust_app.ts";
import { clientOf } from "./support/client.ts";
import { dataBytes } from "./support/files.ts";

const skip = await ustMissing();

/** What the archive of a rotation or of the session's end holds. */
async function archived(
  client: SessionDaemon,
  output: string,
): Promise<number> {
  const { state, location } = await client.rotateSession("s");
  assertEquals(state, "completed");
  assert(location?.type === "relay");
  assertEquals(location.hostname, "127.0.0.1");
  return dataBytes(`${output}/${location.path}`);
}

for (const kind of ["stock", "ours"] as RelayKind[]) {
  const programs = [...SESSIOND_PROGRAMS, "gcc"];
  if (kind === "stock") programs.push("lttng-relayd");
  stockTest(
    `a session is recorded to a relay daemon (${kind})`,
    { programs, skip },
    async () => {
      await using relay = await startRelay(kind);
      await using sessiond = await startSessiond();
      const client = await clientOf(sessiond);
      const application = await sessiond.startApplication();
      const url = relayUrl(relay.hostname, relay.ports);
      await client.createSession("s", url);
      await client.enableEvent("s", "ust", { name: UST_EVENT });
      await client.startTracing("s");
      await application.emit(50);
      assert(await archived(client, relay.output) > 0);
      await application.emit(50);
      assertEquals(await client.stopTracing("s"), true);
      const { rotationState, location } = await client.destroySession("s");
      assertEquals(rotationState, "completed");
      assert(location?.type === "relay");
      assertEquals(location.controlPort, relay.ports.control);
      assertEquals(location.dataPort, relay.ports.data);
      assert(dataBytes(`${relay.output}/${location.path}`) > 0);
    },
  );
}

stockTest(
  "enableEvent() says that no relay daemon answers",
  { programs: SESSIOND_PROGRAMS },
  async () => {
    await using sessiond = await startSessiond();
    const client = await clientOf(sessiond);
    const ports = chooseRelayPorts();
    await client.createSession("s", relayUrl("127.0.0.1", ports));
    const error = await assertRejects(
      () => client.enableEvent("s", "ust", {}),
      ControlError,
    );
    assertEquals(error.text, "Unable to connect to lttng-relayd");
    assertEquals(error.command, "ENABLE_EVENT");
  },
);
