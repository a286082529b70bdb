/**
 * What our `lttng` does in front of a stock session daemon beyond what the
 * stock one does.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { waitFor } from "../support/process.ts";
import {
  isRunning,
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../support/sessiond.ts";
import { createStockUser, removeStockUser } from "../support/sessiond_user.ts";
import { stockTest } from "../support/stock.ts";
import { type OwnLttng, startOwnLttng } from "./support/own_lttng.ts";

const options = { programs: SESSIOND_PROGRAMS };

type Lttng = (...args: string[]) => Promise<string>;

/** Runs `body` with a client that must succeed, and one that need not. */
async function withLttng(
  body: (lttng: Lttng, client: OwnLttng, sessiond: Sessiond) => Promise<void>,
): Promise<void> {
  await using sessiond = await startSessiond();
  await using client = await startOwnLttng(sessiond.user);
  await body(
    async (...args) => {
      const { code, stdout, stderr } = await client.run(args);
      assertEquals([code, stderr], [0, ""], `lttng ${args.join(" ")}`);
      return stdout;
    },
    client,
    sessiond,
  );
}

stockTest(
  "lttng list tells of exclusions, and the session daemon survives it",
  options,
  () =>
    withLttng(async (lttng) => {
      await lttng("create", "s", "--no-output");
      await lttng("enable-event", "-u", "tp:*", "--exclude=tp:a,tp:b");
      const text = await lttng("list", "s");
      assertStringIncludes(
        text,
        "      tp:* (type: tracepoint) [enabled] [exclusions: tp:a,tp:b]\n",
      );
      assertStringIncludes(
        await lttng("--mi=xml", "list", "s"),
        "<exclusions><exclusion>tp:a</exclusion>" +
          "<exclusion>tp:b</exclusion></exclusions>",
      );
      assertStringIncludes(await lttng("list"), "1) s [inactive]");
    }),
);

stockTest(
  "lttng --json list has lists as arrays",
  options,
  () =>
    withLttng(async (lttng) => {
      await lttng("create", "s", "--no-output");
      await lttng("enable-event", "-u", "x", "-c", "c", "--filter", 'a == "é"');
      const { output } = JSON.parse(await lttng("--json", "list", "s"));
      const [domain] = output.sessions[0].domains;
      assertEquals(domain.type, "UST");
      assertEquals(domain.channels[0].attributes.subbuffer_size, 524_288);
      assertEquals(domain.channels[0].events, [{
        ...{ name: "x", type: "TRACEPOINT", enabled: true },
        ...{ filter_expression: 'a == "é"', exclusions: [] },
      }]);
    }),
);

stockTest(
  "lttng create --live says how to follow it",
  options,
  () =>
    withLttng(async (lttng) => {
      const urls: readonly [string, string][] = [
        ["net://127.0.0.1", "net://127.0.0.1:5344"],
        ["net6://[::1]:15342", "net6://[::1]:5344"],
      ];
      for (const [url, viewer] of urls) {
        const name = `s${url.length}`;
        const text = await lttng("create", name, "--live", `--set-url=${url}`);
        assertStringIncludes(
          text,
          "Follow it with: babeltrace2 --input-format=lttng-live " +
            `${viewer}/host/${Deno.hostname()}/${name}\n`,
        );
      }
    }),
);

stockTest(
  "lttng enable-event shows where a filter is wrong",
  options,
  () =>
    withLttng(async (lttng, client) => {
      await lttng("create", "s", "--no-output");
      const filter = "a == 1 && b + 2";
      const rule = ["enable-event", "-u", "x", "--filter", filter];
      const { code, stderr } = await client.run(rule);
      assertEquals(code, 106);
      const [error = "", shown = "", mark = ""] = stderr.split("\n");
      assertStringIncludes(error, "Error: Event x: Invalid filter bytecode ");
      assertEquals(shown, `  ${filter}`);
      assertEquals(mark.indexOf("^"), shown.indexOf("+"));
    }),
);

