/** Records the same kernel events with trace-cmd and with this tracer, alternating, and prints the ratios. */

import { parseArgs } from "@std/cli/parse-args";
import { TextLineStream } from "@std/streams";
import {
  lostEvents,
  parseRingCounters,
  type RingCounters,
} from "../lib/kernel/loss.ts";
import { exists, readFile, Tracefs, writeFile } from "../lib/kernel/tracefs.ts";
import { compileC } from "./compile.ts";
import { processorTime, withChildren } from "./processor_time.ts";
import { median, printTable } from "./table.ts";

const USAGE = `Usage: deno run -A bench/kernel.ts [OPTIONS]

As root, with gcc: loads the kernel, records its events with "trace-cmd record
-r 1" and with this tracer, alternating, and prints medians and ratios. Each
uses a tracefs instance of its own.

  --rounds N    Rounds of both sides for each load (default 3)
  --ring N      Ring buffer of each processor, MiB (default 8)
  --quick       Small loads, one round: does it work at all
  --output DIR  Where traces go while it runs (default: /dev/shm)
  --help        Print this
`;

/** What to do, and which events of it are recorded. */
interface Load {
  readonly title: string;
  /** For a shell; `programs` is where the compiled ones are. */
  readonly script: (size: number, programs: string) => string;
  /** Names of LTTng's tracepoints, and `syscalls`. */
  readonly ours: readonly string[];
  /** Events and systems of tracefs. */
  readonly stock: readonly string[];
}

const LOADS: readonly Load[] = [
  {
    title: "messages: 160 processes",
    script: (size, programs) =>
      `${programs}/messaging 4 20 ${Math.ceil(size / 500)}`,
    ours: ["sched_*", "irq_*", "syscalls"],
    stock: ["sched", "irq", "syscalls"],
  },
  {
    title: "pipes: switches and system calls",
    script: (size) =>
      `for pair in 1 2 3 4; do dd if=/dev/zero bs=1 count=${size} ` +
      `| dd of=/dev/null bs=1 & done; wait`,
    ours: ["sched_switch", "sched_wak*", "irq_*", "syscalls"],
    stock: [
      ...["sched:sched_switch", "sched:sched_wak*", "irq", "syscalls"],
    ],
  },
  {
    title: "files: system calls and allocations",
    script: (size) =>
      `for round in $(seq ${Math.ceil(size / 50_000)}); do ` +
      `ls -lR /usr >/dev/null; done`,
    ours: ["kmem_cache_*", "syscalls"],
    stock: ["kmem:kmem_cache_*", "syscalls"],
  },
];

const SIZE = 500_000;
const SIZE_QUICK = 50_000;

/** What is to be measured once. */
interface Job extends Omit<Load, "script"> {
  readonly command: string;
  /** Ring buffer of each processor, MiB. */
  readonly ring: number;
  /** Where the trace goes. */
  readonly output: string;
}

/** What one recording gave. */
interface Sample {
  readonly recorded: number;
  readonly lost: number;
  /** Processor time of the recording processes while they record. */
  readonly nanoseconds: number;
  /** The same until the trace is complete: trace-cmd puts it together then. */
  readonly nanosecondsToEnd: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** The longest that a load may take, milliseconds. */
const LOAD_MS = 120_000;

/** Runs the load to its end; seconds that it took. */
async function runLoad({ title, command }: Job): Promise<number> {
  const start = performance.now();
  const { success } = await new Deno.Command("bash", {
    args: ["-c", command],
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(LOAD_MS),
  }).output();
  if (!success) throw new Error(`The load "${title}" failed`);
  return (performance.now() - start) / 1e3;
}

function bytesIn(path: string): number {
  const info = Deno.statSync(path);
  if (!info.isDirectory) return info.size;
  let sum = 0;
  for (const { name } of Deno.readDirSync(path)) {
    sum += bytesIn(`${path}/${name}`);
  }
  return sum;
}

async function recordOurs(job: Job): Promise<Sample> {
  const { ring, output } = job;
  const script = new URL("./kernel_recorder.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, output, String(ring), job.ours.join(",")],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  await lines.read();
  const seconds = await runLoad(job);
  await child.stdin.close();
  const { value } = await lines.read();
  await lines.cancel();
  await child.status;
  if (value === undefined) throw new Error("This tracer recorded nothing");
  const sample = JSON.parse(value);
  return {
    ...sample,
    nanosecondsToEnd: sample.nanoseconds,
    seconds,
    bytes: bytesIn(output),
  };
}

/** Pause in which trace-cmd's recorders come to rest, milliseconds. */
const SETTLE_MS = 300;
const START_MS = 30_000;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Its recorders, one a processor, tell that it records. */
async function recordersOf(pid: number): Promise<number[]> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const pids = withChildren(pid);
    if (pids.length > navigator.hardwareConcurrency) return pids;
    if (performance.now() > deadline) {
      throw new Error("trace-cmd does not record");
    }
    await pause(20);
  }
}

/** What the ring buffers of an instance say of all processors. */
function countersOf(instance: string): RingCounters[] {
  return [...Deno.readDirSync(`${instance}/per_cpu`)].map(({ name }) =>
    parseRingCounters(readFile(`${instance}/per_cpu/${name}/stats`))
  );
}

/** Processor time of a process from now to its end. */
async function timeToEnd(child: Deno.ChildProcess): Promise<number> {
  const start = processorTime([child.pid]);
  let last = start;
  let isRunning = true;
  child.status.then(() => isRunning = false);
  while (isRunning) {
    try {
      last = processorTime([child.pid]);
    } catch {
      // It has just ended.
    }
    await pause(5);
  }
  return last - start;
}

