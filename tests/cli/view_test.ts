/** `lttng view` beside babeltrace2 on the same traces, and on its own. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  array,
  boolean,
  enumeration,
  float32,
  float64,
  i32,
  i64,
  integer,
  sequence,
  string,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "../../lib/ctf/declare.ts";
import { defineEvent } from "../../lib/ctf/event_class.ts";
import { viewHelp } from "../../lib/cli/view/view.ts";
import type { Tracer } from "../../lib/tracer/tracer.ts";
import {
  recordTo,
  steppingClock,
  withTraceDirectory,
} from "../ctf/recording.ts";
import { SESSIOND_PROGRAMS, startSessiond } from "../support/sessiond.ts";
import { stockTest } from "../support/stock.ts";
import { ustMissing } from "../support/ust_app.ts";
import { assertSameText, view, viewCommand } from "./support/view_process.ts";

const NEEDS = { programs: ["babeltrace2"] };

/** The options that `lttng view` has in common with babeltrace2. */
const OPTIONS: readonly string[][] = [
  [],
  ["--clock-seconds"],
  ["--clock-gmt"],
  ["--clock-date"],
  ["--clock-date", "--clock-gmt"],
  ["--clock-cycles"],
  ["--clock-cycles", "--no-delta"],
  ["--no-delta"],
  ["--fields=all"],
  ["--fields=trace"],
  ["-f", "loglevel,trace:domain"],
  ["--names=all"],
  ["--names=none"],
  ["-n", "ctx,scope"],
  ["--names=header", "--fields=all"],
  ["--names=all", "--fields=all", "--clock-cycles"],
];

const small = defineEvent("tp:small", { number: u32, text: string }, {
  logLevel: "warning",
});
const numbers = defineEvent("tp:numbers", {
  i64,
  u64,
  i32,
  hexadecimal: integer(64, { base: 16 }),
  narrow: integer(5, { base: 16, signed: true }),
  octal: integer(13, { base: 8, signed: true }),
  binary: integer(7, { base: 2 }),
  float32,
  float64,
  boolean,
  kind: enumeration(u8, { none: 0, some: [1, 9], five: 5 }),
});
const lists = defineEvent("tp:lists", {
  fixed: array(u16, 3),
  nested: array(array(u8, 2), 2),
  texts: sequence(string),
  structs: sequence(struct({ a: u8, b: sequence(integer(3)) }), { length: u8 }),
  empty: struct({}),
});
const nothing = defineEvent("tp:nothing", {});

const FLOATS = [0, -0, 0.1, -1.5, 123456.5, 1e15, 1e-5, Infinity, -Infinity];
/** No empty text: babeltrace2 2.0.4 may print an older one in its place. */
const TEXTS = ["plain", "é 漢 😀 \"\\?'", "\x07\b\x1b\f\n\r\t\v\x01\x7f"];

function recordEverything(tracer: Tracer): void {
  FLOATS.forEach((float64, index) => {
    tracer.record(numbers, {
      i64: -(2n ** 63n) + BigInt(index),
      u64: 2n ** 64n - 1n - BigInt(index),
      i32: index - 3,
      hexadecimal: 2n ** BigInt(index * 7) - 1n,
      narrow: index - 9,
      octal: -index,
      binary: index,
      float32: float64,
      float64,
      boolean: index % 2 === 0,
      kind: index,
    });
    tracer.record(nothing, {});
    tracer.record(small, { number: index, text: TEXTS[index % 3]! });
    tracer.record(lists, {
      fixed: [0, index, 65535],
      nested: [[1, 2], [3, index]],
      texts: TEXTS.slice(0, index % 3),
      structs: [{ a: 1, b: [] }, { a: 2, b: [7, 0] }],
      empty: {},
    });
  });
}

for (const byteOrder of ["le", "be"] as const) {
  stockTest(
    `lttng view prints every type as babeltrace2 does, ${byteOrder}`,
    NEEDS,
    () =>
      withTraceDirectory(async (directory) => {
        await recordTo(directory, { byteOrder }, recordEverything);
        for (const options of OPTIONS) {
          const { stdout } = await assertSameText(directory, ...options);
          assertEquals(stdout.split("\n").length, 4 * FLOATS.length + 1);
        }
      }),
  );
}

