/**
 * Records what the stock `lttng` 2.13 and a stock session daemon say to each
 * other, for `tests/golden/sessiond/`: `deno run -A tools/record_sessiond.ts`
 * as root on Linux with lttng-tools, gcc, liblttng-ust-dev, liblttng-ctl-dev.
 * Everything runs in name spaces of its own.
 */

import {
  type SessiondCommandName,
  sessiondCommands,
} from "../lib/wire/sessiond/commands.ts";
import { type Exchange, printExchanges } from "../tests/wire/golden.ts";
import { filters } from "./record_filters.ts";
import { type Conversation, SessiondTap } from "./sessiond_tap.ts";
import { scenario } from "./record_sessiond_scenario.ts";

const INSIDE = "LTTNG_RECORD_INSIDE";
const GOLDEN = new URL("../tests/golden/sessiond/", import.meta.url).pathname;
const SUPPORT = new URL("../tests/support/ust/", import.meta.url).pathname;
const CTL = new URL("./record_ctl.c", import.meta.url).pathname;

/** Who runs the stock programs, and where: the names get into the recording. */
const UID = 1000;
const DAEMON_HOME = "/home/daemon";
const CLIENT_HOME = "/home/client";
const SOCKET = ".lttng/client-lttng-sessiond";
const COMMAND_MS = 20_000;
/** Lists of instrumentation points that are kept. */
const REPLY_BYTES_KEPT = 65_536;

const commands = sessiondCommands(13);
const LSM_BYTES = commands.LIST_SESSIONS.request.size;

