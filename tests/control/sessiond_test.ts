/** The client against a stock session daemon. */

import { assertEquals } from "@std/assert";
import { SESSIOND_PROGRAMS, startSessiond } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { clientOf } from "./support/client.ts";

const options = { programs: SESSIOND_PROGRAMS };

stockTest(
  "listSessions() lists what lttng created, newest first",
  options,
  async () => {
    await using sessiond = await startSessiond();
    await sessiond.lttng("create", "plain", "--output=/tmp/somewhere");
    await sessiond.lttng("create", "lively", "--live=500000", ...[
      "--set-url=net://127.0.0.1:15342:15343/sub",
    ]);
    await sessiond.lttng("create", "snap", "--snapshot");
    const client = await clientOf(sessiond);
    const found = (await client.listSessions()).map((session) => [
      session.name,
      session.path,
      session.enabled,
      session.snapshotMode,
      session.liveTimerInterval,
    ]);
    assertEquals(found, [
      ["snap", "", false, true, 0],
      [
        "lively",
        "tcp4://127.0.0.1:15342/sub [data: 15343]",
        false,
        false,
        500000,
      ],
      ["plain", "/tmp/somewhere", false, false, 0],
    ]);
    assertEquals(await client.version(), 13);
  },
);

stockTest(
  "listSessions() is never taken for nobody's request",
  options,
  async () => {
    await using sessiond = await startSessiond();
    await sessiond.lttng("create", "mine", "--no-output");
    const client = await clientOf(sessiond);
    const counts = new Set<number>();
    for (let i = 0; i < 300; i++) {
      counts.add((await client.listSessions()).length);
    }
    assertEquals([...counts], [1]);
  },
);

stockTest(
  "listSessions() hides other users' sessions as the session daemon does",
  options,
  async () => {
    await using sessiond = await startSessiond();
    await sessiond.lttng("create", "mine", "--no-output");
    const uid = sessiond.user.uid + 1;
    const client = await clientOf(sessiond, { credentials: { uid, gid: uid } });
    assertEquals(await client.listSessions(), []);
  },
);
