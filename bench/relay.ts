/** Loads the stock relay daemon and ours, alternating, and prints the ratios. */

import { statfsSync } from "node:fs";
import { parseArgs } from "@std/cli/parse-args";
import { Relay, type Side } from "./daemon.ts";
import { compileC } from "./compile.ts";
import { type Report, runLoad } from "./generator.ts";
import { IDLE_ROW, type Load, makeRows, type Row, type Size } from "./rows.ts";
import { printTables } from "./table.ts";
import { verifyTrace } from "./verify.ts";

/** What one run of one row gave for one side. */
export interface Sample {
  /** Throughput in 10⁶ bytes a second. */
  readonly megabytesPerSecond: number;
  /** Processor seconds of the relay daemon for each GiB. */
  readonly secondsPerGib: number;
  readonly report: Report;
  /** Sessions set up in a second, one after the other. */
  readonly setupsPerSecond: number;
  /** Bytes of memory for each session before its first packet. */
  readonly bytesPerSession: number;
}

/** The samples of one row, one list a side. */
export interface Result {
  readonly row: Row;
  readonly stock: Sample[];
  readonly ours: Sample[];
}

const USAGE = `Usage: deno task bench [OPTIONS]

Loads the stock lttng-relayd and this relay daemon, alternating, and prints
medians and ratios.

  --quick       Small sizes, one round: does it work at all
  --full        The sizes of a careful comparison (takes about half an hour)
  --rounds N    Rounds of both sides for each row (default 5, quick 1)
  --row NAME    Only the rows whose name contains NAME; may be repeated
  --output DIR  Where traces go while it runs (default: a tmpfs outside /dev
                with room enough, else a temporary directory on disk, where
                the figures measure the disk, too)
  --list        Print the names of the rows
  --help        Print this

RELAYD_BIN names an executable to run in place of relayd.ts; with the path of
lttng-relayd the stock daemon is compared with itself.
`;

/** The longest that one load may take, in milliseconds. */
const LOAD_LIMIT_MS = 300_000;
/** Time for a daemon to come to rest before its memory is read. */
const SETTLE_MS = 500;
/** What a fresh daemon gets before it is measured. */
const WARM_UP_BYTES = 32 * 2 ** 20;
const GIB = 2 ** 30;