stockTest(
  "lttng view prints the same part of a trace as babeltrace2",
  NEEDS,
  () =>
    withTraceDirectory(async (directory) => {
      // From 2023-11-14 22:13:20 UTC on, one event a second.
      await recordTo(directory, { clock: steppingClock(1e9) }, (tracer) => {
        for (let number = 0; number < 20; number++) {
          tracer.record(small, { number, text: "x" });
        }
      });
      const ranges: [string[], number][] = [
        [["--begin=1700000005"], 16],
        [["--begin=1700000005.000000001", "--end", "1700000007"], 2],
        [["-b", "03:43:30", "-e", "03:43:31.5"], 2],
        [["-b", "22:13:30", "--clock-gmt"], 11],
        [["-e", "2023-11-15 03:43:25"], 5],
        [["-b", "2023-11-15"], 20],
        [["-b", "03:50"], 0],
      ];
      for (const [options, events] of ranges) {
        const { stdout } = await assertSameText(directory, ...options);
        assertEquals(stdout.split("\n").length - 1, events, options.join(" "));
      }
    }),
);

stockTest(
  "lttng view prints several traces and what they lost as babeltrace2 does",
  {
    programs: ["babeltrace2", ...SESSIOND_PROGRAMS],
    skip: await ustMissing(),
  },
  async () => {
    await using sessiond = await startSessiond();
    const directory = `${sessiond.user.home}/traces`;
    await recordStock(sessiond, `${directory}/uid`, [], 500);
    await recordStock(sessiond, `${directory}/pid`, ["--buffers-pid"], 500);
    const tiny = ["--subbuf-size=4096", "--num-subbuf=2"];
    await recordStock(sessiond, `${directory}/lost`, tiny, 100_000);
    const older = [...tiny, "--overwrite"];
    await recordStock(sessiond, `${directory}/packets`, older, 100_000);
    for (const options of OPTIONS) {
      const { stderr } = await assertSameText(directory, ...options);
      assertStringIncludes(stderr, " events between [");
      assertStringIncludes(stderr, " packets between [");
    }
    const one = await assertSameText(`${directory}/packets/ust/../ust/`);
    assertStringIncludes(one.stderr, " packets between [");
  },
);

async function recordStock(
  sessiond: Awaited<ReturnType<typeof startSessiond>>,
  output: string,
  channel: string[],
  events: number,
): Promise<void> {
  await sessiond.lttng("create", "s", `--output=${output}`);
  await sessiond.lttng("enable-channel", "--userspace", "c", ...channel);
  await sessiond.lttng("enable-event", "-u", "-c", "c", "tp:*");
  const contexts = ["vpid", "vtid", "procname", "pthread_id", "ip"];
  const types = contexts.flatMap((context) => ["-t", context]);
  await sessiond.lttng("add-context", "-u", "-c", "c", ...types);
  const application = await sessiond.startApplication();
  await sessiond.lttng("start");
  await application.emit(events);
  await application.finish();
  await sessiond.lttng("destroy");
}

/** Records 1000 events `tp:small`, each after an event `tp:nothing`. */
function withThousand(use: (directory: string) => Promise<void>) {
  return withTraceDirectory(async (directory) => {
    const options = { subBufferSize: 1 << 20, clock: steppingClock() };
    await recordTo(directory, options, (tracer) => {
      for (let number = 0; number < 1000; number++) {
        tracer.record(nothing, {});
        tracer.record(small, { number, text: "x".repeat(200) });
      }
    });
    await use(directory);
  });
}

Deno.test("lttng view --event and --limit print the first of that name", () =>
  withThousand(async (directory) => {
    const { code, stdout } = await view(
      "--event=tp:s*",
      "--limit=3",
      directory,
    );
    assertEquals(code, 0);
    assertEquals(
      stdout.trimEnd().split("\n").map((line) =>
        /number = \d+/.exec(line)?.[0]
      ),
      ["number = 0", "number = 1", "number = 2"],
    );
    assertEquals((await view("--limit=0", directory)).stdout, "");
  }));

