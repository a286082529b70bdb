/** Recording, rotations, snapshots, trackers: against a stock session daemon. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import { childText, elementsAt, parseXml } from "../../lib/control/xml.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { waitFor } from "../support/process.ts";
import { stockTest } from "../support/stock.ts";
import {
  UST_EVENT,
  type UstApplication,
  ustMissing,
} from "../support/ust_app.ts";
import { clientOf } from "./support/client.ts";
import { dataBytes } from "./support/files.ts";

const options = { programs: SESSIOND_PROGRAMS };
const withApplication = {
  programs: [...SESSIOND_PROGRAMS, "gcc"],
  skip: await ustMissing(),
};

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => promise, ControlError)).code;
}

/** A client of a session daemon of its own. */
async function withClient(
  use: (client: SessionDaemon, sessiond: Sessiond) => Promise<void>,
): Promise<void> {
  await using sessiond = await startSessiond();
  await use(await clientOf(sessiond), sessiond);
  assert(sessiond.child.running, sessiond.child.stderr);
}

/** Session `s` with an application, recording to the user's home. */
function recording(
  use: (
    client: SessionDaemon,
    application: UstApplication,
    sessiond: Sessiond,
  ) => Promise<void>,
): Promise<void> {
  return withClient(async (client, sessiond) => {
    const application = await sessiond.startApplication();
    await client.createSession("s", `${sessiond.user.home}/out`);
    await client.enableEvent("s", "ust", { name: UST_EVENT });
    await client.startTracing("s");
    await use(client, application, sessiond);
  });
}

stockTest(
  "a session is started, stopped and destroyed",
  withApplication,
  () =>
    recording(async (client, application, sessiond) => {
      assertEquals(await codeOf(client.startTracing("s")), 80);
      assertEquals((await client.listSessions())[0]?.enabled, true);
      await application.emit(20);
      assertEquals(await client.stopTracing("s"), true);
      assertEquals(await client.dataPending("s"), false);
      assertEquals(await codeOf(client.stopTracing("s")), 81);
      assert(dataBytes(`${sessiond.user.home}/out`) > 0);
      const result = await client.destroySession("s");
      assertEquals(result, {
        rotationState: "no rotation",
        location: undefined,
      });
      assertEquals(await client.listSessions(), []);
      assertEquals(await codeOf(client.destroySession("s")), 23);
    }),
);

stockTest(
  "clearSession() throws away what was recorded",
  withApplication,
  () =>
    recording(async (client, application, sessiond) => {
      await application.emit(20);
      await client.stopTracing("s");
      await client.clearSession("s");
      assertEquals(dataBytes(`${sessiond.user.home}/out`), 0);
    }),
);

stockTest(
  "rotateSession() archives what was recorded",
  withApplication,
  () =>
    recording(async (client, application, sessiond) => {
      await application.emit(20);
      let waits = 0;
      const rotation = await client.rotateSession("s", {
        onWait: () => waits++,
      });
      assertEquals([rotation.id, rotation.state], [0n, "completed"]);
      const { location } = rotation;
      assert(location?.type === "local");
      assert(location.path.startsWith(`${sessiond.user.home}/out/archives/`));
      assert(dataBytes(location.path) > 0);
      assert(waits > 0);
      const second = await client.rotateSessionNoWait("s");
      assertEquals(second, 1n);
      assertEquals((await client.rotationInfo("s", 0n)).state, "expired");
      // A session is not destroyed while it rotates.
      await waitFor("the second rotation", async () =>
        (await client.rotationInfo("s", 1n)).state === "completed");
      const last = await client.destroySession("s");
      assertEquals(last.rotationState, "completed");
      assert(last.location?.type === "local");
    }),
);