/** Tells whether a program is there by asking its version. */
function isInstalled(command: string): boolean {
  try {
    new Deno.Command(command, { args: ["--version"], stdin: "null" })
      .outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Our side: the executable that RELAYD_BIN names, or relayd.ts in this Deno. */
function ourSide(): Side {
  const executable = Deno.env.get("RELAYD_BIN");
  if (executable) return { name: "ours", command: executable, prefix: [] };
  const entry = new URL("../relayd.ts", import.meta.url);
  return {
    name: "ours",
    command: Deno.execPath(),
    prefix: ["run", "-A", decodeURIComponent(entry.pathname)],
  };
}

/** Bytes that a load leaves behind. */
function storedBytes({ bytes, ring, streams }: Load): number {
  return ring === undefined
    ? bytes
    : Math.min(bytes, ring.size * ring.count * streams);
}

/**
 * Finds memory for the traces: a tmpfs with room for twice the largest row.
 *
 * Not below /dev, /proc, /sys or /run: Deno opens such paths only for a
 * program with all permissions, and the relay daemon gives some of its own up.
 *
 * @returns Undefined if there is none: the traces go to a temporary directory
 */
function findMemory(rows: readonly Row[]): string | undefined {
  const need = 2 * Math.max(...rows.map(({ load }) => storedBytes(load)));
  for (const line of Deno.readTextFileSync("/proc/mounts").split("\n")) {
    const [, path = "", type] = line.split(" ");
    if (type !== "tmpfs" || /^\/(dev|proc|sys|run)\b/.test(path)) continue;
    try {
      const { bavail, bsize } = statfsSync(path);
      if (bavail * bsize < need) continue;
      Deno.removeSync(Deno.makeTempDirSync({ dir: path }));
      return path;
    } catch {
      // Read-only, or not for this user.
    }
  }
  return undefined;
}

/**
 * A little of the row's own work, so that neither side is measured while its
 * code is read, compiled or optimised for the first time.
 */
function warmUp(load: Load): Load {
  const sessions = Math.min(load.sessions, 64);
  const least = 8 * sessions * load.streams * load.packetSize;
  return {
    ...load,
    sessions,
    bytes: Math.min(load.bytes, Math.max(least, WARM_UP_BYTES)),
    sessionName: "warm",
  };
}

/**
 * Writes and removes as much as a load leaves behind.
 *
 * A virtual machine gets its memory from the host at the first touch, which
 * costs more than all else that is measured: whoever ran first would pay.
 */
function touchMemory(directory: string, { bytes, ring }: Load): void {
  if (ring !== undefined) return;
  const path = `${directory}/touched`;
  const block = new Uint8Array(2 ** 20);
  {
    using file = Deno.openSync(path, { write: true, createNew: true });
    for (let left = bytes; left > 0; left -= block.length) {
      file.writeSync(block);
    }
  }
  Deno.removeSync(path);
}

/** Removes a directory; one that is gone must not hide an earlier failure. */
function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Waits a number of milliseconds. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Runs one row once against one side, in a fresh daemon. */
async function measure(
  row: Row,
  side: Side,
  executable: string,
  directory: string,
  verify: boolean,
): Promise<Sample> {
  const home = Deno.makeTempDirSync({ dir: directory });
  const settle = row.name === IDLE_ROW ? SETTLE_MS : SETTLE_MS / 10;
  const limitMs = LOAD_LIMIT_MS;
  try {
    await using relay = await Relay.start(side, home);
    await runLoad(executable, warmUp(row.load), relay.ports, { limitMs });
    touchMemory(home, row.load);
    await pause(settle);
    const before = relay.memoryBytes();
    let memory = 0;
    let seconds = 0;
    const { report, setup } = await runLoad(executable, row.load, relay.ports, {
      limitMs,
      whenSetUp: async () => {
        await pause(settle);
        memory = relay.memoryBytes() - before;
        seconds = -relay.processorSeconds();
      },
      whenStored: () => seconds += relay.processorSeconds(),
    });
    if (verify) await verifyOnce(row, side, relay.output, report);
    return {
      megabytesPerSecond: report.bytes / report.seconds / 1e6,
      secondsPerGib: seconds / report.bytes * GIB,
      report,
      setupsPerSecond: setup.sessions / setup.setup_seconds,
      bytesPerSession: memory / setup.sessions,
    };
  } finally {
    removeTree(home);
  }
}

/** Checks a stored trace and says so. */
async function verifyOnce(
  row: Row,
  side: Side,
  output: string,
  report: Report,
): Promise<void> {
  const events = await verifyTrace(output, row.load, report);
  console.error(
    events === undefined
      ? `  ${side.name}: not verified: babeltrace2 is not installed`
      : `  ${side.name}: verified: babeltrace2 reads all ${events} events`,
  );
}

/** Prints the conditions that explain the figures. */
function printConditions(base: string | undefined, rounds: number): void {
  let congestion = "unknown";
  try {
    congestion = Deno.readTextFileSync(
      "/proc/sys/net/ipv4/tcp_congestion_control",
    ).trim();
  } catch {
    // Not readable here: the report of the generator says what it used.
  }
  console.log(
    `Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} processors, ` +
      `output in ${base ?? "a temporary directory on disk"}, medians of ` +
      `${rounds}; congestion control of this machine: ${congestion}`,
  );
}

/** Runs all rows; each round measures stock first, then ours. */
async function runRows(
  rows: readonly Row[],
  rounds: number,
  executable: string,
  directory: string,
): Promise<Result[]> {
  const stock = isInstalled("lttng-relayd")
    ? { name: "stock", command: "lttng-relayd", prefix: [] }
    : undefined;
  if (stock === undefined) {
    console.log(
      "Only ours is measured: lttng-relayd is not installed (apt-get install lttng-tools)",
    );
  }
  const ours = ourSide();
  const results: Result[] = [];
  for (const row of rows) {
    console.error(row.title);
    const result: Result = { row, stock: [], ours: [] };
    for (let round = 0; round < rounds; round++) {
      for (const side of stock === undefined ? [ours] : [stock, ours]) {
        const sample = await measure(row, side, executable, directory, !round);
        result[side === ours ? "ours" : "stock"].push(sample);
        console.error(
          `  ${side.name}: ${sample.megabytesPerSecond.toFixed(0)} MB/s, ` +
            `${sample.secondsPerGib.toFixed(2)} CPU s/GiB`,
        );
      }
    }
    results.push(result);
  }
  return results;
}

/** The entry of `deno task bench`. */
async function main(): Promise<number> {
  const options = parseArgs(Deno.args, {
    boolean: ["quick", "full", "help", "list"],
    string: ["output", "rounds", "row"],
    collect: ["row"],
    unknown: (argument) => {
      throw new TypeError(`Unknown argument: ${argument}`);
    },
  });
  if (options["help"]) {
    console.log(USAGE);
    return 0;
  }
  const size: Size = options["quick"]
    ? "quick"
    : options["full"]
    ? "full"
    : "default";
  const wanted = options["row"] as string[];
  const rows = makeRows(size).filter(({ name }) =>
    wanted.length === 0 || wanted.some((part) => name.includes(part))
  );
  if (options["list"] || rows.length === 0) {
    for (const { name, title } of makeRows(size)) {
      console.log(`${name}: ${title}`);
    }
    return options["list"] ? 0 : 2;
  }
  const rounds = Number(options["rounds"] ?? (size === "quick" ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new RangeError(
      `Rounds must be from 1 to 100: got ${options["rounds"]}`,
    );
  }
  if (Deno.build.os !== "linux") {
    throw new Error(
      `The benchmark reads /proc: it needs Linux, not ${Deno.build.os}`,
    );
  }
  const base = options["output"] as string | undefined ?? findMemory(rows);
  const directory = Deno.makeTempDirSync({
    prefix: "relay-bench-",
    ...(base === undefined ? {} : { dir: base }),
  });
  const tools = Deno.makeTempDirSync({ prefix: "relay-bench-" });
  const remove = () => [directory, tools].forEach(removeTree);
  const interrupt = () => {
    remove();
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const executable = await compileC("load", tools);
    printConditions(base, rounds);
    printTables(await runRows(rows, rounds, executable, directory));
    return 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    remove();
  }
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