stockTest(
  "lttng enable-consumer sets the destination in both old spellings",
  options,
  () =>
    withLttng(async (lttng, client) => {
      assertStringIncludes(
        await lttng("create", "s", "--no-consumer"),
        "Nothing is written: --no-consumer is now spelled --no-output.",
      );
      const missing = await client.run(["enable-consumer"]);
      assertEquals(missing.code, 1);
      assertStringIncludes(missing.stderr, "it has no output: name one");
      assertEquals(
        await lttng("enable-consumer", "net://localhost:15342"),
        "URL net://localhost:15342 set for session s.\n" +
          "Consumer enabled successfully: session s writes to " +
          "tcp4://127.0.0.1:15342/ [data: 5343]\n",
      );
      assertEquals(
        await lttng("enable-consumer", "-k", "--set-uri=/tmp/x"),
        "URL /tmp/x set for session s.\n",
      );
      await lttng("create", "t", "--disable-consumer");
      assertEquals(
        await lttng(
          ...["enable-consumer", "-s", "t", "--ctrl-uri=tcp://localhost"],
          ...["--data-url=tcp://localhost:77", "--enable"],
        ),
        "Control URL tcp://localhost set for session t.\n" +
          "Data URL tcp://localhost:77 set for session t.\n" +
          "Consumer enabled successfully: session t writes to " +
          "tcp4://127.0.0.1:5342/ [data: 77]\n",
      );
      const { code, stderr } = await client.run(["disable-consumer", "-u"]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Operation not supported: ");
    }),
);

stockTest(
  "lttng create refuses --no-consumer with an output",
  options,
  () =>
    withLttng(async (_lttng, client) => {
      for (const option of ["--no-consumer", "--disable-consumer"]) {
        const args = ["create", "s", option, "-U", "net://127.0.0.1"];
        assertEquals((await client.run(args)).code, 1);
      }
    }),
);

stockTest(
  "lttng hints at what to do next",
  options,
  () =>
    withLttng(async (lttng, client) => {
      await lttng("create", "s", "--no-output");
      const hints: readonly [string[], string][] = [
        [["start"], "Choose what to record first: lttng enable-event --help."],
        [["start", "nope"], "lttng list says which sessions there are."],
        [["enable-channel", "-u", "a/b"], "Choose a name without a / "],
        [["enable-event", "-u", "x", "--loglevel=LOUD"], "Use one of EMERG, "],
        [["create", "s"], "Choose another name, or lttng destroy "],
      ];
      for (const [args, hint] of hints) {
        const { code, stderr } = await client.run(args, true);
        assert(code !== 0);
        assertStringIncludes(stderr, `\nHint: ${hint}`);
      }
    }),
);

stockTest(
  "lttng create starts a session daemon where none is",
  options,
  async () => {
    const user = await createStockUser();
    const client = await startOwnLttng(user);
    let pid = 0;
    try {
      const none = await client.run(["--no-sessiond", "create", "s"], true);
      assertEquals(none.code, 1);
      assertStringIncludes(
        none.stderr,
        "Error: No session daemon is available\n",
      );
      assertStringIncludes(none.stderr, "Start a session daemon with: ");
      const wrong = await client.run([
        "--sessiond-path=/no/such",
        "create",
        "s",
      ]);
      assertEquals([wrong.code, wrong.stderr], [
        1,
        "Error: No such file or access denied: /no/such\n" +
        "Error: Problem occurred while launching session daemon (/no/such)\n",
      ]);
      const failing = ["--sessiond-path=/bin/false", "create", "s"];
      assertStringIncludes(
        (await client.run(failing)).stderr,
        "Error: Session daemon terminated with an error (exit status: 1)\n",
      );
      const { code, stdout } = await client.run(["create", "s", "--no-output"]);
      pid = Number(
        Deno.readTextFileSync(`${user.home}/.lttng/lttng-sessiond.pid`),
      );
      assertEquals([code, stdout], [
        0,
        "Spawning a session daemon\nSession s created.\n",
      ]);
      assertEquals((await client.run(["destroy"])).code, 0);
    } finally {
      if (pid > 0) {
        Deno.kill(pid, "SIGTERM");
        await waitFor("the end of the session daemon", () => !isRunning(pid));
      }
      await client[Symbol.asyncDispose]();
      await removeStockUser(user);
    }
  },
);