/** Its recorders may end a little later than itself. */
async function removeInstance(path: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      return await Deno.remove(path);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(20);
    }
  }
}

/**
 * Some kernels forbid to trace functions, which trace-cmd asks for although
 * nobody asked it: these files are empty ones to it then. `$1` is the
 * instance, `$2` an empty file; the rest is the command.
 */
const SURROUNDINGS = `
for file in "$1"/set_ftrace_* /proc/sys/kernel/ftrace_enabled; do
  case "$file" in
    /proc/*) ;;
    *) cat "$file" >/dev/null 2>&1 && continue ;;
  esac
  mount --bind "$2" "$file"
done
shift 2
exec "$@"
`;

/** What trace-cmd switches in the buffers of all, though it uses its own. */
const GLOBAL_FILES = ["tracing_on", "buffer_size_kb"];

/** Notes them; puts back, when disposed, what has changed. */
function keepGlobals(): Disposable {
  const root = Tracefs.find();
  // Before its first use a buffer is small and says so: "7 (expanded: 1408)".
  const read = (file: string) =>
    readFile(`${root}/${file}`).trim().replace(/^.*expanded: (\d+).*$/, "$1");
  const before = GLOBAL_FILES.map((file) => [file, read(file)] as const);
  return {
    [Symbol.dispose]: () => {
      for (const [file, value] of before) {
        if (read(file) !== value) writeFile(`${root}/${file}`, value);
      }
    },
  };
}

async function recordStock(job: Job): Promise<Sample> {
  using _globals = keepGlobals();
  const { ring, output } = job;
  const name = `bench-${Deno.pid}`;
  const instance = `${Tracefs.find()}/instances/${name}`;
  await Deno.mkdir(instance);
  const empty = await Deno.makeTempFile();
  const child = new Deno.Command("unshare", {
    args: [
      ...["--mount", "bash", "-c", SURROUNDINGS, "bash", instance, empty],
      ...["trace-cmd", "record", "-r", "1", "-o", output, "-C", "mono"],
      ...["-B", name, "-b", String(ring * 1024)],
      ...job.stock.flatMap((event) => ["-e", event]),
    ],
    // It makes a file of the empty top instance where it is.
    cwd: output.replace(/\/[^/]*$/, ""),
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const pids = await recordersOf(child.pid);
    await pause(SETTLE_MS);
    const before = processorTime(pids);
    const seconds = await runLoad(job);
    await pause(SETTLE_MS);
    const nanoseconds = processorTime(pids) - before;
    let recorded = 0;
    let lost = 0;
    for (const counters of countersOf(instance)) {
      recorded += counters.read + counters.entries;
      lost += lostEvents(counters);
    }
    child.kill("SIGINT");
    const rest = await timeToEnd(child);
    return {
      recorded,
      lost,
      nanoseconds,
      nanosecondsToEnd: nanoseconds + rest,
      seconds,
      bytes: bytesIn(output),
    };
  } finally {
    await child.status;
    await Deno.remove(empty);
    if (exists(instance)) {
      writeFile(`${instance}/events/enable`, "0");
      await removeInstance(instance);
    }
  }
}

/** Events of a recording that were lost, per cent. */
function lossShare({ recorded, lost }: Sample): number {
  return 100 * lost / (recorded + lost);
}

const MEASURES: readonly (readonly [string, (sample: Sample) => number])[] = [
  ["10⁶ events recorded", ({ recorded }) => recorded / 1e6],
  ["10⁶ events a second", ({ recorded, seconds }) => recorded / seconds / 1e6],
  ["lost in the middle round, %", lossShare],
  [
    "CPU ns an event, recording",
    ({ recorded, nanoseconds }) => nanoseconds / recorded,
  ],
  [
    "CPU ns an event, to the end",
    ({ recorded, nanosecondsToEnd }) => nanosecondsToEnd / recorded,
  ],
  ["bytes an event on disk", ({ recorded, bytes }) => bytes / recorded],
];

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    boolean: ["help", "quick"],
    string: ["rounds", "ring", "output"],
  });
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  const rounds = args.quick ? 1 : Number(args.rounds ?? 3);
  const ring = Number(args.ring ?? 8);
  const size = args.quick ? SIZE_QUICK : SIZE;
  const base = await Deno.makeTempDir({
    dir: String(args.output ?? "/dev/shm"),
  });
  const table: string[][] = [["load", "measure", "trace-cmd", "ours", "ratio"]];
  try {
    await compileC("messaging", base);
    for (const load of LOADS) {
      const stock: Sample[] = [];
      const ours: Sample[] = [];
      for (let round = 0; round < rounds; round++) {
        for (
          const [samples, record] of [
            [stock, recordStock],
            [ours, recordOurs],
          ] as const
        ) {
          const output = `${base}/trace`;
          const command = load.script(size, base);
          samples.push(await record({ ...load, command, ring, output }));
          await Deno.remove(output, { recursive: true });
        }
      }
      for (const [name, measure] of MEASURES) {
        const theirs = median(stock.map(measure))!;
        const own = median(ours.map(measure))!;
        const ratio = theirs === 0 ? "–" : (own / theirs).toFixed(2);
        table.push([load.title, name, figure(theirs), figure(own), ratio]);
      }
      const worst = [stock, ours].map((samples) =>
        Math.max(...samples.map(lossShare))
      );
      table.push([
        load.title,
        "lost in the worst round, %",
        ...worst.map(figure),
        "–",
      ]);
    }
  } finally {
    await Deno.remove(base, { recursive: true });
  }
  printTable(table);
  return 0;
}

Deno.exit(await main());