stockTest(
  "rotation schedules are set, listed and removed",
  options,
  () =>
    withClient(async (client, sessiond) => {
      await client.createSession("s", `${sessiond.user.home}/out`);
      assertEquals(await client.listRotationSchedules("s"), {
        ...{ periodic: undefined, size: undefined },
      });
      await client.addRotationSchedule("s", "periodic", 10_000_000);
      await client.addRotationSchedule("s", "size", 1_048_576);
      assertEquals(await client.listRotationSchedules("s"), {
        ...{ periodic: 10_000_000, size: 1_048_576 },
      });
      const text = await sessiond.lttng("list", "s");
      assert(text.includes("timer period: 10000000 us"), text);
      assert(text.includes("size threshold: 1048576 bytes"), text);
      const again = client.addRotationSchedule("s", "size", 1_048_576);
      assertEquals(await codeOf(again), 131);
      await client.removeRotationSchedule("s", "periodic");
      assertEquals(
        (await client.listRotationSchedules("s")).periodic,
        undefined,
      );
      const missing = client.removeRotationSchedule("s", "periodic");
      assertEquals(await codeOf(missing), 132);
      assertEquals(
        await codeOf(client.addRotationSchedule("s", "periodic", 0)),
        97,
      );
    }),
);

stockTest(
  "snapshots go where their output says",
  withApplication,
  () =>
    withClient(async (client, sessiond) => {
      const home = sessiond.user.home;
      await client.createSessionSnapshot("s");
      assertEquals(await client.snapshotListOutputs("s"), []);
      const id = await client.snapshotAddOutput("s", {
        ...{ name: "mine", url: `${home}/mine`, maximumSize: 4_194_304 },
      });
      assertEquals(await client.snapshotListOutputs("s"), [{
        ...{ id, name: "mine", maximumSize: 4_194_304 },
        ...{ controlUrl: `${home}/mine`, dataUrl: "" },
      }]);
      const listed = await sessiond.lttng("snapshot", "-s", "s", "list-output");
      assert(listed.includes(`[${id}] mine: ${home}/mine`), listed);
      const second = client.snapshotAddOutput("s", { url: `${home}/other` });
      assertEquals(await codeOf(second), 31);
      assertEquals(await codeOf(client.snapshotRecord("s")), 50);
      const application = await sessiond.startApplication();
      await client.enableEvent("s", "ust", { name: UST_EVENT });
      await client.startTracing("s");
      await application.emit(20);
      await client.snapshotRecord("s");
      assert(dataBytes(`${home}/mine`) > 0);
      await client.snapshotRecord("s", { name: "once", url: `${home}/once` });
      assert(dataBytes(`${home}/once`) > 0);
      await client.snapshotDelOutput("s", "mine");
      assertEquals(await client.snapshotListOutputs("s"), []);
      assertEquals(await codeOf(client.snapshotDelOutput("s", id)), 97);
    }),
);

stockTest(
  "process trackers take ids and names",
  options,
  () =>
    withClient(async (client, sessiond) => {
      await client.createSession("s");
      await client.enableChannel("s", "ust", { name: "c" });
      const track = ["s", "ust", "vuid"] as const;
      assertEquals(await client.getTrackingPolicy(...track), "include all");
      assertEquals(await codeOf(client.listInclusions(...track)), 163);
      await client.setTrackingPolicy(...track, "include set");
      await client.addInclusion(...track, 7);
      await client.addInclusion(...track, "root");
      assertEquals(await codeOf(client.addInclusion(...track, 7)), 114);
      assertEquals((await client.listInclusions(...track)).toSorted(), [
        7,
        "root",
      ]);
      const text = await sessiond.lttng("list", "s");
      assert(/Virtual user IDs: +(7, `root`|`root`, 7)\n/.test(text), text);
      await client.removeInclusion(...track, "root");
      assertEquals(await client.listInclusions(...track), [7]);
      assertEquals(await codeOf(client.removeInclusion(...track, 8)), 115);
      await client.setTrackingPolicy(...track, "exclude all");
      assertEquals(await client.getTrackingPolicy(...track), "exclude all");
      const unknown = client.addInclusion("s", "ust", "vuid", "no-such-user");
      assert([160, 163].includes(await codeOf(unknown)));
      const pid = client.addInclusion("s", "ust", "vpid", "name");
      assertEquals(await codeOf(pid), 97);
    }),
);

