/**
 * Records what stock LTTng 2.13 peers say to each other, for `tests/golden/`:
 * `deno run -A tools/record.ts` as root on Linux with lttng-tools, babeltrace2,
 * gcc and liblttng-ust-dev. Everything runs in name spaces of its own.
 */

import { commandNames } from "../lib/wire/relay.ts";
import { viewerCommandNames } from "../lib/wire/live.ts";
import { type Exchange, printExchanges } from "../tests/wire/golden.ts";
import { recordDisallowed, recordRaw, recordRawViewer } from "./record_raw.ts";
import {
  commandOf,
  CONTROL,
  type Framing,
  splitCommands,
  splitPackets,
  Tap,
  VIEWER,
} from "./record_tap.ts";

const INSIDE = "LTTNG_RECORD_INSIDE";
const GOLDEN = new URL("../tests/golden/", import.meta.url).pathname;
const SUPPORT = new URL("../tests/support/ust/", import.meta.url).pathname;
/** Largest packet that is kept whole, header included. */
const PACKET_BYTES_KEPT = 1024;
/** Largest reply to a viewer that is kept. */
const VIEWER_BYTES_KEPT = 16_384;

/** Runs this program again where no other LTTng daemon can be met. */
async function enterNameSpaces(): Promise<number> {
  const script = [
    "mount -t tmpfs tmpfs /run",
    "mount -t tmpfs tmpfs /dev/shm",
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
  }).output().then((output) => {
    Deno.stderr.writeSync(output.stderr);
    Deno.stdout.writeSync(output.stdout);
    return output;
  });
  return code;
}

/** Directory, environment and daemons of one recording. */
interface Stage {
  readonly home: string;
  readonly control: Tap;
  readonly data: Tap;
  readonly viewer: Tap;
}

/** One thing that is recorded. */
interface Scenario {
  readonly title: string;
  /** Arguments of `lttng create`, without the URL. */
  readonly create: readonly string[];
  /** Arguments of `lttng enable-channel`. */
  readonly channel?: readonly string[];
  /** Base path in the URL. */
  readonly path?: string;
  readonly steps: (stage: Stage, app: App) => Promise<void>;
}

/** Header of a packet on the data connection. */
const DATA_HEADER_BYTES = 32;

const scenarios: readonly Scenario[] = [
  {
    title: "per-UID buffers",
    create: ["uid"],
    steps: async (stage, app) => {
      await app.record(20);
      await lttng(stage, "stop");
    },
  },
  {
    title: "per-PID buffers",
    create: ["pid"],
    channel: ["--buffers-pid"],
    steps: (_, app) => app.record(5),
  },
  {
    title: "trace file size and count",
    create: ["files"],
    channel: ["--tracefile-size=8192", "--tracefile-count=3"],
    steps: (_, app) => app.record(400),
  },
  {
    title: "rotate",
    create: ["rotate"],
    steps: async (stage, app) => {
      await app.record(10);
      await lttng(stage, "rotate");
      await app.record(10);
      await lttng(stage, "rotate");
      await lttng(stage, "stop");
    },
  },
  {
    title: "clear",
    create: ["clear"],
    steps: async (stage, app) => {
      await app.record(10);
      await lttng(stage, "clear");
      await app.record(10);
      await lttng(stage, "stop");
      await lttng(stage, "clear");
    },
  },
  {
    title: "snapshot",
    create: ["snap", "--snapshot"],
    steps: async (stage, app) => {
      await app.record(10);
      await lttng(stage, "snapshot", "record");
    },
  },
  {
    title: "regenerate metadata",
    create: ["regenerate"],
    steps: async (stage, app) => {
      await app.record(5);
      await lttng(stage, "regenerate", "metadata");
      await sleep(500);
    },
  },
  {
    title: "live",
    create: ["live", "--live=200000"],
    steps: async (stage, app) => {
      await app.record(20);
      await using reader = watch(stage, "host/host/live");
      await sleep(2000);
      await app.record(100);
      await sleep(1500);
      await lttng(stage, "stop");
      await lttng(stage, "destroy", "--all");
      await reader.ended(10_000);
    },
  },
  {
    title: "automatic session name",
    create: [],
    steps: (_, app) => app.record(3),
  },
  {
    title: "base path",
    create: ["based"],
    path: "/lab/rack-1",
    steps: (_, app) => app.record(3),
  },
];