Deno.test("lttng view --json prints integers exactly", () =>
  withTraceDirectory(async (directory) => {
    await recordTo(directory, { clock: steppingClock() }, recordEverything);
    const { stdout } = await view("--json", "--event=tp:numbers", directory);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, FLOATS.length);
    for (const line of lines) JSON.parse(line);
    assertStringIncludes(lines[0]!, '{"timestamp":1700000000000001000,');
    assertStringIncludes(
      lines[0]!,
      '"i64":-9223372036854775808,"u64":18446744073709551615,',
    );
    assertStringIncludes(lines[5]!, '{"value":5,"labels":["some","five"]}');
  }));

Deno.test("lttng view --summary counts streams and events", () =>
  withThousand(async (directory) => {
    const { code, stdout } = await view("--summary", directory);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "Events: 2000 (");
    assertStringIncludes(stdout, "Loss: none lost");
    assertStringIncludes(stdout, "channel0_0  2000 events  none lost");
    assert(/tp:small +1000 +50\.0 % +\d+\/s/.test(stdout), stdout);
    const bars = [...stdout.matchAll(/^ +\+[\d.]+ s +(\d+) +█/gm)];
    assertEquals(bars.reduce((sum, [, count]) => sum + Number(count), 0), 2000);
  }));

Deno.test("lttng view ends with 0 when nobody reads on", () =>
  withThousand(async (directory) => {
    const [program, args] = viewCommand(directory);
    await using child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const [status, errors] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
    ]);
    assertEquals([status.code, errors], [0, ""]);
  }));

Deno.test("lttng view stops at once on Ctrl-C", () =>
  withThousand(async (directory) => {
    const [program, args] = viewCommand(directory);
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    // What follows does not fit into the pipe: it waits, or still prints.
    await reader.read();
    child.kill("SIGINT");
    assertEquals((await child.status).signal, "SIGINT");
    await reader.cancel();
  }));

Deno.test("lttng view --help lists its options", async () => {
  assertEquals(await view("--help"), {
    code: 0,
    stdout: viewHelp(),
    stderr: "",
  });
});

const REFUSED: readonly [string[], string][] = [
  [
    [],
    "Nothing to read: there is no current session: name a path, a URL or a session: see --help",
  ],
  [["a", "b"], "More than one thing to read: b"],
  [["a", "--trace-path=b"], "More than one thing to read: b"],
  [["/no/such/trace"], "No such path: /no/such/trace"],
  [
    [import.meta.filename!],
    `Not a directory: ${import.meta.filename}: name the directory of a trace`,
  ],
  [
    ["http://localhost/host/a/b"],
    'Unknown protocol "http" in "http://localhost/host/a/b": use net, net4 or net6',
  ],
  [["--color=red", "a"], '--color: Not never, auto or always: "red"'],
  [["--from=end", "a"], '--from: Not now or beginning: "end"'],
  [["--json", "--summary", "a"], "Either --json or --summary, not both"],
  [["--limit=some", "a"], '--limit: Not a number of events: "some"'],
  [["--begin=2", "--end=1", "a"], "--begin is later than --end: 2 > 1"],
  [
    ["--fields=colour", "a"],
    '--fields: Unknown: "colour": use all, trace, trace:hostname, trace:domain, trace:procname, trace:vpid, loglevel, emf',
  ],
  [["--names=all,none", "a"], "--names: Either all or none, not both"],
  [
    ["--evnt=x", "a"],
    "Unknown option: --evnt: did you mean --event?: see --help",
  ],
];

for (const [args, message] of REFUSED) {
  Deno.test(`lttng view refuses ${JSON.stringify(args.map(withoutPlace))}`, async () => {
    assertEquals(await view(...args), {
      code: 1,
      stdout: "",
      stderr: `Error: ${message}\n`,
    });
  });
}

Deno.test("lttng view takes what is no path for a session", async () => {
  const { code, stderr } = await view("no-such-session");
  assertEquals(code, 1);
  // Whether a session daemon runs depends on the machine.
  assert(
    /^Error: No such path: no-such-session: (No session|Cannot ask)/.test(
      stderr,
    ),
    stderr,
  );
});

function withoutPlace(argument: string): string {
  return argument === import.meta.filename ? "view_test.ts" : argument;
}

Deno.test("lttng view refuses a directory without a trace", () =>
  withTraceDirectory(async (directory) => {
    await Deno.mkdir(directory);
    const { code, stderr } = await view(directory);
    assertEquals(code, 1);
    assertStringIncludes(stderr, directory);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }));