stockTest(
  "saveSession() writes what lttng saves",
  options,
  () =>
    withClient(async (client, sessiond) => {
      const directory = `${sessiond.user.home}/saved`;
      await client.createSession("s");
      await client.enableEvent("s", "ust", { name: "a:*" }, "c");
      await client.saveSession({ session: "s", directory });
      const again = client.saveSession({ session: "s", directory });
      assertEquals(await codeOf(again), 85);
      await client.saveSession({ session: "s", directory, overwrite: true });
      await sessiond.lttng("save", "s", `--output-path=${directory}/stock`);
      const [own, stock] = [directory, `${directory}/stock`].map((directory) =>
        Deno.readTextFileSync(`${directory}/s.lttng`)
      );
      assert(own?.includes("<name>a:*</name>"));
      assertEquals(own, stock);
    }),
);

stockTest(
  "regenerate commands do so while recording",
  withApplication,
  () =>
    recording(async (client) => {
      await client.regenerateMetadata("s");
      await client.regenerateStatedump("s");
      await client.stopTracing("s");
      assertEquals(await codeOf(client.regenerateMetadata("s")), 118);
      assertEquals(await codeOf(client.regenerateStatedump("s")), 118);
    }),
);

stockTest(
  "createSessionExt() makes sessions of every kind",
  options,
  () =>
    withClient(async (client, sessiond) => {
      const home = sessiond.user.home;
      const url = "net://127.0.0.1:15342:15343/sub";
      const made = await client.createSessionExt({
        ...{ name: "net", output: { url } },
      });
      assertEquals(
        made.uris.map(({ port, subdirectory }) => [port, subdirectory]),
        [
          [15342, "sub"],
          [15343, ""],
        ],
      );
      await client.createSessionExt({
        name: "local",
        output: { url: `file://${home}/out` },
      });
      await client.createSessionExt({
        ...{ name: "live", kind: "live", output: { url } },
        liveTimerInterval: 250_000,
      });
      await client.createSessionExt({ name: "snap", kind: "snapshot" });
      const { name } = await client.createSessionExt();
      assert(/^auto-\d{8}-\d{6}$/.test(name), name);
      const text = await sessiond.lttng("--mi", "xml", "list");
      const sessions = elementsAt(
        parseXml(text),
        "output",
        "sessions",
        "session",
      )
        .map((session) =>
          ["name", "snapshot_mode", "live_timer_interval"]
            .map((field) => childText(session, field))
        );
      assertEquals(sessions.slice(1).toReversed(), [
        ["net", "0", "0"],
        ["local", "0", "0"],
        ["live", "0", "250000"],
        ["snap", "1", "0"],
      ]);
      for (
        const [descriptor, code] of [
          [{ name: "net" }, 28],
          [{ name: "a/b" }, 73],
          [{ name: "" }, 97],
          [{ name: "x", output: { url: "tcp://127.0.0.1" } }, 97],
          [{ name: "x", kind: "live", output: { url: "/tmp/x" } }, 97],
          [{ name: "x", output: { url: `${home}/../x` } }, 97],
          [{ name: "n".repeat(255) }, 97],
        ] as const
      ) {
        assertEquals(await codeOf(client.createSessionExt(descriptor)), code);
      }
    }),
);

stockTest(
  "setConsumerUri() moves a session's output",
  options,
  () =>
    withClient(async (client, sessiond) => {
      await client.createSession("s", `${sessiond.user.home}/out`);
      const path = async () => (await client.listSessions())[0]?.path;
      await client.setConsumerUri("s", "net://127.0.0.1:15342:15343/moved");
      assertEquals(await path(), "tcp4://127.0.0.1:15342/moved [data: 15343]");
      const again = client.setConsumerUri("s", "net://127.0.0.1:15342:15343");
      assertEquals(await codeOf(again), 21);
      await client.enableConsumer("s", `${sessiond.user.home}/back`);
      assertEquals(await path(), `${sessiond.user.home}/back`);
      await client.enableConsumer("s");
      assertEquals(await codeOf(client.enableConsumer("none")), 23);
      assertEquals(await codeOf(client.setConsumerUri("s", undefined)), 97);
      assertEquals(await codeOf(client.disableConsumer("s")), 15);
      await client.setSessionShmPath("s", `${sessiond.user.home}/shm`);
    }),
);

stockTest(
  "destroySessionNoWait() destroys all the same",
  options,
  () =>
    withClient(async (client) => {
      await client.createSession("s");
      await client.destroySessionNoWait("s");
      assertEquals(await client.listSessions(), []);
    }),
);