/** Runs this program again where no other LTTng daemon can be met. */
async function enterNameSpaces(): Promise<number> {
  const script = [
    "mount -t tmpfs tmpfs /run",
    "mount -t tmpfs tmpfs /dev/shm",
    "mount -t tmpfs tmpfs /home",
    "hostname host",
    `exec "$0" run -A "$1"`,
  ].join(" && ");
  const { code } = await new Deno.Command("unshare", {
    args: [
      ...["--mount", "--uts", "--pid", "--fork", "--mount-proc"],
      ...["--kill-child", "sh", "-c", script],
      ...[Deno.execPath(), new URL(import.meta.url).pathname],
    ],
    env: { [INSIDE]: "1" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

function asUser(home: string, program: string, args: readonly string[]) {
  const id = `${UID}`;
  return new Deno.Command("setpriv", {
    args: [
      ...[`--reuid=${id}`, `--regid=${id}`, "--clear-groups"],
      ...[program, ...args],
    ],
    env: {
      HOME: home,
      LTTNG_HOME: home,
      LTTNG_UST_REGISTER_TIMEOUT: "5000",
      TZ: "UTC",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(program: string, args: readonly string[]) {
  const child = asUser(CLIENT_HOME, program, args).spawn();
  await child.stdin.close();
  const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder();
  return { code, text: text.decode(stdout) + text.decode(stderr) };
}

async function compile(output: string, ...args: string[]): Promise<void> {
  const result = await run("gcc", ["-O1", "-o", output, ...args]);
  if (result.code !== 0) throw new Error(result.text);
}

async function main(): Promise<void> {
  for (const home of [DAEMON_HOME, CLIENT_HOME]) {
    await Deno.mkdir(`${home}/.lttng`, { recursive: true });
    for (const path of [home, `${home}/.lttng`]) Deno.chownSync(path, UID, UID);
  }
  const daemon = asUser(DAEMON_HOME, "lttng-sessiond", [
    "--agent-tcp-port=15399",
  ]).spawn();
  await sleep(1500);
  const app = `${CLIENT_HOME}/app`;
  await compile(app, "-I", SUPPORT, `${SUPPORT}app.c`, "-llttng-ust", "-ldl");
  await compile(`${CLIENT_HOME}/ctl`, CTL, "-llttng-ctl");
  const tracee = asUser(DAEMON_HOME, app, []).spawn();
  await sleep(1000);
  const credentials = { uid: UID, gid: UID };
  const tap = new SessiondTap(
    `${CLIENT_HOME}/${SOCKET}`,
    `${DAEMON_HOME}/${SOCKET}`,
    credentials,
  );
  await Deno.chmod(tap.path, 0o666);
  for (const line of scenario) {
    tap.title = line;
    await play(line);
    await tap.idle();
  }
  const recorded = tap.conversations.splice(0);
  await run("lttng", ["create", "filters", "--no-output"]);
  for (const [index, filter] of filters.entries()) {
    tap.title = filter;
    const args = ["enable-event", "-u", `event${index}`, "--filter", filter];
    const { code, text } = await run("lttng", args);
    if (code !== 0) console.log(`${filter}: ${code} ${text}`);
    await tap.idle();
  }
  const compiled = tap.conversations.splice(0);
  await run("lttng", ["enable-channel", "-u", "contexts"]);
  for (const context of await contextNames()) {
    tap.title = context;
    // Most are refused later, which does not matter here.
    await run("lttng", ["add-context", "-u", "-c", "contexts", "-t", context]);
    await tap.idle();
  }
  await writeAll(recorded);
  await writeFilters(compiled);
  await writeContexts(tap.conversations);
  tracee.kill("SIGKILL");
  daemon.kill("SIGKILL");
}

/** All that `lttng` lists, and one of each kind that it does not. */
async function contextNames(): Promise<string[]> {
  const { text } = await run("lttng", ["add-context", "--list"]);
  const others = ["perf:cpu:raw:rC0ffee:mine", "$app.provider:name"];
  return [...text.trim().split("\n"), ...others];
}

async function play(line: string): Promise<void> {
  const [first = "", ...rest] = line.match(/'[^']*'|\S+/g)!.map((word) =>
    word.replaceAll("'", "")
  );
  const { code, text } = first === "ctl"
    ? await run(`${CLIENT_HOME}/ctl`, rest)
    : await run("lttng", [first, ...rest]);
  console.log(`${line}: ${code} ${text.trim().split("\n").at(-1)}`);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// ---- Files ----------------------------------------------------------------------

async function writeAll(conversations: readonly Conversation[]): Promise<void> {
  await Deno.mkdir(GOLDEN, { recursive: true });
  for (const [name, { number }] of Object.entries(commands)) {
    const seen = new Set<string>();
    const exchanges = conversations.filter(({ request, reply }) => {
      if (numberOf(request) !== number) return false;
      // A form that none before it had: other bytes asked, or another answer.
      const shape = `${request} ${reply.slice(4, 8)} ${reply.length}`;
      if (seen.has(shape) || reply.length > REPLY_BYTES_KEPT) return false;
      seen.add(shape);
      return true;
    }).map(exchangeOf);
    if (exchanges.length === 0) console.log(`${name}: nothing`);
    else await write(name as SessiondCommandName, number, exchanges);
  }
  const known = new Set(Object.values(commands).map(({ number }) => number));
  for (const { title, request } of conversations) {
    const number = numberOf(request);
    if (!known.has(number)) console.log(`${title}: command ${number}`);
  }
}

function numberOf(request: Uint8Array): number {
  return new DataView(request.buffer).getUint32(0, true);
}

function exchangeOf({ title, request, reply }: Conversation): Exchange {
  const origin = "recorded";
  return { title, origin, minor: 13, request, reply, closed: false };
}

async function write(
  name: SessiondCommandName,
  number: number,
  exchanges: readonly Exchange[],
): Promise<void> {
  const comment = [
    `${name}, command ${number}.`,
    "Written by tools/record_sessiond.ts; what it means is in README.md.",
  ];
  await Deno.writeTextFile(
    `${GOLDEN}${name}.txt`,
    printExchanges(comment, exchanges, LSM_BYTES),
  );
  console.log(`${name}: ${exchanges.length}`);
}

/** One filter a block: its text, then the bytecode that the client made. */
async function writeFilters(
  conversations: readonly Conversation[],
): Promise<void> {
  const layout = commands.ENABLE_EVENT.request;
  const blocks = filters.map((filter) => {
    const found = conversations.find(({ title, request }) =>
      title === filter && numberOf(request) === commands.ENABLE_EVENT.number
    );
    const bytes = found && layout.decode(found.request).event.bytecode;
    return [filter, bytes] as const;
  });
  await writePairs("filters.txt", [
    "Filters as JSON strings, and the bytecode that lttng 2.13.9 made of them;",
    "refused where there is none.",
  ], blocks);
}

/** One context a block: its name, then the payload of ADD_CONTEXT. */
async function writeContexts(
  conversations: readonly Conversation[],
): Promise<void> {
  const added = conversations.filter(({ request }) =>
    numberOf(request) === commands.ADD_CONTEXT.number
  );
  await writePairs(
    "contexts.txt",
    ["Context fields as JSON strings, and what lttng 2.13.9 sends for them."],
    added.map(({ title, request }) => [title, request.subarray(LSM_BYTES)]),
  );
}

async function writePairs(
  name: string,
  comment: readonly string[],
  pairs: readonly (readonly [string, Uint8Array | undefined])[],
): Promise<void> {
  const lines = [...comment, "Written by tools/record_sessiond.ts."]
    .map((line) => `# ${line}`);
  for (const [key, bytes] of pairs) {
    lines.push("", JSON.stringify(key));
    if (bytes === undefined) continue;
    const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
    lines.push(`= ${digits.join("")}`);
  }
  await Deno.writeTextFile(GOLDEN + name, lines.join("\n") + "\n");
  console.log(`${name}: ${pairs.length}`);
}

// Last, when everything above has its value.
if (Deno.env.get(INSIDE) === undefined) Deno.exit(await enterNameSpaces());
await main();
Deno.exit(0);
