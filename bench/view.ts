/** Reads the same large traces with babeltrace2 and `lttng view`, alternating, and prints the ratios. */

import { parseArgs } from "@std/cli/parse-args";
import { makeTrace, type TraceShape } from "./view_trace.ts";
import { median, printTable } from "./table.ts";

const USAGE = `Usage: deno task bench:view [OPTIONS]

Has the stock tracer record large traces, reads them with babeltrace2 and with
lttng view, alternating, and prints medians and ratios.

  --events N    Events of each trace (default 10 million)
  --rounds N    Rounds of both sides for each row (default 3)
  --quick       300 000 events, one round: does it work at all
  --help        Print this

LTTNG_BIN names an executable to run in place of cli.ts.
`;

const DEFAULT_EVENTS = 10_000_000;
const QUICK_EVENTS = 300_000;
/** How often a reader's memory is looked at, milliseconds. */
const MEMORY_INTERVAL = 20;
/** The longest that one reading may take, milliseconds. */
const LIMIT_MS = 600_000;

/** Both programs, and how each is told what to do with a trace. */
interface Sink {
  readonly title: string;
  readonly stock: readonly string[];
  readonly ours: readonly string[];
  /** Whether both must write the same bytes. */
  readonly isCompared: boolean;
}

const SINKS: readonly Sink[] = [
  { title: "to text", stock: [], ours: [], isCompared: true },
  {
    title: "to a counting sink",
    stock: ["--output-format=dummy"],
    ours: ["--summary"],
    isCompared: false,
  },
];

const SHAPES: readonly TraceShape[] = [
  {
    title: "2 streams, 1 MiB packets",
    applications: 1,
    channel: ["--subbuf-size=1M", "--num-subbuf=8"],
  },
  {
    title: "64 streams, 16 KiB packets",
    applications: 32,
    channel: ["--buffers-pid", "--subbuf-size=16k", "--num-subbuf=16"],
  },
];

/** What one reading took. */
interface Sample {
  readonly seconds: number;
  /** Most memory that it had, MiB. */
  readonly mebibytes: number;
}

/** The samples of one row. */
interface Row {
  readonly title: string;
  readonly events: number;
  readonly stock: Sample[];
  readonly ours: Sample[];
}

function ourCommand(): string[] {
  const executable = Deno.env.get("LTTNG_BIN");
  if (executable) return [executable, "view"];
  const entry = decodeURIComponent(
    new URL("../cli.ts", import.meta.url).pathname,
  );
  return [Deno.execPath(), "run", "--quiet", "--allow-read", entry, "view"];
}

/** Runs a reader with its output going nowhere. */
async function measure(command: readonly string[]): Promise<Sample> {
  const [program = "", ...args] = command;
  const start = performance.now();
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn();
  let mebibytes = 0;
  const timer = setInterval(() => {
    mebibytes = Math.max(mebibytes, peakMemory(child.pid));
  }, MEMORY_INTERVAL);
  const { code } = await child.status;
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, mebibytes };
}

function peakMemory(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** What a reader writes: how many lines, and a digest of them. */
async function digest(command: readonly string[]) {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let lines = 0;
  let hash = 0;
  for await (const chunk of child.stdout) {
    for (const byte of chunk) {
      hash = Math.imul(hash ^ byte, 0x01000193);
      if (byte === 10) lines++;
    }
  }
  await child.status;
  return { lines, hash };
}

/** Reads one trace in one way, by both programs in turn. */
async function measureRow(
  title: string,
  directory: string,
  sink: Sink,
  { events, rounds }: { events: number; rounds: number },
): Promise<Row> {
  const stock = ["babeltrace2", ...sink.stock, directory];
  const ours = [...ourCommand(), ...sink.ours, directory];
  if (sink.isCompared) {
    const [expected, written] = [await digest(stock), await digest(ours)];
    if (expected.lines !== events || expected.hash !== written.hash) {
      throw new Error(
        `${title}: ${events} events, babeltrace2 ${
          JSON.stringify(expected)
        }, ` +
          `ours ${JSON.stringify(written)}`,
      );
    }
  }
  const row: Row = { title, events, stock: [], ours: [] };
  for (let round = 0; round < rounds; round++) {
    row.stock.push(await measure(stock));
    row.ours.push(await measure(ours));
    console.error(`${title}: round ${round + 1} of ${rounds}`);
  }
  return row;
}

function print(rows: readonly Row[]): void {
  const lines = rows.map(({ title, events, stock, ours }) => {
    const rate = (samples: readonly Sample[]) =>
      events / 1e6 / median(samples.map(({ seconds }) => seconds))!;
    const memory = (samples: readonly Sample[]) =>
      median(samples.map(({ mebibytes }) => mebibytes))!.toFixed(0);
    return [
      title,
      rate(stock).toFixed(2),
      rate(ours).toFixed(2),
      (rate(ours) / rate(stock)).toFixed(2),
      memory(stock),
      memory(ours),
    ];
  });
  printTable([
    [
      ...["Trace and sink", "million events/s babeltrace2", "ours", "ratio"],
      ...["MiB babeltrace2", "ours"],
    ],
    ...lines,
  ]);
}

async function main(): Promise<void> {
  const options = parseArgs(Deno.args, {
    string: ["events", "rounds"],
    boolean: ["quick", "help"],
  });
  if (options.help) return console.log(USAGE);
  const { quick } = options;
  const events = Number(
    options.events ?? (quick ? QUICK_EVENTS : DEFAULT_EVENTS),
  );
  const rounds = Number(options.rounds ?? (quick ? 1 : 3));
  if (!(events >= 1000) || !(rounds >= 1)) {
    console.error("Error: at least 1000 events and one round: see --help");
    Deno.exit(1);
  }
  const rows: Row[] = [];
  for (const shape of SHAPES) {
    await using trace = await makeTrace(shape, events);
    for (const sink of SINKS) {
      const title = `${shape.title}, ${sink.title}`;
      rows.push(
        await measureRow(title, trace.path, sink, {
          events: trace.events,
          rounds,
        }),
      );
    }
  }
  print(rows);
}

if (import.meta.main) await main();