async function main(): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "record-" });
  const ports = { control: 15342, data: 15343, live: 15344 };
  using _relay = start(home, "lttng-relayd", [
    ...["-C", `tcp://127.0.0.1:${ports.control}`],
    ...["-D", `tcp://127.0.0.1:${ports.data}`],
    ...["-L", `tcp://127.0.0.1:${ports.live}`, "-o", `${home}/traces`],
  ]);
  const stage: Stage = {
    home,
    control: new Tap(ports.control),
    data: new Tap(ports.data),
    viewer: new Tap(ports.live),
  };
  using _session = start(home, "lttng-sessiond", ["--no-kernel"]);
  await sleep(1500);
  await compileApp(home);
  for (const scenario of scenarios) await play(stage, scenario);
  const raw = await recordRaw(ports.control, `${home}/traces`);
  raw.push(...await askStrictDaemon(home));
  const rawViewer = await recordRawViewer(ports.live);
  await writeAll(stage, raw, rawViewer);
  await Deno.remove(home, { recursive: true });
}

/** A second daemon, which is never to clear a session. */
async function askStrictDaemon(home: string): Promise<Exchange[]> {
  using _relay = start(home, "lttng-relayd", [
    ...["--disallow-clear", "-C", "tcp://127.0.0.1:25342"],
    ...["-D", "tcp://127.0.0.1:25343", "-L", "tcp://127.0.0.1:25344"],
    ...["-o", `${home}/strict`],
  ]);
  await sleep(1500);
  return await recordDisallowed(25342);
}

async function play(stage: Stage, scenario: Scenario): Promise<void> {
  const { title, create, channel = [], path = "", steps } = scenario;
  console.log(title);
  for (const tap of [stage.control, stage.data, stage.viewer]) {
    tap.title = title;
  }
  const url = `net://127.0.0.1:${stage.control.port}:${stage.data.port}`;
  await lttng(stage, "create", ...create, `--set-url=${url}${path}`);
  const sizes = create.includes("--snapshot") ? [] : ["--num-subbuf=8"];
  await lttng(
    stage,
    ...["enable-channel", "--userspace", "ch0", "--subbuf-size=4096"],
    ...sizes,
    ...channel,
  );
  await lttng(stage, "enable-event", "--userspace", "tp:*", "--channel=ch0");
  await lttng(stage, "start");
  {
    await using app = await App.start(stage.home);
    await steps(stage, app);
  }
  await lttng(stage, "destroy", "--all");
  await sleep(300);
}

// ---- Programs -----------------------------------------------------------------

