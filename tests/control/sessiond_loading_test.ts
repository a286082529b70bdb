/** Saved sessions, loaded into a stock session daemon. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SessionDaemon } from "../../lib/control/client.ts";
import { ControlError } from "../../lib/control/errors.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { clientOf } from "./support/client.ts";

const options = { programs: SESSIOND_PROGRAMS };

async function withClient(
  use: (client: SessionDaemon, sessiond: Sessiond) => Promise<void>,
): Promise<void> {
  await using sessiond = await startSessiond();
  await use(await clientOf(sessiond), sessiond);
  assert(sessiond.child.running, sessiond.child.stderr);
}

async function codeOf(promise: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => promise, ControlError)).code;
}

/** Sessions with one of everything that can be saved, made by `lttng`. */
async function makeSessions({ lttng, user }: {
  lttng: (...args: string[]) => Promise<string>;
  user: { home: string };
}): Promise<void> {
  const channel = ["-u", "-s", "full", "-c", "c"];
  await lttng("create", "full", `--output=${user.home}/out`);
  await lttng(
    ...["enable-channel", "-u", "-s", "full", "c", "--subbuf-size=64k"],
    ...["--num-subbuf=8", "--discard", "--switch-timer=1s"],
    ...["--tracefile-size=1M", "--tracefile-count=3"],
    ...["--blocking-timeout=100"],
  );
  await lttng("enable-channel", "-u", "-s", "full", "off");
  await lttng("disable-channel", "-u", "-s", "full", "off");
  await lttng(
    ...["enable-event", ...channel, "a:*", "-x", "a:b,a:c"],
    ...["--filter", 'x < 3 && y == "q"', "--loglevel=INFO"],
  );
  await lttng("enable-event", ...channel, "z", "--loglevel-only=DEBUG");
  await lttng("enable-event", ...channel, "gone");
  await lttng("disable-event", ...channel, "gone");
  await lttng(
    ...["add-context", ...channel, "-t", "vpid"],
    ...["-t", "perf:thread:cycles", "-t", "$app.prov:name"],
  );
  await lttng(
    ...["enable-event", "-j", "-s", "full", "my.log"],
    ...["--loglevel=INFO", "--filter", "a==1"],
  );
  await lttng("enable-event", "-p", "-s", "full", "-a");
  await lttng("track", "-u", "-s", "full", "--vpid=1,2");
  await lttng("track", "-u", "-s", "full", "--vuid=0,root");
  await lttng("untrack", "-u", "-s", "full", "--vgid", "--all");
  await lttng("enable-rotation", "-s", "full", "--timer=10s");
  await lttng("enable-rotation", "-s", "full", "--size=100M");
  const url = "--set-url=net://127.0.0.1:15342:15343";
  await lttng("create", "net", `${url}/sub`);
  await lttng("create", "live", "--live=500000", url);
  await lttng("create", "snap", "--snapshot");
  await lttng("create", "snapnet", "--snapshot", url);
  await lttng("create", "none", "--no-output");
}

const NAMES = ["full", "live", "net", "none", "snap", "snapnet"];

/** The saved files of all sessions, their lists in the order of their text. */
function filesIn(directory: string): string[] {
  return NAMES.map((name) =>
    Deno.readTextFileSync(`${directory}/${name}.lttng`)
      .replaceAll(/<events>[\s\S]*?<\/events>/g, (events) =>
        events.split(/(?=<event>)/).map((text) =>
          text.trim()
        ).toSorted()
          .join("\n"))
      .split(/(?=<domain>)|(?=<channel>)|(?=<\/channels>)/)
      .map((text) => text.trim()).toSorted().join("\n")
  );
}

stockTest(
  "loadSession() makes what saves as the same files",
  options,
  () =>
    withClient(async (client, sessiond) => {
      await makeSessions({
        lttng: (...args) => sessiond.lttng(...args),
        user: sessiond.user,
      });
      const directory = `${sessiond.user.home}/saved`;
      await client.saveSession({ directory });
      for (const name of NAMES) await client.destroySession(name);
      const names = await client.loadSession({ path: directory });
      assertEquals(names, NAMES);
      const again = `${sessiond.user.home}/again`;
      await client.saveSession({ directory: again });
      assertEquals(filesIn(again), filesIn(directory));
    }),
);

stockTest(
  "loadSession() takes one session under other terms",
  options,
  () =>
    withClient(async (client, sessiond) => {
      const { home } = sessiond.user;
      const path = `${home}/saved`;
      await client.createSession("s", `${home}/out`);
      await client.createSession("t", `${home}/other`);
      await client.saveSession({ directory: path });
      assertEquals(
        await codeOf(client.loadSession({ path, session: "s" })),
        28,
      );
      const names = await client.loadSession({
        ...{ path, session: "s", overrideName: "u" },
        overrideUrl: "net://127.0.0.1:15342:15343",
      });
      assertEquals(names, ["u"]);
      const find = async (wanted: string) =>
        (await client.listSessions()).find(({ name }) => name === wanted)?.path;
      assertEquals(await find("u"), "tcp4://127.0.0.1:15342/ [data: 15343]");
      await client.setConsumerUri("s", `${home}/moved`);
      await client.loadSession({ path, session: "s", overwrite: true });
      assertEquals(await find("s"), `${home}/out`);
    }),
);

stockTest(
  "loadSession() says what it cannot load",
  options,
  () =>
    withClient(async (client, sessiond) => {
      const { home } = sessiond.user;
      const load = (path: string, session?: string) =>
        codeOf(client.loadSession({ path, session }));
      assertEquals(await load(`${home}/nowhere`), 89);
      await Deno.mkdir(`${home}/saved`);
      assertEquals(await load(`${home}/saved`, "s"), 89);
      assertEquals(await client.loadSession({ path: `${home}/saved` }), []);
      await Deno.writeTextFile(`${home}/saved/s.lttng`, "<sessions><session>");
      assertEquals(await load(`${home}/saved/s.lttng`), 87);
      const name = codeOf(client.loadSession({ overrideName: "x" }));
      assertEquals(await name, 97);
    }),
);

stockTest(
  "loadSession() leaves no half of a session",
  options,
  () =>
    withClient(async (client, sessiond) => {
      const path = `${sessiond.user.home}/s.lttng`;
      await Deno.writeTextFile(
        path,
        `<sessions><session><name>s</name><domains><domain>
      <type>KERNEL</type><buffer_type>GLOBAL</buffer_type>
      <channels><channel><name>k</name></channel></channels>
      </domain></domains></session></sessions>`,
      );
      assertEquals(await codeOf(client.loadSession({ path })), 79);
      assertEquals(await client.listSessions(), []);
    }),
);
