/**
 * How long it takes from an event to the line that a live viewer prints of it,
 * through the stock relay daemon and ours, alternating.
 */

import { parseArgs } from "@std/cli/parse-args";
import { ChildProgram, sleep, waitFor } from "../tests/support/process.ts";
import {
  type RelayKind,
  type RelayProcess,
  startRelay,
} from "../tests/support/relay_process.ts";
import {
  type Sessiond,
  SESSIOND_PROGRAMS,
  startSessiond,
} from "../tests/support/sessiond.ts";
import { stockMissing } from "../tests/support/stock.ts";
import { UST_EVENT, ustMissing } from "../tests/support/ust_app.ts";
import { compileC } from "./compile.ts";
import { printTable } from "./table.ts";

const USAGE = `Usage: deno task bench:live [OPTIONS]

Records events with the stock session daemon, follows them with babeltrace2
through the stock lttng-relayd and this relay daemon, alternating, and prints
how long each event took to be printed.

  --rounds N    Rounds of both sides (default 8)
  --seconds N   How long events are recorded each time (default 2)
  --quick       One round: does it work at all
  --help        Print this

RELAYD_BIN names an executable to run in place of relayd.ts.
`;

/**
 * Live timers in microseconds. One session at a time: with two, the stock relay
 * daemon may not let `lttng destroy` return.
 */
const TIMERS = [100_000, 1_000_000];
/** Microseconds between events: no part of a timer's period is missed. */
const SPACING = 13_000;
/** Microseconds between the events before the first that counts. */
const FIRST_SPACING = 100_000;
/** How long babeltrace2 sleeps when there is nothing new, in milliseconds. */
const VIEWER_PERIOD_MS = 100;
/** The longest wait for a viewer, in milliseconds. */
const PATIENCE_MS = 20_000;

/** Latencies in milliseconds by side, then by timer. */
type Results = Record<RelayKind, Map<number, number[]>>;

/** What a viewer printed: when each event was recorded, and when its line came. */
interface Line {
  readonly event: number;
  /** Nanoseconds. */
  readonly recorded: bigint;
  readonly printed: bigint;
}

function linesOf(viewer: ChildProgram): Line[] {
  const matches = viewer.stdout.matchAll(
    /^(\d+) \[(\d+)\] .*\bintfield = (\d+),/gm,
  );
  return [...matches].map(([, printed, recorded, event]) => ({
    event: Number(event),
    recorded: BigInt(recorded!),
    printed: BigInt(printed!),
  }));
}

/** What one measurement is to be of. */
interface Measurement {
  readonly kind: RelayKind;
  /** Microseconds. */
  readonly timer: number;
  readonly seconds: number;
  /** From 0 to 1, in periods of the viewer. */
  readonly phase: number;
  /** Path of the program that runs the viewer. */
  readonly stamp: string;
}

const SESSION = "live";

/** Creates and starts a live session, and follows it. */
async function follow(
  sessiond: Sessiond,
  relay: RelayProcess,
  { timer, stamp }: Measurement,
): Promise<ChildProgram> {
  await sessiond.lttng(
    ...["create", SESSION, `--live=${timer}`, `--set-url=${relay.url()}`],
  );
  await sessiond.lttng("enable-channel", "--userspace", "ch");
  await sessiond.lttng(
    ...["enable-event", "--userspace", "--channel=ch", UST_EVENT],
  );
  await sessiond.lttng("start");
  const url =
    `net://127.0.0.1:${relay.ports.live}/host/${Deno.hostname()}/${SESSION}`;
  return new ChildProgram({
    // Line by line: into a pipe, it would wait for 4 KiB.
    command: [
      ...[stamp, "stdbuf", "-oL"],
      ...["babeltrace2", "--clock-cycles", "--no-delta"],
      ...["--input-format=lttng-live", url],
    ],
  });
}

