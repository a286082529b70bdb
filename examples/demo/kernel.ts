/**
 * The demo for root: our relay daemon and our session daemon, three seconds of
 * this machine's kernel streamed over TCP, and a summary of what arrived.
 */

import { Instance } from "../../lib/kernel/instance.ts";
import { Tracefs } from "../../lib/kernel/tracefs.ts";
import { Daemon, lttng, type Places, printCommand } from "./daemon.ts";

const LOOPBACK = "127.0.0.1";
const SECONDS = 3;
/** The load: programs that start, switch, and read a directory. */
const LOAD = ["ls", "-l", "/usr/bin"] as const;
/** Between two of them: the trace is to be a small one. */
const PAUSE_MS = 50;
const TRACEPOINTS = "sched_*,irq_*,block_rq_*";
/** What a shell reports of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Why the kernel cannot be traced here; `undefined` where it can. */
export async function kernelMissing(): Promise<string | undefined> {
  if (Deno.build.os === "linux" && Deno.uid() !== 0) {
    return "Not root: as root, this demo traces the kernel.";
  }
  try {
    // Some files can be read where none can be made: only a try tells.
    const options = { purpose: "demo", ringSize: 4096, overwrite: false };
    await Instance.create(Tracefs.open(), options).remove();
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message : error}.`;
  }
}

/** Traces the kernel; returns the exit status. */
export async function kernelDemo(): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => interruption.abort());
  }
  const { signal } = interruption;
  const output = await Deno.makeTempDir({ prefix: "lttng-demo-" });
  const directory = await Deno.makeTempDir({ prefix: "lttng-demo-run-" });
  const places = { LTTNG_RUNDIR: directory, LTTNG_HOME: directory };
  console.log(
    `relayd and lttng are relayd.ts and cli.ts here; LTTNG_RUNDIR=${directory} ` +
      `keeps them apart from others.\n`,
  );
  let status = 0;
  try {
    await record(output, places, signal);
    const trace = findTrace(output);
    if (trace === undefined) throw new Error("No trace arrived");
    console.log();
    await lttng(["view", "--summary", trace], places, signal);
  } catch (error) {
    status = signal.aborted ? INTERRUPTED : 1;
    console.error(signal.aborted ? "\nInterrupted" : `${error}`);
  }
  await Deno.remove(directory, { recursive: true });
  const trace = findTrace(output);
  if (trace === undefined) await Deno.remove(output, { recursive: true });
  else printReaders(trace);
  return status;
}

/** From the start of both daemons to their end. */
async function record(
  output: string,
  places: Places,
  signal: AbortSignal,
): Promise<void> {
  const daemons: Daemon[] = [];
  try {
    daemons.push(await startRelayd(output, places));
    signal.throwIfAborted();
    const sessiond = ["lttng", "sessiond"] as const;
    daemons.push(await Daemon.start("sessiond", sessiond, places));
    const url = `net://${LOOPBACK}:${port("control")}:${port("data")}`;
    await lttng(["create", "demo", `--set-url=${url}`], places, signal);
    for (const events of [[TRACEPOINTS], ["--syscall", "--all"]]) {
      await lttng(["enable-event", "--kernel", ...events], places, signal);
    }
    await lttng(["start"], places, signal);
    await load(signal);
    await lttng(["stop"], places, signal);
    await lttng(["destroy"], places, signal);
  } finally {
    // The session daemon first: it has yet to send what it has.
    for (const daemon of daemons.reverse()) await daemon.end();
  }

  function port(role: string): string {
    return Deno.readTextFileSync(`${places.LTTNG_RUNDIR}/relayd/${role}.port`)
      .trim();
  }
}

function startRelayd(output: string, places: Places): Promise<Daemon> {
  // The live port is of this machine alone anyway.
  const ports = ["control", "data"].map((role) =>
    `--${role}-port=tcp://${LOOPBACK}:0`
  );
  return Daemon.start("relayd", [
    "relayd",
    ...["--dynamic-port-allocation", ...ports, `--output=${output}`],
  ], places);
}

/** Runs a program again and again, for some seconds. */
async function load(signal: AbortSignal): Promise<void> {
  const [program, ...args] = LOAD;
  const options = { args, stdout: "null", stderr: "null", signal } as const;
  printCommand(...LOAD);
  const start = performance.now();
  let rounds = 0;
  for (let second = 1; second <= SECONDS; second++) {
    while (performance.now() < start + second * 1000) {
      signal.throwIfAborted();
      await new Deno.Command(program, options).output();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      rounds++;
    }
    console.log(`  ${second} s: ${rounds} times`);
  }
}

/** `OUTPUT/HOST/SESSION`, once there is something to read in it. */
function findTrace(output: string): string | undefined {
  const inside = (path: string) =>
    [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`);
  return inside(output).flatMap(inside)
    .find((path) => inside(path).some((domain) => inside(domain).length > 0));
}

function printReaders(trace: string): void {
  console.log(
    `\nThe trace is in ${trace}; read it with one of:\n\n` +
      `  deno run --allow-read cli.ts view ${trace}\n` +
      `  babeltrace2 ${trace}\n`,
  );
}