function environment(home: string): Record<string, string> {
  return { LTTNG_HOME: home, HOME: home, LTTNG_UST_REGISTER_TIMEOUT: "5000" };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function start(home: string, program: string, args: string[]): Disposable {
  const child = new Deno.Command(program, {
    args,
    env: environment(home),
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  return { [Symbol.dispose]: () => child.kill("SIGKILL") };
}

async function lttng(stage: Stage, ...args: string[]): Promise<void> {
  await run("lttng", args, stage.home);
}

async function run(
  program: string,
  args: string[],
  home: string,
): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, {
    args,
    env: environment(home),
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  if (code !== 0) {
    const text = new TextDecoder().decode(stderr);
    throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${text}`);
  }
}

async function compileApp(home: string): Promise<void> {
  await run("gcc", [
    ...["-O1", "-I", SUPPORT, "-o", `${home}/app`, `${SUPPORT}app.c`],
    ...["-llttng-ust", "-ldl"],
  ], home);
}

/** The traced application; records when told. */
class App implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(home: string) {
    this.#child = new Deno.Command(`${home}/app`, {
      env: environment(home),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.getReader();
  }

  static async start(home: string): Promise<App> {
    const app = new App(home);
    await app.#output.read();
    return app;
  }

  async record(count: number): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${count} 0\n`));
    await this.#output.read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }
}

/** Reads a live session with babeltrace2. */
function watch(
  stage: Stage,
  target: string,
): AsyncDisposable & { ended(milliseconds: number): Promise<void> } {
  const child = new Deno.Command("babeltrace2", {
    args: [
      ...["-i", "lttng-live"],
      `net://127.0.0.1:${stage.viewer.port}/${target}`,
    ],
    env: environment(stage.home),
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let running = true;
  const status = child.status.then(() => running = false);
  return {
    async ended(milliseconds) {
      await Promise.race([status, sleep(milliseconds)]);
    },
    async [Symbol.asyncDispose]() {
      if (running) child.kill("SIGKILL");
      await status;
    },
  };
}

// ---- Files ----------------------------------------------------------------------

async function writeAll(
  stage: Stage,
  raw: Exchange[],
  rawViewer: Exchange[],
): Promise<void> {
  const control = stage.control.conversations
    .flatMap((conversation) => splitCommands(conversation, CONTROL))
    .map((exchange) => ({ ...exchange, minor: 13 }));
  const viewer = stage.viewer.conversations
    .flatMap((conversation) => splitCommands(conversation, VIEWER))
    // babeltrace2 2.0 announces 2.4.
    .map((exchange) => ({ ...exchange, minor: 4 }))
    .filter(({ reply }) => reply.length <= VIEWER_BYTES_KEPT);
  await writeCommands("relay", CONTROL, commandNames, [...control, ...raw]);
  await writeCommands("live", VIEWER, viewerCommandNames, [
    ...viewer,
    ...rawViewer,
  ]);
  const packets = stage.data.conversations.flatMap(splitPackets);
  await write(
    "relay/data.txt",
    "Packets on the data connection, header first",
    packets.filter(({ request }) => request.length <= PACKET_BYTES_KEPT)
      .filter(firstOf(({ title }) => title)),
    DATA_HEADER_BYTES,
  );
  await writeTranscript(stage);
}

async function writeCommands(
  folder: string,
  framing: Framing,
  names: ReadonlyMap<number, string>,
  all: readonly Exchange[],
): Promise<void> {
  const kept = all.filter(firstOf((exchange) => shape(framing, exchange)));
  const numbers = new Set(
    kept.map(({ request }) => commandOf(framing, request)),
  );
  for (const number of numbers) {
    const name = names.get(number) ?? "UNKNOWN";
    await write(
      `${folder}/${name}.txt`,
      `${name}, command ${number}`,
      kept.filter(({ request }) => commandOf(framing, request) === number),
      framing.headerSize,
    );
  }
}

/** What makes an exchange worth keeping: a form that none before it had. */
function shape(framing: Framing, exchange: Exchange): string {
  const { request, reply, minor, origin, closed } = exchange;
  const number = commandOf(framing, request);
  if (origin !== "recorded") return `${number} ${exchange.title} ${minor}`;
  const payload = request.subarray(framing.headerSize);
  const view = new DataView(payload.buffer, payload.byteOffset);
  const parts = [number, closed, `${[...reply.subarray(0, 4)]}`];
  if (reply.length === 5) parts.push(reply[4]!);
  const name = framing === CONTROL ? commandNames.get(number) : undefined;
  if (framing === VIEWER) {
    // A stream's first index and packet say all; INACTIVE is told by status.
    if (number === 4) parts.push(`${[...reply.subarray(56)]}`);
    else if (number === 6) parts.splice(2, 1, reply[11]!);
    else if (number !== 5) parts.push(reply.length);
  } else if (name === "SEND_METADATA") {
    parts.push(view.getUint32(8) === 0 ? "whole" : "padded");
  } else if (name === "CREATE_SESSION") {
    parts.push(exchange.title);
  } else parts.push(payload.length);
  if (name === "SEND_INDEX") {
    parts.push(view.getBigUint64(16) === 0n ? "beacon" : "index");
  }
  if (name === "ADD_STREAM") parts.push(`${[...payload.subarray(8, 24)]}`);
  if (name === "ROTATE_STREAMS") parts.push(payload[4]!);
  if (name === "CLOSE_TRACE_CHUNK") {
    parts.push(`${[...payload.subarray(16, 21)]}`, reply.length);
  }
  if (name === "CLOSE_STREAM" || name === "DATA_PENDING") {
    parts.push(`${view.getBigUint64(8) === 0xFFFF_FFFF_FFFF_FFFFn}`);
  }
  return parts.join(" ");
}

/** Keeps the first of those that look the same to `key`. */
function firstOf<T>(key: (value: T) => string): (value: T) => boolean {
  const seen = new Set<string>();
  return (value) => {
    const found = key(value);
    if (seen.has(found)) return false;
    seen.add(found);
    return true;
  };
}

/** The whole control connection of the first scenario, in order. */
async function writeTranscript(stage: Stage): Promise<void> {
  const first = stage.control.conversations.find(({ chunks }) =>
    chunks.length > 0
  );
  if (first === undefined) throw new Error("Nothing was recorded");
  await write(
    "relay/session.txt",
    "A whole control connection, in order",
    splitCommands(first, CONTROL).map((exchange, index) => ({
      ...exchange,
      title: `${index + 1}: ${
        commandNames.get(commandOf(CONTROL, exchange.request))
      }`,
      minor: 13,
    })),
    CONTROL.headerSize,
  );
}

async function write(
  name: string,
  subject: string,
  exchanges: readonly Exchange[],
  headerSize: number,
): Promise<void> {
  const path = GOLDEN + name;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  const comment = [
    `${subject}.`,
    "Written by tools/record.ts; what the words after a title mean is in README.md.",
  ];
  await Deno.writeTextFile(
    path,
    printExchanges(comment, exchanges, headerSize),
  );
  console.log(`${name}: ${exchanges.length}`);
}

// Last, when everything above has its value.
if (Deno.env.get(INSIDE) === undefined) Deno.exit(await enterNameSpaces());
await main();
Deno.exit(0);