/** One relay daemon from its start to its end: the latency of each event. */
async function measure(measurement: Measurement): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  throwIfInterrupted();
  const relay = stack.use(await startRelay(measurement.kind));
  const sessiond = stack.use(await startSessiond());
  const viewer = stack.use(await follow(sessiond, relay, measurement));
  // The timer starts with the application. How far that is from when the viewer
  // asks is worth as much as all else: each round has another part of it.
  await sleep(measurement.phase * VIEWER_PERIOD_MS);
  const application = await sessiond.startApplication();
  // The viewer has found all streams when it has printed something.
  await waitFor("the viewer prints a first event", async () => {
    throwIfInterrupted();
    await application.emit(1, FIRST_SPACING);
    return linesOf(viewer).length > 0;
  }, PATIENCE_MS);
  throwIfInterrupted();
  const first = application.produced;
  const events = Math.ceil(measurement.seconds * 1e6 / SPACING);
  await application.emit(events, SPACING);
  const last = application.produced - 1;
  // Before the session is stopped: that would send what is left at once.
  await waitFor(
    `the viewer prints event ${last}`,
    () => {
      throwIfInterrupted();
      return viewer.stdout.includes(`intfield = ${last},`);
    },
    PATIENCE_MS,
  );
  const lines = linesOf(viewer).filter(({ event }) => event >= first);
  if (lines.length !== events) {
    throw new Error(
      `${measurement.kind}: ${lines.length} of ${events} events were printed`,
    );
  }
  await sessiond.lttng("destroy");
  return lines.map(({ recorded, printed }) => Number(printed - recorded) / 1e6);
}

/** Set by SIGINT: the measurement ends, and with it all that it started. */
let interrupted = false;

function throwIfInterrupted(): void {
  if (interrupted) throw new Error("Interrupted");
}

/** The value below which a share of the numbers lies. */
function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const at = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.max(0, at)] ?? NaN;
}

const COLUMNS: readonly (readonly [string, number])[] = [
  ["min", 0],
  ["p50", 0.5],
  ["p90", 0.9],
  ["p99", 0.99],
  ["max", 1],
];

function printResults(results: Results, kinds: readonly RelayKind[]): void {
  const rows = TIMERS.flatMap((timer) =>
    kinds.map((kind) => {
      const latencies = results[kind].get(timer) ?? [];
      return [
        `${timer / 1000} ms, ${kind}`,
        `${latencies.length}`,
        ...COLUMNS.map(([, share]) => percentile(latencies, share).toFixed(0)),
      ];
    })
  );
  console.log("\nFrom an event to the viewer's line, in ms:\n");
  printTable([
    ["Live timer, relay daemon", "events", ...COLUMNS.map(([name]) => name)],
    ...rows,
  ]);
}

function numberOption(
  name: string,
  text: string | undefined,
  standard: number,
): number {
  const value = Number(text ?? standard);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new RangeError(`--${name} must be from 1 to 1000: got ${text}`);
}

/** The entry of `deno task bench:live`. */
async function main(): Promise<number> {
  const options = parseArgs(Deno.args, {
    boolean: ["quick", "help"],
    string: ["rounds", "seconds"],
    unknown: (argument) => {
      throw new TypeError(`Unknown argument: ${argument}`);
    },
  });
  if (options["help"]) {
    console.log(USAGE);
    return 0;
  }
  const quick = options["quick"] === true;
  const count = (name: "rounds" | "seconds", standard: number) =>
    numberOption(name, options[name] as string | undefined, standard);
  const rounds = count("rounds", quick ? 1 : 8);
  const seconds = count("seconds", 2);
  const missing = stockMissing(...SESSIOND_PROGRAMS, "babeltrace2", "stdbuf") ??
    await ustMissing();
  if (missing !== undefined) throw new Error(missing);
  const stock = stockMissing("lttng-relayd");
  if (stock !== undefined) console.error(`Only ours is measured: ${stock}`);
  const kinds: RelayKind[] = stock === undefined ? ["stock", "ours"] : ["ours"];

  const directory = await Deno.makeTempDir({ prefix: "live-bench-" });
  const interrupt = () => {
    interrupted = true;
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const stamp = await compileC("stamp", directory);
    const results: Results = { stock: new Map(), ours: new Map() };
    for (let round = 0; round < rounds; round++) {
      // Whoever goes first in one round goes last in the next.
      for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
        for (const timer of TIMERS) {
          console.error(
            `Round ${round + 1} of ${rounds}: ${kind}, ${timer / 1000} ms`,
          );
          const phase = round / rounds;
          const some = await measure({ kind, timer, seconds, phase, stamp });
          const all = results[kind].get(timer) ?? [];
          results[kind].set(timer, [...all, ...some]);
        }
      }
    }
    printResults(results, kinds);
    return 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    if (!interrupted) {
      console.error(
        `bench:live: ${error instanceof Error ? error.message : error}`,
      );
    }
    Deno.exitCode = interrupted ? 130 : 1;
  }
}
